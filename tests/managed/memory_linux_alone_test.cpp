// SPDX-License-Identifier: MIT
// memory_linux_alone_test.cpp - what an idle connection costs, with as many as descriptors allow.
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "managed.hpp"

namespace ioring::managed {
namespace {

constexpr std::uint32_t connections_max = 20'000;
constexpr std::size_t bytes_per_connection_max = 1024;

// Resident memory of this process that no file stands behind.
std::size_t resident_bytes() {
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word != "RssAnon:") continue;
        std::size_t kib = 0;
        status >> kib;
        return kib * 1024;
    }
    return 0;
}

// Each connection has two ends in this process.
std::uint32_t connections_that_fit() {
    ::rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const auto descriptors =
        static_cast<std::uint32_t>(std::min<::rlim_t>(limit.rlim_cur, 1U << 20U));
    return std::min(connections_max, (descriptors - 64) / 2);
}

class managed_memory_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        // Few chunks: what all share is no matter of a connection.
        return {
            .sockets_max = connections_max, .buffers_max = 64, .chunks = 16, .idle_timeout = 1h};
    }
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 4096, .connections_max = 64};
    }
    [[nodiscard]] std::string address() const override { return "unix:@ioring-memory-test"; }
};
INSTANTIATE_TEST_SUITE_P(backend, managed_memory_test, testing::Values(std::string{"uring"}),
                         conformance::backend_name);

TEST_P(managed_memory_test, an_idle_connection_that_has_talked_needs_less_than_a_kibibyte) {
    std::vector<socket_end> clients;
    const std::uint32_t wanted = connections_that_fit();
    clients.reserve(wanted);
    const auto talk = [&](std::size_t from) {
        for (std::size_t i = from; i < clients.size(); ++i) {
            ASSERT_EQ(4, ::send(clients[i].number(), "ping", 4, MSG_NOSIGNAL));
        }
        for (std::size_t i = from; i < clients.size(); ++i) {
            ASSERT_EQ("ping", receive(clients[i], 4));
        }
    };
    // Connects and talks in batches, so that a listener's queue holds each.
    const auto grow = [&](std::size_t count) {
        while (clients.size() < count) {
            const std::size_t from = clients.size();
            for (int i = 0; i < 64 && clients.size() < count; ++i) clients.push_back(client());
            ASSERT_TRUE(until([&] { return sockets_.size() == clients.size(); }));
            talk(from);
            events_.clear();
        }
    };
    clients.resize(wanted);
    clients.clear();  // The test's own memory is there already.
    const std::size_t before = resident_bytes();
    grow(wanted);
    const std::size_t after = resident_bytes();
    const std::size_t each = (after - std::min(before, after)) / wanted;
    RecordProperty("connections", static_cast<int>(wanted));
    RecordProperty("bytes_per_connection", static_cast<int>(each));
    EXPECT_EQ(wanted, sockets_.size());
    EXPECT_GE(bytes_per_connection_max, each);
}

}  // namespace
}  // namespace ioring::managed
