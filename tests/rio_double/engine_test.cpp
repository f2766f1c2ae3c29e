// SPDX-License-Identifier: MIT
// engine_test.cpp - the whole rio backend on the double in memory: entries in, completions out.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backend/iocp/iocp_kernel.hpp"
#include "backend/rio/registered_system.hpp"
#include "bare_system_test_support.hpp"
#include "ioring/prep.hpp"
#include "platform/socket_table.hpp"
#include "world.hpp"

namespace ioring::rio_tests {
namespace {

using backends::register_op;
using platform::socket_table;

class rio_engine_test : public testing::Test {
protected:
    void SetUp() override {
        system_ = world_->system();
        system_.negative_errno = [](std::int32_t code) noexcept {
            return code == abi::code::connection_reset ? -ECONNRESET : -EIO;
        };
        auto both = std::make_unique<backends::rio::registered_system>(
            std::make_unique<bare_system>(*world_), system_);
        ASSERT_EQ(0, both->set_up());
        kernel_ = std::make_unique<backends::iocp::iocp_kernel>(std::move(both));
        ASSERT_FALSE(kernel_->set_up({.sq_entries = 32, .cq_entries = 64}));
        pair_ = world_->connect(true);
        number_ = socket_table::add(pair_.rio);
        ASSERT_EQ(0, kernel_->register_(register_op::attach_socket, &number_, 0));
        backends::kernel_buffer memory{.data = memory_.data(), .bytes = memory_.size()};
        ASSERT_EQ(0, kernel_->register_(register_op::attach_buffer, &memory, 0));
    }
    void TearDown() override {
        (void)kernel_->register_(register_op::abort_attached, nullptr, 0);
        (void)enter(0, 0);
        kernel_.reset();
        (void)socket_table::remove(number_);
        (void)world_->system().close_socket(pair_.peer);
        EXPECT_EQ(std::vector<std::string>{}, world_->the_double()->violations());
        EXPECT_EQ("", world_->the_double()->leftovers());
    }

    [[nodiscard]] sqe& next() {
        const ring_view& view = kernel_->view();
        return view.sqes[(tail_++) & (view.sq_entries - 1)];
    }
    void receive(std::uint64_t user_data, std::uint32_t offset, std::uint32_t bytes) {
        sqe& entry = next();
        prep_recv(entry, fd{number_}, std::span{memory_}.subspan(offset, bytes), 0, user_data);
        entry.addr3 = 1;
    }
    void send(std::uint64_t user_data, std::string_view text) {
        std::memcpy(memory_.data(), text.data(), text.size());
        sqe& entry = next();
        prep_send(entry, fd{number_}, std::span{memory_}.first(text.size()), msg_flag::wait_all,
                  user_data);
        entry.addr3 = 1;
    }
    [[nodiscard]] int enter(std::uint32_t to_submit, std::uint32_t min_complete) {
        kernel_->view().sq_tail->store(tail_);
        return kernel_->enter(to_submit, min_complete, backends::enter_flag::getevents,
                              5'000'000'000);
    }
    // What has completed, as user_data and result, in order.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::int32_t>> read() {
        const ring_view& view = kernel_->view();
        std::vector<std::pair<std::uint64_t, std::int32_t>> all;
        std::uint32_t head = view.cq_head->load();
        for (; head != view.cq_tail->load(); ++head) {
            const cqe& done = view.cqes[head & (view.cq_entries - 1)];
            all.emplace_back(done.user_data, done.res);
        }
        view.cq_head->store(head);
        return all;
    }
    using results = std::vector<std::pair<std::uint64_t, std::int32_t>>;

