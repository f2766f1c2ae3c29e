// SPDX-License-Identifier: MIT
// connect_posix.cpp - connecting, for no longer than it may take.
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
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

using std::chrono::nanoseconds;

std::string advice(int error) {
    switch (error) {
        case ECONNREFUSED: return "; nothing listens there, is the server running?";
        case ENOENT: return "; nothing listens there, the file does not exist";
        case EADDRNOTAVAIL: return "; all local ports are in use, or the port is 0";
        default: return advice_on(error);
    }
}

std::error_code fail(int error, const endpoint& peer, std::string* why) {
    explain(
        why, "cannot connect to ", [&] { return to_string(peer); }, ": ",
        [&] { return error_name(error); }, [&] { return advice(error); });
    return errno_code(error);
}

int connect_once(native_socket socket, const endpoint& peer) {
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
    int error = connect_once(socket, peer);
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
        const int error = connect_once(socket, peer);
        if (error == 0) return set_send_timeout(socket, nanoseconds{0});
        if (error != EINTR) return error == EAGAIN ? ETIMEDOUT : error;
        if (left == nanoseconds{0}) return ETIMEDOUT;
    }
}

}  // namespace

bool is_connected_to_itself(native_socket socket) noexcept {
    endpoint local;
    endpoint peer;
    return !local_endpoint(socket, local) && !peer_endpoint(socket, peer) && local == peer;
}

std::error_code connect_blocking(const endpoint& peer, nanoseconds timeout, native_socket& out,
                                 std::string* why) noexcept {
    const std::uint64_t deadline = deadline_ns(timeout);
    const bool local = peer.family() == address_family::local;
    descriptor_guard socket;
    if (const auto error = open_stream(peer.family(), socket.slot(), /*nonblocking=*/!local)) {
        return fail(error.value(), peer, why);
    }
    const int error = local ? connect_local(socket.get(), peer, deadline)
                            : connect_tcp(socket.get(), peer, deadline);
    if (error != 0) return fail(error, peer, why);
    out = socket.release();
    return {};
}

std::error_code connect_any(std::span<const endpoint> peers, nanoseconds timeout,
                            native_socket& out, endpoint* which, std::string* why) noexcept {
    if (peers.empty()) {
        explain(why, "there is no address to connect to");
        return errno_code(EINVAL);
    }
    const std::uint64_t deadline = deadline_ns(timeout);
    std::error_code last;
    std::string story;
    for (std::size_t index = 0; index < peers.size(); ++index) {
        const nanoseconds share = time_left(deadline) / (peers.size() - index);
        std::string reason;
        last = connect_blocking(peers[index], share, out, why != nullptr ? &reason : nullptr);
        if (!last) {
            if (which != nullptr) *which = peers[index];
            return {};
        }
        if (!with_memory([&] { story += (index == 0 ? "" : "; ") + reason; })) story.clear();
    }
    if (why != nullptr) *why = std::move(story);
    return last;
}

}  // namespace ioring::platform
