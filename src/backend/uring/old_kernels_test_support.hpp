// SPDX-License-Identifier: MIT
// old_kernels_test_support.hpp - what is taken from this kernel to resemble older ones.
#pragma once

#include <array>
#include <cstddef>
#include <initializer_list>
#include <ostream>
#include <string_view>

#include "backend/uring/abi.hpp"
#include "backend/uring/kernel.hpp"

namespace ioring::backends::uring {

struct old_kernel {
    const char* name;
    kernel_mask mask;
    std::string_view rung;  // The one that it allows.
};

// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's word.
inline void PrintTo(const old_kernel& kernel, std::ostream* out) { *out << kernel.name; }

inline void hide(kernel_mask& mask, std::initializer_list<feature> features) {
    for (const feature which : features) mask.features.set(static_cast<std::size_t>(which));
}

// As far as this library can tell, Linux 6.5, 6.1, 6.0 and 5.19, and less than any of them.
inline std::array<old_kernel, 6> old_kernels() {
    kernel_mask none;

    kernel_mask linux_6_5;
    linux_6_5.setup_flags = setup_flag::no_sq_array;
    linux_6_5.enter_flags = enter_bit::ext_arg_reg;
    linux_6_5.register_codes.set(static_cast<std::size_t>(register_code::memory_region));
    hide(linux_6_5, {feature::incremental_buffers, feature::bundles, feature::send_vectorized});

    kernel_mask linux_6_1 = linux_6_5;
    hide(linux_6_1, {feature::timeout_multishot});

    kernel_mask linux_6_0 = linux_6_1;
    linux_6_0.setup_flags |= setup_flag::defer_taskrun;

    kernel_mask linux_5_19 = linux_6_0;
    linux_5_19.setup_flags |= setup_flag::single_issuer;
    hide(linux_5_19, {feature::recv_multishot, feature::send_zero_copy});

    kernel_mask bare = linux_5_19;
    bare.setup_flags |= setup_flag::coop_taskrun | setup_flag::taskrun_flag;
    bare.enter_flags |= enter_bit::registered_ring;
    bare.register_codes.set(static_cast<std::size_t>(register_code::ring_fds));
    bare.features.set();
    // Without these there is no backend at all.
    bare.features.reset(static_cast<std::size_t>(feature::cancel_any));
    bare.features.reset(static_cast<std::size_t>(feature::poll_multishot));

    return {old_kernel{"this_one", none, "deferred, no SQ array"},
            old_kernel{"linux_6_5", linux_6_5, "deferred"},
            old_kernel{"linux_6_1", linux_6_1, "deferred"},
            old_kernel{"linux_6_0", linux_6_0, "cooperative, single issuer"},
            old_kernel{"linux_5_19", linux_5_19, "cooperative"},
            old_kernel{"bare", bare, "plain"}};
}

}  // namespace ioring::backends::uring
