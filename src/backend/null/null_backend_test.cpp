// SPDX-License-Identifier: MIT
// null_backend_test.cpp - the null backend keeps the contract while doing nothing.
#include "backend/null/null_backend.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "backend/backend_test_support.hpp"
#include "backend/null/null.hpp"
#include "platform/clock.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::null {
namespace {

program make(std::uint32_t sq_entries = 8, std::uint32_t cq_entries = 16) {
    return program{
        set_up_with(set_up, backend_options{.sq_entries = sq_entries, .cq_entries = cq_entries})};
}

int result_of(program& ring, const sqe& entry) {
    ring.push(entry);
    const cqe done = ring.complete_one();
    EXPECT_EQ(entry.user_data, done.user_data);
    EXPECT_FALSE(done.more());
    return done.res;
}

TEST(null_backend_test, completions_come_in_order_round_and_round) {
    program ring = make();
    std::uint64_t next = 0;
    for (int round = 0; round < 9; ++round) {
        for (std::uint64_t i = 0; i < 5; ++i) ring.push_nop(next + i);
        for (const cqe& done : ring.complete(5)) EXPECT_EQ(next++, done.user_data);
    }
}

TEST(null_backend_test, internal_entries_complete_like_any_other) {
    program ring = make();
    ring.expect_nop_round_trip(reserved_user_data);
}

TEST(null_backend_test, takes_no_more_than_it_is_told_to) {
    program ring = make();
    for (std::uint64_t i = 0; i < 5; ++i) ring.push_nop(i);
    EXPECT_EQ(2, ring->enter(2, 0, 0, no_timeout));
    EXPECT_EQ(3U, ring.pending());
    EXPECT_EQ(2U, ring.ready());
}

TEST(null_backend_test, transfers_report_all_bytes_and_touch_none) {
    program ring = make();
    std::array<std::byte, 100> bytes{};
    sqe entry;
    prep_recv(entry, fd{3}, bytes, 0, 1);
    EXPECT_EQ(100, result_of(ring, entry));
    prep_send(entry, fd{3}, bytes, msg_flag::no_signal | msg_flag::wait_all, 1);
    EXPECT_EQ(100, result_of(ring, entry));
    prep_send_zc(entry, fd{3}, bytes, 0, transfer_flag::zc_report_usage, 1);
    EXPECT_EQ(100, result_of(ring, entry));
    EXPECT_EQ((std::array<std::byte, 100>{}), bytes);
    prep_recv(entry, fd{-1}, bytes, 0, 1);
    EXPECT_EQ(-EBADF, result_of(ring, entry));
}

TEST(null_backend_test, fixed_transfers_need_a_pinned_range) {
    program ring = make();
    std::array<std::byte, 100> bytes{};
    sqe entry;
    prep_read_fixed(entry, fd{3}, bytes, 0, 5, 1);
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
    kernel_buffer buffer{bytes.data(), bytes.size()};
    EXPECT_EQ(-EINVAL, ring->register_(register_op::pin_buffer, &buffer,
                                       emulation::buffer_table::slots_max));
    ASSERT_EQ(0, ring->register_(register_op::pin_buffer, &buffer, 5));
    EXPECT_EQ(100, result_of(ring, entry));
    prep_write_fixed(entry, fd{3}, std::span{bytes}.last(10), 0, 5, 1);
    EXPECT_EQ(10, result_of(ring, entry));
    entry.len = 11;
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
    entry.len = 1;
    entry.addr += 11;
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
    entry.addr -= 102;
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
    prep_read_fixed(entry, fd{3}, {}, 0, 0xffff, 1);
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
    prep_read_fixed(entry, fd{-1}, {}, 0, 0xffff, 1);
    EXPECT_EQ(-EBADF, result_of(ring, entry));
    ASSERT_EQ(0, ring->register_(register_op::unpin_buffer, nullptr, 5));
    prep_read_fixed(entry, fd{3}, bytes, 0, 5, 1);
    EXPECT_EQ(-EFAULT, result_of(ring, entry));
}

TEST(null_backend_test, descriptors_are_made_up_each_new_and_may_be_closed) {
    program ring = make();
    sqe entry;
    prep_accept_multishot(entry, fd{3}, socket_flag::cloexec, 1);
    const int first = result_of(ring, entry);
    prep_socket(entry, 2, 1, 0, 1);
    const int second = result_of(ring, entry);
    EXPECT_GE(first, made_up_fd_min);
    EXPECT_GE(second, made_up_fd_min);
    EXPECT_NE(first, second);
    prep_shutdown(entry, fd{first}, shutdown_how::both, 1);
    EXPECT_EQ(0, result_of(ring, entry));
    prep_close(entry, fd{first}, 1);
    EXPECT_EQ(0, result_of(ring, entry));
    std::int32_t closed = second;
    EXPECT_EQ(0, ring->register_(register_op::close_now, &closed, 0));
}

TEST(null_backend_test, a_real_descriptor_is_really_closed) {
    program ring = make();
    platform::native_socket real = platform::invalid_socket;
    ASSERT_FALSE(platform::open_stream(address_family::ipv4, real));
    sqe entry;
    prep_close(entry, fd{real}, 1);
    EXPECT_EQ(0, result_of(ring, entry));
    EXPECT_EQ(-EBADF, result_of(ring, entry));
    prep_close(entry, fd{-1}, 1);
    EXPECT_EQ(-EBADF, result_of(ring, entry));
}

TEST(null_backend_test, nothing_is_ever_there_to_cancel) {
    program ring = make();
    sqe entry;
    prep_cancel(entry, 7, 0, 1);
    EXPECT_EQ(-ENOENT, result_of(ring, entry));
    prep_cancel_fd(entry, fd{3}, cancel_flag::all, 1);
    EXPECT_EQ(0, result_of(ring, entry));
    prep_cancel_everything(entry, 1);
    EXPECT_EQ(0, result_of(ring, entry));
    prep_poll_remove(entry, 7, 1);
    EXPECT_EQ(-ENOENT, result_of(ring, entry));
    prep_timeout_remove(entry, 7, 1);
    EXPECT_EQ(-ENOENT, result_of(ring, entry));
    prep_cancel(entry, 7, 1U << 20U, 1);
    EXPECT_EQ(-EINVAL, result_of(ring, entry));
}

TEST(null_backend_test, polls_and_timers_are_over_at_once) {
    program ring = make();
    sqe entry;
    prep_poll_multishot(entry, fd{3}, poll_event::in | poll_event::out, 1);
    EXPECT_EQ(5, result_of(ring, entry));
    const kernel_timespec hour{.tv_sec = 3600};
    prep_timeout(entry, &hour, 0, timeout_flag::multishot, 1);
    EXPECT_EQ(-ETIME, result_of(ring, entry));
}

TEST(null_backend_test, what_is_not_in_the_probe_is_refused) {
    program ring = make();
    for (int op = 0; op < 256; ++op) {
        sqe entry;
        prep_nop(entry, 1);
        entry.op = static_cast<opcode>(op);
        entry.fd = made_up_fd_min;
        const bool known = ring->probe().supports(entry.op);
        const int result = result_of(ring, entry);
        EXPECT_EQ(!known, result == -EINVAL && entry.op != opcode::link_timeout) << op;
    }
    sqe entry;
    prep_recv_select(entry, fd{3}, 1, 0, 0, 1);
    EXPECT_EQ(-EINVAL, result_of(ring, entry));
    prep_send_vectorized(entry, fd{3}, nullptr, 0, 0, 1);
    EXPECT_EQ(-EINVAL, result_of(ring, entry));
    buffer_ring none{nullptr, 1, 1, false};
    EXPECT_EQ(-EOPNOTSUPP, ring->register_(register_op::add_buffer_ring, &none, 0));
    EXPECT_EQ(-EOPNOTSUPP, ring->register_(register_op::message_descriptor, nullptr, 0));
}

TEST(null_backend_test, success_is_silent_on_request_failure_is_not) {
    program ring = make();
    ring.push_nop(1, sqe_flag::cqe_skip_success);
    sqe entry;
    prep_cancel(entry, 7, 0, 2);
    entry.flags = sqe_flag::cqe_skip_success;
    ring.push(entry);
    ring.push_nop(3);
    const std::vector<cqe> all = ring.complete(2);
    EXPECT_EQ(2U, all.at(0).user_data);
    EXPECT_EQ(3U, all.at(1).user_data);
}

// --- links ---

std::vector<int> results_in_order(program& ring, std::size_t count) {
    std::vector<int> results;
    for (const cqe& done : ring.complete(count)) results.push_back(done.res);
    return results;
}

TEST(null_backend_test, a_broken_link_cancels_what_follows_up_to_the_end_of_the_chain) {
    program ring = make();
    sqe fails;
    prep_cancel(fails, 7, 0, 1);
    fails.flags = sqe_flag::io_link;
    ring.push_nop(0, sqe_flag::io_link);
    ring.push(fails);
    ring.push_nop(2, sqe_flag::io_link);
    ring.push_nop(3);
    ring.push_nop(4);
    EXPECT_EQ((std::vector<int>{0, -ENOENT, -ECANCELED, -ECANCELED, 0}), results_in_order(ring, 5));
}

TEST(null_backend_test, a_hard_link_holds) {
    program ring = make();
    sqe fails;
    prep_cancel(fails, 7, 0, 1);
    fails.flags = sqe_flag::io_hardlink;
    ring.push(fails);
    ring.push_nop(2);
    EXPECT_EQ((std::vector<int>{-ENOENT, 0}), results_in_order(ring, 2));
}

TEST(null_backend_test, a_chain_ends_with_its_submission) {
    program ring = make();
    sqe fails;
    prep_cancel(fails, 7, 0, 1);
    fails.flags = sqe_flag::io_link;
    ring.push(fails);
    EXPECT_EQ((std::vector<int>{-ENOENT}), results_in_order(ring, 1));
    ring.push_nop(2);
    EXPECT_EQ((std::vector<int>{0}), results_in_order(ring, 1));
}

TEST(null_backend_test, a_link_timeout_ends_with_the_operation_it_bounds) {
    program ring = make();
    const kernel_timespec time{.tv_sec = 1};
    sqe timer;
    prep_link_timeout(timer, &time, 0, 2);
    ring.push_nop(1, sqe_flag::io_link);
    timer.flags = sqe_flag::io_link;
    ring.push(timer);
    ring.push_nop(3);
    EXPECT_EQ((std::vector<int>{0, -ECANCELED, 0}), results_in_order(ring, 3));
    timer.flags = 0;
    ring.push(timer);
    EXPECT_EQ((std::vector<int>{-EINVAL}), results_in_order(ring, 1));
}

TEST(null_backend_test, a_timer_breaks_a_link_unless_told_not_to) {
    program ring = make();
    const kernel_timespec time{.tv_sec = 1};
    for (const std::uint32_t flags : {0U, timeout_flag::etime_success}) {
        sqe timer;
        prep_timeout(timer, &time, 0, flags, 1);
        timer.flags = sqe_flag::io_link;
        ring.push(timer);
        ring.push_nop(2);
        EXPECT_EQ((std::vector<int>{-ETIME, flags == 0 ? -ECANCELED : 0}),
                  results_in_order(ring, 2));
    }
}

// --- overflow ---

TEST(null_backend_test, a_queue_that_overflows_loses_nothing_and_takes_no_more_when_it_must) {
    program ring = make(8, 16);
    std::uint64_t next = 0;
    const auto push_eight = [&] {
        for (int i = 0; i < 8; ++i) ring.push_nop(next++);
    };
    push_eight();
    EXPECT_EQ(8, ring.submit());
    push_eight();
    EXPECT_EQ(8, ring.submit());
    EXPECT_FALSE(ring.flagged(sq_flag::cq_overflow));
    push_eight();
    EXPECT_EQ(8, ring.submit());
    EXPECT_TRUE(ring.flagged(sq_flag::cq_overflow));
    EXPECT_EQ(16U, ring.ready());
    push_eight();
    EXPECT_EQ(-EBUSY, ring.submit());
    EXPECT_EQ(-EBUSY, ring.submit_and_wait(1));
    EXPECT_EQ(8U, ring.pending());

    std::vector<cqe> all = ring.reap();
    EXPECT_EQ(8, ring.submit_and_wait(16));
    while (ring.ready() > 0) {
        for (const cqe& done : ring.reap()) all.push_back(done);
        EXPECT_EQ(0, ring->enter(0, 0, enter_flag::getevents, no_timeout));
    }
    EXPECT_FALSE(ring.flagged(sq_flag::cq_overflow));
    ASSERT_EQ(next, all.size());
    for (std::uint64_t i = 0; i < next; ++i) EXPECT_EQ(i, all[i].user_data);
    EXPECT_EQ(0U, ring->view().cq_overflow->load());
}

TEST(null_backend_test, completions_keep_their_order_behind_what_waits) {
    program ring = make(8, 8);
    std::uint64_t next = 0;
    for (int batch = 0; batch < 2; ++batch) {
        for (int i = 0; i < 6; ++i) ring.push_nop(next++);
        EXPECT_EQ(6, ring.submit());
    }
    std::vector<cqe> all = ring.reap();
    // There is room in the queue, but four are waiting for it.
    ring.push_nop(next++);
    EXPECT_EQ(1, ring.submit());
    EXPECT_EQ(0U, ring.ready());
    EXPECT_TRUE(ring.flagged(sq_flag::cq_overflow));
    EXPECT_EQ(0, ring->enter(0, 0, enter_flag::getevents, no_timeout));
    for (const cqe& done : ring.reap()) all.push_back(done);
    ASSERT_EQ(next, all.size());
    for (std::uint64_t i = 0; i < next; ++i) EXPECT_EQ(i, all[i].user_data);
}

TEST(null_backend_test, half_a_batch_is_taken_when_there_is_room_for_half) {
    program ring = make(8, 8);
    for (int batch = 0; batch < 2; ++batch) {
        for (std::uint64_t i = 0; i < 6; ++i) ring.push_nop(i);
        EXPECT_EQ(6, ring.submit());
    }
    for (std::uint64_t i = 0; i < 8; ++i) ring.push_nop(i);
    EXPECT_EQ(4, ring.submit());  // 8 in the queue, 8 behind it.
    EXPECT_EQ(4U, ring.pending());
}

// --- waiting ---

TEST(null_backend_test, a_wait_that_cannot_be_satisfied_ends_at_its_time_out) {
    program ring = make();
    const std::uint64_t start = platform::monotonic_ns();
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 5 * millisecond_ns));
    EXPECT_GE(platform::monotonic_ns() - start, 5'000'000U);
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 0));
    ring.push_nop(1);
    EXPECT_EQ(1, ring.submit_and_wait(2, millisecond_ns));
    EXPECT_EQ(0, ring.submit_and_wait(2, millisecond_ns));
    EXPECT_EQ(1U, ring.ready());
}

