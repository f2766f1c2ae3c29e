// SPDX-License-Identifier: MIT
// peer_uring_shared.cpp - echo with multishot RECV from one shared incremental buffer ring.
//
// 256 chunks of 64 KiB serve all connections; the kernel fills the front chunk with whatever comes,
// so small messages of many connections lie side by side in memory that stays in the cache. Bytes
// are sent straight out of the chunks: all completions of a batch are read first, then each
// connection sends what it has gathered, vectored when it lies in several pieces. A chunk is handed
// back when the kernel is through with it and all its bytes have been sent. With --sendmsg the
// vectored send is always SENDMSG, as it is on kernels without SEND_VECTORIZED.
//
// The kernel holds 16 chunks at a time, the last used first: so a turn receives no more than is
// still in the cache when it is sent. Who finds none waits, and as many are armed again as there
// are chunks.
//
// The yardstick has no answer to many clients that never read: bytes that nobody takes pin the
// chunk that they lie in, and when all chunks are pinned nobody is read from.
#include <sys/mman.h>
#include <sys/uio.h>

#include <algorithm>
#include <vector>

#include "uring_server.hpp"
#include "vectored_send.hpp"

namespace peer {
namespace {

constexpr std::uint32_t chunks = 256;
constexpr std::uint32_t chunk_bytes = 64 * 1024;
constexpr std::uint32_t posted_max = 16;
constexpr std::uint16_t group_id = 0;
constexpr std::size_t pieces_per_send_max = 1024;  // UIO_MAXIOV

// A connection with more unsent bytes than this is not read from until half of them are gone, so
// that a client that never reads cannot take all chunks.
constexpr std::uint64_t unsent_max_bytes = 1'048'576;

// The shared chunks. Positions inside a chunk follow from the order of the completions.
class chunk_pool {
public:
    explicit chunk_pool(raw_ring& ring)
        : memory_(map(std::size_t{chunks} * chunk_bytes)),
          group_(ring, map(chunks * sizeof(pbuf_entry)), chunks, group_id),
          states_(chunks) {
        free_.reserve(chunks);
        for (std::uint32_t chunk = chunks; chunk > 0; --chunk) free_.push_back(chunk - 1);
        publish();
    }

    // Where the `bytes` bytes of a completion lie; its flags name the chunk.
    std::byte* take(std::uint32_t bytes, std::uint32_t flags) {
        const std::uint32_t chunk = flags >> cqe_buffer_shift;
        state& at = states_[chunk];
        std::byte* const data = memory_ + std::size_t{chunk} * chunk_bytes + at.filled;
        at.filled += bytes;
        at.unsent += bytes;
        at.open = (flags & cqe_buffer_more) != 0;
        if (!at.open) --posted_;
        return data;
    }

    // `bytes` bytes at `data`, all of one chunk, have been sent or dropped.
    void release(const void* data, std::uint32_t bytes) {
        const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(data) - memory_);
        const auto chunk = static_cast<std::uint32_t>(offset / chunk_bytes);
        state& at = states_[chunk];
        at.unsent -= bytes;
        if (at.unsent == 0 && !at.open) free_.push_back(chunk);
    }

    // Whether the piece that ends at `end` may grow by bytes that begin there.
    bool continues(const void* end) const {
        return static_cast<std::size_t>(static_cast<const std::byte*>(end) - memory_) %
                   chunk_bytes !=
               0;
    }

    // Posts as many as the kernel may hold. Returns how many it holds.
    std::uint32_t publish() {
        if (posted_ == posted_max || free_.empty()) return posted_;
        for (; posted_ < posted_max && !free_.empty(); ++posted_) {
            const std::uint32_t chunk = free_.back();
            free_.pop_back();
            states_[chunk] = state{};
            group_.append(memory_ + std::size_t{chunk} * chunk_bytes, chunk_bytes,
                          static_cast<std::uint16_t>(chunk));
        }
        group_.publish();
        return posted_;
    }

private:
    struct state {
        std::uint32_t filled = 0;  // bytes the kernel has written
        std::uint32_t unsent = 0;
        bool open = true;  // the kernel still writes to it
    };

    static std::byte* map(std::size_t bytes) {
        void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        if (at == MAP_FAILED) fail("cannot map the shared buffers", errno);
        return static_cast<std::byte*>(at);
    }

    std::byte* memory_;
    buffer_ring group_;
    std::vector<state> states_;
    std::vector<std::uint32_t> free_;
    std::uint32_t posted_ = 0;
};

struct connection {
    int fd = -1;
    std::vector<iovec> pieces;  // received, not sent; the first `first` are gone already
    std::size_t first = 0;
    std::uint64_t unsent = 0;  // bytes in `pieces`
    bool receiving = false;
    bool cancelling = false;
    bool starved = false;  // in the list of those that wait for chunks
    bool sending = false;
    bool ended = false;   // no further recv
    bool failed = false;  // what is not sent yet never will be
    bool dirty = false;   // in the batch's list
};

class shared_pool {
public:
    std::uint64_t closed = 0;

    shared_pool(raw_ring& ring, counters& counted, bool sendmsg)
        : ring_(ring), counted_(counted), pool_(ring), sender_(ring, sendmsg) {
        dirty_.reserve(connections_max);
        starved_.reserve(connections_max);
    }

