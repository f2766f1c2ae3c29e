// SPDX-License-Identifier: MIT
// registrations.cpp - registering both ways, and giving back when the last request has ended.
#include "backend/rio/registrations.hpp"

#include <cassert>
#include <cerrno>

namespace ioring::backends::rio {

bool registrations::register_both(entry& made, std::int32_t& error) noexcept {
    char* const data = reinterpret_cast<char*>(made.data);
    const auto bytes = static_cast<abi::dword>(made.bytes);
    made.for_receive = system_.table.register_buffer(data, bytes);
    if (made.for_receive == abi::invalid_buffer_id()) {
        error = system_.negative_errno(system_.last_error());
        return false;
    }
    made.for_send = system_.table.register_buffer(data, bytes);
    if (made.for_send == abi::invalid_buffer_id()) {
        error = system_.negative_errno(system_.last_error());
        system_.table.deregister_buffer(made.for_receive);
        return false;
    }
    return true;
}

std::int32_t registrations::add(std::uint32_t slot, std::byte* data, std::size_t bytes) noexcept {
    if (data == nullptr || bytes == 0 || bytes > abi::buffer_bytes_max) return -EINVAL;
    if (!by_slot_.grow_to(slot + std::size_t{1})) return -ENOMEM;
    if (by_slot_[slot] != 0) return -EEXIST;
    const bool fresh = free_ == none;
    const std::uint32_t index = fresh ? made_ : free_;
    if (fresh && !all_.grow_to(made_ + std::size_t{1})) return -ENOMEM;
    entry made{.data = data,
               .bytes = bytes,
               .for_receive = nullptr,
               .for_send = nullptr,
               .holders = 0,
               .sender = nobody,
               .next_free = none,
               .used = true,
               .removed = false};
    std::int32_t error = 0;
    if (!register_both(made, error)) return error;
    if (fresh) {
        ++made_;
    } else {
        free_ = all_[index].next_free;
    }
    all_[index] = made;
    by_slot_[slot] = index + 1;
    ++count_;
    return 0;
}

std::int32_t registrations::remove(std::uint32_t slot) noexcept {
    if (slot >= by_slot_.size() || by_slot_[slot] == 0) return -EINVAL;
    const std::uint32_t index = by_slot_[slot] - 1;
    by_slot_[slot] = 0;
    all_[index].removed = true;
    if (all_[index].holders == 0) give_back(index);
    return 0;
}

std::uint32_t registrations::find(std::uint32_t slot, const std::byte* data,
                                  std::uint32_t bytes) const noexcept {
    if (slot >= by_slot_.size() || by_slot_[slot] == 0) return none;
    const std::uint32_t index = by_slot_[slot] - 1;
    const entry& found = all_[index];
    const auto first = reinterpret_cast<std::uintptr_t>(found.data);
    const auto asked = reinterpret_cast<std::uintptr_t>(data);
    if (bytes == 0 || asked < first || asked - first > found.bytes) return none;
    return bytes <= found.bytes - (asked - first) ? index : none;
}

void registrations::release(std::uint32_t index) noexcept {
    entry& held = all_[index];
    assert(held.used && held.holders > 0);
    if (--held.holders == 0 && held.removed) give_back(index);
}

void registrations::give_back(std::uint32_t index) noexcept {
    entry& done = all_[index];
    system_.table.deregister_buffer(done.for_receive);
    system_.table.deregister_buffer(done.for_send);
    done.used = false;
    done.next_free = free_;
    free_ = index;
    --count_;
}

void registrations::clear() noexcept {
    for (std::uint32_t index = 0; index < made_; ++index) {
        if (all_[index].used && all_[index].holders == 0) give_back(index);
    }
    for (std::size_t slot = 0; slot < by_slot_.size(); ++slot) by_slot_[slot] = 0;
}

}  // namespace ioring::backends::rio
