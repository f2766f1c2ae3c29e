// SPDX-License-Identifier: MIT
// raw_uring.cpp - set-up, mapping and enter by bare system calls.
#include "raw_uring.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "peer.hpp"

namespace peer {
namespace {

constexpr long setup_number = 425;
constexpr long enter_number = 426;
constexpr long register_number = 427;

constexpr std::uint32_t setup_flags = setup_single_issuer | setup_defer_taskrun | setup_no_sqarray |
                                      setup_submit_all | setup_cqsize | setup_clamp;

std::byte* map_region(int fd, std::size_t bytes, std::uint64_t offset) {
    void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
                            static_cast<off_t>(offset));
    if (at == MAP_FAILED) fail("cannot map the io_uring", errno);
    return static_cast<std::byte*>(at);
}

}  // namespace

raw_ring::raw_ring(std::uint32_t sq_entries, std::uint32_t cq_entries) {
    ring_params params{};
    params.flags = setup_flags;
    params.cq_entries = cq_entries;
    fd_ = static_cast<int>(::syscall(setup_number, sq_entries, &params));
    if (fd_ < 0) fail_unsupported("io_uring cannot be set up as this benchmark wants it", errno);
    map(params);
    register_descriptor();
}

void raw_ring::map(const ring_params& params) {
    // Every kernel that takes our flags has FEAT_SINGLE_MMAP: both rings in one mapping.
    const std::size_t bytes =
        params.cq_off.cqes + static_cast<std::size_t>(params.cq_entries) * sizeof(cqe);
    std::byte* const base = map_region(fd_, bytes, offset_rings);
    const auto word = [base](std::uint32_t offset) {
        return reinterpret_cast<shared_word*>(base + offset);
    };
    sq_tail_ = word(params.sq_off.tail);
    cq_head_ = word(params.cq_off.head);
    cq_tail_ = word(params.cq_off.tail);
    cqes_ = reinterpret_cast<const cqe*>(base + params.cq_off.cqes);
    sq_mask_ = params.sq_entries - 1;
    cq_mask_ = params.cq_entries - 1;
    sqes_ = reinterpret_cast<sqe*>(map_region(fd_, params.sq_entries * sizeof(sqe), offset_sqes));
}

void raw_ring::register_descriptor() {
    ring_fd_update update{};
    update.offset = ~0U;  // any free index
    update.data = static_cast<std::uint64_t>(fd_);
    if (::syscall(register_number, fd_, register_ring_fds, &update, 1) != 1)
        fail("cannot register the ring's descriptor", errno);
    registered_index_ = static_cast<int>(update.offset);
}

void raw_ring::register_buffer_ring(pbuf_entry* ring, std::uint32_t entries, std::uint16_t group) {
    pbuf_registration registration{};
    registration.ring_addr = address_of(ring);
    registration.ring_entries = entries;
    registration.bgid = group;
    registration.flags = pbuf_ring_incremental;
    if (::syscall(register_number, fd_, register_pbuf_ring, &registration, 1) < 0) {
        if (errno == EINVAL) fail_unsupported("no incremental buffer rings here", errno);
        fail("cannot register a buffer ring", errno);
    }
}

void raw_ring::flush() {
    constexpr int tries_max = 1000;
    for (int tries = 0; sqe_tail_ - submitted_ > sq_mask_; ++tries) {
        if (tries == tries_max) fail("the kernel takes no more requests", EBUSY);
        enter(/*wait_count=*/0, 0);
    }
}

void raw_ring::enter(std::uint32_t wait_count, std::uint32_t flags) {
    // Release: the entries are written before the kernel sees the tail.
    sq_tail_->store(sqe_tail_, std::memory_order_release);
    ++enters_;
    const long taken = ::syscall(enter_number, registered_index_, sqe_tail_ - submitted_,
                                 wait_count, flags | enter_registered_ring, nullptr, 0);
    if (taken >= 0) {
        submitted_ += static_cast<std::uint32_t>(taken);
    } else if (errno != EINTR && errno != EAGAIN && errno != EBUSY) {
        // EAGAIN and EBUSY: the caller reaps and enters again.
        fail("io_uring_enter", errno);
    }
}

sqe& prepare_accept_multishot(raw_ring& ring, int listener, std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::accept, listener, user_data);
    entry.ioprio = accept_multishot;
    entry.op_flags = SOCK_CLOEXEC;
    return entry;
}

sqe& prepare_poll_in(raw_ring& ring, int fd, std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::poll_add, fd, user_data);
    entry.op_flags = POLLIN;
    return entry;
}

sqe& prepare_cancel(raw_ring& ring, std::uint64_t target, std::uint64_t user_data) {
    sqe& entry = prepare(ring, opcode::async_cancel, -1, user_data);
    entry.addr = target;
    return entry;
}

}  // namespace peer
