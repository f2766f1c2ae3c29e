// SPDX-License-Identifier: MIT
// peer_round_robin.cpp - echo without any event mechanism: the floor of what TCP itself costs.
//
// Asks every connection in turn with a non-blocking recv and answers with a non-blocking send. It
// never sleeps, so its CPU time per message means something only when it is saturated.
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
constexpr std::uint64_t recvs_per_accept = 4096;

struct connection {
    int fd = -1;
    unsent_bytes unsent;
};

class round_robin_server {
public:
    round_robin_server(int listener, int stop, counters& counted)
        : listener_(listener), stop_(stop), counted_(counted), buffer_(buffer_bytes) {}

    void run() {
        std::uint64_t recvs = 0;
        while (!stopped()) {
            accept_all();
            do {
                pass();
                recvs += connections_.size();
            } while (!connections_.empty() && recvs < recvs_per_accept);
            recvs = 0;
        }
    }

private:
    bool stopped() const {
        std::byte info[128];
        return ::read(stop_, info, sizeof info) > 0;
    }

    void accept_all() {
        for (;;) {
            const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) return;
            connections_.push_back({.fd = fd, .unsent = {}});
            ++counted_.connections;
        }
    }

    void pass() {
        ++counted_.enters;
        for (std::size_t i = 0; i < connections_.size();) {
            if (serve(connections_[i])) {
                ++i;
                continue;
            }
            ::close(connections_[i].fd);
            if (i + 1 != connections_.size()) connections_[i] = std::move(connections_.back());
            connections_.pop_back();
        }
    }

    // One recv and one send. False when the connection has ended.
    bool serve(connection& at) {
        if (!at.unsent.empty()) return at.unsent.flush_once(at.fd);
        const ssize_t got = ::recv(at.fd, buffer_.data(), buffer_bytes, 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        ++counted_.messages;
        counted_.bytes += static_cast<std::uint64_t>(got);
        return at.unsent.send_or_keep(at.fd, buffer_.data(), static_cast<std::size_t>(got));
    }

    int listener_;
    int stop_;
    counters& counted_;
    std::vector<std::byte> buffer_;
    std::vector<connection> connections_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    return peer::serve_nonblocking<peer::round_robin_server>(argc, argv, "round-robin");
}
