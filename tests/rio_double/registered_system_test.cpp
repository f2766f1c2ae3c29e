// SPDX-License-Identifier: MIT
// registered_system_test.cpp - requests that look like overlapped calls to the engine above.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "backend/rio/registered_system.hpp"
#include "bare_system_test_support.hpp"
#include "world.hpp"

namespace ioring::rio_tests {
namespace {

using backends::iocp::own_status;

class registered_system_test : public testing::Test {
protected:
    void SetUp() override {
        system_ = world_->system();
        // As Windows' table does it, for the one code that matters.
        system_.negative_errno = [](std::int32_t code) noexcept {
            return code == abi::code::not_supported ? -EOPNOTSUPP : -EIO;
        };
        auto below = std::make_unique<bare_system>(*world_);
        below_ = below.get();
        both_ = std::make_unique<backends::rio::registered_system>(std::move(below), system_);
        ASSERT_EQ(0, both_->set_up());
        pair_ = world_->connect(true);
        ASSERT_EQ(0, both_->attach_requests(pair_.rio));
        ASSERT_EQ(0, both_->attach_buffer(5, memory_.data(), memory_.size()));
    }
    void TearDown() override {
        both_.reset();
        (void)world_->system().close_socket(pair_.peer);
        EXPECT_EQ(std::vector<std::string>{}, world_->the_double()->violations());
        EXPECT_EQ(may_be_left_, world_->the_double()->leftovers() != "");
    }
    [[nodiscard]] begun receive(std::uint32_t bytes, overlapped& of, std::uint32_t buffer = 6) {
        return both_->receive(pair_.rio, memory_.data(), bytes, buffer, of);
    }
    [[nodiscard]] overlapped* wait(std::int64_t timeout_ns = -1) {
        std::array<packet, 8> packets;
        for (int tries = 0; tries < 100; ++tries) {
            const int count = both_->wait(packets, timeout_ns);
            EXPECT_LE(count, 1);
            if (count > 0) return packets[0].of;
            if (timeout_ns == 0) break;
        }
        return nullptr;
    }

