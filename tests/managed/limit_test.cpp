// SPDX-License-Identifier: MIT
// limit_test.cpp - as many connections as were asked for, and descriptors that
// run out.
#include "limits.hpp"
#include "managed.hpp"

namespace ioring::managed {
namespace {

class managed_limit_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override { return {.sockets_max = 3}; }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_limit_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_limit_test, beyond_sockets_max_connections_wait_for_a_place) {
    std::vector<socket_end> clients;
    for (int i = 0; i < 6; ++i) {
        clients.push_back(client());
        ASSERT_TRUE(conformance::send_all(clients.back(), "x"));
    }
    ASSERT_TRUE(until_told(event_type::accepted, 3));
    for (int i = 0; i < 10; ++i) (void)turn(1ms);
    EXPECT_EQ(3u, count(event_type::accepted));
    EXPECT_EQ(3u, sockets_.size());
    socket* refused = nullptr;
    EXPECT_EQ(std::errc::no_buffer_space,
              sockets_.connect(sockets_.local_endpoint(listener_), refused));
    for (std::size_t i = 0; i < clients.size(); ++i) {
        EXPECT_EQ("x", receive(clients[i], 1)) << i;
        clients[i].close();  // Makes room for another.
    }
    ASSERT_TRUE(until_told(event_type::closed, 6));
    EXPECT_EQ(0u, sockets_.counters().refused);
}

TEST_P(managed_limit_test, options_out_of_range_are_named) {
    const auto expect_refused = [&](manager_options options, std::string_view field) {
        socket_manager none;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, socket_manager::create(ring_, options, none, &why));
        EXPECT_NE(std::string::npos, why.find(field)) << why;
        EXPECT_FALSE(none.valid());
    };
    expect_refused({.sockets_max = 0}, "sockets_max");
    expect_refused({.buffer_bytes = 1000}, "buffer_bytes");
    expect_refused({.chunks = 0}, "chunks");
    expect_refused({.send_high_bytes = 1U << 30U}, "send_high_bytes");
    expect_refused({.send_high_bytes = 100, .send_low_bytes = 100}, "send_low_bytes");
    expect_refused({.events_max = 0}, "events_max");
    expect_refused({.idle_timeout = -1ms}, "idle_timeout");
    expect_refused({.drain_timeout = 0ms}, "drain_timeout");
    expect_refused({.accept_lag_max = -1ms}, "accept_lag_max");
    ring none;
    socket_manager of_none;
    EXPECT_EQ(std::errc::invalid_argument, socket_manager::create(none, {}, of_none));
}

TEST_P(managed_limit_test, a_bad_address_is_an_error_that_names_it) {
    listener_id none;
    std::string why;
    EXPECT_TRUE(sockets_.listen("127.0.0.1", {}, none, &why));
    EXPECT_NE(std::string::npos, why.find("127.0.0.1")) << why;
    EXPECT_FALSE(none.valid());
}

#if defined(RLIMIT_NOFILE)
class managed_descriptor_test : public managed_test {};
INSTANTIATE_TEST_SUITE_P(backend, managed_descriptor_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_descriptor_test, want_of_descriptors_pauses_accepting_and_does_not_spin) {
    std::vector<socket_end> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(conformance::open_stream(address_family::ipv4));
    const endpoint to = sockets_.local_endpoint(listener_);
    {
        // One for the manager's reserve and one for a connection, before the first
        // accept is armed: Linux looks at the limit then.
        const conformance::no_more_descriptors limit{2};
        for (const socket_end& each : clients) {
            ASSERT_EQ(0, conformance::plain::connect(each.number(), to));
        }
        ASSERT_TRUE(until_told(event_type::accept_paused));
        EXPECT_EQ(listener_, last(event_type::accept_paused).listener);
        EXPECT_EQ(std::errc::too_many_files_open, last(event_type::accept_paused).error);
        const std::uint64_t turns = ring_.counters().enters;
        const auto start = std::chrono::steady_clock::now();
        while (std::chrono::steady_clock::now() - start < 100ms) (void)turn(20ms);
        EXPECT_GT(60u, ring_.counters().enters - turns);
    }
    // With descriptors there again, those that were not turned away are served.
    const std::uint64_t refused = sockets_.counters().refused;
    EXPECT_LT(0u, refused);
    EXPECT_GE(4u, refused);  // Some backend has wanted a descriptor of its own.
    ASSERT_TRUE(until_told(event_type::accepted, 4 - refused));
    const pair later = accept_one();
    send(later.theirs, "y");
    EXPECT_EQ("y", receive(later.theirs, 1));
}

class managed_last_descriptor_test : public managed_test {
protected:
    // So few places that each accept takes one connection, and as many are in flight.
    [[nodiscard]] manager_options manager() const override { return {.sockets_max = 8}; }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_last_descriptor_test, every_managed_backend(),
                         conformance::backend_name);

TEST_P(managed_last_descriptor_test, whoever_is_without_one_is_turned_away_and_waits_for_nobody) {
    std::vector<socket_end> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(conformance::open_stream(address_family::ipv4));
    const endpoint to = sockets_.local_endpoint(listener_);
    const conformance::no_more_descriptors limit{2};
    std::uint64_t come = 0;
    for (const socket_end& each : clients) {
        ASSERT_EQ(0, conformance::plain::connect(each.number(), to));
        ++come;
        EXPECT_TRUE(until([&] {
            const manager_counters& now = sockets_.counters();
            return now.accepted + now.refused == come;
        })) << come;
    }
    EXPECT_LT(0u, sockets_.counters().accepted);
    EXPECT_LT(0u, sockets_.counters().refused);
}
#endif

}  // namespace
}  // namespace ioring::managed
