// SPDX-License-Identifier: MIT
// results.hpp - what a run found out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/usage.hpp"
#include "histogram.hpp"

namespace load {

// How a connection can fail. Each fails once at most, and then is given up.
enum class failure : std::uint8_t {
    mismatch,      // What came back is not what was sent.
    refused,       // Could not connect.
    timed_out,     // No progress.
    closed_early,  // The server's end came before everything was back.
    broken,        // Reset, or another error of a transfer.
    count,
};

struct results {
    static constexpr std::uint64_t mismatch_sentences_max = 5;

    // Of the measured part: after the warm-up, until the last echo.
    std::uint64_t messages = 0;  // Sent, echoed and verified.
    std::uint64_t unsent = 0;    // Due by the schedule but not sent when the time was over.
    double seconds = 0;
    ioring::tools::usage usage;
    std::uint64_t enters = 0;  // The ring's system calls, and
    std::uint64_t turns = 0;   // how often the loop went round.
    histogram latency;  // Closed loop: from the sending. Open loop: from when it should have been.
    histogram service;  // Open loop: from the sending.

    // Of the whole run.
    std::uint64_t connected = 0;
    double connect_seconds = 0;
    std::array<std::uint64_t, static_cast<std::size_t>(failure::count)> failures{};
    std::vector<std::string> sentences;  // The first mismatches, the first of each other kind.
    bool interrupted = false;
    std::uint64_t seed = 0;
    std::string backend;
    std::string receive;  // How: "multishot, shared incremental buffers" ...

    [[nodiscard]] std::uint64_t count(failure kind) const noexcept {
        return failures[static_cast<std::size_t>(kind)];
    }
    // Connections that failed otherwise than by wrong content.
    [[nodiscard]] std::uint64_t errors() const noexcept {
        return failures_total() - count(failure::mismatch);
    }
    [[nodiscard]] std::uint64_t failures_total() const noexcept {
        std::uint64_t total = 0;
        for (const std::uint64_t each : failures) total += each;
        return total;
    }
    [[nodiscard]] bool passed() const noexcept { return failures_total() == 0; }
    [[nodiscard]] double messages_per_second() const noexcept {
        return seconds > 0 ? static_cast<double>(messages) / seconds : 0;
    }
    [[nodiscard]] double cpu_us_per_message() const noexcept {
        return messages > 0
                   ? static_cast<double>(usage.cpu().count()) / static_cast<double>(messages)
                   : 0;
    }

    void fail(failure kind, std::string sentence) {
        const std::uint64_t number = ++failures[static_cast<std::size_t>(kind)];
        if (number <= (kind == failure::mismatch ? mismatch_sentences_max : 1)) {
            sentences.push_back(std::move(sentence));
        }
    }
};

}  // namespace load
