// SPDX-License-Identifier: MIT
// peer_uring_own_multishot.cpp - echo with multishot RECV into the connection's own mirrored ring.
//
// The ring is offered to the kernel as four quarters through a private incremental buffer group, so
// the kernel writes them in order and the bytes lie in a row; a quarter is handed back when all of
// it has been sent. Completions of a batch are read first, then each connection sends once.
//
// The kernel keeps its place in a group across connections, so positions go on when a slot is used
// again; they never restart.
#include <sys/mman.h>

#include <optional>
#include <vector>

#include "mirrored_slab.hpp"
#include "uring_server.hpp"

namespace peer {
namespace {

constexpr std::uint32_t quarters = 4;
constexpr std::uint32_t quarter_bytes = ring_bytes / quarters;
constexpr std::size_t page_bytes = 4096;

struct connection {
    int fd = -1;
    std::byte* ring = nullptr;
    std::optional<buffer_ring> group;  // registered at the slot's first use and kept
    std::uint64_t head = 0;            // sent up to here
    std::uint64_t tail = 0;            // received up to here
    std::uint64_t posted = 0;          // the kernel may write up to here
    bool receiving = false;
    bool sending = false;
    bool ended = false;   // no further recv
    bool failed = false;  // what is not sent yet never will be
    bool dirty = false;   // in the batch's list
};

class own_multishot {
public:
    std::uint64_t closed = 0;

    own_multishot(raw_ring& ring, counters& counted) : ring_(ring), counted_(counted) {
        void* const pages = ::mmap(nullptr, connections_max * page_bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (pages == MAP_FAILED) fail("cannot map the buffer groups", errno);
        group_pages_ = static_cast<std::byte*>(pages);
        dirty_.reserve(connections_max);
    }

    bool open(int fd) {
        const std::uint32_t slot = connections_.take();
        if (slot == connections_.none) return false;
        connection& at = connections_[slot];
        if (!at.group) {
            at.ring = memory_.ring(slot);
            at.group.emplace(ring_, group_pages_ + slot * page_bytes, quarters,
                             static_cast<std::uint16_t>(slot));
        }
        at.fd = fd;
        at.ended = at.failed = false;
        mark(slot, at);
        return true;
    }

    void on_completion(kind what, std::uint32_t slot, const cqe& done) {
        connection& at = connections_[slot];
        if (what == kind::recv) {
            on_recv(at, done);
        } else {
            on_send(at, done.res);
        }
        mark(slot, at);
    }

    void end_of_batch() {
        for (const std::uint32_t slot : dirty_) {
            connections_[slot].dirty = false;
            advance(slot, connections_[slot]);
        }
        dirty_.clear();
    }

private:
    void mark(std::uint32_t slot, connection& at) {
        if (at.dirty) return;
        at.dirty = true;
        dirty_.push_back(slot);
    }

    void on_recv(connection& at, const cqe& done) {
        at.receiving = (done.flags & cqe_more) != 0;
        if (done.res > 0) {
            const std::uint32_t quarter = done.flags >> cqe_buffer_shift;
            if (quarter != at.tail / quarter_bytes % quarters)
                fail("the kernel took a buffer out of order", EPROTO);
            at.tail += static_cast<std::uint32_t>(done.res);
            ++counted_.messages;
            counted_.bytes += static_cast<std::uint32_t>(done.res);
        } else if (done.res != -ENOBUFS && !is_transient(done.res)) {
            at.ended = true;
            at.failed = done.res < 0;
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
        hand_back(at);
        if (at.head != at.tail && !at.sending) {
            at.sending = true;
            prepare_send(ring_, at.fd, at.ring + at.head % ring_bytes,
                         static_cast<std::uint32_t>(at.tail - at.head), tag(kind::send, slot));
        }
        if (at.receiving) return;
        if (!at.ended) {
            if (at.posted == at.tail) return;  // Full: armed again when a quarter was sent.
            at.receiving = true;
            prepare_recv_multishot(ring_, at.fd, static_cast<std::uint16_t>(slot),
                                   tag(kind::recv, slot));
        } else if (!at.sending) {
            ::close(at.fd);
            connections_.give_back(slot);
            ++closed;
        }
    }

    // Posts every quarter whose bytes have all been sent.
    static void hand_back(connection& at) {
        const std::uint64_t before = at.posted;
        for (; at.posted + quarter_bytes <= at.head + ring_bytes; at.posted += quarter_bytes) {
            const auto quarter = static_cast<std::uint16_t>(at.posted / quarter_bytes % quarters);
            at.group->append(at.ring + std::size_t{quarter} * quarter_bytes, quarter_bytes,
                             quarter);
        }
        if (at.posted != before) at.group->publish();
    }

    raw_ring& ring_;
    counters& counted_;
    std::byte* group_pages_ = nullptr;
    mirrored_slabs memory_;
    slots<connection> connections_;
    std::vector<std::uint32_t> dirty_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    return peer::serve<peer::own_multishot>(wanted, "own-ring-multishot");
}
