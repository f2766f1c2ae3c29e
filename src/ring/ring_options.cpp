// SPDX-License-Identifier: MIT
// ring_options.cpp - whether a ring's options are in range, and what they are.
#include "ioring/ring_options.hpp"

#include <cstdint>
#include <utility>

#include "ring/ring_state.hpp"

namespace ioring {
namespace {

std::string number(std::int64_t value) { return std::to_string(value); }

std::error_code out_of_range(std::string_view field, std::int64_t value, std::int64_t low,
                             std::int64_t high, std::string_view unit, std::string* why) {
    if (why != nullptr) {
        *why = std::string{field} + " is " + number(value) + "; it must be " + number(low) +
               " to " + number(high) + std::string{unit};
    }
    return std::make_error_code(std::errc::invalid_argument);
}

}  // namespace

std::error_code validate(const ring_options& options, std::string* why) {
    struct field {
        std::string_view name;
        std::int64_t value;
        std::int64_t low;
        std::int64_t high;
        std::string_view unit;
    };
    const field fields[] = {
        {"sq_entries", options.sq_entries, ring_options::sq_entries_min,
         ring_options::sq_entries_max, ""},
        {"cq_entries", options.cq_entries, 0, ring_options::cq_entries_max, ""},
        {"connections_max", options.connections_max, 1, ring_options::connections_max_max, ""},
        {"posts_max", options.posts_max, 1, ring_options::posts_max_max, ""},
        {"spin", options.spin.count(), 0, ring_options::spin_max.count(), " ns"},
        {"drain_timeout", options.drain_timeout.count(), 0, ring_options::drain_timeout_max.count(),
         " ns"},
    };
    for (const field& each : fields) {
        if (each.value < each.low || each.value > each.high) {
            return out_of_range(each.name, each.value, each.low, each.high, each.unit, why);
        }
    }
    std::string sentence;
    const std::error_code error = backends::check(detail::wishes_of(options), sentence);
    if (error && why != nullptr) *why = std::move(sentence);
    return error;
}

std::string to_string(const ring_options& options) {
    return "sq_entries=" + number(options.sq_entries) +
           " cq_entries=" + number(options.cq_entries) +
           " connections_max=" + number(options.connections_max) +
           " posts_max=" + number(options.posts_max) + " spin_ns=" + number(options.spin.count()) +
           " drain_timeout_ns=" + number(options.drain_timeout.count()) +
           " backend=" + std::string{options.backend} +
           " backend_prefer=" + std::string{options.backend_prefer} +
           " backend_forbid=" + std::string{options.backend_forbid};
}

}  // namespace ioring
