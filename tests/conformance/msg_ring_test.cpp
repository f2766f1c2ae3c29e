// SPDX-License-Identifier: MIT
// msg_ring_test.cpp - a completion that one ring posts on another.
#include <future>
#include <thread>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

// D19: what is no ring, or none yet.
#if defined(EBADFD)
constexpr int no_ring = EBADFD;
#else
constexpr int no_ring = EBADF;
#endif

class msg_ring_test : public backend_test {
protected:
    // A ring of this thread, with an owner: D19.
    [[nodiscard]] ring running_ring() const {
        ring made = another_ring();
        EXPECT_EQ(0, made.submit());
        return made;
    }
    static std::vector<cqe> read(ring& from, std::size_t count) {
        std::vector<cqe> all;
        const auto end = std::chrono::steady_clock::now() + patience;
        while (all.size() < count && std::chrono::steady_clock::now() < end) {
            from.submit_and_wait(1, 100ms);
            for (const cqe& done : from.completions()) all.push_back(done);
        }
        EXPECT_EQ(count, all.size());
        return all;
    }
};
INSTANTIATE_TEST_SUITE_P(backend, msg_ring_test, every_backend_with(feature::msg_ring),
                         backend_name);

TEST_P(msg_ring_test, posts_there_and_completes_here) {
    ring target = running_ring();
    ring_.prepare_msg_ring(target, /*res=*/-5, /*target_user_data=*/77, 1);
    const cqe here = complete_one(1);
    EXPECT_EQ(0, here.res);
    const auto there = read(target, 1);
    ASSERT_EQ(1U, there.size());
    EXPECT_EQ(77U, there[0].user_data);
    EXPECT_EQ(-5, there[0].res);
    EXPECT_EQ(0U, there[0].flags);
    expect_nothing();
}

TEST_P(msg_ring_test, to_itself_posts_both) {
    ring_.prepare_msg_ring(ring_, /*res=*/5, /*target_user_data=*/77, 1);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(5, result_of(all, 77));
}

TEST_P(msg_ring_test, many_arrive_in_their_order) {
    ring target = running_ring();
    for (int each = 0; each < 50; ++each) {
        ring_.prepare_msg_ring(target, each, static_cast<std::uint64_t>(each), 1);
    }
    for (const cqe& here : complete(50)) EXPECT_EQ(0, here.res);
    int expected = 0;
    for (const cqe& there : read(target, 50)) EXPECT_EQ(expected++, there.res);
}

TEST_P(msg_ring_test, silent_here_is_not_silent_there) {
    ring target = running_ring();
    with_skip(ring_.prepare_msg_ring(target, 5, 77, 1));
    ASSERT_EQ(1, ring_.submit());
    EXPECT_EQ(77U, read(target, 1).at(0).user_data);
    expect_nothing();
}

TEST_P(msg_ring_test, a_link_behind_it_runs_once_it_is_posted) {
    ring target = running_ring();
    with_link(ring_.prepare_msg_ring(target, 5, 77, 1));
    ring_.prepare_nop(2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(1U, read(target, 1).size());
}

TEST_P(msg_ring_test, to_what_is_no_ring_fails) {
    const auto [ours, theirs] = connected_pair();
    prep_msg_ring(next_sqe(), ours.fd(), 5, 77, 0, 1);
    EXPECT_EQ(-no_ring, complete_one(1).res);
    prep_msg_ring(next_sqe(), fd{-1}, 5, 77, 0, 2);
    EXPECT_EQ(-EBADF, complete_one(2).res);
}

TEST_P(msg_ring_test, with_flags_that_it_does_not_have_is_einval) {
    ring_.prepare_msg_ring(ring_, 5, 77, 1)->op_flags = 1U << 9U;
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_msg_ring(ring_, 5, 77, 1)->addr = 99;  // No such command.
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_msg_ring(ring_, 5, 77, 1)->ioprio = 1;
    EXPECT_EQ(-EINVAL, complete_one(1).res);
}

TEST_P(msg_ring_test, to_a_full_ring_arrives_or_says_that_it_did_not) {
    ring target;
    ASSERT_FALSE(ring::create({.sq_entries = 8, .cq_entries = 8, .backend = GetParam()}, target));
    ASSERT_EQ(0, target.submit());
    for (int each = 0; each < 40; ++each) ring_.prepare_msg_ring(target, each, 77, 1);
    std::size_t posted = 0;
    for (const cqe& here : complete(40)) {
        EXPECT_TRUE(here.res == 0 || here.res == -EOVERFLOW) << here.res;
        if (here.res == 0) ++posted;
    }
    EXPECT_LE(8U, posted);
    EXPECT_EQ(posted, read(target, posted).size());
    EXPECT_EQ(0, wait_through(target, 1, 10ms));
    EXPECT_EQ(0U, target.completion_queue_count());
}

TEST_P(msg_ring_test, wakes_a_ring_that_waits_in_another_thread) {
    ring target = another_ring();
    std::promise<void> last_sent;
    std::thread waiting{[&] {
        int expected = 0;
        for (const cqe& there : read(target, 20)) EXPECT_EQ(expected++, there.res);
        last_sent.get_future().wait();
        target = ring{};  // Its owner ends it, once no other thread names it.
    }};
    const auto end = std::chrono::steady_clock::now() + patience;
    for (int each = 0; each < 20 && std::chrono::steady_clock::now() < end;) {
        ring_.prepare_msg_ring(target, each, 77, 1);
        const int result = complete_one(1).res;
        if (result == 0) ++each;
        // D19: its thread has not come to its first wait.
        EXPECT_TRUE(result == 0 || result == -no_ring) << result;
    }
    last_sent.set_value();
    waiting.join();
}

}  // namespace
}  // namespace ioring::conformance
