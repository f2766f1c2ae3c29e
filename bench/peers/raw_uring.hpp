// SPDX-License-Identifier: MIT
// raw_uring.hpp - io_uring as a peer uses it: set up, fill an entry, enter, reap.
//
// Set up the way the library's best case is: SINGLE_ISSUER, DEFER_TASKRUN, NO_SQARRAY, SUBMIT_ALL,
// CQSIZE, CLAMP and a registered ring descriptor. A kernel that refuses this is no place for the
// yardstick: set-up then ends the program with `exit_unsupported`.
//
// One thread. Nothing is freed: the process ends with the ring.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>

#include "raw_uring_abi.hpp"

namespace peer {

// The address of memory as the kernel's entries carry it.
inline std::uint64_t address_of(const void* memory) noexcept {
    return reinterpret_cast<std::uintptr_t>(memory);
}

class raw_ring {
public:
    raw_ring(std::uint32_t sq_entries, std::uint32_t cq_entries);
    raw_ring(const raw_ring&) = delete;
    raw_ring& operator=(const raw_ring&) = delete;

    // The next entry, zeroed. Submits what is there when the queue is full, so it never fails.
    sqe& next_sqe() {
        if (sqe_tail_ - submitted_ > sq_mask_) flush();
        sqe& entry = sqes_[sqe_tail_++ & sq_mask_];
        entry = sqe{};
        return entry;
    }

    // Submits everything and waits until one completion is there or a signal came.
    void submit_and_wait() { enter(/*wait_count=*/1, enter_getevents); }

    // Calls `handle(const cqe&)` for everything that is there, oldest first.
    template <typename Handler>
    void reap(Handler&& handle) {
        std::uint32_t head = cq_head_->load(std::memory_order_relaxed);
        // Acquire: pairs with the kernel's store after it wrote the entries.
        const std::uint32_t tail = cq_tail_->load(std::memory_order_acquire);
        for (; head != tail; ++head) handle(cqes_[head & cq_mask_]);
        // Release: the entries were read before the kernel may write them again.
        cq_head_->store(head, std::memory_order_release);
    }

    // Registers `entries` (a power of two) at `ring`, page-aligned, as buffer group `group`.
    void register_buffer_ring(pbuf_entry* ring, std::uint32_t entries, std::uint16_t group);

    std::uint64_t enters() const noexcept { return enters_; }

private:
    using shared_word = std::atomic<std::uint32_t>;
    static_assert(sizeof(shared_word) == 4 && shared_word::is_always_lock_free);

    void map(const ring_params& params);
    void register_descriptor();
    void flush();
    void enter(std::uint32_t wait_count, std::uint32_t flags);

    int fd_ = -1;
    int registered_index_ = -1;
    sqe* sqes_ = nullptr;
    const cqe* cqes_ = nullptr;
    shared_word* sq_tail_ = nullptr;
    shared_word* cq_head_ = nullptr;
    shared_word* cq_tail_ = nullptr;
    std::uint32_t sq_mask_ = 0;
    std::uint32_t cq_mask_ = 0;
    std::uint32_t sqe_tail_ = 0;   // filled by us
    std::uint32_t submitted_ = 0;  // taken by the kernel
    std::uint64_t enters_ = 0;
};

// A ring of provided buffers. The kernel takes entries from the front, we append and publish.
class buffer_ring {
public:
    // `memory` holds `entries` entries, page-aligned and zeroed, and outlives the ring.
    buffer_ring(raw_ring& ring, void* memory, std::uint32_t entries, std::uint16_t group)
        : entries_(static_cast<pbuf_entry*>(memory)), mask_(entries - 1) {
        ring.register_buffer_ring(entries_, entries, group);
    }

    void append(void* data, std::uint32_t bytes, std::uint16_t bid) {
        pbuf_entry& entry = entries_[tail_++ & mask_];
        entry.addr = address_of(data);
        entry.len = bytes;
        entry.bid = bid;
    }

    void publish() {
        auto* tail = reinterpret_cast<std::atomic<std::uint16_t>*>(&entries_[0].resv);
        // Release: the kernel may read the entries once it sees the tail.
        tail->store(tail_, std::memory_order_release);
    }

private:
    pbuf_entry* entries_;
    std::uint32_t mask_;
    std::uint16_t tail_ = 0;
};

// The requests that the peers make. Each returns the entry, for further flags.

inline sqe& prepare(raw_ring& ring, opcode code, int fd, std::uint64_t user_data) {
    sqe& entry = ring.next_sqe();
    entry.code = code;
    entry.fd = fd;
    entry.user_data = user_data;
    return entry;
}

sqe& prepare_accept_multishot(raw_ring& ring, int listener, std::uint64_t user_data);
sqe& prepare_poll_in(raw_ring& ring, int fd, std::uint64_t user_data);
sqe& prepare_cancel(raw_ring& ring, std::uint64_t target, std::uint64_t user_data);

inline sqe& prepare_recv(raw_ring& ring, int fd, void* to, std::uint32_t bytes,
                         std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::recv, fd, user_data);
    entry.addr = address_of(to);
    entry.len = bytes;
    return entry;
}

inline sqe& prepare_recv_multishot(raw_ring& ring, int fd, std::uint16_t group,
                                   std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::recv, fd, user_data);
    entry.flags = sqe_buffer_select;
    entry.ioprio = recv_multishot;
    entry.buf_group = group;
    return entry;
}

// Sends all of it (WAITALL: the kernel retries short sends) without SIGPIPE (NOSIGNAL).
inline sqe& prepare_send(raw_ring& ring, int fd, const void* from, std::uint32_t bytes,
                         std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::send, fd, user_data);
    entry.addr = address_of(from);
    entry.len = bytes;
    entry.op_flags = MSG_NOSIGNAL | MSG_WAITALL;
    return entry;
}

}  // namespace peer
