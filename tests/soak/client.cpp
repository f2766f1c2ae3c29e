// SPDX-License-Identifier: MIT
// client.cpp - what each manner does when it may send, when something came, and at the end.
#include "soak/client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ioring::soak {
namespace {

constexpr std::chrono::seconds patience{60};
constexpr int slow_receive_buffer = 32 * 1024;

// How a manner reads and writes.
struct habit {
    std::uint32_t send_max = 16'384;
    milliseconds send_gap{0};
    std::uint32_t receive_max = 65'536;
    milliseconds receive_gap{0};
    bool reads = true;
};

habit habit_of(manner how) noexcept {
    switch (how) {
        case manner::slow_writer: return {.send_max = 7, .send_gap = milliseconds{5}};
        case manner::slow_reader: return {.receive_max = 32'768, .receive_gap = milliseconds{10}};
        case manner::never_reads: return {.reads = false};
        default: return {};
    }
}

bool follows_the_server(manner how) noexcept {
    return how == manner::idle || how == manner::silent || how == manner::server_ends ||
           how == manner::half_close;
}

bool expects_a_reset(manner how) noexcept {
    return how == manner::never_reads || how == manner::never_ends || how == manner::server_aborts;
}

// Each from an address of its own, so that ports do not run out: all of 127.0.0.0/8 is local.
bool begin_connect(int socket, const ::sockaddr_in& server, std::uint32_t chance) {
    ::sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f010001U + chance % 0xfff0U);
    const int on = 1;
    ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (::bind(socket, reinterpret_cast<const ::sockaddr*>(&from), sizeof(from)) != 0) return false;
    return test_support::connect_to(socket, server) == 0 || errno == EINPROGRESS;
}

}  // namespace

client::client(const talk& what, const ::sockaddr_in& server, std::uint32_t chance)
    : what_{what},
      random_{chance},
      socket_{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)},
      reset_at_{what.bytes == 0 ? 0 : chance % what.bytes} {
    if (what_.how == manner::slow_reader) {
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &slow_receive_buffer,
                     sizeof(slow_receive_buffer));
    }
    if (!begin_connect(socket_.get(), server, chance)) {
        fail(std::string{"cannot connect: "} + std::strerror(errno));
    }
}

bool client::may_send(clock::time_point now) const noexcept {
    return !connecting_ && !ended_ && sent_ < what_.bytes && now >= next_send_;
}

bool client::may_receive(clock::time_point now) const noexcept {
    return !connecting_ && !ended_ && habit_of(what_.how).reads && now >= next_receive_;
}

short client::wanted(clock::time_point now) const noexcept {
    if (connecting_) return POLLOUT;
    const int send = may_send(now) ? POLLOUT : 0;
    const int receive = may_receive(now) ? POLLIN : 0;
    return static_cast<short>(send | receive);  // And POLLERR and POLLHUP in any case.
}

clock::time_point client::wake_at() const noexcept {
    clock::time_point first = started_ + patience;
    if (!connecting_ && !ended_ && sent_ < what_.bytes) first = std::min(first, next_send_);
    if (!connecting_ && !ended_ && habit_of(what_.how).reads) {
        first = std::min(first, next_receive_);
    }
    return first;
}

void client::step(short found, clock::time_point now) {
    if (over_) return;
    if (now - started_ > patience) {
        return fail("no end in time: " + std::to_string(sent_) + " bytes sent, " +
                    std::to_string(received_) + " received of " + std::to_string(what_.bytes));
    }
    if (connecting_ && (found & (POLLOUT | POLLERR | POLLHUP)) != 0) connected();
    if ((found & POLLOUT) != 0 && may_send(now)) send_some(now);
    if ((found & (POLLIN | POLLERR | POLLHUP)) != 0 && may_receive(now)) receive_some(now);
    const bool is_broken = (found & (POLLERR | POLLHUP)) != 0;
    if (is_broken && !over_ && expects_a_reset(what_.how) && (ended_ || !may_receive(now))) {
        return finish();
    }
    if (!over_) decide();
}

void client::connected() {
    int error = 0;
    ::socklen_t length = sizeof(error);
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return fail(std::string{"no connection: "} + std::strerror(error));
    connecting_ = false;
}

void client::send_some(clock::time_point now) {
    const habit manners_of = habit_of(what_.how);
    std::array<std::byte, 16'384> bytes;
    const auto wish = static_cast<std::uint32_t>(1 + random_() % manners_of.send_max);
    const std::span<std::byte> part = std::span{bytes}.first(std::min(wish, what_.bytes - sent_));
    fill(what_, sent_, part);
    said_ = now;
    const ssize_t put = ::send(socket_.get(), part.data(), part.size(), MSG_NOSIGNAL);
    if (put < 0) {
        if (errno != EAGAIN) came_to_its_end(errno);
        return;
    }
    sent_ += static_cast<std::uint32_t>(put);
    next_send_ = now + manners_of.send_gap;
    if (sent_ == what_.bytes && what_.how == manner::half_close) {
        ::shutdown(socket_.get(), SHUT_WR);
    }
}

void client::receive_some(clock::time_point now) {
    const habit manners_of = habit_of(what_.how);
    std::array<std::byte, 65'536> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), manners_of.receive_max, 0);
    if (got < 0) {
        if (errno != EAGAIN) came_to_its_end(errno);
        return;
    }
    if (got == 0) return came_to_its_end(0);
    const std::span<const std::byte> came{bytes.data(), static_cast<std::size_t>(got)};
    if (!matches(what_, received_, came)) {
        return fail("a byte is wrong between " + std::to_string(received_) + " and " +
                    std::to_string(received_ + came.size()));
    }
    received_ += static_cast<std::uint32_t>(got);
    if (received_ > sent_) return fail("more came back than was sent");
    next_receive_ = now + manners_of.receive_gap;
}

// The server's end of the stream (0), or a reset.
void client::came_to_its_end(int error) {
    ended_ = true;
    // Seen by a send or a receive in place of poll().
    if (error != 0 && expects_a_reset(what_.how)) return finish();
    const bool is_expected = error == 0 && has_all() &&
                             (follows_the_server(what_.how) || what_.how == manner::never_ends);
    if (!is_expected) {
        early_end_ = true;
        return fail("ended by the server after " + std::to_string(received_) + " of " +
                    std::to_string(what_.bytes) +
                    " bytes: " + (error != 0 ? std::strerror(error) : "end of the stream"));
    }
    const bool waited = what_.how == manner::idle || what_.how == manner::silent;
    if (waited && clock::now() - said_ < idle_timeout) {
        return fail("idle, and closed before its time");
    }
    if (follows_the_server(what_.how)) finish();
}

void client::decide() {
    if (connecting_ || ended_) return;
    if (what_.how == manner::reset && received_ >= reset_at_) {
        test_support::reset(socket_);
        over_ = true;
        return;
    }
    const bool closes = what_.how == manner::normal || what_.how == manner::slow_reader ||
                        what_.how == manner::slow_writer;
    if (closes && has_all()) finish();
}

void client::finish() noexcept {
    socket_.close();
    over_ = true;
}

void client::fail(std::string why) {
    problem_ = std::string{to_string(what_.how)} + ": " + std::move(why);
    finish();
}

}  // namespace ioring::soak
