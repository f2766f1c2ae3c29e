// SPDX-License-Identifier: MIT
// peer_epoll_et.cpp - echo on edge-triggered epoll, into one hot buffer for all connections.
//
// With --own-buffers each connection has one of its own, as a program has that keeps what it read
// where it is.
//
// What a send does not take at once is kept per connection, which is not read from until it is
// gone. A connection is read at most `turns_max` times in a row, so that none starves the others.
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
constexpr int turns_max = 16;

struct connection {
    int fd = -1;
    bool readable = false;  // the last recv did not drain it
    bool hung_up = false;   // the peer has sent FIN or reset: read until it shows
    bool queued = false;    // in the list of those to go on with
    unsent_bytes unsent;
};

enum class outcome { again, drained, closed };

class hot_buffer {
public:
    std::byte* of(const connection&) { return bytes_.data(); }

private:
    std::vector<std::byte> bytes_ = std::vector<std::byte>(buffer_bytes);
};

class own_buffers {
public:
    std::byte* of(const connection& at) {
        const auto index = static_cast<std::size_t>(at.fd);
        if (buffers_.size() <= index) buffers_.resize(index + 1);
        if (buffers_[index] == nullptr) buffers_[index].reset(new std::byte[buffer_bytes]);
        return buffers_[index].get();
    }

private:
    std::vector<std::unique_ptr<std::byte[]>> buffers_;  // by descriptor
};

template <class Buffers>
class epoll_server {
public:
    epoll_server(int listener, int stop, counters& counted)
        : listener_(listener), stop_(stop), counted_(counted) {
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) fail("epoll_create1", errno);
        watch(listener_, EPOLLIN);
        watch(stop_, EPOLLIN);
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
                if (event.data.fd == stop_) return;
                on_event(event);
            }
            go_on();
        }
    }

private:
    void watch(int fd, std::uint32_t what) {
        epoll_event event{};
        event.events = what;
        event.data.fd = fd;
        if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl", errno);
    }

    void on_event(const epoll_event& event) {
        if (event.data.fd == listener_) return accept_all();
        connection* const at = connections_[static_cast<std::size_t>(event.data.fd)].get();
        if (at == nullptr) return;
        if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) at->readable = true;
        if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) at->hung_up = true;
        serve(*at);
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;  // Out of descriptors: tried again in each turn.
            const auto index = static_cast<std::size_t>(fd);
            if (connections_.size() <= index) connections_.resize(index + 1);
            connections_[index] = std::make_unique<connection>();
            connections_[index]->fd = fd;
            ++counted_.connections;
            watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        }
    }

    // Serves those again whose turns were used up.
    void go_on() {
        batch_.swap(work_);
        for (const int fd : batch_) {
            connection* const at = connections_[static_cast<std::size_t>(fd)].get();
            if (at == nullptr || !at->queued) continue;
            at->queued = false;
            serve(*at);
        }
        batch_.clear();
    }

    void serve(connection& at) {
        for (int turn = 0; turn < turns_max; ++turn) {
            const outcome end = step(at);
            if (end == outcome::closed) {
                ::close(at.fd);
                connections_[static_cast<std::size_t>(at.fd)].reset();
            }
            if (end != outcome::again) return;
        }
        if (at.queued) return;
        at.queued = true;
        work_.push_back(at.fd);
    }

    outcome step(connection& at) {
        if (!at.unsent.empty() && !at.unsent.flush(at.fd)) return outcome::closed;
        if (!at.unsent.empty() || !at.readable) return outcome::drained;
        std::byte* const buffer = buffers_.of(at);
        const ssize_t got = ::recv(at.fd, buffer, buffer_bytes, 0);
        if (got == 0) return outcome::closed;
        if (got < 0) {
            if (errno == EINTR) return outcome::again;
            if (errno != EAGAIN) return outcome::closed;
            at.readable = false;
            return outcome::drained;
        }
        ++counted_.messages;
        counted_.bytes += static_cast<std::uint64_t>(got);
        // A short recv drained the socket, unless its end still has to be read.
        at.readable = at.hung_up || static_cast<std::size_t>(got) == buffer_bytes;
        if (!send(at, buffer, static_cast<std::size_t>(got))) return outcome::closed;
        return at.readable ? outcome::again : outcome::drained;
    }

    // What is left over is tried once more: only then an edge will come.
    static bool send(connection& at, const std::byte* buffer, std::size_t bytes) {
        return at.unsent.send_or_keep(at.fd, buffer, bytes) && at.unsent.flush(at.fd);
    }

    int listener_;
    int stop_;
    int epoll_ = -1;
    counters& counted_;
    Buffers buffers_;
    std::vector<std::unique_ptr<connection>> connections_;  // by descriptor
    std::vector<int> work_;
    std::vector<int> batch_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    using namespace peer;
    const options wanted = parse_options(argc, argv, "--own-buffers");
    return wanted.flag
               ? serve_nonblocking<epoll_server<own_buffers>>(wanted, "epoll-et-own-buffers")
               : serve_nonblocking<epoll_server<hot_buffer>>(wanted, "epoll-et");
}
