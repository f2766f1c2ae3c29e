// SPDX-License-Identifier: MIT
// listener_posix_test.cpp - listeners of every kind really accept, and say why they cannot listen.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "platform/socket.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::accept_one;
using testing::address_of;
using testing::echoes;
using testing::open_descriptors;
using testing::receive_one;
using testing::run_in_child;
using testing::temporary_folder;

struct listening {
    descriptor_guard socket;
    endpoint local;
    std::string why;
    std::error_code error;
};

std::unique_ptr<listening> listen_on(const endpoint& address, const listen_options& options = {}) {
    auto made = std::make_unique<listening>();
    made->error = open_listener(address, options, made->socket.slot(), made->local, &made->why);
    return made;
}

std::error_code try_connect(const endpoint& peer) {
    descriptor_guard client;
    return connect_blocking(peer, testing::patience, client.slot(), nullptr);
}

// Whether a client that connects to `peer` talks to `listener`; `seen` is who it is to the
// listener.
bool accepts_from(int listener, const endpoint& peer, endpoint* seen = nullptr) {
    descriptor_guard client;
    descriptor_guard server;
    std::string why;
    if (connect_blocking(peer, testing::patience, client.slot(), &why)) {
        ADD_FAILURE() << why;
        return false;
    }
    return accept_one(listener, server, seen) && echoes(client.get(), server.get());
}

endpoint with_port(std::string_view host, const endpoint& of) {
    return address_of(std::string{host} + ':' + std::to_string(of.port()));
}

TEST(listener, accepts_on_ipv4_and_says_which_port_it_got) {
    const auto made = listen_on(address_of("127.0.0.1:0"));
    ASSERT_FALSE(made->error) << made->why;
    EXPECT_EQ(address_family::ipv4, made->local.family());
    EXPECT_NE(0, made->local.port());
    EXPECT_TRUE(accepts_from(made->socket.get(), made->local));
}

TEST(listener, accepts_on_ipv6) {
    const auto made = listen_on(address_of("[::1]:0"));
    ASSERT_FALSE(made->error) << made->why;
    EXPECT_TRUE(accepts_from(made->socket.get(), made->local));
}

TEST(listener, ipv6_alone_refuses_ipv4) {
    const auto made = listen_on(address_of("[::]:0"));
    ASSERT_FALSE(made->error) << made->why;
    EXPECT_TRUE(accepts_from(made->socket.get(), with_port("[::1]", made->local)));
    EXPECT_EQ(std::errc::connection_refused, try_connect(with_port("127.0.0.1", made->local)));
}

TEST(listener, dual_stack_accepts_ipv4_as_mapped_addresses_and_ipv6) {
    const auto made = listen_on(address_of("[::]:0"), {.dual_stack = true});
    ASSERT_FALSE(made->error) << made->why;
    endpoint seen;
    EXPECT_TRUE(accepts_from(made->socket.get(), with_port("127.0.0.1", made->local), &seen));
    EXPECT_EQ(with_port("[::ffff:127.0.0.1]", seen), seen);
    EXPECT_TRUE(accepts_from(made->socket.get(), with_port("[::1]", made->local), &seen));
    EXPECT_EQ(with_port("[::1]", seen), seen);
}

TEST(listener, accepts_on_a_path_and_leaves_the_file) {
    const temporary_folder folder;
    const endpoint address = folder.local("s");
    {
        const auto made = listen_on(address);
        ASSERT_FALSE(made->error) << made->why;
        EXPECT_EQ(address, made->local);
        EXPECT_TRUE(accepts_from(made->socket.get(), address));
    }
    EXPECT_EQ(0, ::access(folder.path("s").c_str(), F_OK));
}

