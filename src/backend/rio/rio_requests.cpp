// SPDX-License-Identifier: MIT
// rio_requests.cpp - requests: taken, kept in order, handed to the system, ended.
#include <cassert>
#include <cerrno>

#include "backend/rio/rio_core.hpp"

namespace ioring::backends::rio {

std::int32_t core::submit(reference socket, const transfer& asked, reference& out) noexcept {
    assert(!telling_);
    if (dead_) return -EIO;
    connection* const home = find(socket);
    if (home == nullptr || home->now != phase::open) return -EBADF;
    const std::uint32_t registration = buffers_.find(asked.buffer, asked.data, asked.bytes);
    if (registration == registrations::none) return -EFAULT;
    const std::uint32_t index = take_request();
    if (index == none) return requests_made_ == requests_max ? -ENOBUFS : -ENOMEM;
    request& made = requests_[index];
    made.cookie = asked.cookie;
    made.connection = socket.slot;
    made.registration = registration;
    made.offset = buffers_.offset_of(registration, asked.data);
    made.bytes = asked.bytes;
    made.way = asked.way;
    made.wait_all = asked.wait_all;
    made.where = place::waits_here;
    buffers_.hold(registration);
    append(lane_of(*home, asked.way), index);
    mark(socket.slot);
    out = {index, made.generation};
    return 0;
}

bool core::withdraw(reference which) noexcept {
    assert(!telling_);
    if (which.slot >= requests_made_) return false;
    request& waiting = requests_[which.slot];
    if (waiting.generation != which.generation || waiting.where != place::waits_here) return false;
    unlink(which.slot);
    buffers_.release(waiting.registration);
    recycle(which.slot);
    return true;
}

std::uint32_t core::take_request() noexcept {
    if (free_requests_ != none) {
        const std::uint32_t index = free_requests_;
        free_requests_ = requests_[index].next;
        return index;
    }
    if (requests_made_ == requests_max || !requests_.grow_to(requests_made_ + std::size_t{1})) {
        return none;
    }
    requests_[requests_made_].generation = 1;
    return requests_made_++;
}

void core::append(lane& to, std::uint32_t index) noexcept {
    requests_[index].next = none;
    requests_[index].previous = to.last;
    (to.last == none ? to.first : requests_[to.last].next) = index;
    to.last = index;
}

// Takes a request that waits here out of its lane.
void core::unlink(std::uint32_t index) noexcept {
    const request& gone = requests_[index];
    lane& from = lane_of(connections_[gone.connection], gone.way);
    (gone.previous == none ? from.first : requests_[gone.previous].next) = gone.next;
    (gone.next == none ? from.last : requests_[gone.next].previous) = gone.previous;
}

void core::recycle(std::uint32_t index) noexcept {
    request& over = requests_[index];
    over.where = place::nowhere;
    if (++over.generation == 0) over.generation = 1;
    over.next = free_requests_;
    free_requests_ = index;
}

// The registration is given back first: whoever is told may free the memory.
void core::end(std::uint32_t index, std::int32_t res) noexcept {
    const request& over = requests_[index];
    const std::uint64_t cookie = over.cookie;
    buffers_.release(over.registration);
    recycle(index);
    tell(cookie, res);
}

void core::mark(std::uint32_t slot) noexcept {
    connection& marked = connections_[slot];
    if (marked.to_flush || marked.now != phase::open) return;
    marked.to_flush = true;
    marked.next_to_flush = to_flush_;
    to_flush_ = slot;
}

void core::flush() noexcept {
    while (to_flush_ != none && !dead_) {
        const std::uint32_t slot = to_flush_;
        connection& next = connections_[slot];
        to_flush_ = next.next_to_flush;
        next.to_flush = false;
        if (next.now != phase::open) continue;
        issue(slot, direction::receive);
        if (!dead_) issue(slot, direction::send);
    }
}

// The first request of the lane, if the system may have it now. Those whose buffer another socket
// is sending from end.
std::uint32_t core::next_issuable(std::uint32_t slot, direction way) noexcept {
    lane& from = lane_of(connections_[slot], way);
    while (from.first != none && from.in_flight < limit(way)) {
        const std::uint32_t index = from.first;
        if (way == direction::receive) return index;
        const std::uint32_t sender = buffers_.sender_of(requests_[index].registration);
        if (sender == registrations::nobody) return index;
        if (sender == slot) return none;  // It goes on when that one has ended.
        unlink(index);
        end(index, -EBUSY);
    }
    return none;
}

void core::issue(std::uint32_t slot, direction way) noexcept {
    std::uint32_t deferred = 0;
    for (std::uint32_t index = none; (index = next_issuable(slot, way)) != none;) {
        connection& by = connections_[slot];
        lane& from = lane_of(by, way);
        const bool more = requests_[index].next != none && from.in_flight + 1 < limit(way);
        const std::int32_t code = post(by, index, more ? abi::message_flag::defer : 0);
        if (code == abi::code::no_buffers && from.in_flight > 0) break;  // A completion makes room.
        unlink(index);
        if (code != 0) {
            end(index, system_.negative_errno(code));
            continue;
        }
        request& begun = requests_[index];
        begun.where = place::in_system;
        if (way == direction::send) buffers_.set_sender(begun.registration, slot);
        ++from.in_flight;
        ++in_flight_;
        deferred = more ? deferred + 1 : 0;
    }
    if (deferred > 0) commit(connections_[slot], way);
}

// 0, or the code of why the system did not take it.
std::int32_t core::post(const connection& by, std::uint32_t index, abi::dword flags) noexcept {
    const request& asked = requests_[index];
    abi::buffer part{.id = buffers_.id_of(asked.registration, asked.way),
                     .offset = asked.offset,
                     .length = asked.bytes};
    if (asked.wait_all && asked.way == direction::receive) flags |= abi::message_flag::wait_all;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a name that comes back, which nobody follows.
    void* const context = reinterpret_cast<void*>(
        static_cast<std::uintptr_t>(reference{index, asked.generation}.packed()));
    const auto call = asked.way == direction::send ? system_.table.send : system_.table.receive;
    if (call(by.queue, &part, 1, flags, context) != 0) return 0;
    const std::int32_t code = system_.last_error();
    return code == abi::code::io_pending ? 0 : code;
}

// Sets going what was deferred and has no successor that would.
void core::commit(const connection& of, direction way) noexcept {
    const auto call = way == direction::send ? system_.table.send : system_.table.receive;
    if (call(of.queue, nullptr, 0, abi::message_flag::commit_only, nullptr) == 0) {
        die("requests were deferred and cannot be committed", system_.last_error());
    }
}

}  // namespace ioring::backends::rio
