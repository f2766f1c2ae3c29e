// SPDX-License-Identifier: MIT
// peer_epoll_lt.cpp - echo on level-triggered epoll with one hot buffer, as most servers have it.
//
// One recv and one send a readiness. What a send does not take at once is kept per connection, and
// the connection waits for EPOLLOUT alone until it is gone.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <vector>

#include "peer.hpp"
#include "unsent_bytes.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr int events_max = 512;

struct connection {
    int fd = -1;
    unsent_bytes unsent;
};

class epoll_server {
public:
    epoll_server(int listener, int stop, counters& counted)
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
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (fd == stop_) return;
                if (fd == listener_) {
                    accept_all();
                } else {
                    serve(*connections_[static_cast<std::size_t>(fd)]);
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

    void serve(connection& at) {
        if (!at.unsent.empty() ? flush(at) : echo(at)) return;
        ::close(at.fd);
        connections_[static_cast<std::size_t>(at.fd)].reset();
    }

    // False when the connection has ended.
    bool echo(connection& at) {
        const ssize_t got = ::recv(at.fd, buffer_.data(), buffer_bytes, 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        ++counted_.messages;
        counted_.bytes += static_cast<std::uint64_t>(got);
        if (!at.unsent.send_or_keep(at.fd, buffer_.data(), static_cast<std::size_t>(got))) {
            return false;
        }
        if (!at.unsent.empty()) watch(EPOLL_CTL_MOD, at.fd, EPOLLOUT);
        return true;
    }

    bool flush(connection& at) {
        if (!at.unsent.flush_once(at.fd)) return false;
        if (at.unsent.empty()) watch(EPOLL_CTL_MOD, at.fd, EPOLLIN);
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
    return peer::serve_nonblocking<peer::epoll_server>(argc, argv, "epoll-lt");
}
