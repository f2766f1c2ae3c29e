// SPDX-License-Identifier: MIT
// peer_liburing.cpp - echo on liburing as tutorials show it: default flags, one operation at a
// time.
//
// Accept, receive and send are one-shot; each connection has a buffer and is either receiving or
// sending. One call submits and waits, then all completions that are there are handled.
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

constexpr unsigned ring_entries = 4096;
constexpr std::size_t buffer_bytes = 65'536;

enum class doing { accepting, receiving, sending, stopping };

struct request {
    doing what = doing::accepting;
    int fd = -1;
    std::size_t first = 0;  // Of what is to be sent ...
    std::size_t last = 0;   // ... and its end.
    std::vector<std::byte> buffer;
};

class tutorial_server {
public:
    tutorial_server(int listener, int stop, counters& counted) : counted_(counted) {
        const int made = ::io_uring_queue_init(ring_entries, &ring_, 0);
        if (made < 0) fail_unsupported("io_uring_queue_init", -made);
        accept_.fd = listener;
        stop_.what = doing::stopping;
        stop_.fd = stop;
    }
    tutorial_server(const tutorial_server&) = delete;
    tutorial_server& operator=(const tutorial_server&) = delete;
    ~tutorial_server() { ::io_uring_queue_exit(&ring_); }

    void run() {
        io_uring_sqe* const to = entry();
        ::io_uring_prep_poll_add(to, stop_.fd, POLLIN);
        ::io_uring_sqe_set_data(to, &stop_);
        accept_next();
        while (!stopped_) {
            ::io_uring_submit_and_wait(&ring_, 1);
            ++counted_.enters;
            io_uring_cqe* each = nullptr;
            unsigned head = 0;
            unsigned count = 0;
            io_uring_for_each_cqe(&ring_, head, each) {
                ++count;
                handle(*static_cast<request*>(::io_uring_cqe_get_data(each)), each->res);
            }
            ::io_uring_cq_advance(&ring_, count);
        }
    }

private:
    io_uring_sqe* entry() {
        io_uring_sqe* free = ::io_uring_get_sqe(&ring_);
        if (free == nullptr) {
            ::io_uring_submit(&ring_);
            free = ::io_uring_get_sqe(&ring_);
            if (free == nullptr) fail("io_uring_get_sqe", EBUSY);
        }
        return free;
    }

    void accept_next() {
        io_uring_sqe* const to = entry();
        ::io_uring_prep_accept(to, accept_.fd, nullptr, nullptr, SOCK_CLOEXEC);
        ::io_uring_sqe_set_data(to, &accept_);
    }
    void receive(request& at) {
        at.what = doing::receiving;
        io_uring_sqe* const to = entry();
        ::io_uring_prep_recv(to, at.fd, at.buffer.data(), at.buffer.size(), 0);
        ::io_uring_sqe_set_data(to, &at);
    }
    void send(request& at) {
        at.what = doing::sending;
        io_uring_sqe* const to = entry();
        ::io_uring_prep_send(to, at.fd, at.buffer.data() + at.first, at.last - at.first,
                             MSG_NOSIGNAL);
        ::io_uring_sqe_set_data(to, &at);
    }

    void handle(request& at, int result) {
        switch (at.what) {
            case doing::stopping: stopped_ = true; return;
            case doing::accepting:
                if (result >= 0) open(result);
                return accept_next();
            case doing::receiving:
                if (result <= 0) return end(at);
                ++counted_.messages;
                counted_.bytes += static_cast<std::uint64_t>(result);
                at.first = 0;
                at.last = static_cast<std::size_t>(result);
                return send(at);
            case doing::sending:
                if (result <= 0) return end(at);
                at.first += static_cast<std::size_t>(result);
                return at.first < at.last ? send(at) : receive(at);
        }
    }

    void open(int fd) {
        ++counted_.connections;
        auto made = std::make_unique<request>();
        made->fd = fd;
        made->buffer.resize(buffer_bytes);
        receive(*made.release());
    }
    static void end(request& at) {
        ::close(at.fd);
        delete &at;
    }

    io_uring ring_{};
    request accept_;
    request stop_;
    counters& counted_;
    bool stopped_ = false;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    const int stop = peer::open_stop_signal();
    const int listener = peer::open_listener(wanted);
    peer::counters counted;
    peer::tutorial_server server(listener, stop, counted);
    peer::announce(listener, "liburing");  // Old versions do not tell their number.
    server.run();
    peer::report("liburing", counted);
    return 0;  // What is still open ends with the process.
}
