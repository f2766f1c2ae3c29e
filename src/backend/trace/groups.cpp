// SPDX-License-Identifier: MIT
// groups.cpp - reading provided-buffer rings from the kernel's side.
#include "backend/trace/groups.hpp"

#include <atomic>

namespace ioring::backends::trace {
namespace {

// The kernel's record; see backends::buffer_ring.
struct buffer_record {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t id;
    std::uint16_t tail;  // In the first record: that of the ring.
};
static_assert(sizeof(buffer_record) == 16);

}  // namespace

void group_table::add(const buffer_ring& ring) {
    groups_[ring.group] = group_state{.ring = ring, .seen_tail = 0, .buffers = {}};
}

void group_table::look() {
    for (auto& [id, group] : groups_) look(group);
}

void group_table::look(group_state& group) {
    auto* const records = static_cast<buffer_record*>(group.ring.records);
    auto& tail = reinterpret_cast<std::atomic<std::uint16_t>&>(records[0].tail);
    // Acquire: the records before the tail are complete (pairs with the program's release).
    const std::uint16_t end = tail.load(std::memory_order_acquire);
    for (; group.seen_tail != end; ++group.seen_tail) {
        const buffer_record& each = records[group.seen_tail & (group.ring.entries - 1)];
        group.buffers[each.id] = {.address = each.address, .bytes = each.bytes, .used_bytes = 0};
    }
}

std::span<std::byte> group_table::take(std::uint16_t group, const cqe& done) {
    const auto found = groups_.find(group);
    if (found == groups_.end() || !done.has_buffer() || done.res <= 0) return {};
    auto& buffers = found->second.buffers;
    const auto at = buffers.find(done.buffer_id());
    if (at == buffers.end()) return {};
    buffer& each = at->second;
    const auto bytes = static_cast<std::uint32_t>(done.res);
    if (bytes > each.bytes - each.used_bytes) return {};  // A bundle, or no CQE of this group.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a record holds every pointer as a number.
    auto* const data = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(each.address));
    const std::span<std::byte> filled{data + each.used_bytes, bytes};
    each.used_bytes += bytes;
    if ((done.flags & cqe_flag::buffer_more) == 0) buffers.erase(at);
    return filled;
}

}  // namespace ioring::backends::trace
