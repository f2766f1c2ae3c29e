// SPDX-License-Identifier: MIT
// provided_ring.cpp - how a group of buffers is made known to a ring, and taken off it.
#include "buffer/provided_ring.hpp"

#include <bit>
#include <cerrno>
#include <memory>

#include "platform/mirror_map.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

using backends::register_op;
using platform::explain;

// Where the search for a free id begins: behind the one that was given out last. All rings share
// it, which only means that their ids differ. From the middle, because people number from 0.
std::atomic<std::uint32_t> next_group{provided_ring::automatic_groups / 2};

// Backends say -EEXIST to other threads than the owner's, whatever they are asked.
bool on_other_thread(ring_state& ring) noexcept {
    return ring.register_with_backend(register_op::wake_descriptor, nullptr, 0) == -EEXIST;
}

std::error_code explain_refusal(int error, std::int32_t wanted, std::string* why) noexcept {
    switch (error) {
        case -EEXIST: explain(why, "the ring has a buffer group ", wanted, " already"); break;
        case -EPERM: explain(why, "a buffer group must be made on its ring's thread"); break;
        case -ENOMEM:
            explain(why,
                    "not enough memory for a buffer group: RLIMIT_MEMLOCK may be too small for "
                    "all of them (ulimit -l)");
            break;
        default:
            explain(why, "the ring refuses a buffer group: ", [&] {
                return platform::error_name(-error);
            });
    }
    return platform::errno_code(-error);
}

}  // namespace

std::size_t provided_ring::alignment() noexcept { return platform::mirror_map::granularity(); }

std::size_t provided_ring::records_bytes(std::uint32_t buffers) noexcept {
    return std::bit_ceil(buffers) * sizeof(buffer_record);
}

provided_ring::provided_ring(void* memory, std::uint32_t buffers) noexcept
    : records_{static_cast<buffer_record*>(memory)},
      entries_{std::bit_ceil(buffers)},
      mask_{static_cast<std::uint16_t>(entries_ - 1)} {
    for (std::uint32_t index = 0; index < entries_; ++index) {
        std::construct_at(records_ + index);
    }
}

std::error_code provided_ring::add_to(ring_state& ring, std::int32_t wanted, bool incremental,
                                      std::string* why) noexcept {
    assert(!added_);
    backends::buffer_ring request{
        .records = records_, .entries = entries_, .group = 0, .incremental = incremental};
    const std::uint32_t tries = wanted == automatic ? automatic_groups : 1;
    for (std::uint32_t attempt = 0; attempt < tries; ++attempt) {
        request.group = wanted == automatic
                            ? automatic_group(next_group.fetch_add(1, std::memory_order_relaxed))
                            : static_cast<std::uint16_t>(wanted);
        const int error = ring.register_with_backend(register_op::add_buffer_ring, &request, 0);
        if (error >= 0) {
            group_ = request.group;
            added_ = true;
            return {};
        }
        if (error == -EEXIST && on_other_thread(ring)) return explain_refusal(-EPERM, wanted, why);
        if (error != -EEXIST || wanted != automatic) return explain_refusal(error, wanted, why);
    }
    explain(why, "the ring has ", automatic_groups, " buffer groups already");
    return std::make_error_code(std::errc::no_buffer_space);
}

provided_ring::removal provided_ring::remove_from(ring_state& ring) noexcept {
    if (ring.forked()) return removal::forked;
    if (!added_ || ring.is_shut_down()) return removal::no_ring;
    const int error = ring.register_with_backend(register_op::remove_buffer_ring, nullptr, group_);
    if (error < 0) return removal::refused;
    added_ = false;
    return removal::done;
}

}  // namespace ioring::detail
