// SPDX-License-Identifier: MIT
// kernel.cpp - the three system calls, with and without a mask.
#include "backend/uring/kernel.hpp"

#include "ioring/prep.hpp"
#include "platform/bare_call.hpp"

namespace ioring::backends::uring {
namespace {

using platform::bare_call;

long pointer(const void* to) noexcept { return static_cast<long>(ioring::detail::address_of(to)); }

}  // namespace

int call_io_uring_setup(std::uint32_t entries, ring_params& params) noexcept {
    return static_cast<int>(bare_call(call_setup, entries, pointer(&params), 0, 0, 0, 0));
}

int call_io_uring_enter(int ring, std::uint32_t to_submit, std::uint32_t min_complete,
                        std::uint32_t flags, const void* argument,
                        std::size_t argument_bytes) noexcept {
    return static_cast<int>(bare_call(call_enter, ring, to_submit, min_complete, flags,
                                      pointer(argument), static_cast<long>(argument_bytes)));
}

int call_io_uring_register(int ring, register_code code, void* argument,
                           std::uint32_t count) noexcept {
    return static_cast<int>(
        bare_call(call_register, ring, static_cast<long>(code), pointer(argument), count, 0, 0));
}

int kernel::setup(std::uint32_t entries, ring_params& params) const noexcept {
    if ((params.flags & mask_.setup_flags) != 0) return -EINVAL;
    return call_io_uring_setup(entries, params);
}

int kernel::enter(int ring, std::uint32_t to_submit, std::uint32_t min_complete,
                  std::uint32_t flags, const void* argument,
                  std::size_t argument_bytes) const noexcept {
    if ((flags & mask_.enter_flags) != 0) return -EINVAL;
    return call_io_uring_enter(ring, to_submit, min_complete, flags, argument, argument_bytes);
}

int kernel::register_(int ring, register_code code, void* argument,
                      std::uint32_t count) const noexcept {
    if (mask_.register_codes.test(static_cast<std::size_t>(code))) return -EINVAL;
    return call_io_uring_register(ring, code, argument, count);
}

}  // namespace ioring::backends::uring
