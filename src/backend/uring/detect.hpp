// SPDX-License-Identifier: MIT
// detect.hpp - what this kernel lets us do, found by trying it on a throwaway ring.
//
// Neither headers nor version numbers tell: distributions backport, administrators disable, and
// security modules refuse. Each ability counts only when an operation that uses it has ended as it
// should.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "backend/uring/kernel.hpp"
#include "ioring/probe.hpp"

namespace ioring::backends::uring {

struct abilities {
    std::uint32_t setup_flags = 0;  // Of the best rung that works; see rungs().
    probe_result probe;
};

// A combination of set-up flags.
struct rung {
    std::string_view name;
    std::uint32_t setup_flags;
};

// Best first. The last one is what Linux 5.19 takes.
[[nodiscard]] std::span<const rung> rungs() noexcept;

// Tries everything: about 1 ms. On an error `out` is unchanged and `why` is a sentence.
// Errors: not_supported, operation_not_permitted: this machine refuses io_uring; others
// (not_enough_memory, too_many_files_open) are exhaustion, after which nothing is known.
[[nodiscard]] std::error_code detect(const kernel& kernel, abilities& out,
                                     std::string& why) noexcept;

// As detect() with the kernel as it is; tries once a process and remembers a success. Any thread.
[[nodiscard]] std::error_code detect_once(abilities& out, std::string& why) noexcept;

}  // namespace ioring::backends::uring
