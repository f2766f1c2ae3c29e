// SPDX-License-Identifier: MIT
// buffer_groups.cpp - adding, selecting and using provided buffers.
#include "backend/emulation/buffer_groups.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <new>

#include "base/pointer.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::emulation {
namespace {

constexpr std::uint32_t entries_max = 32'768;
constexpr std::uint32_t groups_max = 65'536;
constexpr std::uintptr_t page_bytes_min = 4096;  // The alignment that the kernel asks for.

// The program's tail, in the first record of its ring.
std::uint16_t tail_of(const std::uint16_t& tail) noexcept {
#if defined(__GNUC__)
    // Acquire: the records before the tail are complete (pairs with the program's release).
    return __atomic_load_n(&tail, __ATOMIC_ACQUIRE);
#else
    const std::uint16_t value = static_cast<const volatile std::uint16_t&>(tail);
    std::atomic_thread_fence(std::memory_order_acquire);
    return value;
#endif
}

}  // namespace

buffer_groups::group_state* buffer_groups::find(std::uint32_t group) const noexcept {
    if (group >= groups_max) return nullptr;
    page* const home = pages_[group / page_groups].get();
    if (home == nullptr) return nullptr;
    group_state& found = (*home)[group % page_groups];
    return found.records == nullptr ? nullptr : &found;
}

int buffer_groups::add(const buffer_ring& ring) noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(ring.records);
    if (address == 0) return -EFAULT;
    const bool fits = std::has_single_bit(ring.entries) && ring.entries <= entries_max;
    if (!fits || address % page_bytes_min != 0) return -EINVAL;
    if (find(ring.group) != nullptr) return -EEXIST;
    std::unique_ptr<page>& home = pages_[ring.group / page_groups];
    if (home == nullptr) home.reset(new (std::nothrow) page{});
    if (home == nullptr) return -ENOMEM;
    (*home)[ring.group % page_groups] = {.records = static_cast<record*>(ring.records),
                                         .mask = static_cast<std::uint16_t>(ring.entries - 1),
                                         .head = 0,
                                         .incremental = ring.incremental};
    return 0;
}

int buffer_groups::remove(std::uint32_t group) noexcept {
    if (group >= groups_max) return -EINVAL;
    group_state* const found = find(group);
    if (found == nullptr) return -ENOENT;
    *found = {};
    return 0;
}

bool buffer_groups::select(std::uint16_t group, std::uint32_t bytes_max,
                           selected_buffer& out) const noexcept {
    const group_state* const from = find(group);
    if (from == nullptr || tail_of(from->records->tail) == from->head) return false;
    const record& next = from->records[from->head & from->mask];
    out.data = detail::pointer_of<std::byte>(next.address);
    out.bytes = bytes_max == 0 ? next.bytes : std::min(next.bytes, bytes_max);
    out.incremental = from->incremental;
    return true;
}

std::uint32_t buffer_groups::commit(std::uint16_t group, std::uint32_t bytes) noexcept {
    group_state* const from = find(group);
    assert(from != nullptr);
    record& used = from->records[from->head & from->mask];
    const std::uint32_t flags =
        cqe_flag::buffer | (std::uint32_t{used.id} << cqe_flag::buffer_shift);
    if (from->incremental) {
        const std::uint32_t taken = std::min(bytes, used.bytes);
        if (taken < used.bytes) {
            used.address += taken;
            used.bytes -= taken;
            return flags | cqe_flag::buffer_more;
        }
        used.bytes = 0;
    }
    ++from->head;
    return flags;
}

}  // namespace ioring::backends::emulation
