// SPDX-License-Identifier: MIT
// timeout_test.cpp - timers: by length, by date, by count, again and again, changed and removed.
#include <chrono>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

using clock = std::chrono::steady_clock;

class timeout_test : public backend_test {
protected:
    // Early is wrong; late is the machine's affair, within reason.
    static void expect_took(clock::time_point start, std::chrono::milliseconds at_least) {
        EXPECT_GE(since(start), at_least - 1ms);  // Cut to milliseconds.
        EXPECT_LT(since(start), 5s);
    }
    template <class Clock>
    static kernel_timespec now_plus(std::chrono::nanoseconds length) {
        return time_of(Clock::now().time_since_epoch() + length);
    }

    std::array<std::byte, 16> buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, timeout_test, every_prompt_backend(), backend_name);

TEST_P(timeout_test, ends_with_etime_after_its_length) {
    const auto start = clock::now();
    const kernel_timespec length = time_of(20ms);
    ring_.prepare_timeout(&length, 1);
    const cqe done = complete_one(1);
    EXPECT_EQ(-ETIME, done.res);
    EXPECT_FALSE(done.more());
    expect_took(start, 20ms);
    expect_nothing();
}

TEST_P(timeout_test, of_no_length_ends_at_once) {
    const kernel_timespec none = time_of(0ns);
    ring_.prepare_timeout(&none, 1);
    EXPECT_EQ(-ETIME, complete_one(1).res);
}

TEST_P(timeout_test, copies_its_time_at_submission) {
    kernel_timespec length = time_of(10ms);
    ring_.prepare_timeout(&length, 1);
    ASSERT_EQ(1, ring_.submit());
    length = an_hour;
    EXPECT_EQ(-ETIME, complete_one(1).res);
}

TEST_P(timeout_test, of_a_length_beyond_all_time_waits) {
    const kernel_timespec endless{.tv_sec = std::int64_t{1} << 62, .tv_nsec = 0};
    ring_.prepare_timeout(&endless, 1);
    expect_nothing();
    ring_.prepare_timeout_remove(1, 2);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
}

TEST_P(timeout_test, at_a_date_of_the_monotonic_clock) {
    const auto start = clock::now();
    const kernel_timespec date = now_plus<clock>(20ms);
    ring_.prepare_timeout(&date, 1, 0, timeout_flag::absolute);
    EXPECT_EQ(-ETIME, complete_one(1).res);
    expect_took(start, 20ms);
}

TEST_P(timeout_test, at_a_date_of_the_calendar) {
    const auto start = clock::now();
    const kernel_timespec date = now_plus<std::chrono::system_clock>(20ms);
    ring_.prepare_timeout(&date, 1, 0, timeout_flag::absolute | timeout_flag::realtime);
    EXPECT_EQ(-ETIME, complete_one(1).res);
    expect_took(start, 15ms);  // Somebody may be setting that clock.
}

TEST_P(timeout_test, by_the_other_clocks_lasts_as_long) {
    const kernel_timespec length = time_of(15ms);
    for (const std::uint32_t which : {timeout_flag::boottime, timeout_flag::realtime}) {
        const auto start = clock::now();
        ring_.prepare_timeout(&length, 1, 0, which);
        EXPECT_EQ(-ETIME, complete_one(1).res);
        expect_took(start, 15ms);
    }
}

