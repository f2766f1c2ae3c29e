// SPDX-License-Identifier: MIT
// abi_test.cpp - the numbers and structs of abi.hpp are the kernel's.
//
// Against <linux/io_uring.h> of Linux 6.1 or newer; what came later against Linux 6.18's interface,
// written out.
#include "backend/uring/abi.hpp"

#include <gtest/gtest.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>

#include <cstddef>

namespace ioring::backends::uring {
namespace {

static_assert(call_setup == __NR_io_uring_setup);
static_assert(call_enter == __NR_io_uring_enter);
static_assert(call_register == __NR_io_uring_register);

// --- newer than a 6.1 header ---

static_assert(setup_flag::no_sq_array == 0x10000);
static_assert(enter_bit::ext_arg_reg == 0x40);
static_assert(static_cast<int>(register_code::memory_region) == 34);
static_assert(region_of_user == 1 && region_for_waits == 1 && wait_has_timeout == 1);
static_assert(buffer_ring_incremental == 2);
static_assert(offsetof(registered_wait_arg, timeout) == 0);
static_assert(offsetof(registered_wait_arg, min_wait_us) == 16);
static_assert(offsetof(registered_wait_arg, flags) == 20);
static_assert(offsetof(registered_wait_arg, sigmask) == 24);
static_assert(offsetof(registered_wait_arg, sigmask_bytes) == 32);
static_assert(sizeof(registered_wait_arg) == 64);
static_assert(offsetof(region_description, user_addr) == 0);
static_assert(offsetof(region_description, bytes) == 8);
static_assert(offsetof(region_description, flags) == 16);
static_assert(offsetof(region_description, id) == 20);
static_assert(offsetof(region_description, map_offset) == 24);
static_assert(sizeof(region_description) == 64);
static_assert(offsetof(region_registration, description) == 0);
static_assert(offsetof(region_registration, flags) == 8);
static_assert(sizeof(region_registration) == 32);

// --- against the header ---

#if defined(IORING_SETUP_DEFER_TASKRUN)

static_assert(setup_flag::cq_size == IORING_SETUP_CQSIZE);
static_assert(setup_flag::clamp == IORING_SETUP_CLAMP);
static_assert(setup_flag::ring_disabled == IORING_SETUP_R_DISABLED);
static_assert(setup_flag::submit_all == IORING_SETUP_SUBMIT_ALL);
static_assert(setup_flag::coop_taskrun == IORING_SETUP_COOP_TASKRUN);
static_assert(setup_flag::taskrun_flag == IORING_SETUP_TASKRUN_FLAG);
static_assert(setup_flag::single_issuer == IORING_SETUP_SINGLE_ISSUER);
static_assert(setup_flag::defer_taskrun == IORING_SETUP_DEFER_TASKRUN);

static_assert(kernel_feature::single_mmap == IORING_FEAT_SINGLE_MMAP);
static_assert(kernel_feature::no_drop == IORING_FEAT_NODROP);
static_assert(kernel_feature::ext_arg == IORING_FEAT_EXT_ARG);

static_assert(enter_bit::getevents == IORING_ENTER_GETEVENTS);
static_assert(enter_bit::ext_arg == IORING_ENTER_EXT_ARG);
static_assert(enter_bit::registered_ring == IORING_ENTER_REGISTERED_RING);

constexpr int number_of(register_code code) { return static_cast<int>(code); }
static_assert(number_of(register_code::unregister_buffers) == IORING_UNREGISTER_BUFFERS);
static_assert(number_of(register_code::probe) == IORING_REGISTER_PROBE);
static_assert(number_of(register_code::enable_rings) == IORING_REGISTER_ENABLE_RINGS);
static_assert(number_of(register_code::buffers2) == IORING_REGISTER_BUFFERS2);
static_assert(number_of(register_code::buffers_update) == IORING_REGISTER_BUFFERS_UPDATE);
static_assert(number_of(register_code::ring_fds) == IORING_REGISTER_RING_FDS);
static_assert(number_of(register_code::unregister_ring_fds) == IORING_UNREGISTER_RING_FDS);
static_assert(number_of(register_code::buffer_ring) == IORING_REGISTER_PBUF_RING);
static_assert(number_of(register_code::unregister_buffer_ring) == IORING_UNREGISTER_PBUF_RING);

static_assert(map_offset_rings == IORING_OFF_SQ_RING);
static_assert(map_offset_sqes == IORING_OFF_SQES);

static_assert(sizeof(sq_offsets) == sizeof(io_sqring_offsets));
static_assert(offsetof(sq_offsets, head) == offsetof(io_sqring_offsets, head));
static_assert(offsetof(sq_offsets, tail) == offsetof(io_sqring_offsets, tail));
static_assert(offsetof(sq_offsets, flags) == offsetof(io_sqring_offsets, flags));
static_assert(offsetof(sq_offsets, array) == offsetof(io_sqring_offsets, array));
static_assert(sizeof(cq_offsets) == sizeof(io_cqring_offsets));
static_assert(offsetof(cq_offsets, head) == offsetof(io_cqring_offsets, head));
static_assert(offsetof(cq_offsets, tail) == offsetof(io_cqring_offsets, tail));
static_assert(offsetof(cq_offsets, overflow) == offsetof(io_cqring_offsets, overflow));
static_assert(offsetof(cq_offsets, cqes) == offsetof(io_cqring_offsets, cqes));
static_assert(sizeof(ring_params) == sizeof(io_uring_params));
static_assert(offsetof(ring_params, sq_entries) == offsetof(io_uring_params, sq_entries));
static_assert(offsetof(ring_params, cq_entries) == offsetof(io_uring_params, cq_entries));
static_assert(offsetof(ring_params, flags) == offsetof(io_uring_params, flags));
static_assert(offsetof(ring_params, features) == offsetof(io_uring_params, features));
static_assert(offsetof(ring_params, sq_off) == offsetof(io_uring_params, sq_off));
static_assert(offsetof(ring_params, cq_off) == offsetof(io_uring_params, cq_off));

static_assert(sizeof(getevents_arg) == sizeof(io_uring_getevents_arg));
static_assert(offsetof(getevents_arg, sigmask) == offsetof(io_uring_getevents_arg, sigmask));
static_assert(offsetof(getevents_arg, timespec) == offsetof(io_uring_getevents_arg, ts));

static_assert(sizeof(descriptor_update) == sizeof(io_uring_rsrc_update));
static_assert(offsetof(descriptor_update, offset) == offsetof(io_uring_rsrc_update, offset));
static_assert(offsetof(descriptor_update, data) == offsetof(io_uring_rsrc_update, data));

static_assert(sizeof(resource_registration) == sizeof(io_uring_rsrc_register));
static_assert(offsetof(resource_registration, count) == offsetof(io_uring_rsrc_register, nr));
static_assert(offsetof(resource_registration, flags) == offsetof(io_uring_rsrc_register, flags));
static_assert(offsetof(resource_registration, data) == offsetof(io_uring_rsrc_register, data));
static_assert(sparse_resources == IORING_RSRC_REGISTER_SPARSE);

static_assert(sizeof(resource_update) == sizeof(io_uring_rsrc_update2));
static_assert(offsetof(resource_update, offset) == offsetof(io_uring_rsrc_update2, offset));
static_assert(offsetof(resource_update, data) == offsetof(io_uring_rsrc_update2, data));
static_assert(offsetof(resource_update, tags) == offsetof(io_uring_rsrc_update2, tags));
static_assert(offsetof(resource_update, count) == offsetof(io_uring_rsrc_update2, nr));

static_assert(sizeof(buffer_ring_registration) == sizeof(io_uring_buf_reg));
static_assert(offsetof(buffer_ring_registration, records) == offsetof(io_uring_buf_reg, ring_addr));
static_assert(offsetof(buffer_ring_registration, entries) ==
              offsetof(io_uring_buf_reg, ring_entries));
static_assert(offsetof(buffer_ring_registration, group) == offsetof(io_uring_buf_reg, bgid));
static_assert(sizeof(buffer_record) == sizeof(io_uring_buf));
static_assert(offsetof(buffer_record, addr) == offsetof(io_uring_buf, addr));
static_assert(offsetof(buffer_record, bytes) == offsetof(io_uring_buf, len));
static_assert(offsetof(buffer_record, id) == offsetof(io_uring_buf, bid));
static_assert(offsetof(buffer_record, resv) == offsetof(io_uring_buf_ring, tail));

static_assert(sizeof(probe_operation) == sizeof(io_uring_probe_op));
static_assert(offsetof(probe_operation, flags) == offsetof(io_uring_probe_op, flags));
static_assert(offsetof(probe_answer, operations_count) == offsetof(io_uring_probe, ops_len));
static_assert(offsetof(probe_answer, operations) == sizeof(io_uring_probe));
static_assert(operation_supported == IO_URING_OP_SUPPORTED);

#endif

// The rest is asserted above, when this file is compiled.
TEST(abi_test, zeroed_arguments_have_no_padding_to_leak) {
    EXPECT_EQ(sizeof(getevents_arg), 8U + 4U + 4U + 8U);
    EXPECT_EQ(sizeof(resource_update), 4U + 4U + 8U + 8U + 4U + 4U);
    EXPECT_EQ(sizeof(buffer_ring_registration), 8U + 4U + 2U + 2U + 24U);
}

}  // namespace
}  // namespace ioring::backends::uring
