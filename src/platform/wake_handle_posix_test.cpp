// SPDX-License-Identifier: MIT
// wake_handle_posix_test.cpp - what a wake handle promises, made either way.
#include "platform/wake_handle.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>

#include <cerrno>
#include <thread>

#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::open_descriptors;
using testing::run_in_child;
using maker = std::error_code (*)(wake_handle&) noexcept;

bool is_readable(const wake_handle& handle) {
    pollfd entry{};
    entry.fd = handle.native();
    entry.events = POLLIN;
    return ::poll(&entry, 1, 0) == 1;
}

class wake_handle_of : public ::testing::TestWithParam<maker> {
protected:
    void SetUp() override { ASSERT_FALSE(GetParam()(handle_)); }
    wake_handle handle_;
};
INSTANTIATE_TEST_SUITE_P(platform, wake_handle_of,
                         ::testing::Values(&wake_handle::create, &wake_handle::create_pipe),
                         [](const auto& made) { return made.index == 0 ? "native" : "pipe"; });

TEST_P(wake_handle_of, is_readable_from_a_signal_until_it_is_drained) {
    EXPECT_FALSE(is_readable(handle_));
    EXPECT_FALSE(handle_.drain());
    handle_.signal();
    EXPECT_TRUE(is_readable(handle_));
    EXPECT_TRUE(handle_.drain());
    EXPECT_FALSE(is_readable(handle_));
    EXPECT_FALSE(handle_.drain());
}

TEST_P(wake_handle_of, any_number_of_signals_is_one_and_never_blocks) {
    for (int round = 0; round < 100'000; ++round) handle_.signal();  // More than a pipe holds.
    EXPECT_TRUE(handle_.drain());
    EXPECT_FALSE(is_readable(handle_));
    handle_.signal();
    EXPECT_TRUE(handle_.drain());
}

TEST_P(wake_handle_of, another_thread_wakes_a_waiting_one) {
    for (int round = 0; round < 50; ++round) {
        std::thread other{[this] { handle_.signal(); }};
        EXPECT_TRUE(testing::becomes_readable(handle_.native()));
        other.join();
        EXPECT_TRUE(handle_.drain());
    }
}

const wake_handle* signalled_by_handler = nullptr;

TEST_P(wake_handle_of, a_signal_handler_may_signal_and_errno_stays) {
    signalled_by_handler = &handle_;
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {
        // With a full pipe write() fails inside signal().
        for (int round = 0; round < 20'000; ++round) signalled_by_handler->signal();
    };
    ASSERT_EQ(0, ::sigaction(SIGUSR1, &action, &before));
    errno = EDOM;
    ::raise(SIGUSR1);
    EXPECT_EQ(EDOM, errno);
    ::sigaction(SIGUSR1, &before, nullptr);
    EXPECT_TRUE(handle_.drain());
}

TEST_P(wake_handle_of, is_closed_on_exec_and_by_its_end) {
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(handle_.native(), F_GETFD));
    const int before = open_descriptors();
    {
        wake_handle other;
        ASSERT_FALSE(GetParam()(other));
        EXPECT_LT(before, open_descriptors());
        wake_handle moved = std::move(other);
        EXPECT_EQ(
            -1,
            other.native());  // NOLINT(bugprone-use-after-move): what a move leaves is promised.
        moved.signal();
        EXPECT_TRUE(moved.drain());
    }
    EXPECT_EQ(before, open_descriptors());
}

TEST_P(wake_handle_of, making_one_over_another_closes_that) {
    const int before = open_descriptors();
    ASSERT_FALSE(GetParam()(handle_));
    EXPECT_EQ(before, open_descriptors());
}

TEST_P(wake_handle_of, too_few_descriptors_are_an_error_that_changes_nothing) {
    EXPECT_EQ(0, run_in_child([this] {
                  const int native = handle_.native();
                  testing::use_up_descriptors();
                  const std::error_code error = GetParam()(handle_);
                  if (error != std::errc::too_many_files_open) return 1;
                  return handle_.native() == native ? 0 : 2;
              }));
}

TEST(wake_handle, an_empty_one_does_nothing) {
    wake_handle empty;
    empty.signal();
    EXPECT_FALSE(empty.drain());
    EXPECT_EQ(-1, empty.native());
    empty.close();
}

}  // namespace
}  // namespace ioring::platform
