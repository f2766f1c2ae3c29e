// SPDX-License-Identifier: MIT
// event_loop.hpp - coroutines on a ring: accept, connect, read, write, sleep.
//
//     ioring::task<> serve(ioring::async_socket peer) {
//         for (auto bytes = co_await peer.read(); !bytes.empty(); bytes = co_await peer.read()) {
//             if (!co_await peer.write_all(bytes)) break;
//         }
//     }
//
// An event_loop has the ring to itself: it reads every completion. Nothing here throws; a result
// that ends a loop (no bytes, false, a socket that is none) has its reason in error().
//
// Threads: all of it is the ring's, except event_loop::stop().
// Cancel: cancel() of a socket or listener ends what is awaited there, a time-out the one operation
// that has it. stop() cancels all that is in flight, and each coroutine goes on with an error;
// run() returns when all have ended. So a coroutine that awaits operations must end when one fails.
// Memory: an operation lives in the frame that awaits it; nothing is allocated for it.
#pragma once

#include <atomic>
#include <cassert>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "ioring/buffer_pool.hpp"
#include "ioring/error.hpp"
#include "ioring/ring.hpp"
#include "ioring/task.hpp"

namespace ioring {

class event_loop;

namespace detail {

// One operation of a coroutine that waits for it. Its address is the entry's user_data.
class awaited {
public:
    awaited(const awaited&) = delete;
    awaited& operator=(const awaited&) = delete;
    virtual ~awaited() = default;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    inline bool await_suspend(std::coroutine_handle<> waiting) noexcept;

protected:
    explicit awaited(event_loop& loop) noexcept : loop_{loop} {}

    // Fills entries whose last one carries this; false when there is no room.
    [[nodiscard]] virtual bool prepare(ring& on) noexcept = 0;
    // What it waits for; none for a time.
    [[nodiscard]] virtual fd waits_on() const noexcept { return {}; }
    [[nodiscard]] std::uint64_t name() const noexcept {
        return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
    }
    [[nodiscard]] std::int32_t result() const noexcept { return result_; }

private:
    friend class ioring::event_loop;

    event_loop& loop_;
    std::coroutine_handle<> waiting_;
    awaited* next_ = nullptr;  // Of those without an entry.
    std::int32_t result_ = 0;
    bool is_cancelled_ = false;  // Before it had an entry.
};

}  // namespace detail

// Runs coroutines on a ring.
class event_loop {
public:
    // How the buffers of its reads are made.
    struct options {
        // Bytes that one async_socket::read() gives at most.
        std::uint32_t buffer_bytes = 65'536;
        std::uint32_t slab_buffers = 64;  // As pool_options.
        std::uint32_t slabs_max = 256;    // As pool_options.
    };

    // With default options. The ring must outlive the loop and stay where it is.
    explicit event_loop(ring& on) noexcept : event_loop{on, options{}} {}
    // Reads need buffers; without memory for the first of them they fail with not_enough_memory.
    event_loop(ring& on, const options& wanted) noexcept : ring_{on} {
        (void)buffer_pool::create(on,
                                  {.buffer_bytes = wanted.buffer_bytes,
                                   .slab_buffers = wanted.slab_buffers,
                                   .slabs_max = wanted.slabs_max,
                                   .slabs_initial = 0},
                                  buffers_);
    }
    // Coroutines point at it.
    event_loop(const event_loop&) = delete;
    // Coroutines point at it.
    event_loop& operator=(const event_loop&) = delete;
    // Precondition: run() has returned, or nothing was spawned.
    ~event_loop() { assert(tasks_ == 0); }

    // The ring, for what the loop has no call for; its completions are the loop's.
    [[nodiscard]] ring& on() noexcept { return ring_; }
    // What reads borrow from.
    [[nodiscard]] buffer_pool& buffers() noexcept { return buffers_; }
    // Tasks that were spawned and have not ended.
    [[nodiscard]] std::size_t tasks() const noexcept { return tasks_; }
    // stop() was called; any thread.
    [[nodiscard]] bool stopping() const noexcept {
        return stop_.load(std::memory_order_relaxed);  // It orders nothing: the wake does.
    }

    // Starts `which` at once; it runs until it awaits something, and its frame ends with it. What
    // it throws ends the program, and so does want of memory for a frame.
    void spawn(task<> which) noexcept { run_detached(*this, std::move(which)); }

    // Reads completions until all tasks have ended. 0, or the negative errno of a ring that failed.
    int run() noexcept {
        bool told = false;
        while (tasks_ > 0) {
            if (stopping() && !told) told = cancel_all();
            const int result = ring_.submit_and_wait(waits_for_entry_ == nullptr ? 1 : 0);
            if (result < 0 && result != -EINTR && result != -EBUSY && result != -EAGAIN) {
                return result;
            }
            for (const cqe& done : ring_.completions()) finish(done);
            prepare_waiting();
        }
        return 0;
    }

