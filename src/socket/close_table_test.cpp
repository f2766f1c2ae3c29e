// SPDX-License-Identifier: MIT
// close_table_test.cpp - the production table through all interleavings up to a bound.
//
// What is explored is the table and step() themselves. Around them stands a world that does all
// that a kernel, a peer and a program may do, in any order: a peer that sends, ends or resets, ops
// that complete in any way that their backend may, cancels that lose their race or get lost,
// submission queues that are full for a while, and calls of the program at any time.
#include "socket/close_table.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace ioring::detail {
namespace {

namespace act = close_action;

enum class op_state : std::uint8_t { none, armed, cancelling };

// The bound: so often may each of these happen on one path.
constexpr std::uint8_t chunks_max = 4;
constexpr std::uint8_t stops_max = 3;
constexpr std::uint8_t writes_max = 3;
constexpr std::uint8_t lost_cancels_max = 2;

struct world {
    close_state state;
    op_state recv = op_state::none;
    op_state send = op_state::none;
    op_state connect = op_state::none;
    bool peer_ended = false;  // Its end was read.
    bool fin_sent = false;
    bool descriptor_open = false;
    bool buffers_held = false;
    bool deadline_set = false;
    bool recv_wanted = false;
    bool failed = false;         // Something went wrong or somebody gave up: bytes may be lost.
    std::uint8_t queued = 0;     // Writes not in flight yet.
    std::uint8_t in_flight = 0;  // Writes in the send in flight.
    std::uint8_t closed_events = 0;
    std::uint8_t open_events = 0;
    std::uint8_t chunks = 0;
    std::uint8_t stops = 0;
    std::uint8_t writes = 0;
    std::uint8_t lost_cancels = 0;

    [[nodiscard]] bool in_kernel() const {
        return recv != op_state::none || send != op_state::none || connect != op_state::none;
    }
    [[nodiscard]] auto key() const {
        return std::tuple{state.phase,  state.facts,  recv,          send,
                          connect,      peer_ended,   fin_sent,      descriptor_open,
                          buffers_held, deadline_set, recv_wanted,   failed,
                          queued,       in_flight,    closed_events, open_events,
                          chunks,       stops,        writes,        lost_cancels};
    }
};

class exploration {
public:
    explicit exploration(std::vector<close_row> rows) : rows_{std::move(rows)} {}

    // Empty when all holds; else what does not.
    std::string run() {
        visit(world{}, none);
        for (std::size_t at = 0; at < worlds_.size() && problem_.empty(); ++at) {
            current_ = at;
            expand(worlds_[at]);
        }
        if (problem_.empty()) check_all_ends();
        return problem_;
    }
    [[nodiscard]] std::size_t states() const { return worlds_.size(); }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    void fail(const std::string& what, const world& at) {
        if (!problem_.empty()) return;
        std::ostringstream text;
        text << what << " in phase " << to_string(at.state.phase) << ", facts "
             << unsigned{at.state.facts};
        problem_ = text.str();
    }

    void visit(const world& next, std::size_t from) {
        const auto [place, is_new] = known_.try_emplace(next.key(), worlds_.size());
        if (is_new) {
            check(next);
            worlds_.push_back(next);
            from_.emplace_back();
        }
        if (from != none) from_[place->second].push_back(from);
    }

    void expand(const world& at) {
        program(at);
        kernel_recv(at);
        kernel_send(at);
        kernel_connect(at);
        manager(at);
    }

    // `event` happens in `next`, which already shows what it did to the world.
    void happens(world next, close_event event) {
        const close_state before = next.state;
        const auto taken = step(rows_, before, event);
        if (!taken) return fail("no row for " + std::string{to_string(event)}, next);
        next.state = taken->next;
        act_on(next, taken->actions);
        if (event == close_event::deadline) check_after_deadline(next);
        visit(next, current_);
    }