    std::unique_ptr<world> world_ = make_memory_world();
    backends::rio::system system_;
    bare_system* below_ = nullptr;
    std::unique_ptr<backends::rio::registered_system> both_;
    world::pair pair_;
    std::array<std::byte, 64> memory_{};
    overlapped first_;
    overlapped second_;
    bool may_be_left_ = false;
};

TEST_F(registered_system_test, a_request_comes_back_as_a_packet) {
    EXPECT_TRUE(receive(8, first_).pending);
    EXPECT_EQ(nullptr, wait(0));
    world_->send(pair_.peer, "abc");
    EXPECT_EQ(&first_, wait()) << "and not the notification's own";
    EXPECT_EQ(0u, first_.status);
    EXPECT_EQ(3u, first_.bytes);
    EXPECT_EQ(nullptr, wait(0)) << "once";
    EXPECT_TRUE(both_->send(pair_.rio, memory_.data(), 3, 6, nullptr, 0, second_).pending);
    EXPECT_EQ(&second_, wait());
    EXPECT_EQ("abc", world_->receive(pair_.peer, 3));
}

TEST_F(registered_system_test, an_error_is_a_status_of_our_own) {
    EXPECT_TRUE(receive(8, first_).pending);
    world_->the_double()->end_next_with(abi::code::operation_aborted);
    EXPECT_EQ(&first_, wait());
    EXPECT_EQ(own_status | ECONNRESET, first_.status);
}

TEST_F(registered_system_test, only_registered_buffers_are_for_an_attached_socket) {
    backends::iocp::poll_request request;
    EXPECT_EQ(-EOPNOTSUPP, receive(8, first_, /*buffer=*/0).res);
    EXPECT_EQ(-EOPNOTSUPP, receive(0, first_).res);
    EXPECT_EQ(-EOPNOTSUPP, both_->send(pair_.rio, memory_.data(), 1, 0, nullptr, 0, first_).res);
    EXPECT_EQ(-EOPNOTSUPP, both_->poll(pair_.rio, 1, request, first_).res);
    EXPECT_EQ(-EOPNOTSUPP, both_->receive_now(pair_.rio, memory_.data(), 1, 0));
    EXPECT_EQ(-EOPNOTSUPP, both_->send_now(pair_.rio, memory_.data(), 1));
    backends::iocp::piece whole{1, memory_.data()};
    backends::iocp::message one;
    one.pieces = &whole;
    one.count = 1;
    EXPECT_EQ(-EOPNOTSUPP, both_->receive_pieces(pair_.rio, {&whole, 1}, first_).res);
    EXPECT_EQ(-EOPNOTSUPP, both_->send_message(pair_.rio, one, first_).res);
    EXPECT_EQ(-EOPNOTSUPP, both_->receive_message_now(pair_.rio, true, one));
    EXPECT_EQ(-EOPNOTSUPP, both_->send_message_now(pair_.rio, one));
    EXPECT_EQ(-ENOSYS, both_->receive_pieces(pair_.peer, {&whole, 1}, first_).res);
    EXPECT_EQ(-ENOSYS, both_->send_message(pair_.peer, one, first_).res);
    EXPECT_EQ(-ENOSYS, both_->receive_message_now(pair_.peer, true, one));
    EXPECT_EQ(-ENOSYS, both_->send_message_now(pair_.peer, one));
    EXPECT_EQ(-EFAULT, receive(8, first_, /*buffer=*/9).res) << "one that there is not";
}

TEST_F(registered_system_test, other_sockets_are_passed_on) {
    EXPECT_FALSE(both_->has_requests(pair_.peer));
    EXPECT_EQ(-ENOSYS, both_->receive(pair_.peer, memory_.data(), 1, 0, first_).res);
    EXPECT_EQ(-ENOSYS, both_->send_now(pair_.peer, memory_.data(), 1));
    EXPECT_TRUE(both_->cancel(pair_.peer, first_));
    both_->close(pair_.peer);
    EXPECT_EQ(pair_.peer, below_->closed);
}

TEST_F(registered_system_test, what_is_in_flight_cannot_be_cancelled_and_ends_when_it_is_closed) {
    EXPECT_TRUE(receive(8, first_).pending);
    EXPECT_FALSE(both_->cancel(pair_.rio, first_));
    EXPECT_TRUE(receive(8, second_).pending);
    EXPECT_TRUE(both_->cancel(pair_.rio, second_)) << "the system has not got it yet";
    EXPECT_EQ(&second_, wait());
    EXPECT_EQ(own_status | ECANCELED, second_.status);
    both_->close(pair_.rio);
    EXPECT_EQ(0u, below_->closed) << "the core has closed it";
    EXPECT_FALSE(both_->has_requests(pair_.rio));
    EXPECT_EQ(&first_, wait());
    EXPECT_EQ(own_status | ECANCELED, first_.status);
}

TEST_F(registered_system_test, a_socket_is_attached_once_and_must_be_fit_for_it) {
    EXPECT_EQ(0, both_->attach_requests(pair_.rio)) << "it is already";
    const world::pair plain = world_->connect(false);
    EXPECT_EQ(-EPROTOTYPE, both_->attach_requests(plain.rio));
    (void)world_->system().close_socket(plain.rio);
    (void)world_->system().close_socket(plain.peer);
}

TEST_F(registered_system_test, a_corrupt_queue_wakes_the_sleeper_with_errors) {
    EXPECT_TRUE(receive(8, first_).pending);
    world_->the_double()->corrupt();
    EXPECT_EQ(&first_, wait());
    EXPECT_EQ(own_status | EIO, first_.status);
    EXPECT_EQ(-EIO, receive(8, first_).res);
    EXPECT_TRUE(both_->requests().dead());
    may_be_left_ = true;  // What the system may still write to.
}

}  // namespace
}  // namespace ioring::rio_tests
