// SPDX-License-Identifier: MIT
// winsock_transport_windows.cpp - receiving, sending, and the thread that waits.
#include "winsock_transport_windows.hpp"

#include <ws2tcpip.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

namespace ioring::rio_tests {
namespace {

constexpr abi::dword bytes_at_once = 1U << 20U;
// Once in dozens of runs the wait under Wine has not ended by the bell.
constexpr int wait_ms = 100;

// One that is connected to itself.
SOCKET make_bell() {
    const SOCKET made = ::socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&here);
    int bytes = sizeof here;
    u_long on = 1;
    const bool whole = ::bind(made, address, bytes) == 0 &&
                       ::getsockname(made, address, &bytes) == 0 &&
                       ::connect(made, address, bytes) == 0 &&
                       ::ioctlsocket(made, static_cast<long>(FIONBIO), &on) == 0;
    if (!whole) std::abort();
    return made;
}

}  // namespace

winsock_transport::winsock_transport() {
    WSADATA about{};
    if (::WSAStartup(MAKEWORD(2, 2), &about) != 0) std::abort();
    bell_ = make_bell();
}

winsock_transport::~winsock_transport() {
    stop();
    ::closesocket(bell_);
    ::WSACleanup();
}

void winsock_transport::serve(rio_double* upper) {
    upper_ = upper;
    thread_ = std::thread([this] { run(); });
}

void winsock_transport::stop() {
    ends_ = true;
    watch();
    if (thread_.joinable()) thread_.join();
}

SOCKET winsock_transport::open(bool registered_io) {
    const DWORD flags = WSA_FLAG_OVERLAPPED | (registered_io ? WSA_FLAG_REGISTERED_IO : 0);
    const SOCKET made = ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0, flags);
    const std::lock_guard lock(mutex_);
    if (!registered_io) without_flag_.insert(made);
    return made;
}

bool winsock_transport::is_socket(abi::socket which) {
    int type = 0;
    int bytes = sizeof type;
    return ::getsockopt(which, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &bytes) == 0;
}

bool winsock_transport::is_for_registered_io(abi::socket which) {
    const std::lock_guard lock(mutex_);
    return without_flag_.count(which) == 0;
}

void winsock_transport::let_not_wait(SOCKET which) {
    const std::lock_guard lock(mutex_);
    if (!nonblocking_.insert(which).second) return;
    u_long on = 1;
    ::ioctlsocket(which, static_cast<long>(FIONBIO), &on);
}

transport::moved winsock_transport::result_of(int count) const {
    if (count >= 0) return {.bytes = static_cast<abi::dword>(count)};
    const int code = ::WSAGetLastError();
    if (code == WSAEWOULDBLOCK) return {.blocks = true};
    return {.status = code};
}

transport::moved winsock_transport::receive(abi::socket from, char* data, abi::dword bytes) {
    let_not_wait(from);
    const int most = static_cast<int>(std::min(bytes, bytes_at_once));
    const moved got = result_of(::recv(from, data, most, 0));
    if (got.bytes > 0 || got.blocks || got.status != 0) return got;
    // Wine tells a reset that came while nobody received as an end, but keeps it for those who
    // poll.
    WSAPOLLFD ended{from, POLLWRNORM, 0};
    const bool broken = ::WSAPoll(&ended, 1, 0) == 1 && (ended.revents & POLLERR) != 0;
    return broken ? moved{.status = abi::code::connection_reset} : got;
}

transport::moved winsock_transport::send(abi::socket to, const char* data, abi::dword bytes) {
    let_not_wait(to);
    return result_of(::send(to, data, static_cast<int>(std::min(bytes, bytes_at_once)), 0));
}

std::int32_t winsock_transport::close(abi::socket which) {
    {
        const std::lock_guard lock(mutex_);
        without_flag_.erase(which);
        nonblocking_.erase(which);
    }
    return ::closesocket(which) == 0 ? 0 : ::WSAGetLastError();
}

void winsock_transport::watch() {
    if (!woken_.exchange(true)) (void)::send(bell_, "", 1, 0);
}

void winsock_transport::post(abi::handle port, void* key, void* overlapped) {
    ::PostQueuedCompletionStatus(port, 0, reinterpret_cast<ULONG_PTR>(key),
                                 static_cast<OVERLAPPED*>(overlapped));
}

void winsock_transport::run() {
    for (;;) {
        std::vector<WSAPOLLFD> all{{bell_, POLLRDNORM, 0}};
        char unused[64];
        while (::recv(bell_, unused, sizeof unused, 0) > 0) {
        }
        // What is wanted from here on rings again.
        woken_ = false;
        if (ends_) return;
        for (const abi::socket each : upper_->wanted()) {
            SHORT events = 0;
            if (upper_->wants(each, /*to_receive=*/true)) events |= POLLRDNORM;
            if (upper_->wants(each, /*to_receive=*/false)) events |= POLLWRNORM;
            if (events != 0) all.push_back({each, events, 0});
        }
        const int ready = ::WSAPoll(all.data(), static_cast<ULONG>(all.size()), wait_ms);
        if (ready > 1 || (ready == 1 && all.front().revents == 0)) upper_->progress();
    }
}

}  // namespace ioring::rio_tests