TEST_P(timeout_test, at_a_date_that_has_passed_ends_at_once) {
    const kernel_timespec first{.tv_sec = 0, .tv_nsec = 0};
    const kernel_timespec past{.tv_sec = 1, .tv_nsec = 0};
    ring_.prepare_timeout(&first, 1, 0, timeout_flag::absolute);
    ring_.prepare_timeout(&past, 2, 0, timeout_flag::absolute | timeout_flag::realtime);
    const auto all = complete(2);
    EXPECT_EQ(-ETIME, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
}

TEST_P(timeout_test, ends_in_the_order_of_time_not_of_submission) {
    const kernel_timespec late = time_of(40ms);
    const kernel_timespec early = time_of(10ms);
    const kernel_timespec middle = time_of(25ms);
    ring_.prepare_timeout(&late, 3);
    ring_.prepare_timeout(&early, 1);
    ring_.prepare_timeout(&middle, 2);
    for (std::uint64_t each = 1; each <= 3; ++each) EXPECT_EQ(-ETIME, complete_one(each).res);
}

TEST_P(timeout_test, of_a_hundred_all_end_once) {
    constexpr std::uint64_t count = 100;
    for (std::uint64_t each = 0; each < count; ++each) {
        const kernel_timespec length = time_of(std::chrono::milliseconds{(each * 37) % 20});
        prep_timeout(next_sqe(), &length, 0, 0, each);
        ASSERT_LE(0, ring_.submit());
    }
    const auto all = complete(count);
    for (std::uint64_t each = 0; each < count; ++each) EXPECT_EQ(-ETIME, result_of(all, each));
    expect_nothing();
}

TEST_P(timeout_test, with_a_time_that_is_none_fails) {
    const kernel_timespec negative{.tv_sec = -1, .tv_nsec = 0};
    const kernel_timespec negative_part{.tv_sec = 0, .tv_nsec = -1};
    ring_.prepare_timeout(&negative, 1);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_timeout(&negative_part, 1);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_timeout(&negative, 1, 0, timeout_flag::absolute);
    EXPECT_EQ(-EINVAL, complete_one(1).res);
    ring_.prepare_timeout(nullptr, 1);
    EXPECT_EQ(-EFAULT, complete_one(1).res);
}

TEST_P(timeout_test, with_fields_that_it_does_not_have_is_einval) {
    const auto refused = [&](auto&& change) {
        change(*ring_.prepare_timeout(&an_hour, 1));
        EXPECT_EQ(-EINVAL, complete_one(1).res);
    };
    refused([](sqe& entry) { entry.len = 0; });
    refused([](sqe& entry) { entry.len = 2; });
    refused([](sqe& entry) { entry.ioprio = 1; });
    refused([](sqe& entry) { entry.op_flags = 1U << 9U; });
    refused([](sqe& entry) { entry.op_flags = timeout_flag::update; });
    refused([](sqe& entry) { entry.op_flags = timeout_flag::boottime | timeout_flag::realtime; });
    refused([](sqe& entry) { entry.op_flags = timeout_flag::multishot | timeout_flag::absolute; });
}

TEST_P(timeout_test, with_a_count_ends_with_zero_when_so_many_have_completed) {
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/2);
    ring_.prepare_nop(2);
    EXPECT_EQ(0, complete_one(2).res);
    ring_.prepare_nop(3);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 3));
    EXPECT_EQ(0, result_of(all, 1));
}

TEST_P(timeout_test, with_a_count_ends_with_etime_when_time_is_sooner) {
    const kernel_timespec length = time_of(10ms);
    ring_.prepare_timeout(&length, 1, /*completions=*/2);
    ring_.prepare_nop(2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ETIME, result_of(all, 1));
}

TEST_P(timeout_test, with_a_count_does_not_count_other_timeouts) {
    const kernel_timespec soon = time_of(1ms);
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/1);
    ring_.prepare_timeout(&soon, 2);
    EXPECT_EQ(-ETIME, complete_one(2).res);
    ring_.prepare_timeout(&soon, 3);
    EXPECT_EQ(-ETIME, complete_one(3).res);
    ring_.prepare_nop(4);
    EXPECT_EQ(0, result_of(complete(2), 1));
}

TEST_P(timeout_test, with_a_count_counts_completions_that_are_posted_only) {
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/1);
    with_skip(ring_.prepare_nop(2));
    ASSERT_EQ(2, ring_.submit());
    EXPECT_EQ(0, wait_through(ring_, 1, 10ms));
    EXPECT_TRUE(take_ready().empty());
    ring_.prepare_nop(3);
    EXPECT_EQ(0, result_of(complete(2), 1));
}

TEST_P(timeout_test, with_counts_side_by_side_each_counts_for_itself) {
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/2);
    ring_.prepare_timeout(&an_hour, 2, /*completions=*/1);
    ring_.prepare_nop(3);
    auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 3));
    EXPECT_EQ(0, result_of(all, 2));
    ring_.prepare_nop(4);
    all = complete(2);
    EXPECT_EQ(0, result_of(all, 4));
    EXPECT_EQ(0, result_of(all, 1));
}

TEST_P(timeout_test, with_a_count_counts_socket_operations_too) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 2);
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/1);
    ASSERT_EQ(2, ring_.submit());
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(2);
    EXPECT_EQ(1, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 1));
}