    void act_on(world& at, std::uint16_t actions) {
        if (actions & act::announce_open) ++at.open_events;
        if (actions & act::announce_closed) ++at.closed_events;
        if (actions & act::may_recv) at.recv_wanted = true;
        if (actions & act::set_deadline) at.deadline_set = true;
        if (actions & act::stop_deadline) at.deadline_set = false;
        if (actions & act::reset) at.failed = true;
        if (actions & act::deliver) {
            if (at.state.phase != close_phase::open) fail("bytes are delivered", at);
        }
        if (actions & act::shutdown_write) {
            if (at.fin_sent || at.queued + at.in_flight != 0 || at.send != op_state::none) {
                fail("shutdown too early or twice", at);
            }
            at.fin_sent = true;
        }
        if (actions & act::cancel) {
            for (op_state* const op : {&at.recv, &at.send, &at.connect}) {
                if (*op == op_state::armed) *op = op_state::cancelling;
            }
        }
        if (actions & act::close_descriptor) {
            if (!at.descriptor_open) fail("the descriptor is closed twice", at);
            if (!at.failed && at.queued + at.in_flight != 0) fail("closed with bytes unsent", at);
            at.descriptor_open = false;
        }
        if (actions & act::release) {
            if (!at.buffers_held) fail("buffers are released twice", at);
            at.buffers_held = false;
        }
    }

    void check(const world& at) {
        const close_phase phase = at.state.phase;
        const bool timed = phase == close_phase::connecting || phase == close_phase::flushing ||
                           phase == close_phase::lingering || phase == close_phase::ending;
        if (timed != at.deadline_set) fail("a deadline is missing or left over", at);
        if (at.in_kernel() && !at.descriptor_open) fail("closed with an operation in flight", at);
        if (at.in_kernel() && !at.buffers_held) fail("the kernel has a released buffer", at);
        const bool is_over =
            phase == close_phase::closed || (phase == close_phase::free && at.closed_events != 0);
        if (at.closed_events != (is_over ? 1 : 0)) fail("closed events are not one", at);
        if (is_over && at.descriptor_open) fail("the descriptor is left open", at);
        if (phase == close_phase::free && at.buffers_held) fail("the slot is free too early", at);
        if (at.open_events > 1) fail("open is told twice", at);
        if (phase == close_phase::open && at.open_events != 1) fail("open is not told", at);
        for (const op_state op : {at.recv, at.send, at.connect}) {
            if (phase == close_phase::ending && op == op_state::armed && at.lost_cancels == 0) {
                fail("something in flight is not cancelled", at);
            }
        }
        if (phase == close_phase::ending && !at.in_kernel()) fail("it waits for nothing", at);
        if ((phase == close_phase::closed || phase == close_phase::lingering) && !at.failed &&
            at.queued + at.in_flight != 0) {
            fail("bytes are lost", at);
        }
        const bool is_said =
            (at.state.facts & close_fact::finishing) != 0 && at.queued + at.in_flight == 0;
        if (phase == close_phase::lingering || (phase == close_phase::open && is_said)) {
            if (!at.fin_sent) fail("the peer was not told", at);
        }
        if (phase == close_phase::lingering && at.recv == op_state::none && !at.recv_wanted) {
            fail("nobody will see the peer's end", at);
        }
    }

    // From here on nobody has to help: all that is in flight is cancelled, and the last of its
    // completions closes.
    void check_after_deadline(const world& at) {
        if (at.state.phase != close_phase::ending && at.state.phase != close_phase::closed) {
            fail("a deadline has passed without an end", at);
        }
        for (const op_state op : {at.recv, at.send, at.connect}) {
            if (op == op_state::armed) fail("a deadline has cancelled nothing", at);
        }
    }

    // From every state of every connection there is a way to its end.
    void check_all_ends() {
        std::vector<bool> ends(worlds_.size());
        std::deque<std::size_t> open;
        for (std::size_t i = 0; i < worlds_.size(); ++i) {
            const bool is_end =
                worlds_[i].state.phase == close_phase::free && worlds_[i].closed_events == 1;
            if (!is_end) continue;
            ends[i] = true;
            open.push_back(i);
        }
        for (; !open.empty(); open.pop_front()) {
            for (const std::size_t before : from_[open.front()]) {
                if (ends[before]) continue;
                ends[before] = true;
                open.push_back(before);
            }
        }
        for (std::size_t i = 0; i < worlds_.size(); ++i) {
            if (!ends[i]) fail("no way to the end", worlds_[i]);
        }
    }