    // Any thread and any signal handler: all operations end with an error, and so run() returns
    // when the tasks have ended.
    void stop() noexcept {
        stop_.store(true, std::memory_order_relaxed);
        ring_.wake();
    }

    // Ends what is awaited on `which` with operation_canceled, as far as it is not done already;
    // the coroutines go on in the next turn of run(). False, and nothing has changed, when the
    // queue takes no entry now.
    bool cancel(fd which) noexcept {
        if (!which.valid()) return true;
        if (ring_.prepare_cancel_fd(which, nobody) == nullptr) return false;
        for (detail::awaited* each = waits_for_entry_; each != nullptr; each = each->next_) {
            if (each->waits_on() == which) each->is_cancelled_ = true;
        }
        return true;
    }

    // Waits for a time; false when it was cancelled.
    [[nodiscard]] auto sleep(std::chrono::nanoseconds time) noexcept {
        class sleeping final : public detail::awaited {
        public:
            sleeping(event_loop& loop, std::chrono::nanoseconds time) noexcept
                : awaited{loop}, time_{timespec_of(time)} {}
            [[nodiscard]] bool await_resume() const noexcept { return result() == -ETIME; }

        private:
            [[nodiscard]] bool prepare(ring& on) noexcept override {
                return on.prepare_timeout(&time_, name()) != nullptr;
            }
            kernel_timespec time_;
        };
        return sleeping{*this, time};
    }

    // `time` in the entry's form, 0 for a negative one.
    [[nodiscard]] static kernel_timespec timespec_of(std::chrono::nanoseconds time) noexcept {
        constexpr std::int64_t second_ns = 1'000'000'000;
        const std::int64_t all = time.count() > 0 ? time.count() : 0;
        return {.tv_sec = all / second_ns, .tv_nsec = all % second_ns};
    }

private:
    friend class detail::awaited;

    // Owns a spawned task and ends by itself.
    struct detached {
        struct promise_type {
            // NOLINTNEXTLINE(misc-new-delete-overloads): the one below, which is told the size.
            static void* operator new(std::size_t bytes) {
                return detail::frame_pool::of_this_thread().allocate(bytes);
            }
            static void operator delete(void* frame, std::size_t bytes) noexcept {
                detail::frame_pool::of_this_thread().free(frame, bytes);
            }
            detached get_return_object() noexcept { return {}; }
            [[nodiscard]] std::suspend_never initial_suspend() const noexcept { return {}; }
            [[nodiscard]] std::suspend_never final_suspend() const noexcept { return {}; }
            void return_void() noexcept {}
            void unhandled_exception() noexcept { std::terminate(); }
        };
    };
    static detached run_detached(event_loop& loop, task<> which) {
        ++loop.tasks_;
        co_await std::move(which);
        --loop.tasks_;
    }

    // False: it has an error already, and its coroutine goes on at once.
    [[nodiscard]] bool start(detail::awaited& which) noexcept {
        if (stopping()) {
            which.result_ = -ECANCELED;
            return false;
        }
        if (waits_for_entry_ == nullptr && which.prepare(ring_)) return true;
        // Behind those that wait already.
        which.next_ = nullptr;
        (waits_for_entry_ == nullptr ? waits_for_entry_ : last_waiting_->next_) = &which;
        last_waiting_ = &which;
        return true;
    }
    void finish(const cqe& done) noexcept {
        if (done.user_data == nobody) return;
        auto& which =
            // NOLINTNEXTLINE(performance-no-int-to-ptr): an entry carries it as a number.
            *reinterpret_cast<detail::awaited*>(static_cast<std::uintptr_t>(done.user_data));
        which.result_ = done.res;
        which.waiting_.resume();
    }
    void prepare_waiting() noexcept {
        while (waits_for_entry_ != nullptr) {
            detail::awaited& first = *waits_for_entry_;
            if (stopping() || first.is_cancelled_) {
                waits_for_entry_ = first.next_;
                first.result_ = -ECANCELED;
                first.waiting_.resume();
                continue;
            }
            if (!first.prepare(ring_)) return;
            waits_for_entry_ = first.next_;
        }
    }
    // False: there is no entry for it yet.
    [[nodiscard]] bool cancel_all() noexcept {
        prepare_waiting();
        return ring_.prepare_cancel_everything(nobody) != nullptr;
    }

    static constexpr std::uint64_t nobody = 0;  // No frame is there.