TEST_P(timeout_test, removed_ends_with_ecanceled_and_removed_again_is_enoent) {
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_timeout_remove(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));
    ring_.prepare_timeout_remove(1, 3);
    EXPECT_EQ(-ENOENT, complete_one(3).res);
}

TEST_P(timeout_test, remove_and_update_find_timeouts_only) {
    const auto [ours, theirs] = connected_pair();
    ring_.prepare_recv(ours.fd(), buffer_, 1);
    ring_.prepare_poll_add(ours.fd(), poll_event::in, 2);
    ring_.prepare_timeout_remove(1, 3);
    ring_.prepare_timeout_remove(2, 4);
    ring_.prepare_timeout_update(&an_hour, 1, 5);
    const auto all = complete(3);
    for (const std::uint64_t each : {3U, 4U, 5U}) EXPECT_EQ(-ENOENT, result_of(all, each));
}

TEST_P(timeout_test, remove_with_fields_that_it_does_not_have_is_einval) {
    const auto refused = [&](auto&& change) {
        change(*ring_.prepare_timeout_remove(1, 2));
        EXPECT_EQ(-EINVAL, complete_one(2).res);
    };
    refused([](sqe& entry) { entry.len = 1; });
    refused([](sqe& entry) { entry.op_flags = timeout_flag::absolute; });
    refused([](sqe& entry) { entry.op_flags = timeout_flag::etime_success; });
    refused([](sqe& entry) {
        entry.off = reinterpret_cast<std::uintptr_t>(&an_hour);
        entry.op_flags = timeout_flag::update | timeout_flag::multishot;
    });
}

TEST_P(timeout_test, updated_ends_at_its_new_time) {
    const auto start = clock::now();
    const kernel_timespec length = time_of(20ms);
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_timeout_update(&length, 1, 2);
    const auto all = complete(2);
    EXPECT_EQ(0, result_of(all, 2));
    EXPECT_EQ(-ETIME, result_of(all, 1));
    expect_took(start, 20ms);
}

TEST_P(timeout_test, updated_to_a_date_ends_then) {
    const auto start = clock::now();
    const kernel_timespec date = now_plus<clock>(20ms);
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_timeout_update(&date, 1, 2, timeout_flag::absolute);
    EXPECT_EQ(-ETIME, result_of(complete(2), 1));
    expect_took(start, 20ms);
}

TEST_P(timeout_test, updated_to_later_no_longer_ends_early) {
    const kernel_timespec soon = time_of(30ms);
    ring_.prepare_timeout(&soon, 1);
    ring_.prepare_timeout_update(&an_hour, 1, 2);
    EXPECT_EQ(0, complete_one(2).res);
    EXPECT_EQ(0, wait_through(ring_, 1, 60ms));
    expect_nothing();
    ring_.prepare_timeout_remove(1, 3);
    EXPECT_EQ(-ECANCELED, result_of(complete(2), 1));
}

TEST_P(timeout_test, updated_with_a_time_that_is_none_goes_on_as_before) {
    const kernel_timespec negative{.tv_sec = -1, .tv_nsec = 0};
    ring_.prepare_timeout(&an_hour, 1);
    ring_.prepare_timeout_update(nullptr, 1, 2);
    EXPECT_EQ(-EFAULT, complete_one(2).res);
    ring_.prepare_timeout_update(&negative, 1, 3);
    EXPECT_EQ(-EINVAL, complete_one(3).res);
    ring_.prepare_timeout_update(&an_hour, 9, 4);
    EXPECT_EQ(-ENOENT, complete_one(4).res);
    ring_.prepare_timeout_remove(1, 5);
    EXPECT_EQ(0, result_of(complete(2), 5));
}

TEST_P(timeout_test, breaks_the_link_behind_it_unless_its_end_is_a_success) {
    const kernel_timespec length = time_of(1ms);
    with_link(ring_.prepare_timeout(&length, 1));
    ring_.prepare_nop(2);
    auto all = complete(2);
    EXPECT_EQ(-ETIME, result_of(all, 1));
    EXPECT_EQ(-ECANCELED, result_of(all, 2));

    with_link(ring_.prepare_timeout(&length, 1, 0, timeout_flag::etime_success));
    ring_.prepare_nop(2);
    all = complete(2);
    EXPECT_EQ(-ETIME, result_of(all, 1));
    EXPECT_EQ(0, result_of(all, 2));

    with_hardlink(ring_.prepare_timeout(&length, 1));
    ring_.prepare_nop(2);
    EXPECT_EQ(0, result_of(complete(2), 2));
}

