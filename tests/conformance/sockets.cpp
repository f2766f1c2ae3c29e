// SPDX-License-Identifier: MIT
// sockets.cpp - plain sockets by plain calls.
#include "sockets.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "plain.hpp"

namespace ioring::conformance {
namespace {

std::string loopback(address_family family) {
    return family == address_family::ipv6 ? "[::1]:0" : "127.0.0.1:0";
}

endpoint parsed(std::string_view text) {
    endpoint address;
    EXPECT_FALSE(endpoint::parse(text, address)) << text;
    return address;
}

socket_end opened(int number) {
    EXPECT_LE(0, number) << std::strerror(-number);
    return socket_end{number};
}

bool has_ipv6() {
    const socket_end trial{plain::open(address_family::ipv6)};
    const endpoint any = parsed(loopback(address_family::ipv6));
    return trial.number() >= 0 && plain::bind(trial.number(), any) == 0;
}

bool becomes(const socket_end& which, plain::ready what, std::chrono::milliseconds bound) {
    return plain::wait(which.number(), what, bound);
}

// Small buffers must be there before the connection is, or TCP has agreed on more.
socket_pair pair_with(address_family family, int buffer_bytes) {
    socket_end listener = opened(plain::open(family));
    socket_end client = opened(plain::open(family));
    if (buffer_bytes != 0) {
        EXPECT_EQ(0, plain::set_buffers(listener.number(), buffer_bytes));
        EXPECT_EQ(0, plain::set_buffers(client.number(), buffer_bytes));
    }
    EXPECT_EQ(0, plain::bind(listener.number(), parsed(loopback(family))));
    EXPECT_EQ(0, plain::listen(listener.number(), 1));
    EXPECT_EQ(0, plain::connect(client.number(), address_of(listener)));
    socket_end server = accept_from(listener);
    EXPECT_EQ(0, plain::set_no_delay(client.number()));
    EXPECT_EQ(0, plain::set_no_delay(server.number()));
    return {std::move(server), std::move(client)};
}

}  // namespace

std::chrono::milliseconds patience_left() {
    return testing::Test::HasFailure() ? std::chrono::milliseconds{100} : patience;
}

void socket_end::close() noexcept {
    if (number_ >= 0) plain::close(release());
}

void socket_end::reset() {
    EXPECT_EQ(0, plain::set_linger_none(number_));
    close();
}

socket_pair tcp_pair(address_family family) { return pair_with(family, /*buffer_bytes=*/0); }

socket_pair connected_pair() { return tcp_pair(address_family::ipv4); }

socket_pair narrow_pair() { return pair_with(address_family::ipv4, /*buffer_bytes=*/16'384); }

socket_pair local_pair() {
    if (!has_local_sockets()) return connected_pair();
    const auto [ours, theirs] = plain::local_pair();
    return {opened(ours), opened(theirs)};
}

std::vector<socket_pair> every_stream() {
    std::vector<socket_pair> all;
    all.push_back(tcp_pair(address_family::ipv4));
    if (has_local_sockets()) all.push_back(local_pair());
    if (has_ipv6()) all.push_back(tcp_pair(address_family::ipv6));
    return all;
}

std::vector<std::string> stream_addresses() {
    std::vector<std::string> all{"127.0.0.1:0"};
    if (has_local_sockets()) all.push_back(local_name(""));
    if (has_ipv6()) all.emplace_back("[::1]:0");
    return all;
}

socket_pair pipe_pair() {
    const auto [reader, writer] = plain::pipe();
    return {opened(reader), opened(writer)};
}

socket_end open_datagram() {
    socket_end made = opened(plain::open(address_family::ipv4, /*datagram=*/true));
    EXPECT_EQ(0, plain::bind(made.number(), parsed(loopback(address_family::ipv4))));
    return made;
}

socket_pair datagram_pair() {
    socket_pair both{open_datagram(), open_datagram()};
    EXPECT_EQ(0, plain::connect(both.ours.number(), address_of(both.theirs)));
    EXPECT_EQ(0, plain::connect(both.theirs.number(), address_of(both.ours)));
    return both;
}

plain_listener listen_on(std::string_view address, int backlog) {
    const endpoint wanted = parsed(address);
    plain_listener made;
    made.socket = open_stream(wanted.family());
    const int error = plain::bind(made.socket.number(), wanted);
    EXPECT_EQ(0, error) << address << ": " << std::strerror(-error);
    EXPECT_EQ(0, plain::listen(made.socket.number(), backlog));
    made.address = address_of(made.socket);
    return made;
}

socket_end open_stream(address_family family) { return opened(plain::open(family)); }

socket_end connect_to(const endpoint& address) {
    socket_end client = open_stream(address.family());
    const int error = plain::connect(client.number(), address);
    EXPECT_EQ(0, error) << to_string(address) << ": " << std::strerror(-error);
    return client;
}

void expect_refused(const endpoint& address) {
    const socket_end client = open_stream(address.family());
    EXPECT_EQ(-ECONNREFUSED, plain::connect(client.number(), address));
}

socket_end accept_from(const socket_end& listener) {
    if (!becomes(listener, plain::ready::to_read, patience_left())) {
        ADD_FAILURE() << "no connection came";
        return {};
    }
    return opened(plain::accept(listener.number()));
}

bool send_all(const socket_end& from, std::string_view bytes) {
    while (!bytes.empty()) {
        if (!becomes(from, plain::ready::to_write, patience_left())) return false;
        const std::ptrdiff_t sent = plain::send(from.number(), bytes.data(), bytes.size());
        if (sent < 0 && sent != -EAGAIN && sent != -EINTR) return false;
        if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string receive(const socket_end& at, std::size_t count) {
    std::string all(count, '\0');
    std::size_t have = 0;
    while (have < count && becomes(at, plain::ready::to_read, patience_left())) {
        const std::ptrdiff_t got = plain::receive(at.number(), &all[have], count - have);
        if (got == 0 || (got < 0 && got != -EAGAIN && got != -EINTR)) break;
        if (got > 0) have += static_cast<std::size_t>(got);
    }
    all.resize(have);
    return all;
}

std::string receive_to_end(const socket_end& at) {
    std::string all;
    std::array<char, 65'536> chunk;
    while (becomes(at, plain::ready::to_read, patience_left())) {
        const std::ptrdiff_t got = plain::receive(at.number(), chunk.data(), chunk.size());
        if (got == 0) return all;
        if (got > 0) all.append(chunk.data(), static_cast<std::size_t>(got));
        if (got < 0 && got != -EAGAIN && got != -EINTR) {
            ADD_FAILURE() << "an error instead of the end: "
                          << std::strerror(static_cast<int>(-got));
            return all;
        }
    }
    ADD_FAILURE() << "the end of the stream does not come";
    return all;
}

std::string receive_some(const socket_end& at) {
    std::string some(65'536, '\0');
    const std::ptrdiff_t got = plain::receive(at.number(), some.data(), some.size());
    some.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return some;
}

void shut_down(const socket_end& which, shutdown_how how) {
    EXPECT_EQ(0, plain::shut_down(which.number(), static_cast<int>(how)));
}

bool has_local_sockets() {
    const socket_end trial{plain::open(address_family::local)};
    return trial.number() >= 0;
}

std::string local_name(std::string_view what) {
    return "unix:@ioring-conformance-" + std::string{what} + std::to_string(plain::process_id());
}

bool readable(const socket_end& at, std::chrono::milliseconds bound) {
    return becomes(at, plain::ready::to_read, bound);
}

std::size_t fill(const socket_end& from) {
    const std::string zeros(4096, '\0');
    std::size_t total = 0;
    const auto send_some = [&](std::size_t count) {
        const std::ptrdiff_t sent = plain::send(from.number(), zeros.data(), count);
        if (sent > 0) total += static_cast<std::size_t>(sent);
        return sent > 0;
    };
    // TCP acknowledges up to 40 ms later what the other end has in its buffer already, and then
    // there is room once more.
    do {
        while (send_some(zeros.size()) || send_some(1)) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{50});
    } while (send_some(1));
    return total;
}

void set_nonblocking(const socket_end& which) {
    EXPECT_EQ(0, plain::set_nonblocking(which.number()));
}

std::size_t unread(const socket_end& at) { return plain::unread(at.number()); }

endpoint address_of(const socket_end& of) { return plain::address(of.number()); }

endpoint address_of_peer(const socket_end& of) { return plain::peer_address(of.number()); }

std::string pattern(std::size_t bytes, unsigned seed) {
    std::string all(bytes, '\0');
    std::uint32_t state = seed * 2'654'435'761U + 1;
    for (char& each : all) {
        state = state * 1'664'525U + 1'013'904'223U;
        each = static_cast<char>(state >> 24U);
    }
    return all;
}

std::size_t open_descriptors() { return plain::open_descriptors(); }

}  // namespace ioring::conformance
