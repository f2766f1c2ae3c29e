// SPDX-License-Identifier: MIT
// ring_index.cpp - the table of ring numbers that each thread has in the kernel.
#include "backend/uring/ring_index.hpp"

#include <atomic>
#include <bit>
#include <cassert>
#include <cerrno>
#include <new>

#include "base/thread_token.hpp"

namespace ioring::backends::uring {

// Lives until its thread has ended and the last index of that thread is destroyed.
struct thread_numbers {
    std::atomic<std::uint32_t> holders{1};
    std::atomic<std::uint32_t> to_give_back{0};  // Bit i: number i was released elsewhere.
};

namespace {

[[maybe_unused]] constexpr int numbers_max = 16;

void drop(thread_numbers* numbers) noexcept {
    // Release: what this holder did with it; acquire: the last one sees all of that.
    if (numbers->holders.fetch_sub(1, std::memory_order_acq_rel) == 1) delete numbers;
}

struct numbers_of_this_thread {
    thread_numbers* numbers = new (std::nothrow) thread_numbers;

    numbers_of_this_thread() = default;
    numbers_of_this_thread(const numbers_of_this_thread&) = delete;
    numbers_of_this_thread& operator=(const numbers_of_this_thread&) = delete;
    ~numbers_of_this_thread() {
        if (numbers != nullptr) drop(numbers);
    }
};

thread_numbers* own_numbers() noexcept {
    thread_local const numbers_of_this_thread own;
    return own.numbers;
}

void give_back(const kernel& kernel, int ring, int number) noexcept {
    descriptor_update update{};
    update.offset = static_cast<std::uint32_t>(number);
    // It fails when the kernel has dropped the table already: then there is nothing to give back.
    kernel.register_(ring, register_code::unregister_ring_fds, &update, 1);
}

void give_back_noted(const kernel& kernel, int ring, thread_numbers& numbers) noexcept {
    // Acquire: the releasing thread is done with the number.
    std::uint32_t noted = numbers.to_give_back.exchange(0, std::memory_order_acquire);
    while (noted != 0) {
        give_back(kernel, ring, std::countr_zero(noted));
        noted &= noted - 1;
    }
}

}  // namespace

int ring_index::acquire(const kernel& kernel, int ring, ring_index& out) noexcept {
    assert(!out.held());
    thread_numbers* const numbers = own_numbers();
    if (numbers == nullptr) return -ENOMEM;
    give_back_noted(kernel, ring, *numbers);

    descriptor_update update{};
    update.offset = any_offset;
    update.data = static_cast<std::uint64_t>(ring);
    const int registered = kernel.register_(ring, register_code::ring_fds, &update, 1);
    if (registered < 0) return registered;
    if (registered != 1) return -EINVAL;
    assert(update.offset < numbers_max);
    out.value_ = static_cast<int>(update.offset);
    out.home_ = numbers;
    out.thread_ = ioring::detail::thread_token();
    numbers->holders.fetch_add(1, std::memory_order_relaxed);
    return 0;
}

void ring_index::release(const kernel& kernel, int ring) noexcept {
    if (!held()) return;
    const int number = std::exchange(value_, -1);
    if (thread_ == ioring::detail::thread_token()) {
        give_back(kernel, ring, number);
    } else {
        // Release: pairs with the acquire of give_back_noted().
        home_->to_give_back.fetch_or(1U << static_cast<unsigned>(number),
                                     std::memory_order_release);
    }
}

ring_index::~ring_index() {
    if (home_ != nullptr) drop(home_);
}

}  // namespace ioring::backends::uring