    ring& ring_;
    buffer_pool buffers_;
    detail::awaited* waits_for_entry_ = nullptr;
    detail::awaited* last_waiting_ = nullptr;
    std::size_t tasks_ = 0;
    std::atomic<bool> stop_{false};
};

inline bool detail::awaited::await_suspend(std::coroutine_handle<> waiting) noexcept {
    waiting_ = waiting;
    return loop_.start(*this);
}

// A connected socket, which it closes at its end: nothing may be in flight on it then. One read and
// one write may be awaited at a time, by two coroutines or one after the other.
class async_socket {
public:
    // None.
    async_socket() noexcept = default;
    // Takes `connected` over.
    async_socket(event_loop& loop, fd connected) noexcept : loop_{&loop}, socket_{connected} {}
    // `other` is then none; the assigned one closes what it had. Nothing may be awaited on either.
    async_socket(async_socket&& other) noexcept
        : loop_{other.loop_},
          socket_{std::exchange(other.socket_, fd{})},
          buffer_{std::move(other.buffer_)},
          error_{other.error_} {}
    async_socket& operator=(async_socket&& other) noexcept {
        if (this != &other) {
            close();
            loop_ = other.loop_;
            socket_ = std::exchange(other.socket_, fd{});
            buffer_ = std::move(other.buffer_);
            error_ = other.error_;
        }
        return *this;
    }
    // As close().
    ~async_socket() { close(); }

    // It is open.
    [[nodiscard]] bool valid() const noexcept { return socket_.valid(); }
    // For what this class has no call for; it stays the socket's.
    [[nodiscard]] fd descriptor() const noexcept { return socket_; }
    // Why the last operation gave nothing; none after the end of the stream.
    [[nodiscard]] std::error_code error() const noexcept { return error_; }

    // The next bytes, until the next read. None at the end of the stream and at an error. With a
    // `timeout` that passes without bytes: none, and error() is operation_canceled.
    [[nodiscard]] auto read(std::chrono::nanoseconds timeout = ring::forever) noexcept {
        return reading{*this, timeout};
    }
    // Sends all of `bytes`, which must stay until then; false at an error.
    [[nodiscard]] auto write_all(std::span<const std::byte> bytes) noexcept {
        return writing{*this, bytes};
    }
    // Ends what is awaited on it by other coroutines: a read gives nothing, a write false (part of
    // its bytes may have gone), and error() is operation_canceled; the socket stays good. False,
    // and nothing has changed, when the queue takes no entry now.
    bool cancel() noexcept { return loop_ == nullptr || loop_->cancel(socket_); }
    // Says that nothing more will be sent.
    void shutdown_write() noexcept {
        if (valid()) error_ = error_of(loop_->on().shutdown_now(socket_, shutdown_how::write));
    }
    // Closes now; does nothing when it is closed already.
    void close() noexcept {
        buffer_.reset();
        if (valid()) (void)loop_->on().close_now(std::exchange(socket_, fd{}));
    }

private:
    class reading final : public detail::awaited {
    public:
        reading(async_socket& of, std::chrono::nanoseconds timeout) noexcept
            : awaited{*of.loop_}, of_{of}, limited_{timeout != ring::forever} {
            if (limited_) time_ = event_loop::timespec_of(timeout);
        }
        // Without a buffer there is nothing to wait for.
        [[nodiscard]] bool await_ready() noexcept { return !of_.make_room(); }
        [[nodiscard]] std::span<const std::byte> await_resume() noexcept {
            return of_.take(result());
        }

    private:
        [[nodiscard]] bool prepare(ring& on) noexcept override {
            if (!on.reserve(limited_ ? 2 : 1)) return false;
            // Lent, so that a pool which gets it back too early does not give it to another.
            sqe* const entry = on.prepare_recv(of_.socket_, of_.buffer_->begin_write(), name());
            if (limited_) {
                entry->flags |= sqe_flag::io_link;
                on.prepare_link_timeout(&time_, /*user_data=*/0);
            }
            return true;
        }
        [[nodiscard]] fd waits_on() const noexcept override { return of_.socket_; }
        async_socket& of_;
        bool limited_;
        kernel_timespec time_;
    };

    class writing final : public detail::awaited {
    public:
        writing(async_socket& of, std::span<const std::byte> bytes) noexcept
            : awaited{*of.loop_}, of_{of}, bytes_{bytes} {}
        [[nodiscard]] bool await_ready() const noexcept { return bytes_.empty(); }
        [[nodiscard]] bool await_resume() const noexcept {
            const bool is_whole =
                result() >= 0 && static_cast<std::size_t>(result()) == bytes_.size();
            // Short only when it was cancelled or shut down.
            of_.error_ = error_of(result() >= 0 && !is_whole ? -ECANCELED : result());
            return is_whole;
        }

    private:
        [[nodiscard]] bool prepare(ring& on) noexcept override {
            return on.prepare_send(of_.socket_, bytes_, name()) != nullptr;
        }
        [[nodiscard]] fd waits_on() const noexcept override { return of_.socket_; }
        async_socket& of_;
        std::span<const std::byte> bytes_;
    };