    // --- who does what ---

    void program(const world& at) {
        const close_phase phase = at.state.phase;
        if (phase == close_phase::free) {
            if (at.closed_events != 0) return;
            world next = at;
            next.descriptor_open = next.buffers_held = true;
            happens(next, close_event::accepted);
            next.connect = op_state::armed;
            return happens(next, close_event::connect_armed);
        }
        happens(at, close_event::close);
        world given_up = at;
        given_up.failed = true;
        happens(given_up, close_event::abort);
        if (phase == close_phase::open) happens(at, close_event::finish);
        const bool may_write = (at.state.facts & close_fact::finishing) == 0;
        if (phase == close_phase::open && may_write && at.writes < writes_max) {
            world next = at;
            ++next.writes;
            ++next.queued;
            happens(next, close_event::wrote);
        }
        if (phase == close_phase::closed) happens(at, close_event::delivered);
    }

    // The manager arms what it may, sooner or later; time passes.
    void manager(const world& at) {
        if (at.deadline_set) {
            world next = at;
            next.failed = true;
            next.deadline_set = false;  // It has fired, once.
            happens(next, close_event::deadline);
        }
        const close_phase phase = at.state.phase;
        const bool may_recv = phase == close_phase::open || phase == close_phase::flushing ||
                              phase == close_phase::lingering;
        if (may_recv && at.recv_wanted && at.recv == op_state::none && !at.peer_ended) {
            world next = at;
            next.recv_wanted = false;
            next.recv = op_state::armed;
            happens(next, close_event::recv_armed);
        }
        const bool may_send = phase == close_phase::open || phase == close_phase::flushing;
        if (may_send && at.queued != 0 && at.send == op_state::none) {
            world next = at;
            next.send = op_state::armed;
            next.in_flight = next.queued;
            next.queued = 0;
            happens(next, close_event::send_armed);
        }
    }

    // A cancel that was lost, or came too early: the operation goes on.
    void lose_cancel(const world& at, op_state world::*op) {
        if (at.*op != op_state::cancelling || at.lost_cancels == lost_cancels_max) return;
        world next = at;
        ++next.lost_cancels;
        next.*op = op_state::armed;
        visit(next, current_);
    }

    void kernel_recv(const world& at) {
        if (at.recv == op_state::none) return;
        lose_cancel(at, &world::recv);
        world ended = at;
        ended.recv = op_state::none;
        if (at.chunks < chunks_max) {
            world more = at;
            ++more.chunks;
            happens(more, close_event::received);
            more.recv = op_state::none;
            happens(more, close_event::received_last);
        }
        if (at.stops < stops_max || at.recv == op_state::cancelling) {
            world stopped = ended;
            if (at.recv != op_state::cancelling) ++stopped.stops;
            happens(stopped, close_event::recv_stopped);
        }
        world fin = ended;
        fin.peer_ended = true;
        happens(fin, close_event::recv_end);
        ended.failed = true;
        happens(ended, close_event::recv_failed);
    }

    void kernel_send(const world& at) {
        if (at.send == op_state::none) return;
        lose_cancel(at, &world::send);
        world ended = at;
        ended.send = op_state::none;
        world all = ended;
        all.in_flight = 0;
        happens(all, all.queued == 0 ? close_event::flushed : close_event::sent);
        world some = ended;
        some.queued = static_cast<std::uint8_t>(some.queued + some.in_flight);
        some.in_flight = 0;
        happens(some, close_event::sent);
        if (at.stops < stops_max || at.send == op_state::cancelling) {
            if (at.send != op_state::cancelling) ++some.stops;
            happens(some, close_event::send_stopped);
        }
        ended.failed = true;
        ended.queued = ended.in_flight = 0;
        happens(ended, close_event::send_failed);
    }

