// SPDX-License-Identifier: MIT
// plain_windows.cpp - Winsock's calls on the sockets that have these numbers.
#include <cerrno>

#include "plain.hpp"
#include "platform/socket_table.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::conformance::plain {
namespace {

using platform::name_socket;
using platform::socket_table;
using platform::system_socket;
using platform::winsock_errno;

int result_of(int status) { return status == 0 ? 0 : -winsock_errno(); }

const sockaddr* sockaddr_of(const endpoint& address) {
    return static_cast<const sockaddr*>(address.data());
}

int length_of(const endpoint& address) { return static_cast<int>(address.size()); }

int named(SOCKET made) {
    if (made == INVALID_SOCKET) return -winsock_errno();
    ::SetHandleInformation(reinterpret_cast<HANDLE>(made), HANDLE_FLAG_INHERIT, 0);
    return name_socket(made);
}

int set_option(int number, int level, int name, int value) {
    return result_of(::setsockopt(system_socket(number), level, name,
                                  reinterpret_cast<const char*>(&value), sizeof value));
}

// Wine 8 tells a reset that came while nobody received as an end, but keeps it for those who poll.
bool is_broken(int number) {
    WSAPOLLFD ended{};
    ended.fd = system_socket(number);
    ended.events = POLLWRNORM;
    return ::WSAPoll(&ended, 1, 0) == 1 && (ended.revents & POLLERR) != 0;
}

}  // namespace

int open(address_family family, bool datagram) {
    if (family == address_family::local) return -EAFNOSUPPORT;
    return named(::WSASocketW(family == address_family::ipv6 ? AF_INET6 : AF_INET,
                              datagram ? SOCK_DGRAM : SOCK_STREAM, 0, nullptr, 0,
                              WSA_FLAG_OVERLAPPED));
}

void close(int number) noexcept { (void)platform::close_socket(number); }

int bind(int number, const endpoint& to) {
    return result_of(::bind(system_socket(number), sockaddr_of(to), length_of(to)));
}

int listen(int number, int backlog) { return result_of(::listen(system_socket(number), backlog)); }

int connect(int number, const endpoint& to) {
    return result_of(::connect(system_socket(number), sockaddr_of(to), length_of(to)));
}

int accept(int number) { return named(::accept(system_socket(number), nullptr, nullptr)); }

std::pair<int, int> local_pair() { return {-EAFNOSUPPORT, -EAFNOSUPPORT}; }

// Two numbers that are no sockets', which is what tests want of pipes here.
std::pair<int, int> pipe() {
    return {socket_table::add(0, socket_table::kind::other),
            socket_table::add(0, socket_table::kind::other)};
}

std::ptrdiff_t send(int number, const char* data, std::size_t bytes) {
    set_nonblocking(number);
    const int sent = ::send(system_socket(number), data, static_cast<int>(bytes), 0);
    return sent < 0 ? -winsock_errno() : sent;
}

std::ptrdiff_t receive(int number, char* data, std::size_t bytes) {
    set_nonblocking(number);
    const int got = ::recv(system_socket(number), data, static_cast<int>(bytes), 0);
    if (got == 0 && bytes != 0 && is_broken(number)) return -ECONNRESET;
    return got < 0 ? -winsock_errno() : got;
}

bool wait(int number, ready what, std::chrono::milliseconds bound) {
    WSAPOLLFD waiting{};
    waiting.fd = system_socket(number);
    waiting.events = what == ready::to_read ? POLLRDNORM : POLLWRNORM;
    return ::WSAPoll(&waiting, 1, static_cast<int>(bound.count())) == 1;
}

std::size_t unread(int number) {
    u_long bytes = 0;
    const bool read = ::ioctlsocket(system_socket(number), FIONREAD, &bytes) == 0;
    return read ? bytes : 0;
}

int shut_down(int number, int how) { return result_of(::shutdown(system_socket(number), how)); }

int set_no_delay(int number) { return set_option(number, IPPROTO_TCP, TCP_NODELAY, 1); }

int set_receive_buffer(int number, int bytes) {
    return set_option(number, SOL_SOCKET, SO_RCVBUF, bytes);
}

int set_buffers(int number, int bytes) {
    const int error = set_receive_buffer(number, bytes);
    return error != 0 ? error : set_option(number, SOL_SOCKET, SO_SNDBUF, bytes);
}

int set_linger_none(int number) {
    const linger at_once{1, 0};
    return result_of(::setsockopt(system_socket(number), SOL_SOCKET, SO_LINGER,
                                  reinterpret_cast<const char*>(&at_once), sizeof at_once));
}

int set_nonblocking(int number) { return -platform::set_nonblocking(number, true).value(); }

int pending_error(int number) { return platform::socket_error(number).value(); }

endpoint address(int number) {
    endpoint found;
    (void)platform::local_endpoint(number, found);
    return found;
}

endpoint peer_address(int number) {
    endpoint found;
    (void)platform::peer_endpoint(number, found);
    return found;
}

bool is_open(int number) { return socket_table::find(number).what != socket_table::kind::none; }

bool is_close_on_exec(int number) {
    DWORD flags = HANDLE_FLAG_INHERIT;
    ::GetHandleInformation(reinterpret_cast<HANDLE>(system_socket(number)), &flags);
    return (flags & HANDLE_FLAG_INHERIT) == 0;
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for (int number = 0; number < 4096; ++number) {
        if (is_open(number)) ++count;
    }
    return count;
}

bool has_flaw(flaw) {
    const HMODULE library = ::GetModuleHandleW(L"ntdll.dll");
    return library != nullptr && ::GetProcAddress(library, "wine_get_version") != nullptr;
}

int process_id() { return static_cast<int>(::GetCurrentProcessId()); }

}  // namespace ioring::conformance::plain