TEST_P(timeout_test, that_must_succeed_silently_posts_only_what_counts_as_failure) {
    const kernel_timespec length = time_of(1ms);
    with_skip(ring_.prepare_timeout(&length, 1));
    EXPECT_EQ(-ETIME, complete_one(1).res);
    with_skip(ring_.prepare_timeout(&length, 1, 0, timeout_flag::etime_success));
    ASSERT_EQ(1, ring_.submit());
    EXPECT_EQ(0, wait_through(ring_, 1, 20ms));
    EXPECT_TRUE(take_ready().empty());
    EXPECT_EQ(0, wait_through(ring_, 0, 0ms));
}

TEST_P(timeout_test, in_the_middle_of_a_chain_starts_when_its_turn_comes) {
    const auto [ours, theirs] = connected_pair();
    const kernel_timespec length = time_of(30ms);
    with_link(ring_.prepare_recv(ours.fd(), buffer_, 1));
    with_link(ring_.prepare_timeout(&length, 2, 0, timeout_flag::etime_success));
    ring_.prepare_nop(3);
    ASSERT_EQ(3, ring_.submit());
    EXPECT_EQ(0, wait_through(ring_, 1, 50ms));
    const auto start = clock::now();
    ASSERT_TRUE(send_all(theirs, "x"));
    const auto all = complete(3);
    EXPECT_EQ(1, result_of(all, 1));
    EXPECT_EQ(-ETIME, result_of(all, 2));
    EXPECT_EQ(0, result_of(all, 3));
    expect_took(start, 30ms);
}

class multishot_timeout_test : public timeout_test {};
INSTANTIATE_TEST_SUITE_P(backend, multishot_timeout_test,
                         every_backend_with(feature::timeout_multishot), backend_name);

TEST_P(multishot_timeout_test, fires_as_often_as_was_asked) {
    const auto start = clock::now();
    const kernel_timespec length = time_of(5ms);
    ring_.prepare_timeout(&length, 1, /*completions=*/3, timeout_flag::multishot);
    for (int round = 1; round <= 3; ++round) {
        const cqe done = complete_one(1);
        EXPECT_EQ(-ETIME, done.res);
        EXPECT_EQ(round < 3, done.more());
    }
    expect_took(start, 15ms);
    expect_nothing();
}

TEST_P(multishot_timeout_test, without_a_count_fires_until_removed) {
    const kernel_timespec length = time_of(1ms);
    ring_.prepare_timeout(&length, 1, /*completions=*/0, timeout_flag::multishot);
    for (int round = 0; round < 10; ++round) {
        const cqe done = complete_one(1);
        EXPECT_EQ(-ETIME, done.res);
        EXPECT_TRUE(done.more());
    }
    ring_.prepare_timeout_remove(1, 2);
    bool removed = false;
    for (bool ended = false; !ended || !removed;) {
        const cqe done = complete_one();
        if (done.user_data == 2) {
            EXPECT_EQ(0, done.res);
            removed = true;
        } else {
            ended = !done.more();
            EXPECT_EQ(ended ? -ECANCELED : -ETIME, done.res);
        }
    }
    EXPECT_EQ(0U, ring_.in_flight());
}

TEST_P(multishot_timeout_test, goes_on_for_ever_at_the_pace_that_an_update_sets) {
    const kernel_timespec length = time_of(2ms);
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/2, timeout_flag::multishot);
    ring_.prepare_timeout_update(&length, 1, 2);
    EXPECT_EQ(0, complete_one(2).res);
    for (int round = 0; round < 5; ++round) EXPECT_TRUE(complete_one(1).more());
}

TEST_P(multishot_timeout_test, cancelled_ends) {
    ring_.prepare_timeout(&an_hour, 1, /*completions=*/0, timeout_flag::multishot);
    ring_.prepare_cancel(1, 2);
    const auto all = complete(2);
    EXPECT_EQ(-ECANCELED, result_of(all, 1));
    EXPECT_FALSE(with_user_data(all, 1).more());
}

}  // namespace
}  // namespace ioring::conformance