TEST(null_backend_test, a_wake_ends_one_wait) {
    program ring = make();
    EXPECT_EQ(-ENOENT, ring->register_(register_op::wake_descriptor, nullptr, 0));
    EXPECT_EQ(0, ring.wake());
    EXPECT_EQ(0, ring.wake());
    ring.push_nop(1);
    EXPECT_EQ(1, ring->enter(1, 0, enter_flag::getevents, no_timeout));  // No wait.
    EXPECT_EQ(0, ring.submit_and_wait(2));
    EXPECT_EQ(0, ring.submit_and_wait(2, millisecond_ns));
    ring.reap();
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, millisecond_ns));
}

TEST(null_backend_thread_test, wake_from_another_thread_ends_an_endless_wait) {
    make().expect_wakes_to_end_endless_waits();
}

TEST(null_backend_thread_test, another_thread_is_refused) {
    program ring = make();
    ring.expect_nop_round_trip();
    std::thread([&] {
        EXPECT_EQ(-EEXIST, ring->enter(0, 0, 0, no_timeout));
        EXPECT_EQ(-EEXIST, ring->register_(register_op::unpin_buffer, nullptr, 0));
    }).join();
    ring.expect_nop_round_trip();
}

TEST(null_backend_thread_test, made_in_one_thread_runs_in_another) {
    program ring = make();
    std::thread([&] { ring.expect_nop_round_trip(); }).join();
}

}  // namespace
}  // namespace ioring::backends::null
