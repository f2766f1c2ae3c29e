// SPDX-License-Identifier: MIT
// allocation_linux_alone_test.cpp - no backend allocates once as much was in flight as ever will.
//
// The operators of this whole test program are replaced by ones that count.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"

namespace {

std::atomic<std::uint64_t> allocations{0};

void* count_and_allocate(std::size_t bytes, std::size_t alignment) noexcept {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (alignment <= alignof(std::max_align_t)) return std::malloc(bytes == 0 ? 1 : bytes);
    return std::aligned_alloc(alignment, (bytes / alignment + 1) * alignment);
}

// Called through a variable: a compiler that sees both ends would take malloc and delete for a
// mismatch.
void (*volatile give_back)(void*) = &std::free;

void* or_throw(void* memory) {
    if (memory == nullptr) throw std::bad_alloc{};
    return memory;
}

}  // namespace

using std::align_val_t;
using std::nothrow_t;
using std::size_t;
void* operator new(size_t bytes) { return or_throw(count_and_allocate(bytes, 1)); }
void* operator new[](size_t bytes) { return or_throw(count_and_allocate(bytes, 1)); }
void* operator new(size_t bytes, const nothrow_t&) noexcept { return count_and_allocate(bytes, 1); }
void* operator new[](size_t bytes, const nothrow_t&) noexcept {
    return count_and_allocate(bytes, 1);
}
void* operator new(size_t bytes, align_val_t alignment) {
    return or_throw(count_and_allocate(bytes, static_cast<size_t>(alignment)));
}
void* operator new(size_t bytes, align_val_t alignment, const nothrow_t&) noexcept {
    return count_and_allocate(bytes, static_cast<size_t>(alignment));
}
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, size_t) noexcept { give_back(memory); }
void operator delete(void* memory, const nothrow_t&) noexcept { give_back(memory); }
void operator delete[](void* memory, const nothrow_t&) noexcept { give_back(memory); }
void operator delete(void* memory, align_val_t) noexcept { give_back(memory); }
void operator delete(void* memory, align_val_t, const nothrow_t&) noexcept { give_back(memory); }

namespace ioring {
namespace {

using namespace std::chrono_literals;

constexpr kernel_timespec an_hour{.tv_sec = 3600, .tv_nsec = 0};
constexpr int warm_up = 20;
constexpr int rounds = 100;

std::vector<std::string> backends_under_test() {
    std::vector<std::string> names;
    for (const std::string_view each : backend_names()) {
        if (each != "null") names.emplace_back(each);
    }
    return names;
}

class steady_state : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        std::string why;
        const std::error_code error = ring::create(
            {.sq_entries = 64, .connections_max = 8, .backend = GetParam()}, ring_, &why);
        if (error == std::errc::operation_not_permitted ||
            error == std::errc::function_not_supported) {
            GTEST_SKIP() << why;
        }
        ASSERT_FALSE(error) << why;
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()));
    }
    void TearDown() override {
        ring_ = ring{};
        for (const int each : ends_) ::close(each);
    }

    [[nodiscard]] fd ours() const { return fd{ends_[0]}; }
    void peer_sends() { ASSERT_EQ(1, ::send(ends_[1], "x", 1, MSG_NOSIGNAL)); }

    // Waits until `count` have completed for good; nothing here allocates but for failures.
    void complete(int count) {
        const auto end = std::chrono::steady_clock::now() + 10s;
        while (count > 0) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            const int taken = ring_.submit_and_wait(1, 100ms);
            ASSERT_TRUE(taken >= 0 || taken == -EINTR) << taken;
            for (const cqe& done : ring_.completions()) {
                if (!done.more()) --count;
            }
        }
        ASSERT_EQ(0, count);
    }

    // What `turn` allocates once it has been done a few times.
    template <class Turn>
    std::uint64_t count_of(Turn&& turn) {
        for (int round = 0; round < warm_up && !HasFailure(); ++round) turn();
        const std::uint64_t before = allocations.load();
        for (int round = 0; round < rounds && !HasFailure(); ++round) turn();
        return allocations.load() - before;
    }

    ring ring_;
    std::array<int, 2> ends_{-1, -1};
    std::array<std::byte, 64> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, steady_state, testing::ValuesIn(backends_under_test()),
                         [](const auto& which) { return which.param; });

