// SPDX-License-Identifier: MIT
// raw_uring_abi.hpp - the part of the kernel's io_uring interface that the benchmark peers use.
//
// Written out here because distribution headers are older than the kernels the peers run on, and
// because a yardstick must not share code with what it measures.
#pragma once

#include <cstddef>
#include <cstdint>

namespace peer {

inline constexpr std::uint32_t setup_cqsize = 1U << 3;
inline constexpr std::uint32_t setup_clamp = 1U << 4;
inline constexpr std::uint32_t setup_submit_all = 1U << 7;
inline constexpr std::uint32_t setup_single_issuer = 1U << 12;
inline constexpr std::uint32_t setup_defer_taskrun = 1U << 13;
inline constexpr std::uint32_t setup_no_sqarray = 1U << 16;

inline constexpr std::uint32_t enter_getevents = 1U << 0;
inline constexpr std::uint32_t enter_registered_ring = 1U << 4;

inline constexpr unsigned register_ring_fds = 20;
inline constexpr unsigned register_pbuf_ring = 22;

inline constexpr std::uint64_t offset_rings = 0;
inline constexpr std::uint64_t offset_sqes = 0x10000000;

enum class opcode : std::uint8_t {
    nop = 0,
    poll_add = 6,
    sendmsg = 9,
    accept = 13,
    async_cancel = 14,
    send = 26,
    recv = 27,
};

inline constexpr std::uint8_t sqe_buffer_select = 1U << 5;

// Flags in sqe::ioprio.
inline constexpr std::uint16_t accept_multishot = 1U << 0;
inline constexpr std::uint16_t recv_multishot = 1U << 1;
inline constexpr std::uint16_t send_vectorized = 1U << 5;

inline constexpr std::uint32_t cqe_has_buffer = 1U << 0;
inline constexpr std::uint32_t cqe_more = 1U << 1;
inline constexpr std::uint32_t cqe_buffer_more = 1U << 4;
inline constexpr unsigned cqe_buffer_shift = 16;

inline constexpr std::uint16_t pbuf_ring_incremental = 2;

struct sqe {
    opcode code;
    std::uint8_t flags;
    std::uint16_t ioprio;
    std::int32_t fd;
    std::uint64_t off;
    std::uint64_t addr;
    std::uint32_t len;
    std::uint32_t op_flags;  // msg_flags, accept_flags, poll32_events, cancel_flags
    std::uint64_t user_data;
    std::uint16_t buf_group;
    std::uint16_t personality;
    std::int32_t file_index;
    std::uint64_t addr3;
    std::uint64_t pad;
};
static_assert(sizeof(sqe) == 64 && offsetof(sqe, user_data) == 32 &&
              offsetof(sqe, buf_group) == 40);

struct cqe {
    std::uint64_t user_data;
    std::int32_t res;
    std::uint32_t flags;
};
static_assert(sizeof(cqe) == 16);

struct sq_offsets {
    std::uint32_t head, tail, ring_mask, ring_entries, flags, dropped, array, resv1;
    std::uint64_t user_addr;
};

struct cq_offsets {
    std::uint32_t head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv1;
    std::uint64_t user_addr;
};

struct ring_params {
    std::uint32_t sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd;
    std::uint32_t resv[3];
    sq_offsets sq_off;
    cq_offsets cq_off;
};
static_assert(sizeof(ring_params) == 120);

struct ring_fd_update {
    std::uint32_t offset, resv;
    std::uint64_t data;
};

// One provided buffer. The tail of the whole ring lies over `resv` of entry 0: never write it.
struct pbuf_entry {
    std::uint64_t addr;
    std::uint32_t len;
    std::uint16_t bid;
    std::uint16_t resv;
};
static_assert(sizeof(pbuf_entry) == 16 && offsetof(pbuf_entry, resv) == 14);

struct pbuf_registration {
    std::uint64_t ring_addr;
    std::uint32_t ring_entries;
    std::uint16_t bgid;
    std::uint16_t flags;
    std::uint64_t resv[3];
};
static_assert(sizeof(pbuf_registration) == 40);

}  // namespace peer
