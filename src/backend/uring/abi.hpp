// SPDX-License-Identifier: MIT
// abi.hpp - the kernel's io_uring interface beyond the entries themselves.
//
// Written out because a distribution's <linux/io_uring.h> is usually older than the kernel that
// runs under it; abi_test.cpp asserts what that header has. Versions are those of the first kernel
// that takes the bit; whether this one does is found by trial.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ioring/sqe.hpp"

namespace ioring::backends::uring {

// System calls: the same numbers on every architecture (Alpha's table excepted).
inline constexpr long call_setup = 425;
inline constexpr long call_enter = 426;
inline constexpr long call_register = 427;

// Bits of `ring_params::flags`.
namespace setup_flag {
inline constexpr std::uint32_t cq_size = 1U << 3;
inline constexpr std::uint32_t clamp = 1U << 4;
inline constexpr std::uint32_t ring_disabled = 1U << 6;   // 5.10
inline constexpr std::uint32_t submit_all = 1U << 7;      // 5.18
inline constexpr std::uint32_t coop_taskrun = 1U << 8;    // 5.19
inline constexpr std::uint32_t taskrun_flag = 1U << 9;    // 5.19
inline constexpr std::uint32_t single_issuer = 1U << 12;  // 6.0
inline constexpr std::uint32_t defer_taskrun = 1U << 13;  // 6.1
inline constexpr std::uint32_t no_sq_array = 1U << 16;    // 6.6
}  // namespace setup_flag

// Bits of `ring_params::features`, which the kernel fills.
namespace kernel_feature {
inline constexpr std::uint32_t single_mmap = 1U << 0;
inline constexpr std::uint32_t no_drop = 1U << 1;
inline constexpr std::uint32_t ext_arg = 1U << 8;
}  // namespace kernel_feature

// Bits of io_uring_enter's `flags`.
namespace enter_bit {
inline constexpr std::uint32_t getevents = 1U << 0;
inline constexpr std::uint32_t ext_arg = 1U << 3;          // 5.11
inline constexpr std::uint32_t registered_ring = 1U << 4;  // 5.18
inline constexpr std::uint32_t ext_arg_reg = 1U << 6;      // 6.13
}  // namespace enter_bit

// io_uring_register's `opcode`.
enum class register_code : std::uint32_t {
    unregister_buffers = 1,
    probe = 8,
    enable_rings = 12,
    buffers2 = 15,
    buffers_update = 16,
    ring_fds = 20,
    unregister_ring_fds = 21,
    buffer_ring = 22,             // 5.19
    unregister_buffer_ring = 23,  // 5.19
    memory_region = 34,           // 6.13
};

// Offsets for mmap() of a ring's descriptor. The completion queue shares the first mapping.
inline constexpr std::uint64_t map_offset_rings = 0;
inline constexpr std::uint64_t map_offset_sqes = 0x1000'0000;

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
static_assert(sizeof(sq_offsets) == 40 && sizeof(cq_offsets) == 40 && sizeof(ring_params) == 120);

// What enter takes with enter_bit::ext_arg.
struct getevents_arg {
    std::uint64_t sigmask;
    std::uint32_t sigmask_bytes;
    std::uint32_t min_wait_us;
    std::uint64_t timespec;
};
static_assert(sizeof(getevents_arg) == 24);

// What enter takes, by its offset in the registered memory, with ext_arg and ext_arg_reg.
struct registered_wait_arg {
    kernel_timespec timeout;
    std::uint32_t min_wait_us;
    std::uint32_t flags;
    std::uint64_t sigmask;
    std::uint32_t sigmask_bytes;
    std::uint32_t pad[3];
    std::uint64_t pad2[2];
};
static_assert(sizeof(registered_wait_arg) == 64);
inline constexpr std::uint32_t wait_has_timeout = 1U << 0;

// register_code::memory_region.
struct region_description {
    std::uint64_t user_addr;
    std::uint64_t bytes;
    std::uint32_t flags;
    std::uint32_t id;
    std::uint64_t map_offset;
    std::uint64_t resv[4];
};
static_assert(sizeof(region_description) == 64);
inline constexpr std::uint32_t region_of_user = 1U << 0;

struct region_registration {
    std::uint64_t description;  // Address of a region_description.
    std::uint64_t flags;
    std::uint64_t resv[2];
};
static_assert(sizeof(region_registration) == 32);
inline constexpr std::uint64_t region_for_waits = 1U << 0;

// register_code::ring_fds and unregister_ring_fds.
struct descriptor_update {
    std::uint32_t offset;
    std::uint32_t resv;
    std::uint64_t data;
};
static_assert(sizeof(descriptor_update) == 16);
inline constexpr std::uint32_t any_offset = ~std::uint32_t{0};

// register_code::buffers2.
struct resource_registration {
    std::uint32_t count;
    std::uint32_t flags;
    std::uint64_t resv2;
    std::uint64_t data;
    std::uint64_t tags;
};
static_assert(sizeof(resource_registration) == 32);
inline constexpr std::uint32_t sparse_resources = 1U << 0;  // 5.19

// register_code::buffers_update.
struct resource_update {
    std::uint32_t offset;
    std::uint32_t resv;
    std::uint64_t data;
    std::uint64_t tags;
    std::uint32_t count;
    std::uint32_t resv2;
};
static_assert(sizeof(resource_update) == 32);

// register_code::buffer_ring and unregister_buffer_ring.
struct buffer_ring_registration {
    std::uint64_t records;
    std::uint32_t entries;
    std::uint16_t group;
    std::uint16_t flags;
    std::uint64_t resv[3];
};
static_assert(sizeof(buffer_ring_registration) == 40);
inline constexpr std::uint16_t buffer_ring_incremental = 2;  // 6.12

// One record of such a ring. The tail of the whole ring lies over `resv` of the first record.
struct buffer_record {
    std::uint64_t addr;
    std::uint32_t bytes;
    std::uint16_t id;
    std::uint16_t resv;
};
static_assert(sizeof(buffer_record) == 16 && offsetof(buffer_record, resv) == 14);

// register_code::probe.
struct probe_operation {
    std::uint8_t code;
    std::uint8_t resv;
    std::uint16_t flags;
    std::uint32_t resv2;
};
inline constexpr std::uint16_t operation_supported = 1U << 0;
inline constexpr std::uint32_t probe_operations = 256;

struct probe_answer {
    std::uint8_t last_code;
    std::uint8_t operations_count;
    std::uint16_t resv;
    std::uint32_t resv2[3];
    probe_operation operations[probe_operations];
};
static_assert(sizeof(probe_answer) == 16 + 8 * probe_operations);

}  // namespace ioring::backends::uring
