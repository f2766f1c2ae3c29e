// SPDX-License-Identifier: MIT
// connect_posix.cpp - one attempt to connect, for no longer than it may take.
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>

#include "platform/clock.hpp"
#include "platform/connect.hpp"
#include "platform/descriptor_guard.hpp"
#include "platform/sockaddr.hpp"
#include "platform/socket.hpp"

namespace ioring::platform {
namespace {

using std::chrono::nanoseconds;

int begin_connect(native_socket socket, const endpoint& peer) {
    return ::connect(socket, as_sockaddr(peer), as_socklen(peer)) == 0 ? 0 : errno;
}

// Waits until a connection that is being made is made or has failed. 0 or an errno value.
int await_connected(native_socket socket, std::uint64_t deadline) {
    for (;;) {
        pollfd entry{};
        entry.fd = socket;
        entry.events = POLLOUT;
        const int ready = ::poll(&entry, 1, poll_timeout_ms(deadline));
        if (ready < 0 && errno != EINTR) return errno;
        if (ready > 0) {
            if (const std::error_code error = socket_error(socket)) return error.value();
            endpoint peer;
            // Writable without a peer: a stale event, the handshake still goes on.
            if (!peer_endpoint(socket, peer)) return 0;
        }
        if (monotonic_ns() >= deadline) return ETIMEDOUT;
    }
}

int connect_tcp(native_socket socket, const endpoint& peer, std::uint64_t deadline) {
    int error = begin_connect(socket, peer);
    // EINTR: it goes on in the background, as with EINPROGRESS.
    if (error == EINPROGRESS || error == EINTR) error = await_connected(socket, deadline);
    if (error == 0 && is_connected_to_itself(socket)) error = ECONNREFUSED;
    if (error == 0) error = set_nonblocking(socket, false).value();
    if (error == 0) error = configure_stream(socket, {}).value();
    return error;
}

int set_send_timeout(native_socket socket, nanoseconds timeout) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(timeout);
    timeval value{};
    value.tv_sec = static_cast<decltype(value.tv_sec)>(whole.count());
    value.tv_usec = static_cast<decltype(value.tv_usec)>(
        std::chrono::duration_cast<std::chrono::microseconds>(timeout - whole).count());
    return ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof(value)) == 0 ? 0 : errno;
}

// Local sockets connect at once or wait for room in the backlog, for which there is nothing to
// poll: the wait is bounded by the socket's own time-out.
int connect_local(native_socket socket, const endpoint& peer, std::uint64_t deadline) {
    // The system takes 0 for no time-out, and a year for more than enough.
    constexpr nanoseconds shortest = std::chrono::milliseconds{1};
    constexpr nanoseconds longest = std::chrono::hours{24 * 365};
    for (;;) {
        const nanoseconds left = time_left(deadline);
        const nanoseconds patience = std::clamp(left, shortest, longest);
        if (const int error = set_send_timeout(socket, patience)) return error;
        const int error = begin_connect(socket, peer);
        if (error == 0) return set_send_timeout(socket, nanoseconds{0});
        if (error != EINTR) return error == EAGAIN ? ETIMEDOUT : error;
        if (left == nanoseconds{0}) return ETIMEDOUT;
    }
}

}  // namespace

std::error_code connect_once(const endpoint& peer, std::uint64_t deadline,
                             native_socket& out) noexcept {
    const bool local = peer.family() == address_family::local;
    descriptor_guard socket;
    if (const auto error = open_stream(peer.family(), socket.slot(), /*nonblocking=*/!local)) {
        return error;
    }
    const int error = local ? connect_local(socket.get(), peer, deadline)
                            : connect_tcp(socket.get(), peer, deadline);
    if (error != 0) return {error, std::generic_category()};
    out = socket.release();
    return {};
}

}  // namespace ioring::platform