    bool open(int fd) {
        const std::uint32_t slot = connections_.take();
        if (slot == connections_.none) return false;
        connection& at = connections_[slot];
        at.fd = fd;
        at.ended = at.failed = false;
        mark(slot, at);
        return true;
    }

    void on_completion(kind what, std::uint32_t slot, const cqe& done) {
        connection& at = connections_[slot];
        if (what == kind::recv) {
            on_recv(slot, at, done);
        } else {
            on_send(at, done.res);
        }
        mark(slot, at);
    }

    void end_of_batch() {
        for (const std::uint32_t slot : dirty_) advance(slot, connections_[slot]);
        dirty_.clear();
        const std::size_t fed = std::min<std::size_t>(pool_.publish(), starved_.size());
        if (fed == 0) return;
        for (std::size_t index = 0; index < fed; ++index) {
            const std::uint32_t slot = starved_[index];
            connections_[slot].starved = false;
            advance(slot, connections_[slot]);
        }
        starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(fed));
        // Those who are left may have data, and those who were fed none: no sleep between.
        if (!starved_.empty()) prepare(ring_, opcode::nop, -1, tag(kind::cancel));
    }

private:
    void mark(std::uint32_t slot, connection& at) {
        if (at.dirty) return;
        at.dirty = true;
        dirty_.push_back(slot);
    }

    void on_recv(std::uint32_t slot, connection& at, const cqe& done) {
        at.receiving = (done.flags & cqe_more) != 0;
        if (done.res > 0) {
            const auto bytes = static_cast<std::uint32_t>(done.res);
            append(at, pool_.take(bytes, done.flags), bytes);
            ++counted_.messages;
            counted_.bytes += bytes;
        } else if (done.res == -ENOBUFS) {
            at.starved = true;
            starved_.push_back(slot);
        } else if (done.res != -ECANCELED && !is_transient(done.res)) {
            at.ended = true;
            at.failed = done.res < 0;
        }
        if (!at.receiving) at.cancelling = false;
    }

    void append(connection& at, std::byte* data, std::uint32_t bytes) {
        at.unsent += bytes;
        if (at.pieces.size() != at.first) {
            iovec& last = at.pieces.back();
            const std::byte* const end = static_cast<std::byte*>(last.iov_base) + last.iov_len;
            if (end == data && pool_.continues(end)) {
                last.iov_len += bytes;
                return;
            }
        }
        at.pieces.push_back({data, bytes});
    }

    void on_send(connection& at, std::int32_t res) {
        at.sending = false;
        if (res >= 0) {
            consume(at, static_cast<std::uint32_t>(res));
        } else if (!is_transient(res)) {
            at.ended = at.failed = true;
            if (at.receiving) ::shutdown(at.fd, SHUT_RDWR);  // Ends the recv.
        }
    }

    // The first `bytes` unsent bytes are through.
    void consume(connection& at, std::uint64_t bytes) {
        at.unsent -= bytes;
        while (bytes != 0) {
            iovec& piece = at.pieces[at.first];
            const std::size_t part = piece.iov_len < bytes ? piece.iov_len : bytes;
            pool_.release(piece.iov_base, static_cast<std::uint32_t>(part));
            bytes -= part;
            if (part == piece.iov_len) {
                ++at.first;
            } else {
                piece.iov_base = static_cast<std::byte*>(piece.iov_base) + part;
                piece.iov_len -= part;
            }
        }
        if (at.first == at.pieces.size()) {
            at.pieces.clear();
            at.first = 0;
        }
    }

    // Starts whatever the connection's state allows.
    void advance(std::uint32_t slot, connection& at) {
        at.dirty = false;
        if (at.failed && !at.sending) consume(at, at.unsent);
        if (at.unsent != 0 && !at.sending) {
            const std::size_t pieces = at.pieces.size() - at.first;
            at.sending = true;
            sender_.send(at.fd, &at.pieces[at.first],
                         pieces < pieces_per_send_max ? pieces : pieces_per_send_max,
                         tag(kind::send, slot));
        }
        if (at.receiving) {
            if (at.unsent > unsent_max_bytes && !at.cancelling) {
                at.cancelling = true;
                prepare_cancel(ring_, tag(kind::recv, slot), tag(kind::cancel, slot));
            }
        } else if (at.starved) {
            return;
        } else if (!at.ended) {
            if (at.unsent > unsent_max_bytes / 2) return;
            at.receiving = true;
            prepare_recv_multishot(ring_, at.fd, group_id, tag(kind::recv, slot));
        } else if (!at.sending) {
            ::close(at.fd);
            connections_.give_back(slot);
            ++closed;
        }
    }

    raw_ring& ring_;
    counters& counted_;
    chunk_pool pool_;
    vectored_sender sender_;
    slots<connection> connections_;
    std::vector<std::uint32_t> dirty_;
    std::vector<std::uint32_t> starved_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv, "--sendmsg");
    const char* const name = wanted.flag ? "shared-pool-sendmsg" : "shared-pool";
    return peer::serve<peer::shared_pool>(wanted, name, wanted.flag);
}
