// SPDX-License-Identifier: MIT
// sockets.hpp - the plain side of a test: sockets that no ring knows of, with bounded waits.
//
// Plain calls of the system only (plain.hpp), so that a test says what a backend does to somebody
// who does not use the library. Descriptors are blocking and close-on-exec. What fails here fails
// the test.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ioring/endpoint.hpp"
#include "ioring/fd.hpp"
#include "ioring/sqe.hpp"

namespace ioring::conformance {

// No test waits longer for anything.
inline constexpr std::chrono::milliseconds patience{10'000};
// How long to wait for the next thing: once a test has failed, no more for what may never come.
[[nodiscard]] std::chrono::milliseconds patience_left();

// A descriptor that is closed at its end of life.
class socket_end {
public:
    socket_end() noexcept = default;
    explicit socket_end(int number) noexcept : number_{number} {}
    socket_end(socket_end&& other) noexcept : number_{other.release()} {}
    socket_end& operator=(socket_end&& other) noexcept {
        close();
        number_ = other.release();
        return *this;
    }
    ~socket_end() { close(); }

    [[nodiscard]] ioring::fd fd() const noexcept { return ioring::fd{number_}; }
    [[nodiscard]] int number() const noexcept { return number_; }
    // The caller, or a ring, closes it.
    int release() noexcept { return std::exchange(number_, -1); }
    void close() noexcept;
    // Closes so that the peer sees a reset instead of an end.
    void reset();

private:
    int number_ = -1;
};

// Both ends of a connection. Which one a ring operates on is the test's choice.
struct socket_pair {
    socket_end ours;
    socket_end theirs;
};

// Over TCP on the loopback interface. Precondition of the first: `family` is ipv4 or ipv6.
[[nodiscard]] socket_pair tcp_pair(address_family family);
[[nodiscard]] socket_pair connected_pair();
// Local stream sockets; over TCP where there are none.
[[nodiscard]] socket_pair local_pair();
// TCP with kernel buffers as small as the system allows, so that transfers are cut into pieces.
[[nodiscard]] socket_pair narrow_pair();
// One of each kind of stream that this machine has: IPv4, IPv6 and local.
[[nodiscard]] std::vector<socket_pair> every_stream();
// What to listen on to get one of each; the local one has no file, or one that nobody else uses.
[[nodiscard]] std::vector<std::string> stream_addresses();
// The reading and the writing end of a pipe, which is no socket.
[[nodiscard]] socket_pair pipe_pair();
// Two UDP sockets that send to each other.
[[nodiscard]] socket_pair datagram_pair();
// One that receives from everybody.
[[nodiscard]] socket_end open_datagram();

// Whether this system has local sockets that the library serves.
[[nodiscard]] bool has_local_sockets();
// An address of a local socket without a file, of this process alone.
[[nodiscard]] std::string local_name(std::string_view what);

// A listening socket and its address.
struct plain_listener {
    socket_end socket;
    endpoint address;
};
[[nodiscard]] plain_listener listen_on(std::string_view address, int backlog = 64);
[[nodiscard]] socket_end open_stream(address_family family);
[[nodiscard]] socket_end connect_to(const endpoint& address);
// Nobody listens there any more.
void expect_refused(const endpoint& address);
// The next connection of `listener`.
[[nodiscard]] socket_end accept_from(const socket_end& listener);

// Sends all of it; false on an error.
bool send_all(const socket_end& from, std::string_view bytes);
// `count` bytes, or fewer when the stream ends, breaks, or nothing comes.
[[nodiscard]] std::string receive(const socket_end& at, std::size_t count);
// Everything up to the end of the stream. A test fails unless the end comes.
[[nodiscard]] std::string receive_to_end(const socket_end& at);
// What is there, without waiting.
[[nodiscard]] std::string receive_some(const socket_end& at);
// Whether there is something to read, an end or an error within `bound`.
[[nodiscard]] bool readable(const socket_end& at,
                            std::chrono::milliseconds bound = patience_left());
// Sends until the kernel takes no more, and will not until the peer reads; how many bytes that
// were.
std::size_t fill(const socket_end& from);
void set_nonblocking(const socket_end& which);
// Must succeed.
void shut_down(const socket_end& which, shutdown_how how);
// The number of bytes that wait to be read.
[[nodiscard]] std::size_t unread(const socket_end& at);

[[nodiscard]] endpoint address_of(const socket_end& of);
[[nodiscard]] endpoint address_of_peer(const socket_end& of);
// Bytes that differ from each other at any two places that a mistake may swap.
[[nodiscard]] std::string pattern(std::size_t bytes, unsigned seed = 1);

// How many descriptors below 1024 this process has open.
[[nodiscard]] std::size_t open_descriptors();

}  // namespace ioring::conformance
