// SPDX-License-Identifier: MIT
// double_queues.cpp - queues and registrations: made, resized, read, closed.
#include "rio_double.hpp"
#include "usage.hpp"

namespace ioring::rio_tests {
bool rio_double::is_a(const void* which, kind what) const {
    const auto found = kinds_.find(which);
    return found != kinds_.end() && found->second == what;
}

rio_double::completion_queue* rio_double::find(abi::completion_queue which) {
    if (!is_a(which, kind::completion_queue)) return nullptr;
    auto* const found = reinterpret_cast<completion_queue*>(which);
    if (!found->closed) return found;
    violate("a completion queue is used that was closed");
    return nullptr;
}

rio_double::request_queue* rio_double::find(abi::request_queue which) {
    return is_a(which, kind::request_queue) ? reinterpret_cast<request_queue*>(which) : nullptr;
}

rio_double::registration* rio_double::find(abi::buffer_id which) {
    return is_a(which, kind::registration) ? reinterpret_cast<registration*>(which) : nullptr;
}

abi::completion_queue rio_double::create_completion_queue(abi::dword entries,
                                                          const abi::notification* how) {
    const std::lock_guard lock(mutex_);
    if (fails(call::create_completion_queue)) return abi::invalid_completion_queue;
    const bool by_port = how != nullptr && how->type == abi::notification_type::completion_port;
    const bool by_event = how != nullptr && how->type == abi::notification_type::event;
    const bool whole = how == nullptr || (by_port && how->port.overlapped != nullptr) ||
                       (by_event && how->event.event != nullptr);
    if (entries < 1 || entries > abi::completion_queue_size_max || !whole) {
        refuse(abi::code::invalid);
        return abi::invalid_completion_queue;
    }
    completion_queue& made = completion_queues_.emplace_back();
    kinds_[&made] = kind::completion_queue;
    made.entries = entries;
    made.notifies = how != nullptr;
    if (how != nullptr) made.how = *how;
    return reinterpret_cast<abi::completion_queue>(&made);
}

void rio_double::close_completion_queue(abi::completion_queue which) {
    const std::lock_guard lock(mutex_);
    (void)fails(call::close_completion_queue);
    if (which == abi::invalid_completion_queue) return;
    completion_queue* const closing = find(which);
    if (closing == nullptr) return;
    bool used = !closing->ready.empty() || !closing->held.empty();
    for (const request_queue& each : request_queues_) {
        for (const lane& of : each.lanes) used = used || (of.to == closing && of.charged > 0);
    }
    if (used) violate("a completion queue is closed while requests are outstanding");
    closing->closed = true;
}

abi::request_queue rio_double::create_request_queue(abi::socket socket,
                                                    const abi::dword (&limits)[4],
                                                    abi::completion_queue receives,
                                                    abi::completion_queue sends, void* context) {
    const std::lock_guard lock(mutex_);
    if (fails(call::create_request_queue)) return abi::invalid_request_queue;
    completion_queue* const to[2] = {find(receives), find(sends)};
    const abi::dword most[2] = {limits[0], limits[2]};
    std::int32_t refusal = 0;
    if (!below_.is_socket(socket)) {
        refusal = abi::code::not_socket;
    } else if (to[0] == nullptr || to[1] == nullptr || most[0] + most[1] == 0 || limits[1] != 1 ||
               limits[3] != 1) {
        refusal = abi::code::invalid;
    } else if (!below_.is_for_registered_io(socket)) {
        refusal = abi::code::not_supported;
    } else if (by_socket_.count(socket) != 0) {
        violate("a second request queue for one socket");
        refusal = abi::code::invalid;
    } else {
        const abi::dword need[2] = {to[0] == to[1] ? most[0] + most[1] : most[0], most[1]};
        for (std::size_t way = 0; way < 2; ++way) {
            if (to[way]->attached + need[way] > to[way]->entries) refusal = abi::code::no_buffers;
        }
    }
    if (refusal != 0) {
        refuse(refusal);
        return abi::invalid_request_queue;
    }
    request_queue& made = request_queues_.emplace_back();
    kinds_[&made] = kind::request_queue;
    made.socket = socket;
    made.context = reinterpret_cast<std::uintptr_t>(context);
    for (std::size_t way = 0; way < 2; ++way) {
        made.lanes[way].most = most[way];
        made.lanes[way].to = to[way];
        to[way]->attached += most[way];
    }
    by_socket_[socket] = &made;
    return reinterpret_cast<abi::request_queue>(&made);
}

// Ends what the socket's queue has; the entries it was promised come back with the last of it.
std::int32_t rio_double::close_socket(abi::socket which) {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_socket_.find(which); found != by_socket_.end()) {
        request_queue& closing = *found->second;
        by_socket_.erase(found);
        closing.closed = true;
        for (std::size_t way = 0; way < 2; ++way) {
            lane& of = closing.lanes[way];
            of.to->attached -= of.most - of.charged;
            while (!of.requests.empty()) complete(closing, way, abi::code::operation_aborted);
        }
    }
    return below_.close(which);
}

