// SPDX-License-Identifier: MIT
// socket_test.cpp - making a socket, naming it and listening, each by an entry.
#if __has_include(<sys/socket.h>)
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#else
#include "platform/winsock_windows.hpp"
#endif

#include "conformance.hpp"
#include "limits.hpp"

namespace ioring::conformance {
namespace {

class socket_test : public backend_test {
protected:
    int make(int domain, std::uint32_t type, std::uint32_t protocol = 0) {
        sqe entry;
        prep_socket(entry, domain, type, protocol, 1);
        return run(entry).res;
    }
    int bind(const socket_end& which, const endpoint& address) {
        sqe entry;
        prep_bind(entry, which.fd(), static_cast<const ::sockaddr*>(address.data()),
                  static_cast<std::uint32_t>(address.size()), 2);
        return run(entry).res;
    }
    int listen(const socket_end& which, std::uint32_t backlog = 8) {
        sqe entry;
        prep_listen(entry, which.fd(), backlog, 3);
        return run(entry).res;
    }
    static endpoint parsed(std::string_view text) {
        endpoint address;
        EXPECT_FALSE(endpoint::parse(text, address));
        return address;
    }
};
INSTANTIATE_TEST_SUITE_P(backend, socket_test, every_backend(), backend_name);

TEST_P(socket_test, made_by_the_ring_is_one_like_any_other) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    const socket_end made{make(AF_INET, SOCK_STREAM)};
    ASSERT_LE(0, made.number());
    sqe entry;
    prep_connect(entry, made.fd(), static_cast<const ::sockaddr*>(listener.address.data()),
                 static_cast<std::uint32_t>(listener.address.size()), 2);
    EXPECT_EQ(0, run(entry).res);
    const socket_end accepted = accept_from(listener.socket);
    EXPECT_EQ(2, send(made, "hi"));
    EXPECT_EQ("hi", receive(accepted, 2));
}

#if defined(F_GETFD)
TEST_P(socket_test, flags_of_the_type_are_those_of_the_descriptor) {
    const socket_end plain{make(AF_INET, SOCK_STREAM)};
    EXPECT_EQ(0, ::fcntl(plain.number(), F_GETFD));
    const socket_end both{
        make(AF_INET, SOCK_STREAM | socket_flag::cloexec | socket_flag::nonblock)};
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(both.number(), F_GETFD));
    EXPECT_EQ(O_NONBLOCK, ::fcntl(both.number(), F_GETFL) & O_NONBLOCK);
}
#endif

TEST_P(socket_test, every_family_and_type_works) {
    for (const int domain : {AF_INET, AF_UNIX}) {
        if (domain == AF_UNIX && !has_local_sockets()) continue;
        for (const std::uint32_t type : {std::uint32_t{SOCK_STREAM}, std::uint32_t{SOCK_DGRAM}}) {
            const socket_end made{make(domain, type)};
            EXPECT_LE(0, made.number()) << domain << ' ' << type;
        }
    }
    const socket_end udp{make(AF_INET, SOCK_DGRAM, IPPROTO_UDP)};
    EXPECT_LE(0, udp.number());
}

TEST_P(socket_test, what_does_not_exist_is_an_error) {
    EXPECT_EQ(-EAFNOSUPPORT, make(4711, SOCK_STREAM));
    EXPECT_EQ(-EINVAL, make(AF_INET, 15));
    EXPECT_EQ(-EPROTONOSUPPORT, make(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    EXPECT_EQ(-EINVAL, make(AF_INET, SOCK_STREAM | 0x4000'0000U));
}

#if defined(RLIMIT_NOFILE)
TEST_P(socket_test, want_of_descriptors_is_an_error) {
    const no_more_descriptors want;
    EXPECT_EQ(-EMFILE, make(AF_INET, SOCK_STREAM));
}
#endif

TEST_P(socket_test, bound_and_listening_by_entries_it_accepts) {
    const socket_end listener = open_stream(address_family::ipv4);
    if (!can(opcode::bind)) {  // Linux 6.11
        EXPECT_EQ(-EINVAL, bind(listener, parsed("127.0.0.1:0")));
        EXPECT_EQ(-EINVAL, listen(listener));
        return;
    }
    ASSERT_EQ(0, bind(listener, parsed("127.0.0.1:0")));
    ASSERT_EQ(0, listen(listener));
    const socket_end client = connect_to(address_of(listener));
    prep_accept(next_sqe(), listener.fd(), nullptr, nullptr, 0, 4);
    const socket_end accepted{complete_one(4).res};
    EXPECT_LE(0, accepted.number());
}

TEST_P(socket_test, errors_of_bind_and_listen_are_the_systems) {
    if (!can(opcode::bind)) {
        EXPECT_EQ(-EINVAL, listen(socket_end{}));
        return;
    }
    const plain_listener taken = listen_on("127.0.0.1:0");
    const socket_end made = open_stream(address_family::ipv4);
    EXPECT_EQ(-EADDRINUSE, bind(made, taken.address));
    EXPECT_EQ(-EADDRNOTAVAIL, bind(made, parsed("203.0.113.1:0")));
    EXPECT_EQ(-EBADF, bind(socket_end{}, taken.address));
    EXPECT_EQ(-EBADF, listen(socket_end{}));
    EXPECT_EQ(-ENOTSOCK, bind(pipe_pair().ours, taken.address));
    EXPECT_EQ(-ENOTSOCK, listen(pipe_pair().ours));
    EXPECT_EQ(-EOPNOTSUPP, listen(open_datagram()));
    sqe entry;
    prep_bind(entry, made.fd(), nullptr, 16, 5);
    EXPECT_EQ(-EFAULT, run(entry).res);
}

TEST_P(socket_test, a_listener_of_the_ring_takes_connections_and_gives_its_port_back) {
    listener made;
    std::string why;
    ASSERT_FALSE(ring_.create_listener("127.0.0.1:0", {}, made, &why)) << why;
    ASSERT_NE(nullptr, ring_.prepare_accept(made, 1));
    expect_nothing();
    const socket_end client = connect_to(made.local_endpoint());
    const socket_end accepted{complete_one(1).res};
    ASSERT_LE(0, accepted.number());
    ASSERT_NE(nullptr, ring_.prepare_accept(made, 2));
    ASSERT_EQ(1, ring_.submit());
    const endpoint address = made.local_endpoint();
    ring_.close_listener(made);
    EXPECT_EQ(-ECANCELED, complete_one(2).res);
    expect_refused(address);
}

}  // namespace
}  // namespace ioring::conformance
