// SPDX-License-Identifier: MIT
// connect_posix_test.cpp - connecting is bounded, tries everything, and says what failed.
#include "platform/connect.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <memory>
#include <vector>

#include "platform/clock.hpp"
#include "platform/sockaddr.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using namespace std::chrono_literals;
using testing::accept_one;
using testing::address_of;
using testing::echoes;
using testing::open_descriptors;
using testing::temporary_folder;

// A port on which nobody listens, and that nobody else gets: bound only.
class refusing {
public:
    refusing() {
        endpoint address = address_of("127.0.0.1:0");
        EXPECT_FALSE(open_stream(address_family::ipv4, socket_.slot()));
        EXPECT_EQ(0, ::bind(socket_.get(), as_sockaddr(address), as_socklen(address)));
        EXPECT_FALSE(platform::local_endpoint(socket_.get(), address_));
    }
    [[nodiscard]] const endpoint& address() const { return address_; }

private:
    descriptor_guard socket_;
    endpoint address_;
};

// A listener that accepts nothing and whose backlog is full, so that connecting takes for ever.
class silent {
public:
    explicit silent(const endpoint& address) {
        EXPECT_FALSE(open_listener(address, {.backlog = 1}, listener_.slot(), address_, nullptr));
        for (int client = 0; client < 16; ++client) {
            auto& socket = *clients_.emplace_back(std::make_unique<descriptor_guard>());
            EXPECT_FALSE(open_stream(address_.family(), socket.slot(), /*nonblocking=*/true));
            (void)::connect(socket.get(), as_sockaddr(address_), as_socklen(address_));
        }
    }
    [[nodiscard]] const endpoint& address() const { return address_; }

private:
    descriptor_guard listener_;
    std::vector<std::unique_ptr<descriptor_guard>> clients_;
    endpoint address_;
};

class answering {
public:
    explicit answering(const endpoint& address = address_of("127.0.0.1:0")) {
        EXPECT_FALSE(open_listener(address, {}, listener_.slot(), address_, nullptr));
    }
    [[nodiscard]] const endpoint& address() const { return address_; }
    [[nodiscard]] int get() const { return listener_.get(); }

private:
    descriptor_guard listener_;
    endpoint address_;
};

bool reaches(int client, const answering& server) {
    descriptor_guard accepted;
    return accept_one(server.get(), accepted) && echoes(client, accepted.get());
}

TEST(connecting, gives_a_blocking_socket_with_no_delay) {
    const answering server;
    descriptor_guard client;
    std::string why;
    ASSERT_FALSE(connect_blocking(server.address(), testing::patience, client.slot(), &why)) << why;
    EXPECT_EQ(0, ::fcntl(client.get(), F_GETFL) & O_NONBLOCK);
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(client.get(), F_GETFD));
    int no_delay = 0;
    socklen_t bytes = sizeof(no_delay);
    EXPECT_EQ(0, ::getsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &bytes));
    EXPECT_NE(0, no_delay);
    EXPECT_TRUE(reaches(client.get(), server));
}

TEST(connecting, works_for_ipv6_and_local_sockets_too) {
    const temporary_folder folder;
    for (const endpoint& address : {address_of("[::1]:0"), folder.local("s")}) {
        const answering server{address};
        descriptor_guard client;
        std::string why;
        ASSERT_FALSE(connect_blocking(server.address(), testing::patience, client.slot(), &why))
            << why;
        EXPECT_EQ(0, ::fcntl(client.get(), F_GETFL) & O_NONBLOCK);
        timeval timeout{1, 1};
        socklen_t bytes = sizeof(timeout);
        EXPECT_EQ(0, ::getsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, &bytes));
        EXPECT_EQ(0, timeout.tv_sec);
        EXPECT_EQ(0, timeout.tv_usec);  // Sends are not bounded by what bounded the connect.
        EXPECT_TRUE(reaches(client.get(), server));
    }
}

TEST(connecting, works_with_the_longest_timeout_there_is) {
    const temporary_folder folder;
    for (const endpoint& address : {address_of("127.0.0.1:0"), folder.local("s")}) {
        const answering server{address};
        descriptor_guard client;
        EXPECT_FALSE(connect_blocking(server.address(), std::chrono::nanoseconds::max(),
                                      client.slot(), nullptr));
    }
}

TEST(connecting, to_nobody_is_refused_at_once_by_name) {
    const refusing nobody;
    native_socket client = -7;
    std::string why;
    EXPECT_EQ(std::errc::connection_refused,
              connect_blocking(nobody.address(), testing::patience, client, &why));
    EXPECT_EQ("cannot connect to " + to_string(nobody.address()) +
                  ": connection refused; nothing listens there, is the server running?",
              why);
    EXPECT_EQ(-7, client);
}

