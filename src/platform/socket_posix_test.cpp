// SPDX-License-Identifier: MIT
// socket_posix_test.cpp - opening, accepting, setting up, shutting down and closing.
#include "platform/socket.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "platform/sockaddr.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::accept_one;
using testing::address_of;
using testing::echoes;
using testing::open_descriptors;
using testing::receive_one;
using testing::run_in_child;

int option_of(int socket, int level, int option) {
    int value = -1;
    socklen_t bytes = sizeof(value);
    EXPECT_EQ(0, ::getsockopt(socket, level, option, &value, &bytes));
    return value;
}

// Two ends of a TCP connection over loopback.
class connected : public ::testing::Test {
protected:
    void SetUp() override {
        endpoint local;
        std::string why;
        ASSERT_FALSE(open_listener(address_of("127.0.0.1:0"), {}, listener_.slot(), local, &why))
            << why;
        ASSERT_FALSE(connect_blocking(local, testing::patience, client_.slot(), &why)) << why;
        ASSERT_TRUE(accept_one(listener_.get(), server_, &peer_));
    }

    descriptor_guard listener_;
    descriptor_guard client_;
    descriptor_guard server_;
    endpoint peer_;
};

TEST_F(connected, both_ends_know_each_other) {
    endpoint client_local;
    endpoint client_peer;
    endpoint server_local;
    endpoint server_peer;
    ASSERT_FALSE(local_endpoint(client_.get(), client_local));
    ASSERT_FALSE(peer_endpoint(client_.get(), client_peer));
    ASSERT_FALSE(local_endpoint(server_.get(), server_local));
    ASSERT_FALSE(peer_endpoint(server_.get(), server_peer));
    EXPECT_EQ(client_local, server_peer);
    EXPECT_EQ(client_peer, server_local);
    EXPECT_EQ(client_local, peer_);
    EXPECT_TRUE(echoes(client_.get(), server_.get()));
}

TEST_F(connected, shutdown_ends_the_direction_that_is_named) {
    EXPECT_EQ(0, shutdown_socket(client_.get(), /*how=*/1));
    EXPECT_EQ(0, receive_one(server_.get()));  // The end of the stream.
    ASSERT_EQ(1, ::send(server_.get(), "x", 1, MSG_NOSIGNAL));
    EXPECT_EQ(1, receive_one(client_.get()));  // The other direction lives on.
    EXPECT_EQ(0, shutdown_socket(server_.get(), /*how=*/2));
    EXPECT_EQ(0, receive_one(client_.get()));
}

TEST_F(connected, options_are_set_and_taken_back) {
    EXPECT_FALSE(configure_stream(server_.get(), {.no_delay = false}));
    EXPECT_EQ(0, option_of(server_.get(), IPPROTO_TCP, TCP_NODELAY));
    EXPECT_FALSE(configure_stream(server_.get(), {}));
    EXPECT_NE(0, option_of(server_.get(), IPPROTO_TCP, TCP_NODELAY));
    EXPECT_FALSE(set_no_delay(server_.get(), false));
    EXPECT_EQ(0, option_of(server_.get(), IPPROTO_TCP, TCP_NODELAY));
}

TEST_F(connected, buffer_sizes_are_set_only_when_asked_for) {
    const int before = option_of(server_.get(), SOL_SOCKET, SO_RCVBUF);
    EXPECT_FALSE(configure_stream(server_.get(), {}));
    EXPECT_EQ(before, option_of(server_.get(), SOL_SOCKET, SO_RCVBUF));
    EXPECT_FALSE(configure_stream(server_.get(),
                                  {.receive_buffer_bytes = 20'000, .send_buffer_bytes = 30'000}));
    const int receive = option_of(server_.get(), SOL_SOCKET, SO_RCVBUF);
    const int send = option_of(server_.get(), SOL_SOCKET, SO_SNDBUF);
    EXPECT_TRUE(receive == 20'000 || receive == 40'000) << receive;  // Linux doubles.
    EXPECT_TRUE(send == 30'000 || send == 60'000) << send;
}

TEST_F(connected, a_negative_buffer_size_is_an_error) {
    EXPECT_EQ(std::errc::invalid_argument,
              configure_stream(server_.get(), {.receive_buffer_bytes = -1}));
    EXPECT_EQ(std::errc::invalid_argument,
              configure_stream(server_.get(), {.send_buffer_bytes = -1}));
}

TEST_F(connected, nonblocking_is_switched_both_ways) {
    EXPECT_FALSE(set_nonblocking(server_.get(), true));
    EXPECT_FALSE(set_nonblocking(server_.get(), true));
    EXPECT_NE(0, ::fcntl(server_.get(), F_GETFL) & O_NONBLOCK);
    EXPECT_FALSE(set_nonblocking(server_.get(), false));
    EXPECT_EQ(0, ::fcntl(server_.get(), F_GETFL) & O_NONBLOCK);
}

TEST(socket, a_new_stream_is_closed_on_exec_and_blocking_unless_asked) {
    for (const address_family family :
         {address_family::ipv4, address_family::ipv6, address_family::local}) {
        descriptor_guard blocking;
        descriptor_guard nonblocking;
        ASSERT_FALSE(open_stream(family, blocking.slot()));
        ASSERT_FALSE(open_stream(family, nonblocking.slot(), /*nonblocking=*/true));
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(blocking.get(), F_GETFD));
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(nonblocking.get(), F_GETFD));
        EXPECT_EQ(0, ::fcntl(blocking.get(), F_GETFL) & O_NONBLOCK);
        EXPECT_NE(0, ::fcntl(nonblocking.get(), F_GETFL) & O_NONBLOCK);
    }
}

