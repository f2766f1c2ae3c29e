// SPDX-License-Identifier: MIT
// engine_test.cpp - who owns what, and when it ends: the engine of completion ports over a system
// whose every answer is the test's.
#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>

#include "backend/backend_test_support.hpp"
#include "backend/iocp/fake_system_test_support.hpp"
#include "backend/iocp/iocp_kernel.hpp"
#include "platform/socket_table.hpp"

namespace ioring::iocp_tests {
namespace {

using platform::socket_table;

class engine_test : public testing::Test {
protected:
    engine_test() {
        auto below = std::make_unique<fake_system>();
        system_ = below.get();
        auto made = std::make_unique<iocp_kernel>(std::move(below));
        engine_ = made.get();
        EXPECT_FALSE(made->set_up({.sq_entries = 64, .cq_entries = 128}));
        program_ = std::make_unique<backends::program>(std::move(made));
    }
    void TearDown() override {
        for (const std::int32_t each : numbers_) socket_table::remove(each);
        system_->cancels_too_late = false;
        // The end waits for what is pending, and gets it.
        const std::size_t pending = engine_->pending();
        const auto start = std::chrono::steady_clock::now();
        program_.reset();
        EXPECT_GT(std::chrono::seconds{1}, std::chrono::steady_clock::now() - start) << pending;
    }

    fd socket(socket_handle handle) {
        numbers_.push_back(socket_table::add(handle));
        return fd{numbers_.back()};
    }
    // Submits, and reads what has completed.
    std::vector<cqe> turn() {
        (void)program_->submit();
        (void)(*program_)->enter(0, 0, backends::enter_flag::getevents, 0);
        return program_->reap();
    }
    // The system lets go of what was cancelled.
    std::vector<cqe> settle() {
        system_->land_cancelled();
        return turn();
    }
    void recv(fd from, std::uint64_t user_data, std::uint32_t flags = 0) {
        sqe entry;
        prep_recv(entry, from, buffer_, flags, user_data);
        program_->push(entry);
    }
    // A message of three pieces, the middle one empty; `ask` is prep_sendmsg or prep_recvmsg.
    template <class Prepare>
    void message(Prepare prepare, fd of, std::uint64_t user_data, std::uint32_t flags) {
        pieces_ = {iovec{&buffer_[0], 3}, iovec{&buffer_[8], 0}, iovec{&buffer_[16], 5}};
        header_ = msghdr{};
        header_.msg_iov = pieces_.data();
        header_.msg_iovlen = 3;
        sqe entry;
        prepare(entry, of, &header_, flags, user_data);
        program_->push(entry);
    }
    void cancel(std::uint64_t target, std::uint64_t user_data) {
        sqe entry;
        prep_cancel(entry, target, 0, user_data);
        program_->push(entry);
    }
    static int result(const std::vector<cqe>& all, std::uint64_t user_data) {
        int found = -ENODATA;
        for (const cqe& each : all) {
            if (each.user_data != user_data) continue;
            EXPECT_EQ(-ENODATA, found) << "twice: " << user_data;
            found = each.res;
        }
        return found;
    }

