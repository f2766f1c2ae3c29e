// SPDX-License-Identifier: MIT
// rio_connections.cpp - sockets: attached, closed, and forgotten when their last request is over.
#include <cassert>
#include <cerrno>

#include "backend/rio/rio_core.hpp"

namespace ioring::backends::rio {

const core::connection* core::find(reference wanted) const noexcept {
    if (wanted.slot >= connections_made_) return nullptr;
    const connection& found = connections_[wanted.slot];
    const bool same = found.generation == wanted.generation && found.now != phase::unused;
    return same ? &found : nullptr;
}

std::int32_t core::attach(abi::socket socket, std::uint64_t cookie, reference& out) noexcept {
    assert(!telling_);
    if (dead_) return -EIO;
    if (!budget_.has_room(share())) {
        if (const std::int32_t error = grow(share()); error != 0) return error;
    }
    std::uint32_t slot = none;
    if (const std::int32_t error = take_slot(slot); error != 0) return error;
    const reference made{slot, connections_[slot].generation};
    abi::request_queue queue = abi::invalid_request_queue;
    if (const std::int32_t error = make_queue(socket, made, queue); error != 0) {
        connections_[slot].next_free = free_connections_;
        free_connections_ = slot;
        return error;
    }
    budget_.reserve(share());
    ++connections_count_;
    connection& home = connections_[slot];
    home.socket = socket;
    home.queue = queue;
    home.cookie = cookie;
    for (lane& each : home.lanes) each = {.first = none, .last = none, .in_flight = 0};
    home.now = phase::open;
    out = made;
    return 0;
}

std::int32_t core::take_slot(std::uint32_t& out) noexcept {
    if (free_connections_ != none) {
        out = free_connections_;
        free_connections_ = connections_[out].next_free;
        return 0;
    }
    if (connections_made_ == connections_max) return -ENOBUFS;
    if (!connections_.grow_to(connections_made_ + std::size_t{1})) return -ENOMEM;
    out = connections_made_++;
    connections_[out].generation = 1;
    return 0;
}

std::int32_t core::grow(std::uint32_t more) noexcept {
    const std::uint32_t entries = budget_.grown_for(more);
    if (entries == 0) return -ENOBUFS;
    if (system_.table.resize_completion_queue(completions_, entries) == 0) return system_error();
    budget_.resized(entries);
    return 0;
}

// The system may be short of room although our own count says that there is enough: what was
// closed comes back late. Taking completions and a larger queue both help.
std::int32_t core::make_queue(abi::socket socket, reference who, abi::request_queue& out) noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a name that comes back, which nobody follows.
    void* const context = reinterpret_cast<void*>(static_cast<std::uintptr_t>(who.packed()));
    std::int32_t error = 0;
    for (std::uint32_t tries = 0; tries < attach_tries_max; ++tries) {
        out =
            system_.table.create_request_queue(socket, options_.receives_max, 1, options_.sends_max,
                                               1, completions_, completions_, context);
        if (out != abi::invalid_request_queue) return 0;
        const std::int32_t code = system_.last_error();
        error = system_.negative_errno(code);
        if (code != abi::code::no_buffers) return error;
        (void)reap(results_max);
        if (dead_) return -EIO;
        if (grow(share()) != 0) return error;
    }
    return error;
}

bool core::close(reference which, std::int32_t& error) noexcept {
    assert(!telling_);
    connection* const closing = find(which);
    if (closing == nullptr || closing->now != phase::open) {
        error = -EBADF;
        return true;
    }
    closing->now = phase::draining;
    const std::int32_t code = system_.close_socket(closing->socket);
    error = code == 0 ? 0 : system_.negative_errno(code);
    if (!dead_) drop_waiting(*closing, -ECANCELED);
    return free_if_idle(which.slot) || dead_;
}

void core::drop_waiting(connection& of, std::int32_t res) noexcept {
    for (lane& each : of.lanes) {
        while (each.first != none) {
            const std::uint32_t index = each.first;
            unlink(index);
            end(index, res);
        }
    }
}

// A dead core has no idle slots: what the system has of them is not known.
bool core::free_if_idle(std::uint32_t slot) noexcept {
    connection& done = connections_[slot];
    const bool idle = done.lanes[0].in_flight == 0 && done.lanes[1].in_flight == 0;
    if (dead_ || done.now != phase::draining || !idle) return false;
    done.now = phase::unused;
    if (++done.generation == 0) done.generation = 1;
    done.next_free = free_connections_;
    free_connections_ = slot;
    --connections_count_;
    budget_.give_back(share());
    return true;
}

std::int32_t core::add_buffer(std::uint32_t slot, std::byte* data, std::size_t bytes) noexcept {
    return dead_ ? -EIO : buffers_.add(slot, data, bytes);
}

bool core::shut_down() noexcept {
    if (completions_ == abi::invalid_completion_queue) return true;
    for (std::uint32_t slot = 0; slot < connections_made_; ++slot) {
        std::int32_t unused = 0;
        const connection& each = connections_[slot];
        if (each.now == phase::open) (void)close({slot, each.generation}, unused);
    }
    if (dead_ || in_flight_ > 0) return false;
    system_.table.close_completion_queue(completions_);
    completions_ = abi::invalid_completion_queue;
    buffers_.clear();
    return true;
}

}  // namespace ioring::backends::rio
