// SPDX-License-Identifier: MIT
// sockets.cpp - making sockets, closing them without a trace, and waiting for the network.
#include "differential/sockets.hpp"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ioring::differential {
namespace {

constexpr int small_send_buffer_bytes = 4608;  // The least that Linux gives.
constexpr int backlog = 16;
// Loopback delivers within the sender's own call; this is for a machine that has fallen behind.
constexpr int delivery_waits_max = 4000;
constexpr useconds_t delivery_wait_us = 20;

int require(int result, const char* what) {
    if (result >= 0) return result;
    std::fprintf(stderr, "differential: %s: %s\n", what, std::strerror(errno));
    std::abort();
}

std::string name_of(int fd, int (*ask)(int, sockaddr*, socklen_t*)) {
    sockaddr_storage storage{};
    socklen_t bytes = sizeof storage;
    if (ask(fd, reinterpret_cast<sockaddr*>(&storage), &bytes) != 0) return {};
    // A local socket without a name has only its family.
    if (bytes <= sizeof(sa_family_t)) return {};
    return {reinterpret_cast<const char*>(&storage), bytes};
}

std::vector<std::byte> bytes_of(const std::string& text) {
    const auto* const data = reinterpret_cast<const std::byte*>(text.data());
    return {data, data + text.size()};
}

sockaddr_in loopback() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int bound_tcp_socket() {
    const int fd = require(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const sockaddr_in address = loopback();
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    return fd;
}

// The kernel chooses an abstract name: nothing is left in the file system.
int bound_local_socket() {
    const int fd = require(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    require(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(sa_family_t)), "bind");
    return fd;
}

// Its end sends a reset and keeps no port busy.
void close_hard(int fd) {
    const linger abort{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
    ::close(fd);
}

bool read_tcp_info(int fd, tcp_info& out) {
    socklen_t bytes = sizeof out;
    out = {};
    return ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &out, &bytes) == 0;
}

// The states of tcp(7) that matter here.
constexpr std::uint8_t state_established = 1;
constexpr std::uint8_t state_syn_sent = 2;
constexpr std::uint8_t state_close = 7;
constexpr std::uint8_t state_listen = 10;
constexpr std::uint32_t fin_sent =  // FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT, LAST_ACK, CLOSING.
    1U << 4U | 1U << 5U | 1U << 6U | 1U << 9U | 1U << 11U;
constexpr std::uint32_t fin_received =  // TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, CLOSING.
    1U << 6U | 1U << 7U | 1U << 8U | 1U << 9U | 1U << 11U;

bool is_one_of(std::uint8_t state, std::uint32_t states) { return (states >> state & 1U) != 0; }

}  // namespace

void set_no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

std::string own_address(int fd) { return name_of(fd, ::getsockname); }
std::string peer_address(int fd) { return name_of(fd, ::getpeername); }

sockets::sockets() {
    pair_listener_ = bound_tcp_socket();
    require(::listen(pair_listener_, backlog), "listen");
    pair_address_ = bytes_of(own_address(pair_listener_));
    dead_socket_ = bound_tcp_socket();
    dead_address_ = bytes_of(own_address(dead_socket_));
}

sockets::~sockets() {
    clear();
    ::close(pair_listener_);
    ::close(dead_socket_);
}

void sockets::clear() {
    for (const socket_slot& slot : slots_) {
        if (slot.fd >= 0) close_hard(slot.fd);
    }
    slots_.clear();
    moving_.clear();
}

void sockets::open_tcp_pair(int (&ends)[2]) {
    ends[1] = require(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    require(::connect(ends[1], reinterpret_cast<const sockaddr*>(pair_address_.data()),
                      static_cast<socklen_t>(pair_address_.size())),
            "connect");
    ends[0] = require(::accept4(pair_listener_, nullptr, nullptr, SOCK_CLOEXEC), "accept");
    set_no_delay(ends[0]);
    set_no_delay(ends[1]);
}

void sockets::open_pair(connection_kind kind) {
    int ends[2] = {-1, -1};
    if (kind == connection_kind::tcp) {
        open_tcp_pair(ends);
    } else {
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    }
    const auto first = static_cast<std::int32_t>(slots_.size());
    for (int side = 0; side < 2; ++side) {
        socket_slot slot;
        slot.fd = ends[side];
        slot.tcp = kind == connection_kind::tcp;
        slot.small = kind == connection_kind::local_small;
        slot.ours = side == 0;
        slot.other = first + 1 - side;
        if (slot.small) {
            ::setsockopt(slot.fd, SOL_SOCKET, SO_SNDBUF, &small_send_buffer_bytes,
                         sizeof small_send_buffer_bytes);
        }
        slots_.push_back(std::move(slot));
    }
}

void sockets::open_listener(listener_kind kind) {
    socket_slot slot;
    slot.kind = socket_kind::listener;
    slot.tcp = kind == listener_kind::tcp;
    slot.ours = true;
    slot.fd = slot.tcp ? bound_tcp_socket() : bound_local_socket();
    require(::listen(slot.fd, backlog), "listen");
    slot.address = own_address(slot.fd);
    slots_.push_back(std::move(slot));
}

void sockets::open_other() {
    socket_slot slot;
    slot.kind = socket_kind::other;
    slot.fd = require(::eventfd(0, EFD_CLOEXEC), "eventfd");
    slots_.push_back(std::move(slot));
}

std::int32_t sockets::open_fresh(bool tcp) {
    socket_slot slot;
    slot.kind = socket_kind::fresh;
    slot.tcp = tcp;
    slot.fd = tcp ? require(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")
                  : bound_local_socket();
    if (tcp) set_no_delay(slot.fd);
    return add(std::move(slot));
}

std::int32_t sockets::reserve() {
    socket_slot nothing;
    nothing.kind = socket_kind::failed;
    return add(std::move(nothing));
}

std::int32_t sockets::add(socket_slot slot) {
    slots_.push_back(std::move(slot));
    return static_cast<std::int32_t>(slots_.size()) - 1;
}

void sockets::close(std::int32_t name) {
    socket_slot& slot = at(name);
    if (slot.fd >= 0) ::close(slot.fd);
    slot.fd = -1;
}

std::uint64_t sockets::unread(std::int32_t name) const {
    const std::int32_t other = at(name).other;
    if (other == socket_slot::none) return 0;
    const std::uint64_t sent = at(other).written;
    return sent - std::min(sent, at(name).taken);
}

// A connect whose completion was not read yet has given its socket an address already.
void sockets::name_connecting() {
    for (socket_slot& slot : slots_) {
        if (slot.kind == socket_kind::connecting && slot.fd >= 0) {
            slot.address = own_address(slot.fd);
        }
    }
}

std::int32_t sockets::find_by_address(const std::string& address, std::int32_t listener) const {
    if (address.empty()) return socket_slot::none;
    // The youngest one: an address is used again when its socket is gone, or towards another peer.
    for (std::size_t index = slots_.size(); index-- > 0;) {
        const socket_slot& slot = slots_[index];
        if (slot.target == listener && slot.address == address) {
            return static_cast<std::int32_t>(index);
        }
    }
    return socket_slot::none;
}

std::int32_t sockets::add_accepted(int fd, std::int32_t listener) {
    socket_slot slot;
    slot.fd = fd;
    slot.tcp = at(listener).tcp;
    slot.ours = true;
    name_connecting();
    slot.other = find_by_address(peer_address(fd), listener);
    if (slot.tcp) set_no_delay(fd);
    if (at(listener).waiting > 0) --at(listener).waiting;
    --at(listener).due;
    slot.hung_up = slot.other == socket_slot::none || at(slot.other).hung_up;
    if (slot.other != socket_slot::none && at(slot.other).accepted_as != socket_slot::none) {
        const std::int32_t name = at(slot.other).accepted_as;
        at(slot.other).other = name;
        at(name) = std::move(slot);
        return name;
    }
    return add(std::move(slot));
}

std::span<const std::byte> sockets::address_of_listener(std::int32_t name) const {
    const std::string& address = at(name).address;
    return {reinterpret_cast<const std::byte*>(address.data()), address.size()};
}

void sockets::mark_moving(std::int32_t name) {
    if (name == socket_slot::none || !at(name).tcp) return;
    if (std::ranges::find(moving_, name) == moving_.end()) moving_.push_back(name);
}

void sockets::refuse_waiting(std::int32_t listener) {
    for (std::size_t index = 0; index < slots_.size(); ++index) {
        socket_slot& slot = slots_[index];
        if (slot.target != listener || slot.other != socket_slot::none) continue;
        slot.refused = true;
        mark_moving(static_cast<std::int32_t>(index));
    }
}

// Whether all that `name` has sent, its end included, is at the other end.
bool sockets::is_delivered(std::int32_t name) const {
    const socket_slot& from = at(name);
    if (from.other == socket_slot::none) {
        tcp_info info{};
        if (from.fd < 0 || !read_tcp_info(from.fd, info)) return true;
        // A listener tells here how many connections wait in its queue.
        if (info.tcpi_state == state_listen)
            return static_cast<std::int32_t>(info.tcpi_unacked) >= from.due;
        return from.refused ? info.tcpi_state == state_close : info.tcpi_state != state_syn_sent;
    }
    const socket_slot& to = at(from.other);
    tcp_info there{};
    if (to.fd < 0 || !read_tcp_info(to.fd, there)) return true;
    if (from.fd < 0) return there.tcpi_state != state_established;
    tcp_info here{};
    if (!read_tcp_info(from.fd, here)) return true;
    if (here.tcpi_state == state_close || there.tcpi_state == state_close) return true;  // Reset.
    if (there.tcpi_bytes_received < here.tcpi_bytes_sent - here.tcpi_bytes_retrans) return false;
    // The FIN's acknowledgement may take 40 ms, and says nothing that the other end does not.
    const bool is_end_sent = is_one_of(here.tcpi_state, fin_sent) && here.tcpi_notsent_bytes == 0;
    return !is_end_sent || is_one_of(there.tcpi_state, fin_received);
}

void sockets::await_delivery() {
    int waits = 0;
    while (!moving_.empty()) {
        if (is_delivered(moving_.back())) {
            moving_.pop_back();
        } else if (++waits > delivery_waits_max) {
            moving_.clear();
        } else {
            ::usleep(delivery_wait_us);
        }
    }
}

}  // namespace ioring::differential
