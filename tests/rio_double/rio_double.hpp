// SPDX-License-Identifier: MIT
// rio_double.hpp - a double of the RIO function table, from Microsoft's documentation.
//
// It does what the documentation says of each function, and where that leaves something open, the
// stricter of what it may mean. It has run beside no real Windows: its self-tests
// (table_*_test.cpp) use nothing but the function table, so that one day they can be run on one,
// and show where it is wrong.
//
// What the documentation calls undefined, or leaves to the program's care, is carried out as well
// as can be, and written down: violations().
//
// There is one at a time, for the table's functions have no argument that says whose they are. All
// of it may be called from any thread.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "transport.hpp"

namespace ioring::rio_tests {

enum class call {
    receive,
    send,
    close_completion_queue,
    create_completion_queue,
    create_request_queue,
    dequeue_completion,
    deregister_buffer,
    notify,
    register_buffer,
    resize_completion_queue,
    resize_request_queue,
};
inline constexpr std::size_t calls_count = 11;

class rio_double {
public:
    explicit rio_double(transport& below);
    // What is still held then is a violation nobody can read any more; see leftovers().
    ~rio_double();
    rio_double(const rio_double&) = delete;
    rio_double& operator=(const rio_double&) = delete;

    [[nodiscard]] const abi::function_table& table() const noexcept { return table_; }
    // In place of closesocket().
    std::int32_t close_socket(abi::socket which);
    // Moves what can be moved. The transport calls it when a socket may be ready.
    void progress();
    // Whether a request waits for `which` to be readable or writable.
    [[nodiscard]] bool wants(abi::socket which, bool to_receive);
    [[nodiscard]] std::vector<abi::socket> wanted();

    // --- what was done that may not be done ---
    [[nodiscard]] std::vector<std::string> violations();
    void forget_violations();
    // Calls that are not the table's, on a socket that has a request queue: a violation.
    void note_plain_call(abi::socket on, const char* name);
    // What has not been given back, in words; empty when there is nothing.
    [[nodiscard]] std::string leftovers();
    [[nodiscard]] unsigned calls(call which);

    // --- faults ---
    // After `skip` more calls of `which`, `times` of them fail with `code`.
    void fail(call which, std::int32_t code, unsigned times = 1, unsigned skip = 0);
    // Every completion queue is corrupt from now on.
    void corrupt();
    // Completions stay out of their queues while it is on.
    void hold_completions(bool on);
    // The next request to complete does so with this status and no bytes.
    void end_next_with(std::int32_t status);
    // No receive that does not wait for all brings more than this at once. 0: no limit.
    void limit_receives(abi::dword bytes);
    // Whether a deferred request may be carried out before it is committed, as it may.
    void run_deferred(bool on);
    // A notification that was asked for comes although there is nothing in the queue.
    void notify_for_nothing();
    // Puts a completion into every queue that no request asked for.
    void complete_nothing();
    // Called in the middle of the next call of `which`, as if it took that long.
    void pause_in(call which, std::function<void()> meanwhile);

private:
    friend struct table_functions;

    struct registration {
        char* data = nullptr;
        abi::dword bytes = 0;
        unsigned sends = 0;  // Requests whose completions have not been taken out of the queue.
        unsigned receives = 0;
        bool valid = true;
    };
    struct request {
        registration* buffer = nullptr;
        char* data = nullptr;
        abi::dword bytes = 0;
        abi::dword done = 0;
        abi::dword flags = 0;
        std::uint64_t context = 0;
        bool committed = false;
    };
    struct user {
        std::thread::id thread;
        unsigned depth = 0;
    };
    struct completion_queue;
    struct lane {
        abi::dword most = 0;
        abi::dword charged = 0;  // Until the completion has been taken out of the queue.
        std::deque<request> requests;
        completion_queue* to = nullptr;
    };
    struct request_queue {
        abi::socket socket = abi::invalid_socket;
        std::array<lane, 2> lanes;  // Receives, sends.
        std::uint64_t context = 0;
        bool closed = false;
        user in_use;
    };
    struct completion {
        abi::result result{};
        request_queue* from = nullptr;
        std::size_t way = 0;
        registration* buffer = nullptr;
        char* data = nullptr;
        abi::dword bytes = 0;
        bool notifies = true;
    };
    struct completion_queue {
        abi::dword entries = 0;
        abi::dword attached = 0;  // What the request queues may have in it at most.
        std::deque<completion> ready;
        std::deque<completion> held;
        abi::notification how{};
        bool notifies = false;
        bool armed = false;
        bool closed = false;
        user in_use;
    };
    struct fault {
        std::int32_t code;
        unsigned skip;
        unsigned times;
    };
    enum class kind { completion_queue, request_queue, registration };
    // Says while it lives that this thread is within a queue.
    class usage;

    bool fails(call which);
    void refuse(std::int32_t code);
    void violate(std::string what);
    void run_pause(call which, std::unique_lock<std::mutex>& lock);
    [[nodiscard]] bool is_a(const void* which, kind what) const;
    completion_queue* find(abi::completion_queue which);
    request_queue* find(abi::request_queue which);
    registration* find(abi::buffer_id which);

    bool submit(abi::request_queue which, std::size_t way, const abi::buffer* data,
                abi::dword count, abi::dword flags, void* context);
    bool add(request_queue& to, std::size_t way, const abi::buffer& part, abi::dword flags,
             void* context);
    void check_exclusive(const registration& buffer, std::size_t way, const char* data,
                         abi::dword bytes);
    void commit(lane& of);
    void progress_locked();
    void progress_lane(request_queue& of, std::size_t way);
    bool advance(request_queue& of, std::size_t way, std::int32_t& status);
    void complete(request_queue& of, std::size_t way, std::int32_t status);
    void put(completion_queue& into, const completion& done);
    void tell(completion_queue& of);
    void fire(completion_queue& of);
    void release(const completion& done);

    abi::completion_queue create_completion_queue(abi::dword entries, const abi::notification* how);
    void close_completion_queue(abi::completion_queue which);
    abi::request_queue create_request_queue(abi::socket socket, const abi::dword (&limits)[4],
                                            abi::completion_queue receives,
                                            abi::completion_queue sends, void* context);
    abi::dword dequeue(abi::completion_queue which, abi::result* results, abi::dword count);
    std::int32_t notify(abi::completion_queue which);
    abi::buffer_id register_buffer(char* data, abi::dword bytes);
    void deregister_buffer(abi::buffer_id which);
    bool resize(abi::completion_queue which, abi::dword entries);
    bool resize(abi::request_queue which, abi::dword receives, abi::dword sends);

    transport& below_;
    abi::function_table table_;
    std::mutex mutex_;
    // Never removed while the double lives, so that a handle used too late is known for what it is.
    std::list<completion_queue> completion_queues_;
    std::list<request_queue> request_queues_;
    std::list<registration> registrations_;
    std::unordered_map<const void*, kind> kinds_;  // Of what is in these lists.
    std::map<abi::socket, request_queue*> by_socket_;
    std::vector<std::string> violations_;
    std::array<unsigned, calls_count> counts_{};
    std::array<std::deque<fault>, calls_count> faults_;
    std::array<std::function<void()>, calls_count> pauses_;
    std::deque<std::int32_t> statuses_;
    abi::dword receive_bytes_max_ = 0;
    bool corrupt_ = false;
    bool hold_ = false;
    bool run_deferred_ = false;
};

}  // namespace ioring::rio_tests
