// SPDX-License-Identifier: MIT
// counters.hpp - what the server counts while it runs.
#pragma once

#include <cstdint>
#include <system_error>

namespace echo {

struct counters {
    std::uint64_t messages = 0;  // Completions of receives that brought bytes.
    std::uint64_t bytes_received = 0;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_discarded = 0;  // Came after the stop; not in the figures above.
    std::uint64_t turns = 0;            // Of the loop; each enters the kernel at most once.
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;     // Closed at once: all slots were taken, or no buffer was had.
    std::uint64_t unbuffered = 0;  // Of those, the latter ...
    std::error_code unbuffered_error;  // ... and why, the first time.
    std::uint64_t resets = 0;          // Ended by an error, the peer's reset for the most part.
    std::uint64_t cut_off = 0;         // Ended by the stop with bytes unsent.
    std::uint64_t unfinished = 0;      // Did not end even when they were cut off. Always 0.
    std::uint64_t accept_pauses = 0;
    std::uint64_t stale = 0;  // Completions of a connection that is no more. Always 0.
    std::uint32_t connections = 0;
    std::uint32_t connections_peak = 0;
};

}  // namespace echo
