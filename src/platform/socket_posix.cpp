// SPDX-License-Identifier: MIT
// socket_posix.cpp - opening, accepting, setting up and closing stream sockets.
#include "platform/socket.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>

#include "platform/sockaddr.hpp"
#include "platform/socket_os.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

std::error_code result_of(int status) { return status < 0 ? errno_code(errno) : std::error_code{}; }

std::error_code set_option(native_socket socket, int level, int option, int value) {
    return result_of(::setsockopt(socket, level, option, &value, sizeof(value)));
}

// `ask`: getsockname or getpeername.
template <typename Ask>
std::error_code ask_endpoint(Ask ask, native_socket socket, endpoint& out) {
    endpoint answer;
    auto bytes = static_cast<socklen_t>(endpoint::capacity);
    if (ask(socket, static_cast<sockaddr*>(answer.data()), &bytes) != 0) return errno_code(errno);
    answer.resize(bytes);
    out = answer;
    return {};
}

// The connection was gone before it was accepted: the next one may be fine.
bool concerns_one_connection(int error) {
    return error == EINTR || error == ECONNABORTED || error == EPROTO;
}

}  // namespace

std::intptr_t to_system(native_socket socket) noexcept { return socket; }

native_socket from_system(std::intptr_t system) noexcept {
    return static_cast<native_socket>(system);
}

std::error_code open_stream(address_family family, native_socket& out, bool nonblocking) noexcept {
    if (family == address_family::unspecified) return errno_code(EAFNOSUPPORT);
    const int opened = open_socket(native_family(family), SOCK_STREAM, nonblocking);
    if (opened < 0) return errno_code(errno);
    out = opened;
    return {};
}

std::error_code accept_stream(native_socket listener, native_socket& out, endpoint* peer,
                              bool nonblocking) noexcept {
    for (;;) {
        endpoint address;
        auto bytes = static_cast<socklen_t>(endpoint::capacity);
        const int accepted =
            accept_socket(listener, static_cast<sockaddr*>(address.data()), &bytes, nonblocking);
        if (accepted >= 0) {
            address.resize(bytes);
            if (peer != nullptr) *peer = address;
            out = accepted;
            return {};
        }
        if (!concerns_one_connection(errno)) return errno_code(errno);
    }
}

std::error_code set_no_delay(native_socket socket, bool on) noexcept {
    return set_option(socket, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

std::error_code set_nonblocking(native_socket socket, bool on) noexcept {
    const int flags = ::fcntl(socket, F_GETFL);
    if (flags < 0) return errno_code(errno);
    const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return wanted == flags ? std::error_code{} : result_of(::fcntl(socket, F_SETFL, wanted));
}

std::error_code configure_stream(native_socket socket, const stream_options& options) noexcept {
    if (options.receive_buffer_bytes < 0 || options.send_buffer_bytes < 0) {
        return errno_code(EINVAL);
    }
    if (const std::error_code error = set_no_delay(socket, options.no_delay)) {
        // No system call is spent on the family unless TCP's option was refused.
        endpoint local;
        const bool is_local =
            !local_endpoint(socket, local) && local.family() == address_family::local;
        if (!is_local) return error;
    }
    if (options.receive_buffer_bytes > 0) {
        const int bytes = options.receive_buffer_bytes;
        if (const auto error = set_option(socket, SOL_SOCKET, SO_RCVBUF, bytes)) return error;
    }
    if (options.send_buffer_bytes > 0) {
        const int bytes = options.send_buffer_bytes;
        if (const auto error = set_option(socket, SOL_SOCKET, SO_SNDBUF, bytes)) return error;
    }
    return {};
}

int shutdown_socket(native_socket socket, int how) noexcept {
    static_assert(SHUT_RD == 0 && SHUT_WR == 1 && SHUT_RDWR == 2);
    return ::shutdown(socket, how) == 0 ? 0 : -errno;
}

std::error_code reset_when_closed(native_socket socket) noexcept {
    const ::linger at_once{.l_onoff = 1, .l_linger = 0};
    return result_of(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
}

int close_socket(native_socket socket) noexcept {
    if (::close(socket) == 0) return 0;
    // Interrupted, but closed: a second close() could hit a stranger with the same number.
    return errno == EINTR || errno == EINPROGRESS ? 0 : -errno;
}

std::error_code local_endpoint(native_socket socket, endpoint& out) noexcept {
    return ask_endpoint(::getsockname, socket, out);
}

std::error_code peer_endpoint(native_socket socket, endpoint& out) noexcept {
    return ask_endpoint(::getpeername, socket, out);
}

std::error_code socket_error(native_socket socket) noexcept {
    int pending = 0;
    socklen_t bytes = sizeof(pending);
    if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &pending, &bytes) != 0) {
        return errno_code(errno);
    }
    return pending == 0 ? std::error_code{} : errno_code(pending);
}

}  // namespace ioring::platform