    // Drops what the last read gave. False: there is no buffer, and error() says why.
    [[nodiscard]] bool make_room() noexcept {
        if (!buffer_) buffer_ = loop_->buffers().acquire(&error_);
        if (!buffer_) {
            if (!error_) error_ = std::make_error_code(std::errc::not_enough_memory);
            return false;
        }
        buffer_->commit_read(buffer_->readable_bytes());
        buffer_->rewind();
        return true;
    }
    [[nodiscard]] std::span<const std::byte> take(std::int32_t result) noexcept {
        if (!buffer_) return {};
        error_ = error_of(result);
        buffer_->commit_write(result > 0 ? static_cast<std::uint32_t>(result) : 0);
        if (result > 0) return buffer_->readable();
        buffer_.reset();
        return {};
    }

    event_loop* loop_ = nullptr;
    fd socket_;
    buffer_lease buffer_;  // While there may be something in it.
    std::error_code error_;
};

// A listening socket.
class async_listener {
public:
    // Binds and listens, as ring::create_listener() does.
    [[nodiscard]] static std::error_code create(event_loop& loop, std::string_view address,
                                                const listen_options& options, async_listener& out,
                                                std::string* why = nullptr) noexcept {
        listener made;
        const auto error = loop.on().create_listener(address, options, made, why);
        if (error) return error;
        out.loop_ = &loop;
        out.listener_ = std::move(made);
        return {};
    }

    // The bound address, with the port that the system chose.
    [[nodiscard]] const endpoint& local_endpoint() const noexcept {
        return listener_.local_endpoint();
    }
    // Why the last accept() gave nothing.
    [[nodiscard]] std::error_code error() const noexcept { return error_; }

    // The next connection; one that is not valid() at an error. After too_many_files_open the
    // connection waits in the backlog: sleep a little, then accept again.
    [[nodiscard]] auto accept() noexcept {
        class accepting final : public detail::awaited {
        public:
            explicit accepting(async_listener& of) noexcept : awaited{*of.loop_}, of_{of} {}
            [[nodiscard]] async_socket await_resume() noexcept {
                of_.error_ = error_of(result());
                return result() < 0 ? async_socket{} : async_socket{*of_.loop_, fd{result()}};
            }

        private:
            [[nodiscard]] bool prepare(ring& on) noexcept override {
                return on.prepare_accept(of_.listener_.descriptor(), name()) != nullptr;
            }
            [[nodiscard]] fd waits_on() const noexcept override {
                return of_.listener_.descriptor();
            }
            async_listener& of_;
        };
        return accepting{*this};
    }

    // Ends the accepts that are awaited; error() is operation_canceled. False, and nothing has
    // changed, when the queue takes no entry now.
    bool cancel() noexcept { return loop_ == nullptr || loop_->cancel(listener_.descriptor()); }

private:
    event_loop* loop_ = nullptr;
    listener listener_;
    std::error_code error_;
};

// Connects to `peer` within `timeout`. One that is not valid() at an error, which `error`, when
// given, then says (timed_out when the time was over).
[[nodiscard]] inline task<async_socket> connect(event_loop& loop, endpoint peer,
                                                std::chrono::nanoseconds timeout = ring::forever,
                                                std::error_code* error = nullptr) {
    class connecting final : public detail::awaited {
    public:
        connecting(event_loop& loop, fd socket, const endpoint& peer,
                   std::chrono::nanoseconds timeout) noexcept
            : awaited{loop},
              socket_{socket},
              peer_{peer},
              limited_{timeout != ring::forever},
              time_{event_loop::timespec_of(timeout)} {}
        [[nodiscard]] std::int32_t await_resume() const noexcept {
            return limited_ && result() == -ECANCELED ? -ETIMEDOUT : result();
        }

    private:
        [[nodiscard]] bool prepare(ring& on) noexcept override {
            if (!on.reserve(limited_ ? 2 : 1)) return false;
            sqe* const entry = on.prepare_connect(socket_, peer_, name());
            if (limited_) {
                entry->flags |= sqe_flag::io_link;
                on.prepare_link_timeout(&time_, /*user_data=*/0);
            }
            return true;
        }
        fd socket_;
        const endpoint& peer_;
        bool limited_;
        kernel_timespec time_;
    };

    fd made;
    std::error_code why = loop.on().open_socket(peer.family(), made);
    async_socket socket;
    if (!why) {
        socket = async_socket{loop, made};
        connecting attempt{loop, made, peer, timeout};
        why = error_of(co_await attempt);
        if (!why) why = loop.on().configure_socket(made);
    }
    if (error != nullptr) *error = why;
    if (why) socket = {};
    co_return socket;
}

}  // namespace ioring