#if defined(__linux__)
TEST(listener, accepts_on_an_abstract_name_that_ends_with_it) {
    const endpoint address = address_of("unix:@ioring-test-" + std::to_string(::getpid()));
    for (int round = 0; round < 2; ++round) {
        const auto made = listen_on(address, {.unlink_existing = true});
        ASSERT_FALSE(made->error) << made->why;
        EXPECT_EQ(address, made->local);
        EXPECT_TRUE(accepts_from(made->socket.get(), address));
        EXPECT_EQ(std::errc::address_in_use, listen_on(address, {.unlink_existing = true})->error);
    }
}
#endif

TEST(listener, is_closed_on_exec_and_blocking_unless_asked) {
    for (const bool nonblocking : {false, true}) {
        descriptor_guard socket;
        endpoint local;
        ASSERT_FALSE(open_listener(address_of("127.0.0.1:0"), {}, socket.slot(), local, nullptr,
                                   nonblocking));
        EXPECT_EQ(FD_CLOEXEC, ::fcntl(socket.get(), F_GETFD));
        EXPECT_EQ(nonblocking, (::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0);
    }
}

int accepted_option(const listening& made, int level, int option) {
    descriptor_guard client;
    descriptor_guard server;
    EXPECT_FALSE(connect_blocking(made.local, testing::patience, client.slot(), nullptr));
    EXPECT_TRUE(accept_one(made.socket.get(), server));
    int value = -1;
    socklen_t bytes = sizeof(value);
    EXPECT_EQ(0, ::getsockopt(server.get(), level, option, &value, &bytes));
    return value;
}

TEST(listener, what_it_accepts_inherits_no_delay) {
    const auto on = listen_on(address_of("127.0.0.1:0"));
    const auto off = listen_on(address_of("127.0.0.1:0"), {.no_delay = false});
    EXPECT_NE(0, accepted_option(*on, IPPROTO_TCP, TCP_NODELAY));
    EXPECT_EQ(0, accepted_option(*off, IPPROTO_TCP, TCP_NODELAY));
}

TEST(listener, what_it_accepts_inherits_the_buffer_sizes) {
    const auto made = listen_on(address_of("127.0.0.1:0"),
                                {.receive_buffer_bytes = 20'000, .send_buffer_bytes = 30'000});
    const int receive = accepted_option(*made, SOL_SOCKET, SO_RCVBUF);
    const int send = accepted_option(*made, SOL_SOCKET, SO_SNDBUF);
    EXPECT_TRUE(receive == 20'000 || receive == 40'000) << receive;  // Linux doubles.
    EXPECT_TRUE(send == 30'000 || send == 60'000) << send;
}

TEST(listener, a_port_in_use_is_an_error_that_names_it_and_what_to_do) {
    const auto first = listen_on(address_of("127.0.0.1:0"));
    const auto second = listen_on(first->local);
    EXPECT_EQ(std::errc::address_in_use, second->error);
    EXPECT_EQ("cannot listen on " + to_string(first->local) +
                  ": address already in use; choose another port or stop the program that has it",
              second->why);
    EXPECT_EQ(invalid_socket, second->socket.get());
    EXPECT_EQ(endpoint{}, second->local);
}

TEST(listener, reuse_port_shares_one_only_among_those_who_say_so) {
    const auto first = listen_on(address_of("127.0.0.1:0"), {.reuse_port = true});
    ASSERT_FALSE(first->error) << first->why;
    EXPECT_FALSE(listen_on(first->local, {.reuse_port = true})->error);
    EXPECT_EQ(std::errc::address_in_use, listen_on(first->local)->error);
}

// A port on which a connection lingers that the listener's side closed first.
endpoint port_with_a_lingering_connection() {
    const auto made = listen_on(address_of("127.0.0.1:0"));
    descriptor_guard client;
    descriptor_guard server;
    EXPECT_FALSE(connect_blocking(made->local, testing::patience, client.slot(), nullptr));
    EXPECT_TRUE(accept_one(made->socket.get(), server));
    close_socket(server.release());
    EXPECT_EQ(0, receive_one(client.get()));
    return made->local;
}

TEST(listener, reuse_address_takes_a_port_over_at_once) {
    EXPECT_FALSE(listen_on(port_with_a_lingering_connection())->error);
}

TEST(listener, without_reuse_address_a_port_stays_taken_while_connections_linger) {
    EXPECT_EQ(std::errc::address_in_use,
              listen_on(port_with_a_lingering_connection(), {.reuse_address = false})->error);
}

TEST(listener, an_address_of_another_machine_is_an_error_that_says_so) {
    const auto made = listen_on(address_of("203.0.113.1:0"));  // A documentation address.
    EXPECT_EQ(std::errc::address_not_available, made->error);
    EXPECT_NE(std::string::npos, made->why.find("no interface of this machine")) << made->why;
}

TEST(listener, options_out_of_range_are_errors_that_name_the_address) {
    const endpoint ipv4 = address_of("127.0.0.1:0");
    const endpoint local = address_of("unix:/nonexistent/s");
    const std::vector<std::pair<endpoint, listen_options>> refused = {
        {ipv4, {.backlog = 0}},
        {ipv4, {.backlog = -1}},
        {ipv4, {.dual_stack = true}},
        {local, {.dual_stack = true}},
        {ipv4, {.receive_buffer_bytes = -1}},
        {ipv4, {.send_buffer_bytes = -1}},
        {endpoint{}, {}},
    };
    for (const auto& [address, options] : refused) {
        const auto made = listen_on(address, options);
        EXPECT_EQ(std::errc::invalid_argument, made->error);
        EXPECT_EQ(0u, made->why.find("cannot listen on " + to_string(address) + ": ")) << made->why;
    }
    EXPECT_EQ(std::errc::not_supported, listen_on(local, {.reuse_port = true})->error);
}

TEST(listener, a_folder_that_is_missing_or_forbidden_is_an_error_that_says_so) {
    const auto missing = listen_on(address_of("unix:/nonexistent/s"));
    EXPECT_EQ(std::errc::no_such_file_or_directory, missing->error);
    EXPECT_NE(std::string::npos, missing->why.find("folder does not exist")) << missing->why;
    const auto unlinking = listen_on(address_of("unix:/nonexistent/s"), {.unlink_existing = true});
    EXPECT_EQ(std::errc::no_such_file_or_directory, unlinking->error);

    const temporary_folder folder;
    ASSERT_EQ(0, ::chmod(folder.path().c_str(), 0500));
    EXPECT_EQ(0, run_in_child([&folder] {
                  testing::become_nobody();
                  for (const bool unlink : {false, true}) {
                      const auto made = listen_on(folder.local("s"), {.unlink_existing = unlink});
                      if (made->error != std::errc::permission_denied) return 1;
                      if (made->why.find("may not write") == std::string::npos) return 2;
                  }
                  return 0;
              }));
}

TEST(listener, too_few_descriptors_are_an_error_that_names_the_limit) {
    EXPECT_EQ(0, run_in_child([] {
                  testing::use_up_descriptors();
                  const auto made = listen_on(address_of("127.0.0.1:0"));
                  if (made->error != std::errc::too_many_files_open) return 1;
                  return made->why.find("ulimit -n") != std::string::npos ? 0 : 2;
              }));
}

TEST(listener, a_failure_leaves_no_descriptor_and_no_file) {
    const temporary_folder folder;
    const auto taken = listen_on(address_of("127.0.0.1:0"));
    const auto taken_local = listen_on(folder.local("taken"));
    const int before = open_descriptors();
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(listen_on(taken->local)->error);
        EXPECT_TRUE(listen_on(folder.local("taken"), {.unlink_existing = true})->error);
        EXPECT_TRUE(listen_on(address_of("203.0.113.1:0"))->error);
        EXPECT_TRUE(listen_on(folder.local("new"), {.backlog = 0})->error);
    }
    EXPECT_EQ(before, open_descriptors());
    EXPECT_NE(0, ::access(folder.path("new").c_str(), F_OK));
}

}  // namespace
}  // namespace ioring::platform
