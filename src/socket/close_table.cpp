// SPDX-License-Identifier: MIT
// close_table.cpp - the rows, and how one is found.
#include "socket/close_table.hpp"

#include <array>
#include <cassert>

namespace ioring::detail {
namespace {

using enum close_event;
using enum close_phase;
using namespace close_action;
namespace fact = close_fact;

template <class... Event>
constexpr std::uint32_t any_of(Event... events) noexcept {
    return (on(events) | ...);
}

constexpr std::uint8_t no_guard = 0;
constexpr std::uint16_t nothing = 0;
constexpr std::uint16_t give_up = cancel | reset | discard | set_deadline;
constexpr std::uint16_t end_open = close_descriptor | announce_closed;
constexpr std::uint16_t end = end_open | stop_deadline;
constexpr std::uint32_t end_at_once = any_of(abort, deadline);
constexpr std::uint32_t failure = any_of(recv_failed, send_failed);
constexpr std::uint32_t last_of_transfer = any_of(
    received_last, recv_stopped, recv_end, recv_failed, sent, flushed, send_stopped, send_failed);

constexpr std::array rows{
    // How a connection begins.
    close_row{close_phase::free, on(accepted), no_guard, 0, open, announce_open | may_recv},
    close_row{close_phase::free, on(connect_armed), no_guard, 0, connecting, set_deadline},
    close_row{connecting, on(connected), no_guard, 0, open,
              announce_open | may_recv | stop_deadline},
    close_row{connecting, on(connect_failed), no_guard, 0, closed, end},
    close_row{connecting, end_at_once | on(close_event::close), no_guard, 0, ending, give_up},

    // Open.
    close_row{open, any_of(recv_armed, send_armed), no_guard, 0, open, nothing},
    close_row{open, on(wrote), fact::finishing, 0, open, nothing},
    close_row{open, on(received), no_guard, 0, open, deliver},
    close_row{open, on(received_last), no_guard, 0, open, deliver | may_recv},
    close_row{open, on(recv_stopped), no_guard, 0, open, may_recv},
    close_row{open, on(recv_end), no_guard, 0, open, announce_end},
    close_row{open, any_of(sent, send_stopped), no_guard, 0, open, may_send},
    close_row{open, on(flushed), fact::finishing, 0, open, announce_drained},
    close_row{open, on(flushed), fact::finishing, fact::finishing, open,
              announce_drained | shutdown_write},
    close_row{open, on(finish), fact::unsent | fact::finished, fact::unsent, open, nothing},
    close_row{open, on(finish), fact::unsent | fact::finished, 0, open, shutdown_write},
    close_row{open, on(finish), fact::finished, fact::finished, open, nothing},
    close_row{open, failure | on(abort), fact::busy, fact::busy, ending, give_up},
    close_row{open, failure | on(abort), fact::busy, 0, closed, reset | end_open},
    close_row{open, on(close_event::close), fact::unsent, fact::unsent, flushing,
              discard | may_recv | may_send | set_deadline},
    close_row{open, on(close_event::close), fact::unsent | fact::ended | fact::finished, 0,
              lingering, discard | shutdown_write | may_recv | set_deadline},
    close_row{open, on(close_event::close), fact::unsent | fact::ended | fact::finished,
              fact::finished, lingering, discard | may_recv | set_deadline},
    close_row{open, on(close_event::close), fact::unsent | fact::ended, fact::ended, closed,
              discard | end_open},

    // Flushing. The peer is read from, too: it may not take our bytes before we take its own.
    close_row{flushing, any_of(recv_armed, send_armed, close_event::close, recv_end), no_guard, 0,
              flushing, nothing},
    close_row{flushing, on(received), no_guard, 0, flushing, discard},
    close_row{flushing, any_of(received_last, recv_stopped), no_guard, 0, flushing,
              discard | may_recv},
    close_row{flushing, any_of(sent, send_stopped), no_guard, 0, flushing, may_send},
    close_row{flushing, on(flushed), fact::ended, 0, lingering, shutdown_write | may_recv},
    close_row{flushing, on(flushed), fact::ended, fact::ended, closed, end},
    close_row{flushing, failure | end_at_once, fact::busy, fact::busy, ending, give_up},
    close_row{flushing, failure | end_at_once, fact::busy, 0, closed, reset | end},

    // Lingering. To close over unread bytes would reset the connection and destroy what was sent.
    close_row{lingering, any_of(recv_armed, close_event::close), no_guard, 0, lingering, nothing},
    close_row{lingering, on(received), no_guard, 0, lingering, discard},
    close_row{lingering, any_of(received_last, recv_stopped), no_guard, 0, lingering,
              discard | may_recv},
    close_row{lingering, on(recv_end), no_guard, 0, closed, end},
    close_row{lingering, on(recv_failed), no_guard, 0, closed, reset | end},
    close_row{lingering, end_at_once, fact::busy, fact::busy, ending, give_up},
    close_row{lingering, end_at_once, fact::busy, 0, closed, reset | end},

    // Ending. A cancel may come too late or be lost: the next deadline cancels again.
    close_row{ending, last_of_transfer, fact::busy, fact::busy, ending, discard},
    close_row{ending, last_of_transfer | any_of(connected, connect_failed), fact::busy, 0, closed,
              end},
    close_row{ending, on(received), no_guard, 0, ending, discard},
    close_row{ending, any_of(close_event::close, abort), no_guard, 0, ending, nothing},
    close_row{ending, on(deadline), no_guard, 0, ending, give_up},

    // Closed.
    close_row{closed, any_of(close_event::close, abort), no_guard, 0, closed, nothing},
    close_row{closed, on(delivered), no_guard, 0, close_phase::free, release},
};

struct effect {
    std::uint8_t set = 0;
    std::uint8_t clear = 0;
};

constexpr effect effect_of(close_event event) noexcept {
    switch (event) {
        case connect_armed: return {.set = fact::connect};
        case connected:
        case connect_failed: return {.clear = fact::connect};
        case recv_armed: return {.set = fact::recv};
        case received_last:
        case recv_stopped:
        case recv_failed: return {.clear = fact::recv};
        case recv_end: return {.set = fact::ended, .clear = fact::recv};
        case wrote: return {.set = fact::unsent};
        case finish: return {.set = fact::finishing};
        case send_armed: return {.set = fact::send};
        case sent:
        case send_stopped: return {.clear = fact::send};
        case flushed:
        case send_failed: return {.clear = fact::send | fact::unsent};
        case delivered: return {.clear = 0xff};
        default: return {};
    }
}

constexpr auto effects = [] {
    std::array<effect, close_events> table{};
    for (std::size_t event = 0; event < close_events; ++event) {
        table[event] = effect_of(static_cast<close_event>(event));
    }
    return table;
}();

constexpr std::uint8_t asked(std::uint8_t facts) noexcept {
    constexpr std::uint8_t in_flight = fact::recv | fact::send | fact::connect;
    return (facts & in_flight) != 0 ? facts | fact::busy : facts;
}

constexpr bool fits(const close_row& row, close_phase phase, close_event event,
                    std::uint8_t facts) noexcept {
    return row.from == phase && (row.on & on(event)) != 0 && (asked(facts) & row.mask) == row.facts;
}

constexpr close_step taken(const close_row& row, std::uint8_t facts) noexcept {
    const bool tells = (row.actions & shutdown_write) != 0;
    return {{row.to, static_cast<std::uint8_t>(tells ? facts | fact::finished : facts)},
            row.actions};
}

constexpr std::size_t facts_max = std::size_t{1} << fact::kept;

void two_rows_fit() noexcept {}  // No constant expression: the compiler stops here.

constexpr std::size_t place_of(close_phase phase, close_event event, std::uint8_t facts) noexcept {
    return (static_cast<std::size_t>(phase) * close_events + static_cast<std::size_t>(event)) *
               facts_max +
           facts;
}

constexpr std::uint8_t after(std::uint8_t facts, close_event event) noexcept {
    const effect change = effects[static_cast<std::size_t>(event)];
    return static_cast<std::uint8_t>((facts & ~change.clear) | change.set);
}

constexpr std::uint16_t no_row = 1U << 15U;  // No action has this bit.

// The step of each phase, facts and event; computed by the compiler, which refuses a table in which
// two rows fit.
constexpr auto make_steps() {
    std::array<close_step, close_phases * close_events * facts_max> steps{};
    for (close_step& each : steps) each.actions = no_row;
    for (const close_row& row : rows) {
        for (std::size_t number = 0; number < close_events; ++number) {
            const auto event = static_cast<close_event>(number);
            if ((row.on & on(event)) == 0) continue;
            for (std::size_t before = 0; before < facts_max; ++before) {
                const std::uint8_t facts = after(static_cast<std::uint8_t>(before), event);
                if (!fits(row, row.from, event, facts)) continue;
                close_step& found =
                    steps[place_of(row.from, event, static_cast<std::uint8_t>(before))];
                if (found.actions != no_row) two_rows_fit();
                found = taken(row, facts);
            }
        }
    }
    return steps;
}
constexpr auto steps = make_steps();

}  // namespace

std::span<const close_row> close_table() noexcept { return rows; }

std::uint8_t facts_after(close_state state, close_event event) noexcept {
    return after(state.facts, event);
}

std::optional<close_step> step(std::span<const close_row> table, close_state state,
                               close_event event) noexcept {
    const std::uint8_t facts = facts_after(state, event);
    for (const close_row& row : table) {
        if (fits(row, state.phase, event, facts)) return taken(row, facts);
    }
    return std::nullopt;
}

close_step step(close_state state, close_event event) noexcept {
    const close_step found = steps[place_of(state.phase, event, state.facts)];
    assert(found.actions != no_row);
    if (found.actions == no_row) [[unlikely]]
        return {state, nothing};
    return found;
}

}  // namespace ioring::detail