    fake_system* system_ = nullptr;
    iocp_kernel* engine_ = nullptr;
    std::unique_ptr<backends::program> program_;
    std::vector<std::int32_t> numbers_;
    std::array<std::byte, 64> buffer_{};
    std::array<iovec, 3> pieces_{};
    msghdr header_{};
};

TEST_F(engine_test, a_receive_is_begun_at_once_with_the_whole_handle) {
    recv(socket(0xffff'0000'0007), 1);
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(1u, system_->pending.size());
    EXPECT_EQ(0xffff'0000'0007u, system_->pending.front().socket);
    EXPECT_TRUE(system_->end(call::receive, 0, "abc"));
    EXPECT_EQ(3, result(turn(), 1));
    EXPECT_EQ(0u, engine_->pending());
}

TEST_F(engine_test, a_receive_of_all_goes_on_in_the_middle_of_a_piece) {
    message(prep_recvmsg, socket(7), 1, msg_flag::wait_all);
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(2u, system_->given.size()) << "none of no bytes";
    EXPECT_TRUE(system_->end(call::receive, 0, "ab"));
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(2u, system_->given.size());
    EXPECT_EQ(1u, system_->given[0].bytes);
    EXPECT_EQ(&buffer_[2], system_->given[0].data);
    EXPECT_TRUE(system_->end(call::receive, 0, "c"));
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(1u, system_->given.size());
    EXPECT_EQ(&buffer_[16], system_->given[0].data);
    EXPECT_TRUE(system_->end(call::receive, 0, "12345"));
    EXPECT_EQ(8, result(turn(), 1));
    EXPECT_EQ(std::byte{'c'}, buffer_[2]);
    EXPECT_EQ(0u, engine_->pending());
}

TEST_F(engine_test, a_cancelled_message_tells_what_has_gone_of_it) {
    message(prep_sendmsg, socket(7), 1, msg_flag::wait_all | msg_flag::no_signal);
    EXPECT_TRUE(turn().empty());
    EXPECT_TRUE(system_->end_send(4));
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(1u, system_->given.size());
    EXPECT_EQ(4u, system_->given[0].bytes);
    EXPECT_EQ(&buffer_[17], system_->given[0].data);
    cancel(1, 2);
    EXPECT_EQ(0, result(turn(), 2));
    EXPECT_EQ(4, result(settle(), 1));
}

TEST_F(engine_test, a_cancelled_receive_ends_when_the_system_lets_go_of_it) {
    recv(socket(7), 1);
    EXPECT_TRUE(turn().empty());
    cancel(1, 2);
    const std::vector<cqe> first = turn();
    EXPECT_EQ(0, result(first, 2));
    EXPECT_EQ(1u, first.size());  // The memory is the system's still.
    EXPECT_EQ(1u, engine_->pending());
    cancel(1, 3);
    EXPECT_EQ(-EALREADY, result(turn(), 3));
    EXPECT_EQ(-ECANCELED, result(settle(), 1));
    EXPECT_EQ(0u, engine_->pending());
}

TEST_F(engine_test, a_cancel_that_comes_too_late_says_so_and_the_result_is_the_operations_own) {
    recv(socket(7), 1);
    EXPECT_TRUE(turn().empty());
    system_->cancels_too_late = true;
    cancel(1, 2);
    EXPECT_EQ(-EALREADY, result(turn(), 2));
    EXPECT_TRUE(system_->end(call::receive, 0, "x"));
    EXPECT_EQ(1, result(turn(), 1));
}

TEST_F(engine_test, one_receive_of_a_socket_is_begun_at_a_time_in_their_order) {
    const fd from = socket(7);
    recv(from, 1);
    recv(from, 2);
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(1u, system_->count(call::receive));
    cancel(2, 3);  // That one is nobody's but ours.
    const std::vector<cqe> all = turn();
    EXPECT_EQ(0, result(all, 3));
    EXPECT_EQ(-ECANCELED, result(all, 2));
    recv(from, 4);
    EXPECT_TRUE(turn().empty());
    EXPECT_TRUE(system_->end(call::receive, 0, "x"));
    EXPECT_EQ(1, result(turn(), 1));
    EXPECT_TRUE(system_->end(call::receive, status_reset));
    EXPECT_EQ(-ECONNRESET, result(turn(), 4));
    recv(from, 5);
    EXPECT_EQ(0, result(turn(), 5));  // Told once.
}

TEST_F(engine_test, wait_all_goes_on_and_a_cancel_tells_what_there_was) {
    recv(socket(7), 1, msg_flag::wait_all);
    EXPECT_TRUE(turn().empty());
    EXPECT_TRUE(system_->end(call::receive, 0, "abc"));
    EXPECT_TRUE(turn().empty());
    ASSERT_EQ(1u, system_->count(call::receive));
    EXPECT_EQ(buffer_.data() + 3, system_->pending.front().data);
    EXPECT_EQ(61u, system_->pending.front().bytes);
    cancel(1, 2);
    EXPECT_EQ(0, result(turn(), 2));
    EXPECT_EQ(3, result(settle(), 1));
}

TEST_F(engine_test, a_close_completes_after_everything_that_was_pending) {
    const fd which = socket(7);
    recv(which, 1);
    sqe entry;
    prep_send(entry, which, buffer_, msg_flag::wait_all, 2);
    program_->push(entry);
    EXPECT_TRUE(turn().empty());
    prep_close(entry, which, 3);
    program_->push(entry);
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(socket_table::kind::none, socket_table::find(which.value).what);
    EXPECT_EQ(std::vector<socket_handle>{7}, system_->closed);
    recv(which, 4);
    EXPECT_EQ(-EBADF, result(turn(), 4));
    const std::vector<cqe> all = settle();
    ASSERT_EQ(3u, all.size());
    EXPECT_EQ(-ECANCELED, result(all, 1));
    EXPECT_EQ(-ECANCELED, result(all, 2));
    EXPECT_EQ(3u, all.back().user_data);
    EXPECT_EQ(0, all.back().res);
    EXPECT_EQ(0u, engine_->pending());
}

TEST_F(engine_test, a_packet_of_a_socket_that_is_gone_is_not_its_successors) {
    const fd old = socket(7);
    recv(old, 1);
    EXPECT_TRUE(turn().empty());
    socket_table::remove(old.value);
    fd fresh;
    for (std::uint32_t tries = 0; fresh.value != old.value; ++tries) {
        ASSERT_GT(socket_table::slots_max, tries);
        fresh = socket(8);
    }
    recv(fresh, 2);
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(1u, system_->count(call::receive));
    EXPECT_EQ(8u, system_->pending.front().socket);
    EXPECT_EQ(-ECANCELED, result(settle(), 1));
    EXPECT_TRUE(system_->end(call::receive, 0, "new"));
    EXPECT_EQ(3, result(turn(), 2));
}

TEST_F(engine_test, a_multishot_accept_has_several_pending_and_loses_no_connection) {
    const fd listener = socket(fake_system::listener);
    sqe entry;
    prep_accept_multishot(entry, listener, 0, 1);
    program_->push(entry);
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(iocp_kernel::accepts_max, system_->count(call::accept));
    EXPECT_TRUE(system_->end(call::accept, 0));
    const std::vector<cqe> first = turn();
    ASSERT_EQ(1u, first.size());
    EXPECT_TRUE(first.front().more());
    numbers_.push_back(first.front().res);
    EXPECT_EQ(iocp_kernel::accepts_max, system_->count(call::accept));

    EXPECT_TRUE(system_->end(call::accept, 0));  // Has come, and nobody has seen it yet.
    cancel(1, 2);
    (void)program_->submit();
    const std::vector<cqe> all = turn();
    EXPECT_EQ(0, result(all, 2));
    EXPECT_EQ(-ECANCELED, result(all, 1));
    EXPECT_EQ(0u, system_->count(call::accept));
    EXPECT_TRUE(settle().empty());
    EXPECT_EQ(iocp_kernel::accepts_max - 1, system_->closed.size());  // None of them a connection.
    prep_accept(entry, listener, nullptr, nullptr, 0, 3);
    program_->push(entry);
    const std::vector<cqe> kept = turn();
    ASSERT_EQ(1u, kept.size());
    EXPECT_LE(0, kept.front().res);
    numbers_.push_back(kept.front().res);
}

TEST_F(engine_test, a_reset_connection_is_passed_over_and_its_place_taken_again) {
    const fd listener = socket(fake_system::listener);
    sqe entry;
    prep_accept(entry, listener, nullptr, nullptr, 0, 1);
    program_->push(entry);
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(1u, system_->count(call::accept));
    EXPECT_TRUE(system_->end(call::accept, status_reset));
    EXPECT_TRUE(turn().empty());
    EXPECT_TRUE(turn().empty());
    EXPECT_EQ(1u, system_->count(call::accept));
    EXPECT_EQ(1u, system_->closed.size());
}

TEST_F(engine_test, a_link_timeout_ends_what_it_bounds_once) {
    const kernel_timespec now{.tv_sec = 0, .tv_nsec = 0};
    sqe entry;
    prep_recv(entry, socket(7), buffer_, 0, 1);
    entry.flags = sqe_flag::io_link;
    program_->push(entry);
    prep_link_timeout(entry, &now, 0, 2);
    program_->push(entry);
    std::vector<cqe> all = turn();
    EXPECT_EQ(-ETIME, result(all, 2));
    EXPECT_EQ(1u, all.size());
    EXPECT_EQ(-ECANCELED, result(settle(), 1));
}

}  // namespace
}  // namespace ioring::iocp_tests