TEST(connecting, to_a_silent_peer_ends_with_the_timeout) {
    const temporary_folder folder;
    for (const endpoint& address : {address_of("127.0.0.1:0"), folder.local("s")}) {
        const silent peer{address};
        const std::uint64_t start = monotonic_ns();
        native_socket client = -7;
        std::string why;
        EXPECT_EQ(std::errc::timed_out, connect_blocking(peer.address(), 100ms, client, &why))
            << to_string(address);
        const std::chrono::nanoseconds took{monotonic_ns() - start};
        EXPECT_LE(99ms, took);
        EXPECT_GE(testing::patience, took);
        EXPECT_NE(std::string::npos, why.find(to_string(peer.address()))) << why;
        EXPECT_EQ(-7, client);
        EXPECT_EQ(std::errc::timed_out, connect_blocking(peer.address(), -1s, client, nullptr));
    }
}

TEST(connecting, to_a_missing_file_says_so) {
    native_socket client = -1;
    std::string why;
    EXPECT_EQ(std::errc::no_such_file_or_directory,
              connect_blocking(address_of("unix:/nonexistent/s"), 1s, client, &why));
    EXPECT_NE(std::string::npos, why.find("unix:/nonexistent/s")) << why;
}

TEST(connecting, to_no_address_is_an_error) {
    native_socket client = -1;
    EXPECT_EQ(std::errc::address_family_not_supported,
              connect_blocking(endpoint{}, 1s, client, nullptr));
}

TEST(connecting, a_failure_leaves_no_descriptor) {
    const refusing nobody;
    const silent peer{address_of("127.0.0.1:0")};
    const int before = open_descriptors();
    native_socket client = -1;
    const std::vector<endpoint> all = {nobody.address(), peer.address(),
                                       address_of("unix:/nonexistent/s")};
    for (const endpoint& address : all) {
        EXPECT_TRUE(connect_blocking(address, 5ms, client, nullptr));
    }
    EXPECT_TRUE(connect_any(all, 15ms, client, nullptr, nullptr));
    EXPECT_EQ(before, open_descriptors());
}

TEST(connecting, a_socket_that_is_its_own_peer_is_recognised) {
    descriptor_guard itself;
    ASSERT_FALSE(open_stream(address_family::ipv4, itself.slot()));
    endpoint address = address_of("127.0.0.1:0");
    ASSERT_EQ(0, ::bind(itself.get(), as_sockaddr(address), as_socklen(address)));
    ASSERT_FALSE(local_endpoint(itself.get(), address));
    EXPECT_FALSE(is_connected_to_itself(itself.get()));
    ASSERT_EQ(0, ::connect(itself.get(), as_sockaddr(address), as_socklen(address)));
    EXPECT_TRUE(is_connected_to_itself(itself.get()));
}

TEST(connecting_to_any, takes_the_first_that_answers) {
    const refusing nobody;
    const answering first;
    const answering second;
    const std::vector<endpoint> all = {nobody.address(), first.address(), second.address()};
    descriptor_guard client;
    endpoint which;
    std::string why = "untouched";
    ASSERT_FALSE(connect_any(all, testing::patience, client.slot(), &which, &why)) << why;
    EXPECT_EQ(first.address(), which);
    EXPECT_EQ("untouched", why);
    EXPECT_TRUE(reaches(client.get(), first));
}

TEST(connecting_to_any, is_not_held_up_by_a_silent_one) {
    const silent peer{address_of("127.0.0.1:0")};
    const answering server;
    const std::vector<endpoint> all = {peer.address(), server.address()};
    const std::uint64_t deadline = deadline_ns(1s);
    descriptor_guard client;
    endpoint which;
    std::string why;
    ASSERT_FALSE(connect_any(all, 1s, client.slot(), &which, &why)) << why;
    EXPECT_EQ(server.address(), which);
    EXPECT_LT(0ns, time_left(deadline));  // The silent one got its half and no more.
}

TEST(connecting_to_any, tells_of_each_when_none_answers) {
    const refusing first;
    const refusing second;
    const std::vector<endpoint> all = {first.address(), second.address()};
    native_socket client = -7;
    endpoint which;
    std::string why;
    EXPECT_EQ(std::errc::connection_refused,
              connect_any(all, testing::patience, client, &which, &why));
    const std::size_t at_first = why.find(to_string(first.address()));
    const std::size_t at_second = why.find("; cannot connect to " + to_string(second.address()));
    EXPECT_LT(at_first, at_second) << why;
    EXPECT_NE(std::string::npos, at_second) << why;
    EXPECT_EQ(-7, client);
    EXPECT_EQ(endpoint{}, which);
}

TEST(connecting_to_any, of_none_is_an_error) {
    native_socket client = -1;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, connect_any({}, 1s, client, nullptr, &why));
    EXPECT_EQ("there is no address to connect to", why);
}

}  // namespace
}  // namespace ioring::platform
