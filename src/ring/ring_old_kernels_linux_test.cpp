// SPDX-License-Identifier: MIT
// ring_old_kernels_linux_test.cpp - what the ring does by itself works without newer abilities.
//
// The kernel is this one, with abilities masked until it resembles older ones down to the floor.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "backend/registry.hpp"
#include "backend/uring/old_kernels_test_support.hpp"
#include "backend/uring/uring.hpp"
#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

namespace uring = backends::uring;
using clock = std::chrono::steady_clock;

template <std::size_t Number>
std::error_code set_up(const backends::backend_options& options,
                       std::unique_ptr<backends::backend>& out, std::string& why) noexcept {
    return uring::set_up_masked(options, uring::old_kernels()[Number].mask, out, why);
}

// Only their names choose them.
const bool added = [] {
    backends::add({"uring-6.5", set_up<1>, false});
    backends::add({"uring-6.1", set_up<2>, false});
    backends::add({"uring-6.0", set_up<3>, false});
    backends::add({"uring-5.19", set_up<4>, false});
    backends::add({"uring-bare", set_up<5>, false});
    return true;
}();

class ring_old_kernels : public testing::TestWithParam<const char*> {
protected:
    static ring make(std::chrono::nanoseconds drain_timeout = 1s) {
        return make_ring({.sq_entries = 16,
                          .connections_max = 4,
                          .drain_timeout = drain_timeout,
                          .backend = GetParam()});
    }
};
INSTANTIATE_TEST_SUITE_P(kernel, ring_old_kernels,
                         testing::Values("uring-6.5", "uring-6.1", "uring-6.0", "uring-5.19",
                                         "uring-bare"),
                         [](const testing::TestParamInfo<const char*>& each) {
                             std::string name = each.param;
                             for (char& c : name) c = c == '-' || c == '.' ? '_' : c;
                             return name;
                         });

// Two connected sockets, closed by the ring or at the end.
struct socket_pair {
    std::array<int, 2> ends{-1, -1};
    socket_pair() {
        EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        for (const int end : ends) {
            if (end >= 0) ::close(end);
        }
    }
};

TEST_P(ring_old_kernels, a_listener_closes_with_an_accept_in_flight_and_frees_its_port) {
    ring ours = make();
    listener listening;
    std::string why;
    ASSERT_FALSE(ours.create_listener("127.0.0.1:0", {}, listening, &why)) << why;
    const std::string address = to_string(listening.local_endpoint());
    ASSERT_NE(nullptr, ours.prepare_accept(listening, 1));
    ASSERT_EQ(1, ours.submit());
    listening.close();
    EXPECT_EQ(-ECANCELED, complete_one(ours).res);
    EXPECT_FALSE(ours.create_listener(address, {}, listening, &why)) << why;
}

TEST_P(ring_old_kernels, prepare_close_ends_what_is_in_flight_and_tells_the_peer) {
    ring ours = make();
    socket_pair pair;
    std::string into(16, '?');
    ASSERT_NE(nullptr, ours.prepare_recv(fd{pair.ends[0]}, bytes_of(into), 1));
    ASSERT_EQ(1, ours.submit());
    ASSERT_NE(nullptr, ours.prepare_close(fd{pair.ends[0]}, 2));
    const auto both = complete(ours, 2);
    EXPECT_EQ(-ECANCELED, with_user_data(both, 1).res);
    EXPECT_EQ(0, with_user_data(both, 2).res);
    pair.ends[0] = -1;
    char byte = 0;
    EXPECT_EQ(0, ::recv(pair.ends[1], &byte, 1, 0)) << "the end of the stream";
}

TEST_P(ring_old_kernels, the_end_of_a_ring_cancels_all_and_does_not_wait_for_its_bound) {
    const auto began = clock::now();
    socket_pair pair;
    std::string into(16, '?');
    {
        ring ours = make(/*drain_timeout=*/patience);
        for (std::uint64_t tag = 1; tag <= 3; ++tag) {
            ASSERT_NE(nullptr, ours.prepare_recv(fd{pair.ends[0]}, bytes_of(into), tag));
        }
        ASSERT_EQ(3, ours.submit());
    }
    EXPECT_LT(clock::now() - began, patience / 2);
    ASSERT_EQ(1, ::send(pair.ends[1], "x", 1, MSG_NOSIGNAL));
    EXPECT_EQ(std::string(16, '?'), into) << "nothing is written after the end";
}

TEST_P(ring_old_kernels, a_wake_of_another_thread_ends_the_wait) {
    ring ours = make();
    ASSERT_EQ(0, ours.submit());
    std::thread waker{[&ours] { ours.wake(); }};
    const auto began = clock::now();
    while (ours.counters().wakes == 0 && clock::now() - began < patience) {
        ASSERT_LE(0, wait_on(ours, 1, patience));
    }
    waker.join();
    EXPECT_EQ(1U, ours.counters().wakes);
    EXPECT_LT(clock::now() - began, patience / 2);
}

TEST_P(ring_old_kernels, a_zero_copy_send_is_a_plain_one_where_there_is_none) {
    ring ours = make();
    listener listening;
    ASSERT_FALSE(ours.create_listener("127.0.0.1:0", {}, listening));
    fd client;
    const std::array peers{listening.local_endpoint()};
    ASSERT_FALSE(ours.connect_now(peers, patience, client));
    ASSERT_NE(nullptr, ours.prepare_accept(listening, 1));
    const fd server{complete_one(ours).res};
    ASSERT_TRUE(server.valid());

    const std::string data(5000, 'z');
    ASSERT_NE(nullptr, ours.prepare_send_zc(client, bytes_of(std::string_view{data}), 2));
    const cqe sent = complete_one(ours);
    EXPECT_EQ(5000, sent.res);
    EXPECT_EQ(ours.probe().has(feature::send_zero_copy), sent.more());
    if (sent.more()) {
        EXPECT_NE(0U, complete_one(ours).flags & cqe_flag::notification);
    }
    EXPECT_EQ(0U, ours.in_flight());
    std::string into(data.size(), '?');
    EXPECT_EQ(5000, ::recv(server.value, into.data(), into.size(), MSG_WAITALL));
    EXPECT_EQ(data, into);
    EXPECT_EQ(0, ours.close_now(client));
    EXPECT_EQ(0, ours.close_now(server));
}

TEST_P(ring_old_kernels, the_mask_is_what_its_name_says) {
    const ring ours = make();
    const probe_result& probe = ours.probe();
    EXPECT_TRUE(probe.has(feature::cancel_any));
    EXPECT_FALSE(probe.has(feature::incremental_buffers));
    const std::string kernel = GetParam();
    const bool no_zero_copy = kernel == "uring-5.19" || kernel == "uring-bare";
    EXPECT_EQ(no_zero_copy, !probe.has(feature::send_zero_copy));
}

}  // namespace
}  // namespace ioring::ring_tests
