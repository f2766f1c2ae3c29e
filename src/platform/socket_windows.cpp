// SPDX-License-Identifier: MIT
// socket_windows.cpp - opening, accepting, setting up and closing stream sockets of Winsock.
#include "platform/socket.hpp"

#include <atomic>
#include <cerrno>

#include "platform/sockaddr.hpp"
#include "platform/socket_table.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

std::atomic<bool> registrable{false};

std::error_code result_of(int status) {
    return status == 0 ? std::error_code{} : errno_code(winsock_errno());
}

std::error_code set_option(native_socket socket, int level, int option, int value) {
    return result_of(::setsockopt(system_socket(socket), level, option,
                                  reinterpret_cast<const char*>(&value), sizeof(value)));
}

// `ask`: getsockname or getpeername.
template <typename Ask>
std::error_code ask_endpoint(Ask ask, native_socket socket, endpoint& out) {
    endpoint answer;
    auto bytes = static_cast<socklen_t>(endpoint::capacity);
    if (ask(system_socket(socket), static_cast<sockaddr*>(answer.data()), &bytes) != 0) {
        return errno_code(winsock_errno());
    }
    answer.resize(static_cast<std::size_t>(bytes));
    out = answer;
    return {};
}

// The connection was gone before it was accepted: the next one may be fine.
bool concerns_one_connection(int error) { return error == ECONNABORTED || error == ECONNRESET; }

// A number for `opened`, without a way into other programs.
std::error_code finish_opening(SOCKET opened, bool nonblocking, native_socket& out) {
    const native_socket named = name_socket(opened);
    if (named < 0) return errno_code(EMFILE);
    if (nonblocking) {
        if (const std::error_code error = set_nonblocking(named, true)) {
            close_socket(named);
            return error;
        }
    }
    out = named;
    return {};
}

}  // namespace

int start_winsock() noexcept {
    WSADATA about{};
    return ::WSAStartup(MAKEWORD(2, 2), &about);
}

void make_registrable_sockets() noexcept { registrable = true; }

DWORD socket_flags(int kind) noexcept {
    const bool both = kind == SOCK_STREAM && registrable;
    return WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT | (both ? WSA_FLAG_REGISTERED_IO : 0);
}

SOCKET system_socket(native_socket socket) noexcept {
    const socket_table::found found = socket_table::find(socket);
    return found.what == socket_table::kind::socket ? found.handle : INVALID_SOCKET;
}

native_socket name_socket(SOCKET system) noexcept {
    const native_socket named = socket_table::add(system);
    if (named < 0) ::closesocket(system);
    return named;
}

std::intptr_t to_system(native_socket socket) noexcept {
    return static_cast<std::intptr_t>(system_socket(socket));
}

native_socket from_system(std::intptr_t system) noexcept {
    return socket_table::add(static_cast<std::uintptr_t>(system));
}

std::error_code open_stream(address_family family, native_socket& out, bool nonblocking) noexcept {
    // Windows has local sockets since 2018, but neither Wine nor ConnectEx() knows them.
    if (family == address_family::unspecified || family == address_family::local) {
        return errno_code(EAFNOSUPPORT);
    }
    const SOCKET opened = ::WSASocketW(native_family(family), SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                       socket_flags(SOCK_STREAM));
    if (opened == INVALID_SOCKET) return errno_code(winsock_errno());
    return finish_opening(opened, nonblocking, out);
}

std::error_code accept_stream(native_socket listener, native_socket& out, endpoint* peer,
                              bool nonblocking) noexcept {
    for (;;) {
        endpoint address;
        auto bytes = static_cast<socklen_t>(endpoint::capacity);
        const SOCKET accepted =
            ::accept(system_socket(listener), static_cast<sockaddr*>(address.data()), &bytes);
        if (accepted == INVALID_SOCKET) {
            const int error = winsock_errno();
            if (concerns_one_connection(error)) continue;
            return errno_code(error);
        }
        // It has these from its listener, and may not want them.
        ::SetHandleInformation(reinterpret_cast<HANDLE>(accepted), HANDLE_FLAG_INHERIT, 0);
        u_long mode = 0;
        ::ioctlsocket(accepted, static_cast<long>(FIONBIO), &mode);
        address.resize(static_cast<std::size_t>(bytes));
        const std::error_code error = finish_opening(accepted, nonblocking, out);
        if (!error && peer != nullptr) *peer = address;
        return error;
    }
}

std::error_code set_no_delay(native_socket socket, bool on) noexcept {
    return set_option(socket, IPPROTO_TCP, TCP_NODELAY, on ? 1 : 0);
}

std::error_code set_nonblocking(native_socket socket, bool on) noexcept {
    u_long mode = on ? 1 : 0;
    return result_of(::ioctlsocket(system_socket(socket), static_cast<long>(FIONBIO), &mode));
}

std::error_code configure_stream(native_socket socket, const stream_options& options) noexcept {
    if (options.receive_buffer_bytes < 0 || options.send_buffer_bytes < 0) {
        return errno_code(EINVAL);
    }
    if (const std::error_code error = set_no_delay(socket, options.no_delay)) return error;
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
    static_assert(SD_RECEIVE == 0 && SD_SEND == 1 && SD_BOTH == 2);
    if (socket_table::find(socket).what == socket_table::kind::none) return -EBADF;
    return ::shutdown(system_socket(socket), how) == 0 ? 0 : -winsock_errno();
}

std::error_code reset_when_closed(native_socket socket) noexcept {
    const linger at_once{1, 0};
    return result_of(::setsockopt(system_socket(socket), SOL_SOCKET, SO_LINGER,
                                  reinterpret_cast<const char*>(&at_once), sizeof(at_once)));
}

int close_socket(native_socket socket) noexcept {
    const socket_table::found was = socket_table::remove(socket);
    if (was.what == socket_table::kind::none) return -EBADF;
    if (was.what != socket_table::kind::socket) return 0;
    return ::closesocket(was.handle) == 0 ? 0 : -winsock_errno();
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
    if (::getsockopt(system_socket(socket), SOL_SOCKET, SO_ERROR, reinterpret_cast<char*>(&pending),
                     &bytes) != 0) {
        return errno_code(winsock_errno());
    }
    if (pending == 0) return {};
    return errno_code(errno_of_winsock(static_cast<std::uint32_t>(pending)));
}

}  // namespace ioring::platform
