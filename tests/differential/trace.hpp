// SPDX-License-Identifier: MIT
// trace.hpp - what a run of a program has shown, in words that two backends can be compared by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ioring::differential {

// A completion, or the result of a plain call (tag 0).
struct event {
    std::uint32_t tag = 0;
    std::int32_t res = 0;       // A descriptor is told as the name of its other end.
    std::uint32_t flags = 0;    // Those of the contract: more, buffer, buffer_more, notification.
    bool unordered = false;     // One of several operations of one tag that are alike.
    std::uint64_t content = 0;  // A hash of the bytes that came, or of what else there is to see.

    friend bool operator==(const event&, const event&) = default;
    friend auto operator<=>(const event&, const event&) = default;
};

struct step_record {
    std::uint32_t id = 0;         // Of the program's step.
    std::uint64_t signature = 0;  // What it was made into, see runner.
    std::size_t first_event = 0;  // The step's events are from here to the next step's.
};

struct trace {
    std::vector<step_record> steps;
    std::vector<event> events;
    std::vector<std::string> texts;      // Of each step, when asked for.
    std::vector<std::string> anomalies;  // What is wrong whatever the other backend does.
    std::uint32_t operations = 0;        // Entries that were submitted.
    bool raced = false;                  // A cancel met its target just when the network woke it.
};

}  // namespace ioring::differential