abi::dword rio_double::dequeue(abi::completion_queue which, abi::result* results,
                               abi::dword count) {
    std::unique_lock lock(mutex_);
    if (fails(call::dequeue_completion)) return abi::corrupt_completion_queue;
    completion_queue* const from = find(which);
    if (from == nullptr || corrupt_ || results == nullptr) return abi::corrupt_completion_queue;
    const usage here(*this, from->in_use, "completion queue");
    run_pause(call::dequeue_completion, lock);
    progress_locked();
    abi::dword taken = 0;
    for (; taken < count && !from->ready.empty(); ++taken) {
        const completion done = from->ready.front();
        from->ready.pop_front();
        results[taken] = done.result;
        release(done);
    }
    return taken;
}

std::int32_t rio_double::notify(abi::completion_queue which) {
    const std::lock_guard lock(mutex_);
    if (fails(call::notify)) return abi::code::invalid;
    completion_queue* const of = find(which);
    if (of == nullptr || !of->notifies) return abi::code::invalid;
    if (of->armed) return abi::code::already;
    if (of->how.type == abi::notification_type::event && of->how.event.resets != 0) {
        below_.reset_event(of->how.event.event);
    }
    of->armed = true;
    if (corrupt_) fire(*of);
    tell(*of);
    return 0;
}

abi::buffer_id rio_double::register_buffer(char* data, abi::dword bytes) {
    const std::lock_guard lock(mutex_);
    if (fails(call::register_buffer)) return abi::invalid_buffer_id();
    if (data == nullptr || bytes == 0) {
        refuse(data == nullptr ? abi::code::fault : abi::code::invalid);
        return abi::invalid_buffer_id();
    }
    registration& made = registrations_.emplace_back();
    kinds_[&made] = kind::registration;
    made.data = data;
    made.bytes = bytes;
    return reinterpret_cast<abi::buffer_id>(&made);
}

void rio_double::deregister_buffer(abi::buffer_id which) {
    const std::lock_guard lock(mutex_);
    (void)fails(call::deregister_buffer);
    registration* const gone = find(which);
    if (gone == nullptr || !gone->valid) return;  // Ignored, as documented.
    if (gone->sends + gone->receives > 0) violate("a registration is given up while it is in use");
    gone->valid = false;
}

bool rio_double::resize(abi::completion_queue which, abi::dword entries) {
    const std::lock_guard lock(mutex_);
    if (fails(call::resize_completion_queue)) return false;
    completion_queue* const of = find(which);
    std::int32_t refusal = 0;
    if (of == nullptr || entries < 1 || entries > abi::completion_queue_size_max) {
        refusal = abi::code::invalid;
    } else if (entries < of->attached || entries < of->ready.size()) {
        refusal = abi::code::too_many_references;
    }
    if (refusal != 0) {
        refuse(refusal);
        return false;
    }
    const usage here(*this, of->in_use, "completion queue");
    of->entries = entries;
    return true;
}

bool rio_double::resize(abi::request_queue which, abi::dword receives, abi::dword sends) {
    const std::lock_guard lock(mutex_);
    if (fails(call::resize_request_queue)) return false;
    request_queue* const of = find(which);
    const abi::dword most[2] = {receives, sends};
    std::int32_t refusal = 0;
    if (of == nullptr || of->closed || receives + sends == 0) {
        refusal = abi::code::invalid;
    } else {
        const usage here(*this, of->in_use, "request queue");
        std::map<completion_queue*, std::int64_t> change;
        for (std::size_t way = 0; way < 2; ++way) {
            lane& each = of->lanes[way];
            if (most[way] < each.charged) refusal = abi::code::too_many_references;
            change[each.to] += std::int64_t{most[way]} - each.most;
        }
        for (const auto& [queue, more] : change) {
            if (refusal == 0 && queue->attached + more > queue->entries) {
                refusal = abi::code::no_buffers;
            }
        }
    }
    if (refusal != 0) {
        refuse(refusal);
        return false;
    }
    for (std::size_t way = 0; way < 2; ++way) {
        lane& each = of->lanes[way];
        each.to->attached += most[way] - each.most;
        each.most = most[way];
    }
    return true;
}

}  // namespace ioring::rio_tests
