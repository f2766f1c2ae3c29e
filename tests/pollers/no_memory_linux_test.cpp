// SPDX-License-Identifier: MIT
// no_memory_linux_test.cpp - what has no room in the tables of a poller fails and does not wait.
#include <array>
#include <span>

#include "backend/readiness/poller_poll.hpp"
#include "backend/readiness/readiness_backend.hpp"
#include "backend/registry.hpp"
#include "ioring/ring.hpp"
#include "poller_test_support.hpp"

namespace ioring::backends::readiness {
namespace {

// poll, whose tables grow only while `has_memory`.
class poor_poller : public poll_poller {
public:
    static inline bool has_memory = true;
    [[nodiscard]] bool reserve(std::int32_t fd) noexcept {
        return has_memory && poll_poller::reserve(fd);
    }
};

class no_memory_test : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        add({"poor", readiness_backend<poor_poller>::create, /*automatic=*/false});
    }
    void SetUp() override {
        poor_poller::has_memory = true;
        ASSERT_FALSE(ring::create({.sq_entries = 8, .backend = "poor"}, ring_));
        // The ring's own descriptor is polled from its first submit on.
        ASSERT_EQ(0, ring_.submit());
        poor_poller::has_memory = false;
    }
    int result() {
        EXPECT_LE(0, ring_.submit_and_wait(1, std::chrono::seconds{10}));
        cqe done;
        EXPECT_EQ(1U, ring_.peek_completions({&done, 1}));
        ring_.advance_completion_queue(1);
        return done.res;
    }

    ring ring_;
    connection pair_ = connected();
    std::array<std::byte, 16> room_{};
};

TEST_F(no_memory_test, a_receive_that_would_wait_is_enomem) {
    ring_.prepare_recv(fd{pair_.ours.get()}, room_, 1);
    EXPECT_EQ(-ENOMEM, result());
}

TEST_F(no_memory_test, what_need_not_wait_goes_on) {
    send_text(pair_.theirs, "text");
    ring_.prepare_recv(fd{pair_.ours.get()}, room_, 1);
    EXPECT_EQ(4, result());
}

TEST_F(no_memory_test, a_poll_that_would_wait_is_enomem) {
    ring_.prepare_poll_add(fd{pair_.ours.get()}, poll_event::in, 1);
    EXPECT_EQ(-ENOMEM, result());
}

TEST_F(no_memory_test, a_receive_waits_again_once_there_is_memory) {
    ring_.prepare_recv(fd{pair_.ours.get()}, room_, 1);
    EXPECT_EQ(-ENOMEM, result());
    poor_poller::has_memory = true;
    ring_.prepare_recv(fd{pair_.ours.get()}, room_, 1);
    EXPECT_EQ(1, ring_.submit());
    send_text(pair_.theirs, "text");
    EXPECT_EQ(4, result());
}

}  // namespace
}  // namespace ioring::backends::readiness
