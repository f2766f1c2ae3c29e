// SPDX-License-Identifier: MIT
// double_requests.cpp - receives and sends: what is refused, in what order they run, how they end.
#include <algorithm>
#include <string>

#include "rio_double.hpp"
#include "usage.hpp"

namespace ioring::rio_tests {
namespace {

constexpr abi::dword common_flags = abi::message_flag::dont_notify | abi::message_flag::defer;

bool overlap(const char* one, abi::dword one_bytes, const char* other, abi::dword other_bytes) {
    const auto a = reinterpret_cast<std::uintptr_t>(one);
    const auto b = reinterpret_cast<std::uintptr_t>(other);
    return a < b + other_bytes && b < a + one_bytes;
}

}  // namespace

bool rio_double::submit(abi::request_queue which, std::size_t way, const abi::buffer* data,
                        abi::dword count, abi::dword flags, void* context) {
    const call name = way == 0 ? call::receive : call::send;
    std::unique_lock lock(mutex_);
    if (fails(name)) return false;
    request_queue* const to = find(which);
    if (to == nullptr || to->closed) {
        if (to != nullptr) violate("a request on a queue whose socket is closed");
        refuse(abi::code::invalid);
        return false;
    }
    if ((flags & abi::message_flag::commit_only) != 0) {
        // The one call that needs no serialising, so that it is no use of the queue.
        run_pause(name, lock);
        if (flags != abi::message_flag::commit_only || data != nullptr || count != 0 ||
            context != nullptr) {
            refuse(abi::code::invalid);
            return false;
        }
        commit(to->lanes[way]);
        progress_locked();
        return true;
    }
    const usage here(*this, to->in_use, "request queue");
    run_pause(name, lock);
    const abi::dword known = way == 0 ? common_flags | abi::message_flag::wait_all : common_flags;
    if ((flags & ~known) != 0 || data == nullptr || count != 1) {
        refuse(abi::code::invalid);
        return false;
    }
    return add(*to, way, *data, flags, context);
}

bool rio_double::add(request_queue& to, std::size_t way, const abi::buffer& part, abi::dword flags,
                     void* context) {
    registration* const buffer = find(part.id);
    lane& into = to.lanes[way];
    std::int32_t refusal = 0;
    if (buffer == nullptr || !buffer->valid) {
        refusal = abi::code::fault;
    } else if (part.offset > buffer->bytes || part.length > buffer->bytes - part.offset) {
        refusal = abi::code::invalid;
    } else if (into.charged == into.most) {
        refusal = abi::code::no_buffers;
    }
    if (refusal != 0) {
        refuse(refusal);
        return false;
    }
    char* const data = buffer->data + part.offset;
    check_exclusive(*buffer, way, data, part.length);
    ++(way == 0 ? buffer->receives : buffer->sends);
    ++into.charged;
    into.requests.push_back({.buffer = buffer,
                             .data = data,
                             .bytes = part.length,
                             .done = 0,
                             .flags = flags,
                             .context = reinterpret_cast<std::uintptr_t>(context),
                             .committed = false});
    const bool deferred = (flags & abi::message_flag::defer) != 0;
    if (!deferred || run_deferred_) commit(into);
    progress_locked();
    return true;
}

// A registration that is being sent from is nobody else's, and no memory is received into while it
// is used otherwise. (To send the same memory twice under two registrations is fine.)
void rio_double::check_exclusive(const registration& buffer, std::size_t way, const char* data,
                                 abi::dword bytes) {
    if (buffer.sends > 0) violate("a registration that is being sent from is used again");
    if (way == 1 && buffer.receives > 0)
        violate("a send from a registration that is received into");
    const auto look = [&](const char* other, abi::dword other_bytes, std::size_t other_way) {
        if ((way == 0 || other_way == 0) && overlap(data, bytes, other, other_bytes)) {
            violate("a receive overlaps another request");
        }
    };
    for (const request_queue& queue : request_queues_) {
        for (std::size_t other = 0; other < 2; ++other) {
            for (const request& each : queue.lanes[other].requests) {
                look(each.data, each.bytes, other);
            }
        }
    }
    for (const completion_queue& queue : completion_queues_) {
        for (const completion& each : queue.ready) look(each.data, each.bytes, each.way);
        for (const completion& each : queue.held) look(each.data, each.bytes, each.way);
    }
}

void rio_double::commit(lane& of) {
    for (request& each : of.requests) each.committed = true;
}

void rio_double::progress() {
    const std::lock_guard lock(mutex_);
    progress_locked();
}

void rio_double::progress_locked() {
    bool waits = false;
    for (const auto& [socket, queue] : by_socket_) {
        for (std::size_t way = 0; way < 2; ++way) {
            progress_lane(*queue, way);
            waits = waits || !queue->lanes[way].requests.empty();
        }
    }
    if (waits) below_.watch();
}

// In order, and one at a time.
void rio_double::progress_lane(request_queue& of, std::size_t way) {
    std::deque<request>& requests = of.lanes[way].requests;
    std::int32_t status = 0;
    while (!requests.empty() && requests.front().committed && advance(of, way, status)) {
        complete(of, way, status);
    }
}

// Moves bytes for the first request of a lane. True: it is over.
bool rio_double::advance(request_queue& of, std::size_t way, std::int32_t& status) {
    request& first = of.lanes[way].requests.front();
    if (!statuses_.empty()) {
        status = statuses_.front();
        statuses_.pop_front();
        first.done = 0;
        return true;
    }
    const bool all = way == 1 || (first.flags & abi::message_flag::wait_all) != 0;
    for (;;) {
        char* const data = first.data + first.done;
        abi::dword bytes = first.bytes - first.done;
        if (!all && receive_bytes_max_ != 0) bytes = std::min(bytes, receive_bytes_max_);
        const transport::moved step =
            way == 0 ? below_.receive(of.socket, data, bytes) : below_.send(of.socket, data, bytes);
        if (step.blocks) return false;
        status = step.status;
        first.done += step.bytes;
        const bool ended = status != 0 || (way == 0 && step.bytes == 0);
        if (ended || !all || first.done == first.bytes) return true;
    }
}

// The first request of a lane is over.
void rio_double::complete(request_queue& of, std::size_t way, std::int32_t status) {
    lane& from = of.lanes[way];
    const request over = from.requests.front();
    from.requests.pop_front();
    completion done;
    done.result = {.status = status,
                   .bytes_transferred = over.done,
                   .socket_context = of.context,
                   .request_context = over.context};
    done.from = &of;
    done.way = way;
    done.buffer = over.buffer;
    done.data = over.data;
    done.bytes = over.bytes;
    done.notifies = (over.flags & abi::message_flag::dont_notify) == 0;
    put(*from.to, done);
}

void rio_double::put(completion_queue& into, const completion& done) {
    if (into.closed) {
        release(done);  // Dropped in silence, as documented; closing was noted.
        return;
    }
    if (hold_) {
        into.held.push_back(done);
        return;
    }
    if (into.ready.size() >= into.entries) violate("a completion queue overflows");
    into.ready.push_back(done);
    tell(into);
}

void rio_double::tell(completion_queue& of) {
    const auto counts = [](const completion& each) { return each.notifies; };
    if (std::any_of(of.ready.begin(), of.ready.end(), counts)) fire(of);
}

// What was asked for once comes once.
void rio_double::fire(completion_queue& of) {
    if (!of.armed || of.closed) return;
    of.armed = false;
    if (of.how.type == abi::notification_type::event) {
        below_.set_event(of.how.event.event);
    } else {
        below_.post(of.how.port.port, of.how.port.key, of.how.port.overlapped);
    }
}

// Quota and registration are the program's again.
void rio_double::release(const completion& done) {
    if (done.from == nullptr) return;
    --(done.way == 0 ? done.buffer->receives : done.buffer->sends);
    lane& of = done.from->lanes[done.way];
    --of.charged;
    if (done.from->closed) --of.to->attached;
}

bool rio_double::wants(abi::socket which, bool to_receive) {
    const std::lock_guard lock(mutex_);
    const auto found = by_socket_.find(which);
    if (found == by_socket_.end()) return false;
    const auto& requests = found->second->lanes[to_receive ? 0 : 1].requests;
    return !requests.empty() && requests.front().committed;
}

std::vector<abi::socket> rio_double::wanted() {
    const std::lock_guard lock(mutex_);
    std::vector<abi::socket> all;
    for (const auto& [socket, queue] : by_socket_) {
        if (!queue->lanes[0].requests.empty() || !queue->lanes[1].requests.empty()) {
            all.push_back(socket);
        }
    }
    return all;
}

}  // namespace ioring::rio_tests