    void kernel_connect(const world& at) {
        if (at.connect == op_state::none) return;
        lose_cancel(at, &world::connect);
        world done = at;
        done.connect = op_state::none;
        happens(done, close_event::connected);
        done.failed = true;
        happens(done, close_event::connect_failed);
    }

    std::vector<close_row> rows_;
    std::map<decltype(world{}.key()), std::size_t> known_;
    std::deque<world> worlds_;
    std::deque<std::vector<std::size_t>> from_;
    std::size_t current_ = none;
    std::string problem_;
};

std::vector<close_row> all_rows() { return {close_table().begin(), close_table().end()}; }

TEST(close_table, keeps_its_promises_in_all_interleavings) {
    exploration all{all_rows()};
    EXPECT_EQ("", all.run());
    // The bound is no small one: a world that explores little would prove little.
    EXPECT_LT(10'000u, all.states());
    RecordProperty("states", static_cast<int>(all.states()));
}

TEST(close_table, does_not_without_any_single_row) {
    for (std::size_t row = 0; row < close_table().size(); ++row) {
        std::vector<close_row> fewer = all_rows();
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(row));
        EXPECT_NE("", exploration{fewer}.run()) << "row " << row << " is not needed";
    }
}

TEST(close_table, does_not_without_any_event_of_a_row) {
    for (std::size_t row = 0; row < close_table().size(); ++row) {
        for (unsigned event = 0; event < close_events; ++event) {
            std::vector<close_row> fewer = all_rows();
            if ((fewer[row].on & (1U << event)) == 0) continue;
            fewer[row].on &= ~(1U << event);
            EXPECT_NE("", exploration{fewer}.run()) << "row " << row << " has no need of "
                                                    << to_string(static_cast<close_event>(event));
        }
    }
}

// Actions that the world has no use of (what is told and thrown away) are tested by the manager's
// own tests.
TEST(close_table, does_not_without_an_action_that_ends_something) {
    constexpr std::uint16_t vital = act::announce_closed | act::close_descriptor | act::release |
                                    act::cancel | act::set_deadline | act::stop_deadline |
                                    act::shutdown_write;
    for (std::size_t row = 0; row < close_table().size(); ++row) {
        for (unsigned bit = 0; bit < 16; ++bit) {
            std::vector<close_row> other = all_rows();
            const auto action = static_cast<std::uint16_t>(1U << bit);
            if ((other[row].actions & action & vital) == 0) continue;
            other[row].actions = static_cast<std::uint16_t>(other[row].actions & ~action);
            EXPECT_NE("", exploration{other}.run()) << "row " << row << ", action bit " << bit;
        }
    }
}

TEST(close_table, is_found_by_index_as_by_search) {
    int found = 0;
    for (unsigned phase = 0; phase < close_phases; ++phase) {
        for (unsigned event = 0; event < close_events; ++event) {
            for (unsigned facts = 0; facts < (1U << close_fact::kept); ++facts) {
                const close_state state{static_cast<close_phase>(phase),
                                        static_cast<std::uint8_t>(facts)};
                const auto by_search = step(close_table(), state, static_cast<close_event>(event));
                if (!by_search) continue;
                ++found;
                const close_step by_index = step(state, static_cast<close_event>(event));
                EXPECT_EQ(by_search->next, by_index.next);
                EXPECT_EQ(by_search->actions, by_index.actions);
            }
        }
    }
    EXPECT_LT(500, found);
}

TEST(close_table, is_the_page_of_the_documentation) {
    const char* const root = std::getenv("IORING_SOURCE_DIR");
    const std::string path =
        std::string{root != nullptr ? root : IORING_TEST_SOURCE_DIR} + "/docs/close-protocol.md";
    if (std::getenv("IORING_WRITE_DOCS") != nullptr) std::ofstream{path} << render_close_protocol();
    std::ifstream page{path};
    std::ostringstream text;
    text << page.rdbuf();
    EXPECT_EQ(render_close_protocol(), text.str());
}

}  // namespace
}  // namespace ioring::detail
