// SPDX-License-Identifier: MIT
// task.hpp - a coroutine that another one awaits, and where its frame comes from.
//
// g++ 12 miscompiles a co_await behind && or ||, and one in the condition of a `while`: the program
// hangs or crashes there. Give it a statement of its own, or an `if`.
//
// A task is lazy: it runs when it is awaited, or given to event_loop::spawn(). Frames come from
// lists that each thread keeps, so that a steady program allocates nothing; a frame belongs to the
// thread that its task runs on.
#pragma once

#include <array>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <utility>

namespace ioring {

namespace detail {

// Frames by size, in steps of a cache line. What is given back is kept for the next of its size.
class frame_pool {
public:
    static constexpr std::size_t step_bytes = 64;
    // Larger frames are allocated and freed each time.
    static constexpr std::size_t frame_bytes_max = 4096;
    // Frames of one size that are kept, at most.
    static constexpr std::size_t kept_max = 4096;

    frame_pool() noexcept = default;
    frame_pool(const frame_pool&) = delete;
    frame_pool& operator=(const frame_pool&) = delete;
    ~frame_pool() {
        for (list& each : lists_) {
            while (each.first != nullptr) ::operator delete(pop(each));
        }
    }

    [[nodiscard]] static frame_pool& of_this_thread() noexcept {
        thread_local frame_pool pool;
        return pool;
    }

    [[nodiscard]] void* allocate(std::size_t bytes) {
        if (bytes > frame_bytes_max) return ::operator new(bytes);
        list& of = list_of(bytes);
        if (of.first != nullptr) return pop(of);
        return ::operator new(rounded(bytes));
    }
    void free(void* frame, std::size_t bytes) noexcept {
        if (bytes > frame_bytes_max || list_of(bytes).count == kept_max) {
            ::operator delete(frame);
            return;
        }
        list& of = list_of(bytes);
        of.first = ::new (frame) node{of.first};
        ++of.count;
    }

private:
    struct node {
        node* next;
    };
    struct list {
        node* first = nullptr;
        std::size_t count = 0;
    };

    [[nodiscard]] static constexpr std::size_t rounded(std::size_t bytes) noexcept {
        return (bytes + step_bytes - 1) / step_bytes * step_bytes;
    }
    [[nodiscard]] list& list_of(std::size_t bytes) noexcept {
        return lists_[rounded(bytes) / step_bytes];
    }
    [[nodiscard]] static void* pop(list& of) noexcept {
        --of.count;
        return std::exchange(of.first, of.first->next);
    }

    std::array<list, frame_bytes_max / step_bytes + 1> lists_{};
};

// What the promises of all tasks share. At its end a task goes on with whoever awaits it.
class promise_base {
public:
    // NOLINTNEXTLINE(misc-new-delete-overloads): the one below, which is told the size.
    static void* operator new(std::size_t bytes) {
        return frame_pool::of_this_thread().allocate(bytes);
    }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
        frame_pool::of_this_thread().free(frame, bytes);
    }

    [[nodiscard]] std::suspend_always initial_suspend() const noexcept { return {}; }
    [[nodiscard]] auto final_suspend() const noexcept {
        struct awaiter {
            [[nodiscard]] bool await_ready() const noexcept { return false; }
            [[nodiscard]] std::coroutine_handle<> await_suspend(
                std::coroutine_handle<>) const noexcept {
                return next;
            }
            void await_resume() const noexcept {}

            std::coroutine_handle<> next;
        };
        return awaiter{continuation_};
    }
    // Precondition: before it runs.
    void set_continuation(std::coroutine_handle<> next) noexcept { continuation_ = next; }

#if defined(__cpp_exceptions)
    void unhandled_exception() noexcept { thrown_ = std::current_exception(); }
    void rethrow() const {
        if (thrown_) std::rethrow_exception(thrown_);
    }
#else
    void unhandled_exception() noexcept { std::terminate(); }
    void rethrow() const noexcept {}
#endif

private:
    std::coroutine_handle<> continuation_ = std::noop_coroutine();
    std::exception_ptr thrown_;
};

template <class T>
class promise_of : public promise_base {
public:
    void return_value(T value) { value_.emplace(std::move(value)); }
    [[nodiscard]] T result() {
        rethrow();
        return std::move(*value_);
    }

private:
    std::optional<T> value_;
};

template <>
class promise_of<void> : public promise_base {
public:
    void return_void() noexcept {}
    void result() const { rethrow(); }
};

}  // namespace detail

// The only owner of a coroutine that gives a `T`. Move-only; await it once.
//
// Destroying one that waits for an operation is a bug, since the system still knows its frame:
// await it to its end. Destroying one that was never awaited is fine.
template <class T = void>
class [[nodiscard]] task {
public:
    // The compiler's.
    struct promise_type : detail::promise_of<T> {
        // The compiler's.
        task get_return_object() noexcept {
            return task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
    };

    // None.
    task() noexcept = default;
    // `other` is then none; assigning swaps.
    task(task&& other) noexcept : coroutine_{std::exchange(other.coroutine_, nullptr)} {}
    task& operator=(task&& other) noexcept {
        std::swap(coroutine_, other.coroutine_);
        return *this;
    }
    // Ends the frame; see above.
    ~task() {
        if (coroutine_) coroutine_.destroy();
    }

    // There is a coroutine.
    [[nodiscard]] bool valid() const noexcept { return coroutine_ != nullptr; }

    // Runs it to its end, then gives its value, or throws what it has thrown.
    auto operator co_await() && noexcept {
        struct awaiter {
            [[nodiscard]] bool await_ready() const noexcept { return false; }
            [[nodiscard]] std::coroutine_handle<> await_suspend(
                std::coroutine_handle<> waiting) const noexcept {
                of.promise().set_continuation(waiting);
                return of;
            }
            T await_resume() const { return of.promise().result(); }

            std::coroutine_handle<promise_type> of;
        };
        return awaiter{coroutine_};
    }

private:
    explicit task(std::coroutine_handle<promise_type> coroutine) noexcept : coroutine_{coroutine} {}

    std::coroutine_handle<promise_type> coroutine_;
};

}  // namespace ioring
