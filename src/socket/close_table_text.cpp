// SPDX-License-Identifier: MIT
// close_table_text.cpp - the close protocol in words: docs/close-protocol.md is this output.
#include <array>
#include <utility>

#include "socket/close_table.hpp"

namespace ioring::detail {
namespace {

using word = std::pair<std::uint32_t, std::string_view>;

constexpr std::array<std::string_view, close_phases> phase_names{
    "free", "connecting", "open", "flushing", "lingering", "ending", "closed"};

constexpr std::array<std::string_view, close_events> event_names{
    "accepted",      "connect_armed", "connected", "connect_failed", "recv_armed",  "received",
    "received_last", "recv_stopped",  "recv_end",  "recv_failed",    "wrote",       "finish",
    "send_armed",    "sent",          "flushed",   "send_stopped",   "send_failed", "close",
    "abort",         "deadline",      "delivered"};

constexpr std::array fact_names{word{close_fact::recv, "a receive in flight"},
                                word{close_fact::send, "a send in flight"},
                                word{close_fact::connect, "a connect in flight"},
                                word{close_fact::unsent, "bytes unsent"},
                                word{close_fact::ended, "the peer has ended"},
                                word{close_fact::finishing, "the program has ended"},
                                word{close_fact::finished, "the peer was told"},
                                word{close_fact::busy, "something in flight"}};

constexpr std::array action_names{word{close_action::announce_open, "tell: open"},
                                  word{close_action::announce_end, "tell: peer closed"},
                                  word{close_action::announce_drained, "tell: drained"},
                                  word{close_action::deliver, "deliver the bytes"},
                                  word{close_action::discard, "discard unread bytes"},
                                  word{close_action::shutdown_write, "shutdown(write)"},
                                  word{close_action::cancel, "cancel all in flight"},
                                  word{close_action::reset, "reset when closing"},
                                  word{close_action::close_descriptor, "close the descriptor"},
                                  word{close_action::announce_closed, "tell: closed"},
                                  word{close_action::may_recv, "receive"},
                                  word{close_action::may_send, "send"},
                                  word{close_action::set_deadline, "set a deadline"},
                                  word{close_action::stop_deadline, "no deadline"},
                                  word{close_action::release, "give back buffers and slot"}};

void add(std::string& list, std::string_view item) {
    if (!list.empty()) list += ", ";
    list += item;
}

std::string events_of(const close_row& row) {
    std::string list;
    for (std::size_t event = 0; event < event_names.size(); ++event) {
        if ((row.on & (1U << event)) != 0) add(list, event_names[event]);
    }
    return list;
}

std::string guard_of(const close_row& row) {
    std::string list;
    for (const auto& [bit, name] : fact_names) {
        if ((row.mask & bit) == 0) continue;
        add(list, (row.facts & bit) != 0 ? std::string{name} : "not: " + std::string{name});
    }
    return list.empty() ? "-" : list;
}

std::string actions_of(const close_row& row) {
    std::string list;
    for (const auto& [bit, name] : action_names) {
        if ((row.actions & bit) != 0) add(list, name);
    }
    return list.empty() ? "-" : list;
}

constexpr std::string_view head = R"(# The close protocol

How a managed connection begins and ends, on every backend. This page is the output of
`src/socket/close_table_text.cpp` over the table that the manager runs (`close_table.cpp`); a unit
test compares them. To write it anew, run with `IORING_WRITE_DOCS=1`:
`build/release/tests/bin/ioring_socket_test --gtest_filter='*is_the_page*'`.

Closing a descriptor with a receive in flight sends no FIN on Linux, and the receive later writes
into memory that the program thinks it has back. So there is one order: stop new work, flush,
shutdown, read every last completion, close the descriptor, deliver the closed event, give back
buffers and slot. Each phase but `open` has a deadline, after which the connection is reset.

`shutdown_write()` is the event `finish`: the connection stays open for what the peer sends, and
`shutdown(write)`, after which the fact "the peer was told" holds, is done once, there or at the
end.

`src/socket/close_table_test.cpp` takes this table through all interleavings of completions, calls
and deadlines up to a bound, and shows: exactly one closed event, no buffer given back while the
kernel may touch it, an end within the deadline whatever the peer does, a slot reused only after
that. It fails without any single row. An event for which a phase has no row cannot happen there.

| phase | event | if then | next phase | what is done |
|---|---|---|---|---|
)";

}  // namespace

std::string_view to_string(close_phase which) noexcept {
    return phase_names[static_cast<std::size_t>(which)];
}

std::string_view to_string(close_event which) noexcept {
    return event_names[static_cast<std::size_t>(which)];
}

std::string render_close_protocol() {
    std::string page{head};
    for (const close_row& row : close_table()) {
        page += "| ";
        page += to_string(row.from);
        page += " | " + events_of(row) + " | " + guard_of(row) + " | ";
        page += to_string(row.to);
        page += " | " + actions_of(row) + " |\n";
    }
    return page;
}

}  // namespace ioring::detail
