// SPDX-License-Identifier: MIT
// proxy_epoll.cpp - a TCP proxy on edge-triggered epoll with one hot buffer for all connections.
//
// A half is one side's socket; what it receives is sent to its partner. What the partner does not
// take at once is kept there, and the half is not read from until it is gone. Each end of stream is
// passed on once everything before it is, and the pair is closed when both have ended.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <vector>

#include "peer.hpp"
#include "unsent_bytes.hpp"

namespace peer {
namespace {

constexpr std::size_t buffer_bytes = 65'536;
constexpr int events_max = 512;
constexpr int turns_max = 16;

struct half {
    int fd = -1;
    half* partner = nullptr;
    bool readable = false;  // The last recv did not drain it.
    bool hung_up = false;   // Its end is near: read until it shows.
    bool queued = false;    // In the list of those to go on with.
    bool ended = false;     // It will send no more.
    bool told = false;      // The partner's end was passed on to it.
    unsent_bytes unsent;
};

class proxy {
public:
    proxy(int listener, int stop, const options& wanted, counters& counted)
        : listener_(listener), stop_(stop), wanted_(wanted), counted_(counted) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) fail("epoll_create1", errno);
        watch(listener_, &listening_, EPOLLIN);
        watch(stop_, &stopping_, EPOLLIN);
    }

    void run() {
        std::vector<epoll_event> events(events_max);
        for (;;) {
            const int ready =
                ::epoll_wait(epoll_, events.data(), events_max, work_.empty() ? -1 : 0);
            ++counted_.enters;
            if (ready < 0 && errno != EINTR) fail("epoll_wait", errno);
            for (int i = 0; i < ready; ++i) {
                const epoll_event& event = events[static_cast<std::size_t>(i)];
                if (event.data.ptr == &stopping_) return;
                on_event(event);
            }
            go_on();
            // Not before: an event of this turn may still name them.
            for (half* const each : dead_) delete each;
            dead_.clear();
        }
    }

private:
    void watch(int fd, half* who, unsigned events) {
        epoll_event event{};
        event.events = events;
        event.data.ptr = who;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl", errno);
    }

    void on_event(const epoll_event& event) {
        half& at = *static_cast<half*>(event.data.ptr);
        if (&at == &listening_) return accept_all();
        if (at.fd < 0) return;
        if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) at.readable = true;
        if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) at.hung_up = true;
        // It may take more now, so its partner may be read from.
        if ((event.events & EPOLLOUT) != 0 && !at.unsent.empty()) {
            if (!at.unsent.flush(at.fd)) return close_pair(at);
            serve(*at.partner);
        }
        if (at.fd >= 0) serve(at);
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;  // Out of descriptors: tried again in each turn.
            const int upstream = connect_upstream(wanted_);
            if (upstream < 0) {
                ::close(fd);
                continue;
            }
            half* const near = new half;
            half* const far = new half;
            near->fd = fd;
            far->fd = upstream;
            near->partner = far;
            far->partner = near;
            ++counted_.connections;
            watch(fd, near, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
            watch(upstream, far, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    // Serves those again whose turns were used up.
    void go_on() {
        batch_.swap(work_);
        for (half* const each : batch_) {
            each->queued = false;
            if (each->fd >= 0) {
                serve(*each);
            } else {
                dead_.push_back(each);
            }
        }
        batch_.clear();
    }

    void serve(half& at) {
        for (int turn = 0; turn < turns_max; ++turn) {
            if (at.ended || !at.readable || !at.partner->unsent.empty()) return;
            if (!step(at)) return close_pair(at);
        }
        if (at.queued || !at.readable) return;
        at.queued = true;
        work_.push_back(&at);
    }

    // False when the pair is to be closed.
    bool step(half& at) {
        const ssize_t got = ::recv(at.fd, buffer_.data(), buffer_bytes, 0);
        if (got == 0) {
            at.ended = true;
            return pass_end(*at.partner);
        }
        if (got < 0) {
            if (errno == EINTR) return true;
            at.readable = false;
            return errno == EAGAIN;
        }
        ++counted_.messages;
        counted_.bytes += static_cast<std::uint64_t>(got);
        // A short recv drained the socket, unless its end still has to be read.
        at.readable = at.hung_up || static_cast<std::size_t>(got) == buffer_bytes;
        // What is left over is tried once more: only then an edge will come.
        half& to = *at.partner;
        return to.unsent.send_or_keep(to.fd, buffer_.data(), static_cast<std::size_t>(got)) &&
               to.unsent.flush(to.fd);
    }

    // `to`'s partner has ended, and everything before that was sent.
    static bool pass_end(half& to) {
        if (to.told) return !to.ended;
        to.told = true;
        ::shutdown(to.fd, SHUT_WR);
        return !to.ended;
    }

    void close_pair(half& at) {
        for (half* const each : {&at, at.partner}) {
            if (each->fd < 0) continue;
            ::close(each->fd);
            each->fd = -1;
            if (!each->queued) dead_.push_back(each);
        }
    }

    int listener_;
    int stop_;
    int epoll_ = -1;
    const options& wanted_;
    counters& counted_;
    half listening_;
    half stopping_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(buffer_bytes);
    std::vector<half*> work_;
    std::vector<half*> batch_;
    std::vector<half*> dead_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    const int stop = peer::open_stop_signal();
    const int listener = peer::open_listener(wanted, /*nonblocking=*/true);
    peer::counters counted;
    peer::proxy serving(listener, stop, wanted, counted);
    peer::announce(listener, "proxy-epoll");
    serving.run();
    peer::report("proxy-epoll", counted);
    return 0;  // What is still open ends with the process.
}
