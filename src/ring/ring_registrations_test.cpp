// SPDX-License-Identifier: MIT
// ring_registrations_test.cpp - what a backend that keeps registrations is told of.
//
// Such a one is Windows' rio. Here it is the null backend, with a list of what it was told.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "backend/null/null.hpp"
#include "backend/registry.hpp"
#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

using backends::register_op;

struct told {
    register_op what;
    std::uint64_t of;  // The descriptor, or the buffer's slot.
    std::size_t bytes = 0;
    friend bool operator==(const told&, const told&) = default;
};
using list = std::vector<told>;

// Of the one backend that there is at a time.
list told_of;
std::vector<std::uint64_t> buffers_named;
int result_of_sockets = 0;
int refuse_buffers_after = -1;  // How many are taken; -1: all.

class keeper final : public backends::backend {
public:
    explicit keeper(std::unique_ptr<backend> inner) : inner_{std::move(inner)} {
        view_ = inner_->view();
        description_ = "the null backend, whose registrations are kept";
        probe_ = inner_->probe();
        keeps_registrations_ = true;
    }
    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override {
        const std::uint32_t head = view_.sq_head->load();
        for (std::uint32_t index = 0; index < to_submit; ++index) {
            buffers_named.push_back(view_.sqes[(head + index) & (view_.sq_entries - 1)].addr3);
        }
        return inner_->enter(to_submit, min_complete, flags, timeout_ns);
    }
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override {
        switch (operation) {
            case register_op::attach_socket:
                told_of.push_back({operation, static_cast<std::uint64_t>(
                                                  *static_cast<const std::int32_t*>(argument))});
                return result_of_sockets;
            case register_op::attach_buffer:
                if (refuse_buffers_after == 0) return -ENOBUFS;
                if (refuse_buffers_after > 0) --refuse_buffers_after;
                told_of.push_back(
                    {operation, count, static_cast<backends::kernel_buffer*>(argument)->bytes});
                return 0;
            case register_op::detach_buffer:
            case register_op::abort_attached: told_of.push_back({operation, count}); return 0;
            default: return inner_->register_(operation, argument, count);
        }
    }

private:
    std::unique_ptr<backend> inner_;
};

std::error_code set_up(const backends::backend_options& options,
                       std::unique_ptr<backends::backend>& out, std::string& why) noexcept {
    std::unique_ptr<backends::backend> inner;
    if (const std::error_code error = backends::null::set_up(options, inner, why)) return error;
    out = std::make_unique<keeper>(std::move(inner));
    return {};
}

const bool added = [] {
    backends::add({"keeper", set_up, false});
    return true;
}();

class ring_registrations : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(added);
        told_of.clear();
        buffers_named.clear();
        result_of_sockets = 0;
        refuse_buffers_after = -1;
        ring_ = make_ring({.backend = "keeper"});
    }

    ring ring_;
    std::array<std::byte, 64> memory_{};
};

TEST_F(ring_registrations, sockets_and_buffers_are_told_as_they_come_and_go) {
    connection_id connection;
    ASSERT_FALSE(ring_.register_socket(fd{7}, connection));
    std::array<buffer_id, 2> ids{};
    ASSERT_FALSE(ring_.register_buffers(memory_, ids));
    ASSERT_FALSE(ring_.unregister_buffer(ids[0]));
    ASSERT_FALSE(ring_.unregister_socket(connection));
    EXPECT_EQ((list{{register_op::attach_socket, 7},
                    {register_op::attach_buffer, 0, 32},
                    {register_op::attach_buffer, 1, 32},
                    {register_op::detach_buffer, 0}}),
              told_of)
        << "a socket stays attached until it is closed";
    told_of.clear();
    ring_ = ring{};
    EXPECT_EQ((list{{register_op::abort_attached, 0}}), told_of);
}

TEST_F(ring_registrations, an_entry_says_which_buffer_it_means) {
    connection_id connection;
    ASSERT_FALSE(ring_.register_socket(fd{7}, connection));
    std::array<buffer_id, 4> ids{};
    ASSERT_FALSE(ring_.register_buffers(memory_, ids));
    ASSERT_NE(nullptr, ring_.prepare_recv_buffer(connection, ids[0], 0, 8, 1));
    ASSERT_NE(nullptr, ring_.prepare_send_buffer(connection, ids[3], 4, 4, 2));
    ASSERT_NE(nullptr, ring_.prepare_recv(fd{7}, std::span{memory_}, 3));
    ASSERT_EQ(3, ring_.submit());
    EXPECT_EQ((std::vector<std::uint64_t>{1, 4, 0}), buffers_named);
}

TEST_F(ring_registrations, a_socket_that_is_refused_is_not_registered) {
    result_of_sockets = -EPROTOTYPE;
    connection_id connection;
    EXPECT_EQ(std::errc::wrong_protocol_type, ring_.register_socket(fd{7}, connection));
    EXPECT_FALSE(connection.valid());
}

TEST_F(ring_registrations, of_buffers_that_are_refused_none_is_registered) {
    refuse_buffers_after = 2;
    std::array<buffer_id, 4> ids{};
    EXPECT_EQ(std::errc::no_buffer_space, ring_.register_buffers(memory_, ids));
    EXPECT_EQ((list{{register_op::attach_buffer, 0, 16},
                    {register_op::attach_buffer, 1, 16},
                    {register_op::detach_buffer, 0},
                    {register_op::detach_buffer, 1}}),
              told_of);
    for (const buffer_id each : ids) {
        EXPECT_EQ(std::errc::invalid_argument, ring_.unregister_buffer(each));
    }
    refuse_buffers_after = -1;
    EXPECT_FALSE(ring_.register_buffers(memory_, ids)) << "and it can be tried again";
}

TEST_F(ring_registrations, other_backends_are_told_nothing) {
    ring other = make_ring({.backend = "null"});
    connection_id connection;
    ASSERT_FALSE(other.register_socket(fd{7}, connection));
    buffer_id id{};
    ASSERT_FALSE(other.register_buffer(memory_, id));
    sqe* const entry = other.prepare_recv_buffer(connection, id, 0, 8, 1);
    ASSERT_NE(nullptr, entry);
    EXPECT_EQ(0u, entry->addr3);
}

}  // namespace
}  // namespace ioring::ring_tests