TEST(socket, there_is_none_of_an_unspecified_family) {
    native_socket socket = 12345;
    EXPECT_EQ(std::errc::address_family_not_supported,
              open_stream(address_family::unspecified, socket));
    EXPECT_EQ(12345, socket);
}

TEST(socket, an_accepted_one_has_the_flags_asked_for_whatever_the_listener_has) {
    for (const bool nonblocking : {false, true}) {
        descriptor_guard listener;
        descriptor_guard client;
        descriptor_guard server;
        endpoint local;
        ASSERT_FALSE(open_listener(address_of("127.0.0.1:0"), {}, listener.slot(), local, nullptr,
                                   /*nonblocking=*/!nonblocking));
        ASSERT_FALSE(connect_blocking(local, testing::patience, client.slot(), nullptr));
        ASSERT_FALSE(accept_stream(listener.get(), server.slot(), nullptr, nonblocking));
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(server.get(), F_GETFD));
        EXPECT_EQ(nonblocking, (::fcntl(server.get(), F_GETFL) & O_NONBLOCK) != 0);
    }
}

TEST(socket, accepting_without_a_connection_would_block) {
    descriptor_guard listener;
    endpoint local;
    ASSERT_FALSE(open_listener(address_of("127.0.0.1:0"), {}, listener.slot(), local, nullptr,
                               /*nonblocking=*/true));
    native_socket accepted = -7;
    EXPECT_EQ(std::errc::operation_would_block, accept_stream(listener.get(), accepted, nullptr));
    EXPECT_EQ(-7, accepted);
}

TEST(socket, accepting_without_descriptors_is_an_error_and_keeps_the_connection) {
    EXPECT_EQ(
        0, run_in_child([] {
            descriptor_guard listener;
            descriptor_guard client;
            endpoint local;
            if (open_listener(address_of("127.0.0.1:0"), {}, listener.slot(), local, nullptr))
                return 1;
            if (connect_blocking(local, testing::patience, client.slot(), nullptr)) return 2;
            descriptor_guard spare{::dup(0)};
            testing::use_up_descriptors();
            native_socket accepted = -1;
            if (accept_stream(listener.get(), accepted, nullptr) != std::errc::too_many_files_open)
                return 3;
            close_socket(spare.release());
            if (accept_stream(listener.get(), accepted, nullptr)) return 4;
            return echoes(client.get(), accepted) ? 0 : 5;
        }));
}

TEST(socket, a_local_one_takes_the_options_that_concern_it) {
    descriptor_guard socket;
    ASSERT_FALSE(open_stream(address_family::local, socket.slot()));
    EXPECT_FALSE(configure_stream(socket.get(), {.send_buffer_bytes = 20'000}));
    EXPECT_EQ(std::errc::operation_not_supported, set_no_delay(socket.get(), true));
}

TEST(socket, what_is_no_socket_is_an_error_everywhere) {
    endpoint address;
    EXPECT_EQ(-EBADF, close_socket(-1));
    EXPECT_EQ(-EBADF, shutdown_socket(-1, 2));
    EXPECT_EQ(std::errc::bad_file_descriptor, local_endpoint(-1, address));
    EXPECT_EQ(std::errc::bad_file_descriptor, peer_endpoint(-1, address));
    EXPECT_EQ(std::errc::bad_file_descriptor, socket_error(-1));
    EXPECT_EQ(std::errc::bad_file_descriptor, set_nonblocking(-1, true));
    EXPECT_EQ(std::errc::bad_file_descriptor, set_no_delay(-1, true));
    EXPECT_EQ(std::errc::bad_file_descriptor, configure_stream(-1, {}));
    native_socket accepted = -1;
    EXPECT_EQ(std::errc::bad_file_descriptor, accept_stream(-1, accepted, nullptr));
}

TEST(socket, an_unconnected_one_has_no_peer_and_nothing_to_shut_down) {
    descriptor_guard socket;
    ASSERT_FALSE(open_stream(address_family::ipv4, socket.slot()));
    endpoint peer = address_of("1.2.3.4:5");
    EXPECT_EQ(std::errc::not_connected, peer_endpoint(socket.get(), peer));
    EXPECT_EQ(address_of("1.2.3.4:5"), peer);
    EXPECT_EQ(-ENOTCONN, shutdown_socket(socket.get(), 2));
}

TEST(socket, a_waiting_error_is_read_once) {
    // Bound and not listening: connecting to it is refused, and nobody else can take the port.
    descriptor_guard bound;
    descriptor_guard socket;
    endpoint address = address_of("127.0.0.1:0");
    ASSERT_FALSE(open_stream(address_family::ipv4, bound.slot()));
    ASSERT_EQ(0, ::bind(bound.get(), as_sockaddr(address), as_socklen(address)));
    ASSERT_FALSE(local_endpoint(bound.get(), address));
    ASSERT_FALSE(open_stream(address_family::ipv4, socket.slot(), /*nonblocking=*/true));
    EXPECT_EQ(std::error_code{}, socket_error(socket.get()));
    ASSERT_EQ(-1, ::connect(socket.get(), as_sockaddr(address), as_socklen(address)));
    if (errno == EINPROGRESS) {
        EXPECT_EQ(std::errc::connection_refused, socket_error(socket.get()));
    }
    EXPECT_EQ(std::error_code{}, socket_error(socket.get()));
}

TEST(socket, a_closed_one_is_gone) {
    const int before = open_descriptors();
    native_socket socket = -1;
    ASSERT_FALSE(open_stream(address_family::ipv4, socket));
    EXPECT_EQ(before + 1, open_descriptors());
    EXPECT_EQ(0, close_socket(socket));
    EXPECT_EQ(before, open_descriptors());
}

}  // namespace
}  // namespace ioring::platform
