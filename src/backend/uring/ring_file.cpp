// SPDX-License-Identifier: MIT
// ring_file.cpp - setting up a ring and finding its words in the mapped memory.
#include "backend/uring/ring_file.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ioring::backends::uring {
namespace {

constexpr std::uint32_t every_ring =
    setup_flag::cq_size | setup_flag::clamp | setup_flag::ring_disabled;

bool has_sq_array(const ring_params& params) noexcept {
    return (params.flags & setup_flag::no_sq_array) == 0;
}

std::size_t queues_bytes(const ring_params& params) noexcept {
    const std::size_t cq = params.cq_off.cqes + std::size_t{params.cq_entries} * sizeof(cqe);
    if (!has_sq_array(params)) return cq;
    const std::size_t sq =
        params.sq_off.array + std::size_t{params.sq_entries} * sizeof(std::uint32_t);
    return std::max(cq, sq);
}

}  // namespace

int ring_file::create(const kernel& kernel, std::uint32_t setup_flags, std::uint32_t sq_entries,
                      std::uint32_t cq_entries, ring_file& out) noexcept {
    ring_params params{};
    params.flags = setup_flags | every_ring;
    params.cq_entries = cq_entries;
    const int file = kernel.setup(sq_entries, params);
    if (file < 0) return file;

    ring_file made;
    made.file_ = descriptor{file};  // Close-on-exec: the kernel makes all of them so.
    if (const int error = made.map(params); error != 0) return error;
    out = std::move(made);
    return 0;
}

int ring_file::map(const ring_params& params) noexcept {
    // Since 5.4, and the floor is 5.19.
    assert((params.features & kernel_feature::single_mmap) != 0);
    if (const int error = mapping::of_ring(get(), map_offset_rings, queues_bytes(params), queues_);
        error != 0) {
        return error;
    }
    const std::size_t sqes_bytes = std::size_t{params.sq_entries} * sizeof(sqe);
    if (const int error = mapping::of_ring(get(), map_offset_sqes, sqes_bytes, sqes_); error != 0) {
        return error;
    }
    if (has_sq_array(params)) {
        // The indirection is never used: entry i is always SQE i.
        auto* const array = queues_.at<std::uint32_t>(params.sq_off.array);
        for (std::uint32_t i = 0; i < params.sq_entries; ++i) array[i] = i;
    }
    fill_view(params);
    return 0;
}

void ring_file::fill_view(const ring_params& params) noexcept {
    using word = std::atomic<std::uint32_t>;
    view_.sqes = sqes_.at<sqe>(0);
    view_.cqes = queues_.at<cqe>(params.cq_off.cqes);
    view_.sq_head = queues_.at<word>(params.sq_off.head);
    view_.sq_tail = queues_.at<word>(params.sq_off.tail);
    view_.sq_flags = queues_.at<word>(params.sq_off.flags);
    view_.cq_head = queues_.at<word>(params.cq_off.head);
    view_.cq_tail = queues_.at<word>(params.cq_off.tail);
    view_.cq_overflow = queues_.at<word>(params.cq_off.overflow);
    view_.sq_entries = params.sq_entries;
    view_.cq_entries = params.cq_entries;
}

}  // namespace ioring::backends::uring
