// SPDX-License-Identifier: MIT
// rio_double.cpp - the table itself, faults, the list of violations.
#include "rio_double.hpp"

#include <atomic>
#include <cstdlib>
#include <utility>

#include "usage.hpp"

namespace ioring::rio_tests {
namespace {

// Read by the table's functions, from any thread.
std::atomic<rio_double*> the_double{nullptr};

}  // namespace

// The functions of the table, which have nothing but global state to go by.
struct table_functions {
    static rio_double& self() { return *the_double.load(); }

    static abi::boolean IORING_RIO_CALL receive(abi::request_queue on, abi::buffer* data,
                                                abi::dword count, abi::dword flags, void* context) {
        return self().submit(on, 0, data, count, flags, context) ? 1 : 0;
    }
    static abi::boolean IORING_RIO_CALL send(abi::request_queue on, abi::buffer* data,
                                             abi::dword count, abi::dword flags, void* context) {
        return self().submit(on, 1, data, count, flags, context) ? 1 : 0;
    }
    // Addresses and ancillary data are for datagrams, of which there are none here.
    static std::int32_t IORING_RIO_CALL receive_ex(abi::request_queue on, abi::buffer* data,
                                                   abi::dword count, abi::buffer* local,
                                                   abi::buffer* remote, abi::buffer* control,
                                                   abi::buffer* flags_out, abi::dword flags,
                                                   void* context) {
        return has_none(local, remote, control, flags_out)
                   ? receive(on, data, count, flags, context)
                   : 0;
    }
    static abi::boolean IORING_RIO_CALL send_ex(abi::request_queue on, abi::buffer* data,
                                                abi::dword count, abi::buffer* local,
                                                abi::buffer* remote, abi::buffer* control,
                                                abi::buffer* flags_out, abi::dword flags,
                                                void* context) {
        return has_none(local, remote, control, flags_out) ? send(on, data, count, flags, context)
                                                           : 0;
    }
    static bool has_none(const abi::buffer* local, const abi::buffer* remote,
                         const abi::buffer* control, const abi::buffer* flags_out) {
        const bool none =
            local == nullptr && remote == nullptr && control == nullptr && flags_out == nullptr;
        if (!none) self().below_.set_last_error(abi::code::invalid);
        return none;
    }
    static void IORING_RIO_CALL close_completion_queue(abi::completion_queue which) {
        self().close_completion_queue(which);
    }
    static abi::completion_queue IORING_RIO_CALL create_completion_queue(abi::dword entries,
                                                                         abi::notification* how) {
        return self().create_completion_queue(entries, how);
    }
    static abi::request_queue IORING_RIO_CALL create_request_queue(
        abi::socket socket, abi::dword receives, abi::dword receive_buffers, abi::dword sends,
        abi::dword send_buffers, abi::completion_queue for_receives,
        abi::completion_queue for_sends, void* context) {
        return self().create_request_queue(socket, {receives, receive_buffers, sends, send_buffers},
                                           for_receives, for_sends, context);
    }
    static abi::dword IORING_RIO_CALL dequeue(abi::completion_queue which, abi::result* results,
                                              abi::dword count) {
        return self().dequeue(which, results, count);
    }
    static void IORING_RIO_CALL deregister_buffer(abi::buffer_id which) {
        self().deregister_buffer(which);
    }
    static std::int32_t IORING_RIO_CALL notify(abi::completion_queue which) {
        return self().notify(which);
    }
    static abi::buffer_id IORING_RIO_CALL register_buffer(char* data, abi::dword bytes) {
        return self().register_buffer(data, bytes);
    }
    static abi::boolean IORING_RIO_CALL resize_completions(abi::completion_queue which,
                                                           abi::dword entries) {
        return self().resize(which, entries) ? 1 : 0;
    }
    static abi::boolean IORING_RIO_CALL resize_requests(abi::request_queue which,
                                                        abi::dword receives, abi::dword sends) {
        return self().resize(which, receives, sends) ? 1 : 0;
    }
};

rio_double::rio_double(transport& below)
    : below_(below),
      table_{sizeof(abi::function_table),
             &table_functions::receive,
             &table_functions::receive_ex,
             &table_functions::send,
             &table_functions::send_ex,
             &table_functions::close_completion_queue,
             &table_functions::create_completion_queue,
             &table_functions::create_request_queue,
             &table_functions::dequeue,
             &table_functions::deregister_buffer,
             &table_functions::notify,
             &table_functions::register_buffer,
             &table_functions::resize_completions,
             &table_functions::resize_requests} {
    // Two at a time could not be told apart.
    if (the_double.exchange(this) != nullptr) std::abort();
}

rio_double::~rio_double() { the_double = nullptr; }

std::vector<std::string> rio_double::violations() {
    const std::lock_guard lock(mutex_);
    return violations_;
}

void rio_double::forget_violations() {
    const std::lock_guard lock(mutex_);
    violations_.clear();
}

void rio_double::violate(std::string what) { violations_.push_back(std::move(what)); }

void rio_double::note_plain_call(abi::socket on, const char* name) {
    const std::lock_guard lock(mutex_);
    if (by_socket_.count(on) != 0) {
        violate(std::string(name) + " on a socket that has a request queue");
    }
}

std::string rio_double::leftovers() {
    const std::lock_guard lock(mutex_);
    std::size_t queues = 0;
    std::size_t buffers = 0;
    for (const completion_queue& each : completion_queues_) queues += each.closed ? 0 : 1;
    for (const registration& each : registrations_) buffers += each.valid ? 1 : 0;
    if (queues + buffers + by_socket_.size() == 0) return {};
    return std::to_string(queues) + " completion queues, " + std::to_string(by_socket_.size()) +
           " sockets, " + std::to_string(buffers) + " registered buffers";
}

unsigned rio_double::calls(call which) {
    const std::lock_guard lock(mutex_);
    return counts_[static_cast<std::size_t>(which)];
}

// Counts a call, and makes it fail if that is asked for.
bool rio_double::fails(call which) {
    const auto index = static_cast<std::size_t>(which);
    ++counts_[index];
    std::deque<fault>& faults = faults_[index];
    if (faults.empty()) return false;
    fault& next = faults.front();
    if (next.skip > 0) {
        --next.skip;
        return false;
    }
    refuse(next.code);
    if (--next.times == 0) faults.pop_front();
    return true;
}

void rio_double::refuse(std::int32_t code) { below_.set_last_error(code); }

void rio_double::run_pause(call which, std::unique_lock<std::mutex>& lock) {
    const auto meanwhile = std::exchange(pauses_[static_cast<std::size_t>(which)], nullptr);
    if (!meanwhile) return;
    lock.unlock();
    meanwhile();
    lock.lock();
}

void rio_double::fail(call which, std::int32_t code, unsigned times, unsigned skip) {
    const std::lock_guard lock(mutex_);
    faults_[static_cast<std::size_t>(which)].push_back({code, skip, times});
}

void rio_double::corrupt() {
    const std::lock_guard lock(mutex_);
    corrupt_ = true;
    for (completion_queue& each : completion_queues_) fire(each);
}

void rio_double::hold_completions(bool on) {
    const std::lock_guard lock(mutex_);
    hold_ = on;
    if (on) return;
    for (completion_queue& each : completion_queues_) {
        for (const completion& done : std::exchange(each.held, {})) put(each, done);
    }
}

void rio_double::end_next_with(std::int32_t status) {
    const std::lock_guard lock(mutex_);
    statuses_.push_back(status);
    progress_locked();
}

void rio_double::limit_receives(abi::dword bytes) {
    const std::lock_guard lock(mutex_);
    receive_bytes_max_ = bytes;
}

void rio_double::run_deferred(bool on) {
    const std::lock_guard lock(mutex_);
    run_deferred_ = on;
}

void rio_double::notify_for_nothing() {
    const std::lock_guard lock(mutex_);
    for (completion_queue& each : completion_queues_) fire(each);
}

void rio_double::complete_nothing() {
    const std::lock_guard lock(mutex_);
    for (completion_queue& each : completion_queues_) {
        completion stray;
        stray.result.request_context = 0x1234'5678'9abc'def0;
        put(each, stray);
    }
}

void rio_double::pause_in(call which, std::function<void()> meanwhile) {
    const std::lock_guard lock(mutex_);
    pauses_[static_cast<std::size_t>(which)] = std::move(meanwhile);
}

}  // namespace ioring::rio_tests