    std::unique_ptr<world> world_ = make_memory_world();
    backends::rio::system system_;
    std::unique_ptr<backends::iocp::iocp_kernel> kernel_;
    world::pair pair_;
    std::int32_t number_ = -1;
    std::array<std::byte, 64> memory_{};
    std::uint32_t tail_ = 0;
};

TEST_F(rio_engine_test, echoes_by_registered_buffers) {
    receive(1, 0, 32);
    EXPECT_EQ(1, enter(1, 0));
    EXPECT_EQ(results{}, read());
    world_->send(pair_.peer, "hello");
    EXPECT_EQ(0, enter(0, 1));
    EXPECT_EQ((results{{1, 5}}), read());
    send(2, "hello");
    EXPECT_EQ(1, enter(1, 1));
    EXPECT_EQ((results{{2, 5}}), read());
    EXPECT_EQ("hello", world_->receive(pair_.peer, 5));
}

TEST_F(rio_engine_test, the_end_of_the_stream_is_zero_after_its_bytes) {
    world_->send(pair_.peer, "ab");
    world_->end(pair_.peer);
    receive(1, 0, 8);
    receive(2, 8, 8);
    EXPECT_EQ(2, enter(2, 2));
    if (kernel_->view().cq_tail->load() - kernel_->view().cq_head->load() < 2) (void)enter(0, 2);
    EXPECT_EQ((results{{1, 2}, {2, 0}}), read());
}

TEST_F(rio_engine_test, other_operations_are_not_supported) {
    prep_recv(next(), fd{number_}, std::span{memory_}, 0, 1);
    prep_send(next(), fd{number_}, std::span{memory_}, 0, 2);
    prep_recv(next(), fd{number_}, std::span{memory_}, msg_flag::dont_wait, 3);
    EXPECT_EQ(3, enter(3, 3));
    EXPECT_EQ((results{{1, -EOPNOTSUPP}, {2, -EOPNOTSUPP}, {3, -EOPNOTSUPP}}), read());
}

TEST_F(rio_engine_test, a_cancel_says_already_and_the_target_ends_by_itself) {
    receive(1, 0, 8);
    EXPECT_EQ(1, enter(1, 0));
    prep_cancel(next(), /*target=*/1, /*cancel_flags=*/0, 2);
    EXPECT_EQ(1, enter(1, 1));
    EXPECT_EQ((results{{2, -EALREADY}}), read());
    world_->send(pair_.peer, "abc");
    EXPECT_EQ(0, enter(0, 1));
    EXPECT_EQ((results{{1, 3}}), read());
}

TEST_F(rio_engine_test, a_close_ends_what_is_in_flight_and_completes_after_it) {
    receive(1, 0, 8);
    EXPECT_EQ(1, enter(1, 0));
    world_->the_double()->hold_completions(true);
    prep_close(next(), fd{number_}, 2);
    EXPECT_EQ(1, enter(1, 0));
    EXPECT_EQ(results{}, read()) << "the system still has the memory";
    world_->the_double()->hold_completions(false);
    EXPECT_EQ(0, enter(0, 2));
    EXPECT_EQ((results{{1, -ECANCELED}, {2, 0}}), read());
    EXPECT_EQ(socket_table::kind::none, socket_table::find(number_).what);
}

TEST_F(rio_engine_test, the_ring_s_end_closes_it_and_keeps_its_number) {
    receive(1, 0, 8);
    EXPECT_EQ(1, enter(1, 0));
    EXPECT_EQ(0, kernel_->register_(register_op::abort_attached, nullptr, 0));
    EXPECT_EQ(0, enter(0, 1));
    EXPECT_EQ((results{{1, -ECANCELED}}), read());
    EXPECT_EQ(socket_table::kind::other, socket_table::find(number_).what);
    EXPECT_EQ("", world_->receive(pair_.peer, 1)) << "the peer sees the end";
}

TEST_F(rio_engine_test, what_is_busy_or_unfit_is_not_attached) {
    const world::pair plain = world_->connect(false);
    std::int32_t number = socket_table::add(plain.rio);
    EXPECT_EQ(-EIO, kernel_->register_(register_op::attach_socket, &number, 0));
    (void)socket_table::remove(number);
    EXPECT_EQ(-EBADF, kernel_->register_(register_op::attach_socket, &number, 0));
    (void)world_->system().close_socket(plain.rio);
    (void)world_->system().close_socket(plain.peer);
    EXPECT_EQ(0, kernel_->register_(register_op::attach_socket, &number_, 0)) << "once more";
}

}  // namespace
}  // namespace ioring::rio_tests
