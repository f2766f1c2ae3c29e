// SPDX-License-Identifier: MIT
// wait_region.cpp - the page of wait arguments that the kernel has pinned.
#include "backend/uring/wait_region.hpp"

#include <unistd.h>

#include <cassert>
#include <new>
#include <utility>

#include "ioring/prep.hpp"

namespace ioring::backends::uring {

kernel_timespec timespec_of(std::int64_t time_ns) noexcept {
    assert(time_ns >= 0);
    constexpr std::int64_t second_ns = 1'000'000'000;
    return {.tv_sec = time_ns / second_ns, .tv_nsec = time_ns % second_ns};
}

int wait_region::create(const kernel& kernel, int ring, wait_region& out) noexcept {
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    wait_region made;
    if (const int error = mapping::of_zeroes(static_cast<std::size_t>(page_bytes), made.page_);
        error != 0) {
        return error;
    }
    auto* const wait = new (made.page_.data()) registered_wait_arg{};
    wait->flags = wait_has_timeout;

    region_description region{};
    region.user_addr = ioring::detail::address_of(made.page_.data());
    region.bytes = made.page_.bytes();
    region.flags = region_of_user;
    region_registration registration{};
    registration.description = ioring::detail::address_of(&region);
    registration.flags = region_for_waits;
    if (const int error = kernel.register_(ring, register_code::memory_region, &registration, 1);
        error != 0) {
        return error;
    }
    out = std::move(made);
    return 0;
}

}  // namespace ioring::backends::uring
