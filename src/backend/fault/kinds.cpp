// SPDX-License-Identifier: MIT
// kinds.cpp - the names and the likelihoods.
#include "backend/fault/kinds.hpp"

#include <cassert>

namespace ioring::backends::fault {
namespace {

struct row {
    kind which;
    std::string_view name;
    std::array<std::uint16_t, level_max + 1> per_mille;  // At each level.
};

constexpr std::array<row, kinds_count> rows{{
    {kind::short_transfer, "short_transfer", {0, 100, 300, 300}},
    {kind::passing_error, "passing_error", {0, 20, 60, 60}},
    {kind::no_buffers, "no_buffers", {0, 20, 60, 60}},
    {kind::accept_refused, "accept_refused", {0, 20, 60, 60}},
    {kind::connection_reset, "connection_reset", {0, 0, 0, 10}},
    {kind::multishot_ended, "multishot_ended", {0, 50, 150, 150}},
    {kind::late, "late", {300, 200, 400, 400}},
    {kind::cancel_lost, "cancel_lost", {0, 200, 400, 400}},
    {kind::cancel_overtaken, "cancel_overtaken", {0, 300, 500, 500}},
    {kind::hint_flipped, "hint_flipped", {200, 100, 300, 300}},
    {kind::poll_repeated, "poll_repeated", {0, 50, 150, 150}},
    {kind::submission_cut, "submission_cut", {0, 50, 150, 150}},
    {kind::enter_refused, "enter_refused", {0, 20, 80, 80}},
    {kind::wait_ended, "wait_ended", {0, 50, 150, 150}},
}};

constexpr std::array<std::uint32_t, level_max + 1> late_turns_max{4, 4, 8, 8};

constexpr std::array<intensity, level_max + 1> make_intensities() {
    std::array<intensity, level_max + 1> all{};
    for (unsigned level = 0; level <= level_max; ++level) {
        for (const row& each : rows) {
            all[level].per_mille[static_cast<std::size_t>(each.which)] = each.per_mille[level];
        }
        all[level].late_turns_max = late_turns_max[level];
    }
    return all;
}

constexpr std::array<intensity, level_max + 1> intensities = make_intensities();

constexpr bool rows_are_in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].which != static_cast<kind>(i)) return false;
    }
    return true;
}
static_assert(rows_are_in_order());

}  // namespace

std::string_view to_string(kind which) noexcept {
    assert(which < kind::count);
    return rows[static_cast<std::size_t>(which)].name;
}

const intensity& intensity_of(unsigned level) noexcept {
    assert(level <= level_max);
    return intensities[level];
}

tally& process_tally() noexcept {
    static tally all;
    return all;
}

}  // namespace ioring::backends::fault
