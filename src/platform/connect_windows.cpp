// SPDX-License-Identifier: MIT
// connect_windows.cpp - one attempt to connect, for no longer than it may take.
#include <algorithm>
#include <cerrno>

#include "platform/clock.hpp"
#include "platform/connect.hpp"
#include "platform/descriptor_guard.hpp"
#include "platform/sockaddr.hpp"

namespace ioring::platform {
namespace {

timeval until(std::uint64_t deadline) {
    const int left_ms = poll_timeout_ms(deadline);
    timeval left{};
    left.tv_sec = left_ms / 1000;
    left.tv_usec = left_ms % 1000 * 1000;
    return left;
}

// Waits until a connection that is being made is made or has failed; WSAPoll() of older systems
// does not tell of failures. 0 or an errno value.
int await_connected(native_socket socket, std::uint64_t deadline) {
    for (;;) {
        fd_set writable;
        fd_set failed;
        FD_ZERO(&writable);
        FD_ZERO(&failed);
        writable.fd_array[writable.fd_count++] = system_socket(socket);
        failed.fd_array[failed.fd_count++] = system_socket(socket);
        timeval left = until(deadline);
        const int ready = ::select(0, nullptr, &writable, &failed, &left);
        if (ready < 0) return winsock_errno();
        if (failed.fd_count != 0) {
            const std::error_code error = socket_error(socket);
            return error ? error.value() : ECONNREFUSED;
        }
        if (writable.fd_count != 0) return 0;
        if (monotonic_ns() >= deadline) return ETIMEDOUT;
    }
}

int connect_tcp(native_socket socket, const endpoint& peer, std::uint64_t deadline) {
    int error = 0;
    if (::connect(system_socket(socket), as_sockaddr(peer), as_socklen(peer)) != 0) {
        error = winsock_errno();
    }
    if (error == EAGAIN) error = await_connected(socket, deadline);
    if (error == 0 && is_connected_to_itself(socket)) error = ECONNREFUSED;
    if (error == 0) error = set_nonblocking(socket, false).value();
    if (error == 0) error = configure_stream(socket, {}).value();
    return error;
}

}  // namespace

std::error_code connect_once(const endpoint& peer, std::uint64_t deadline,
                             native_socket& out) noexcept {
    descriptor_guard socket;
    if (const auto error = open_stream(peer.family(), socket.slot(), /*nonblocking=*/true)) {
        return error;
    }
    const int error = connect_tcp(socket.get(), peer, deadline);
    if (error != 0) return {error, std::generic_category()};
    out = socket.release();
    return {};
}

}  // namespace ioring::platform
