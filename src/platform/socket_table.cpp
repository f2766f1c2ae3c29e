// SPDX-License-Identifier: MIT
// socket_table.cpp - pages of slots that never move, and a queue of free ones.
#include "platform/socket_table.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <new>

#include "base/spin_lock.hpp"

namespace ioring::platform {
namespace {

using kind = socket_table::kind;

constexpr std::uint32_t page_slots = 1024;
constexpr std::uint32_t none = ~std::uint32_t{0};

struct slot_entry {
    std::atomic<std::uintptr_t> handle{0};
    std::atomic<std::uint32_t> generation{0};
    std::atomic<kind> what{kind::none};
    std::uint32_t next_free = none;
};

using page = std::array<slot_entry, page_slots>;

// Never destroyed: static objects of a program may close sockets at its very end.
constinit std::array<std::atomic<page*>, socket_table::slots_max / page_slots> pages{};
constinit ioring::detail::spin_lock changing;
std::uint32_t made = 0;  // Slots that there are; this and the queue belong to who has the lock.
std::uint32_t first_free = none;
std::uint32_t last_free = none;

slot_entry* entry_at(std::uint32_t slot) noexcept {
    if (slot >= socket_table::slots_max) return nullptr;
    page* const of = pages[slot / page_slots].load(std::memory_order_acquire);
    return of == nullptr ? nullptr : &(*of)[slot % page_slots];
}

void push_free(std::uint32_t slot) noexcept {
    entry_at(slot)->next_free = none;
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is a page of every slot made.
    (first_free == none ? first_free : entry_at(last_free)->next_free) = slot;
    last_free = slot;
}

bool add_page() noexcept {
    if (made == socket_table::slots_max) return false;
    page* const fresh = new (std::nothrow) page;
    if (fresh == nullptr) return false;
    // Release: whoever sees the page sees it made.
    pages[made / page_slots].store(fresh, std::memory_order_release);
    for (std::uint32_t index = 0; index < page_slots; ++index) push_free(made + index);
    made += page_slots;
    return true;
}

socket_table::found look(const slot_entry& entry) noexcept {
    // Acquire: pairs with the release of add(), so that the handle is that of this kind.
    const kind what = entry.what.load(std::memory_order_acquire);
    if (what == kind::none) return {};
    return {.what = what,
            .handle = entry.handle.load(std::memory_order_relaxed),
            .generation = entry.generation.load(std::memory_order_relaxed)};
}

}  // namespace

std::int32_t socket_table::add(std::uintptr_t handle, kind what) noexcept {
    const std::lock_guard hold{changing};
    if (first_free == none && !add_page()) return -1;
    const std::uint32_t slot = first_free;
    slot_entry& entry = *entry_at(slot);
    first_free = entry.next_free;
    entry.handle.store(handle, std::memory_order_relaxed);
    entry.what.store(what, std::memory_order_release);
    return static_cast<std::int32_t>(slot);
}

socket_table::found socket_table::find(std::int32_t slot) noexcept {
    const slot_entry* const entry = entry_at(static_cast<std::uint32_t>(slot));
    return entry == nullptr ? found{} : look(*entry);
}

void socket_table::disown(std::int32_t slot) noexcept {
    const std::lock_guard hold{changing};
    slot_entry* const entry = entry_at(static_cast<std::uint32_t>(slot));
    if (entry == nullptr || look(*entry).what != kind::socket) return;
    entry->what.store(kind::other, std::memory_order_release);
    entry->handle.store(0, std::memory_order_relaxed);
}

socket_table::found socket_table::remove(std::int32_t slot) noexcept {
    const std::lock_guard hold{changing};
    slot_entry* const entry = entry_at(static_cast<std::uint32_t>(slot));
    if (entry == nullptr) return {};
    const found was = look(*entry);
    if (was.what == kind::none) return was;
    entry->what.store(kind::none, std::memory_order_relaxed);
    entry->generation.fetch_add(1, std::memory_order_relaxed);
    push_free(static_cast<std::uint32_t>(slot));
    return was;
}

}  // namespace ioring::platform
