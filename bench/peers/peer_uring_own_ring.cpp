// SPDX-License-Identifier: MIT
// peer_uring_own_ring.cpp - echo with one mirrored ring per connection and one-shot RECV and SEND.
//
// Received bytes go to the ring's tail and are sent from its head, no copy between. By default the
// next recv is armed late, after the send has completed: the data is often there already, so that
// the recv completes at once, and the ring, empty then, starts again at its (cache-warm) base.
// With --overlap the next recv is armed together with the send.
#include <sys/socket.h>

#include "mirrored_slab.hpp"
#include "uring_server.hpp"

namespace peer {
namespace {

struct connection {
    int fd = -1;
    std::byte* ring = nullptr;
    std::uint64_t head = 0;  // sent up to here
    std::uint64_t tail = 0;  // received up to here
    bool receiving = false;
    bool sending = false;
    bool ended = false;   // no further recv
    bool failed = false;  // what is not sent yet never will be
};

class own_ring {
public:
    std::uint64_t closed = 0;

    own_ring(raw_ring& ring, counters& counted, bool overlap)
        : ring_(ring), counted_(counted), overlap_(overlap) {}

    bool open(int fd) {
        const std::uint32_t slot = connections_.take();
        if (slot == connections_.none) return false;
        connections_[slot] = connection{.fd = fd, .ring = memory_.ring(slot)};
        advance(slot, connections_[slot]);
        return true;
    }

    void on_completion(kind what, std::uint32_t slot, const cqe& done) {
        connection& at = connections_[slot];
        if (what == kind::recv) {
            on_recv(at, done.res);
        } else {
            on_send(at, done.res);
        }
        advance(slot, at);
    }

    void end_of_batch() {}

private:
    void on_recv(connection& at, std::int32_t res) {
        at.receiving = false;
        if (res > 0) {
            at.tail += static_cast<std::uint32_t>(res);
            ++counted_.messages;
            counted_.bytes += static_cast<std::uint32_t>(res);
        } else if (!is_transient(res)) {
            at.ended = true;
            at.failed = res < 0;
        }
    }

    void on_send(connection& at, std::int32_t res) {
        at.sending = false;
        if (res >= 0) {
            at.head += static_cast<std::uint32_t>(res);
        } else if (!is_transient(res)) {
            at.ended = at.failed = true;
            if (at.receiving) ::shutdown(at.fd, SHUT_RDWR);  // Ends the recv.
        }
    }

    // Starts whatever the connection's state allows.
    void advance(std::uint32_t slot, connection& at) {
        if (at.failed && !at.sending) at.head = at.tail;
        const auto used = static_cast<std::uint32_t>(at.tail - at.head);
        if (used != 0 && !at.sending) {
            at.sending = true;
            prepare_send(ring_, at.fd, at.ring + at.head % ring_bytes, used, tag(kind::send, slot));
        }
        if (at.receiving) return;
        if (!at.ended) {
            if (overlap_ ? used == ring_bytes : at.sending) return;
            if (used == 0) at.head = at.tail = 0;
            at.receiving = true;
            prepare_recv(ring_, at.fd, at.ring + at.tail % ring_bytes, ring_bytes - used,
                         tag(kind::recv, slot));
        } else if (!at.sending) {
            ::close(at.fd);
            connections_.give_back(slot);
            ++closed;
        }
    }

    raw_ring& ring_;
    counters& counted_;
    bool overlap_;
    mirrored_slabs memory_;
    slots<connection> connections_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv, "--overlap");
    const char* const name = wanted.flag ? "own-ring-overlap" : "own-ring";
    return peer::serve<peer::own_ring>(wanted, name, wanted.flag);
}
