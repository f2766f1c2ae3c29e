// SPDX-License-Identifier: MIT
// broadcast_epoll.cpp - what one connection says is sent to all others, on level-triggered epoll.
//
// A send to each, at once. Who does not take it at once is served by EPOLLOUT, and is dropped when
// it has taken nothing of 1 MiB.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr std::size_t unsent_max_bytes = 1'048'576;
constexpr int events_max = 512;

struct connection {
    int fd = -1;
    std::vector<std::byte> unsent;
};

class room {
public:
    room(int listener, int stop, counters& counted)
        : listener_(listener), stop_(stop), counted_(counted), buffer_(buffer_bytes) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) fail("epoll_create1", errno);
        watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
        watch(EPOLL_CTL_ADD, stop_, EPOLLIN);
    }

    void run() {
        std::vector<epoll_event> events(events_max);
        for (;;) {
            const int ready = ::epoll_wait(epoll_, events.data(), events_max, -1);
            ++counted_.enters;
            if (ready < 0 && errno != EINTR) fail("epoll_wait", errno);
            for (int i = 0; i < ready; ++i) {
                const epoll_event& event = events[static_cast<std::size_t>(i)];
                if (event.data.fd == stop_) return;
                if (event.data.fd == listener_) {
                    accept_all();
                } else {
                    serve(event);
                }
            }
        }
    }

private:
    void watch(int how, int fd, unsigned events) {
        epoll_event event{};
        event.events = events;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_, how, fd, &event) != 0) fail("epoll_ctl", errno);
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;  // Out of descriptors: the listener stays ready.
            const auto index = static_cast<std::size_t>(fd);
            if (connections_.size() <= index) connections_.resize(index + 1);
            connections_[index] = std::make_unique<connection>();
            connections_[index]->fd = fd;
            ++counted_.connections;
            watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        }
    }

    void drop(int fd) {
        ::close(fd);
        connections_[static_cast<std::size_t>(fd)].reset();
    }

    void serve(const epoll_event& event) {
        connection* const at = connections_[static_cast<std::size_t>(event.data.fd)].get();
        if (at == nullptr) return;  // Dropped in this turn.
        if ((event.events & EPOLLOUT) != 0 && !flush(*at)) return drop(at->fd);
        if ((event.events & ~unsigned{EPOLLOUT}) == 0) return;
        const ssize_t got = ::recv(at->fd, buffer_.data(), buffer_bytes, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return drop(at->fd);
        ++counted_.messages;
        counted_.bytes += static_cast<std::uint64_t>(got);
        say(at->fd, static_cast<std::size_t>(got));
    }

    void say(int from, std::size_t bytes) {
        for (const auto& each : connections_) {
            if (each == nullptr || each->fd == from) continue;
            if (!send_or_keep(*each, bytes)) drop(each->fd);
        }
    }

    bool send_or_keep(connection& to, std::size_t bytes) {
        std::size_t gone = 0;
        if (to.unsent.empty()) {
            const ssize_t sent = ::send(to.fd, buffer_.data(), bytes, MSG_NOSIGNAL);
            if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
            gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
            if (gone == bytes) return true;
            watch(EPOLL_CTL_MOD, to.fd, EPOLLIN | EPOLLOUT);
        }
        if (to.unsent.size() + bytes > unsent_max_bytes) return false;
        to.unsent.insert(to.unsent.end(), buffer_.data() + gone, buffer_.data() + bytes);
        return true;
    }

    bool flush(connection& to) {
        const ssize_t sent = ::send(to.fd, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        to.unsent.erase(to.unsent.begin(), to.unsent.begin() + sent);
        if (to.unsent.empty()) watch(EPOLL_CTL_MOD, to.fd, EPOLLIN);
        return true;
    }

    int listener_;
    int stop_;
    int epoll_ = -1;
    counters& counted_;
    std::vector<std::byte> buffer_;
    std::vector<std::unique_ptr<connection>> connections_;  // By descriptor.
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    return peer::serve_nonblocking<peer::room>(argc, argv, "broadcast-epoll");
}