TEST_P(steady_state, of_this_program_is_counted) {
    const std::uint64_t before = allocations.load();
    const std::vector<int> one(100);
    EXPECT_EQ(before + 1, allocations.load()) << "or the other tests prove nothing";
}

TEST_P(steady_state, of_transfers_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_recv(ours(), buffer_, 1);
                  ASSERT_EQ(1, ring_.submit());  // Parked.
                  peer_sends();
                  complete(1);
                  peer_sends();
                  ring_.prepare_recv(ours(), buffer_, 2);  // There already.
                  ring_.prepare_send(ours(), std::span{buffer_}.first(8), 3);
                  complete(2);
                  ASSERT_EQ(8, ::recv(ends_[1], buffer_.data(), 8, 0));
              }));
}

TEST_P(steady_state, of_timeouts_allocates_nothing) {
    const kernel_timespec at_once{};
    EXPECT_EQ(0U, count_of([&] {
                  for (std::uint64_t each = 0; each < 8; ++each) {
                      ring_.prepare_timeout(&an_hour, each);
                  }
                  ring_.prepare_timeout(&an_hour, 8, /*completions=*/1);
                  ring_.prepare_timeout(&at_once, 9);
                  ring_.prepare_nop(10);
                  complete(3);
                  for (std::uint64_t each = 0; each < 8; ++each) {
                      ring_.prepare_timeout_remove(each, 20 + each);
                  }
                  complete(16);
              }));
}

TEST_P(steady_state, of_links_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_recv(ours(), buffer_, 1)->flags = sqe_flag::io_link;
                  ring_.prepare_link_timeout(&an_hour, 2)->flags = sqe_flag::io_link;
                  ring_.prepare_nop(3);
                  ASSERT_EQ(3, ring_.submit());
                  peer_sends();
                  complete(3);
                  ring_.prepare_recv(fd{-1}, buffer_, 4)->flags = sqe_flag::io_link;
                  ring_.prepare_nop(5);
                  complete(2);
              }));
}

TEST_P(steady_state, of_polls_and_cancels_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.prepare_poll_add(ours(), poll_event::in, 1);
                  ring_.prepare_recv(ours(), buffer_, 2);
                  ring_.prepare_poll_multishot(ours(), poll_event::in, 3);
                  ASSERT_EQ(3, ring_.submit());
                  ring_.prepare_cancel(2, 4);
                  ring_.prepare_poll_remove(3, 5);
                  ring_.prepare_cancel_fd(ours(), 6);
                  complete(6);
              }));
}

TEST_P(steady_state, of_wakes_and_posts_allocates_nothing) {
    EXPECT_EQ(0U, count_of([&] {
                  ring_.wake();
                  (void)ring_.submit_and_wait(1, 10s);
                  ASSERT_TRUE(ring_.post(1, 2));
                  complete(1);
              }));
}

TEST_P(steady_state, of_a_multishot_recv_allocates_nothing) {
    buffer_group group;
    std::string why;
    ASSERT_FALSE(buffer_group::create(
        ring_, {.buffers = 4, .buffer_bytes = 64, .incremental = false}, group, &why))
        << why;
    ring_.prepare_recv_multishot(ours(), group.id(), 1);
    EXPECT_EQ(0U, count_of([&] {
                  peer_sends();
                  while (ring_.completion_queue_count() == 0) (void)ring_.submit_and_wait(1, 10s);
                  for (const cqe& done : ring_.completions()) {
                      ASSERT_TRUE(done.more());
                      ASSERT_TRUE(group.recycle(group.take(done)));
                  }
              }));
}

}  // namespace
}  // namespace ioring
