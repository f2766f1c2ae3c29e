// SPDX-License-Identifier: MIT
// generate.cpp - from a seed to a program.
//
// Each program has a temper: what it does often. Uniform choices would make every program alike and
// none of them deep.
#include <algorithm>
#include <span>

#include "differential/program.hpp"
#include "differential/random.hpp"
#include "ioring/sqe.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t operations_min = 30;
constexpr std::uint32_t operations_max = 70;

struct weight {
    verb what;
    std::uint32_t parts;
};

constexpr std::array streams = {
    weight{verb::recv, 14},        weight{verb::recv_select, 5}, weight{verb::recv_multishot, 6},
    weight{verb::recvmsg, 4},      weight{verb::send, 12},       weight{verb::send_vectorized, 3},
    weight{verb::send_zc, 3},      weight{verb::sendmsg, 4},     weight{verb::shutdown, 2},
    weight{verb::close, 2},        weight{verb::cancel, 3},      weight{verb::cancel_fd, 1},
    weight{verb::peer_write, 16},  weight{verb::peer_read, 6},   weight{verb::peer_shutdown, 2},
    weight{verb::peer_close, 1},   weight{verb::peer_reset, 1},  weight{verb::recycle, 4},
    weight{verb::shutdown_now, 1}, weight{verb::close_now, 1},   weight{verb::open_pair, 2},
    weight{verb::poll, 2},         weight{verb::nop, 1},
};
constexpr std::array setup = {
    weight{verb::accept, 10},     weight{verb::accept_multishot, 5},
    weight{verb::connect, 9},     weight{verb::peer_connect, 12},
    weight{verb::make_socket, 4}, weight{verb::bind, 2},
    weight{verb::listen, 2},      weight{verb::close, 3},
    weight{verb::cancel, 3},      weight{verb::cancel_fd, 2},
    weight{verb::poll, 3},        weight{verb::send, 4},
    weight{verb::recv, 5},        weight{verb::peer_write, 4},
    weight{verb::peer_close, 3},  weight{verb::peer_reset, 2},
    weight{verb::close_now, 2},
};
constexpr std::array control = {
    weight{verb::timeout, 9},        weight{verb::timeout_update, 3},
    weight{verb::timeout_remove, 3}, weight{verb::cancel, 6},
    weight{verb::cancel_fd, 3},      weight{verb::cancel_opcode, 3},
    weight{verb::cancel_any, 2},     weight{verb::nop, 8},
    weight{verb::poll, 8},           weight{verb::poll_multishot, 6},
    weight{verb::poll_update, 4},    weight{verb::poll_remove, 4},
    weight{verb::recv, 8},           weight{verb::peer_write, 8},
    weight{verb::peer_read, 3},      weight{verb::message, 2},
    weight{verb::burst, 1},          weight{verb::malformed, 6},
    weight{verb::accept, 2},         weight{verb::peer_connect, 2},
    weight{verb::peer_shutdown, 1},  weight{verb::recv_multishot, 2},
    weight{verb::send, 3},           weight{verb::open_pair, 1},
};

verb choose(std::span<const weight> among, random_source& random) {
    std::uint32_t total = 0;
    for (const weight& each : among) total += each.parts;
    std::uint32_t left = random.below(total);
    for (const weight& each : among) {
        if (left < each.parts) return each.what;
        left -= each.parts;
    }
    return verb::nop;
}

class generator {
public:
    explicit generator(std::uint64_t seed) : random_{seed} { program_.seed = seed; }

    program run() {
        plan_world();
        const std::uint32_t operations = random_.between(operations_min, operations_max);
        while (made_ < operations) add_phrase();
        add(verb::submit);
        return std::move(program_);
    }

private:
    void plan_world() {
        program_.sq_entries = random_.percent(30) ? 8 : 32;
        program_.cq_entries = random_.percent(15) ? program_.sq_entries : 256;
        const std::uint32_t connections = random_.between(3, 5);
        constexpr std::array kinds{connection_kind::tcp, connection_kind::tcp,
                                   connection_kind::local, connection_kind::local_small};
        for (std::uint32_t made = 0; made < connections; ++made) {
            program_.connections.push_back(random_.one_of(kinds));
        }
        const std::uint32_t listeners = random_.below(3);
        for (std::uint32_t made = 0; made < listeners; ++made) {
            program_.listeners.push_back(random_.percent(70) ? listener_kind::tcp
                                                             : listener_kind::local);
        }
        const std::uint32_t groups = random_.below(4);
        for (std::uint32_t made = 0; made < groups; ++made) plan_group();
        tilt_ = random_.below(100);
        batch_percent_ = random_.one_of(std::array{10U, 30U, 60U, 80U});
        link_percent_ = random_.one_of(std::array{0U, 5U, 15U, 35U});
    }

    void plan_group() {
        group_plan group;
        group.shared = random_.percent(40);
        group.incremental = !group.shared && random_.percent(50);
        group.buffers = group.shared ? 64 : 1U << random_.below(4);
        group.buffer_bytes = group.shared ? 64 : random_.one_of(std::array{1U, 16U, 64U, 200U});
        program_.groups.push_back(group);
    }

    // One step, or a chain of entries, or a step and what gives it sense.
    void add_phrase() {
        const verb what = choose_verb();
        step& first = add(what);
        if (is_entry(what) && random_.percent(link_percent_)) {
            add_chain(first);
        } else if (!is_entry(what)) {
            return;
        }
        if (!random_.percent(batch_percent_)) add(verb::submit);
    }

    verb choose_verb() {
        const std::uint32_t dice = random_.below(100);
        if (!program_.listeners.empty() && dice < 25) return choose(setup, random_);
        if (dice < 25 + tilt_ * 60 / 100) return choose(streams, random_);
        return choose(control, random_);
    }

    void add_chain(step& first) {
        link(first);
        const std::uint32_t more = random_.between(1, 3);
        for (std::uint32_t added = 0; added < more; ++added) {
            verb what = verb::link_timeout;
            if (added > 0 || random_.percent(60)) {
                do what = choose_verb();
                while (!is_entry(what));
            }
            step& next = add(what);
            // A chain whose last member asks for one more ends with the submission.
            if (added + 1 < more || random_.percent(5)) link(next);
        }
    }

    void link(step& which) {
        which.sqe_flags |= random_.percent(70) ? sqe_flag::io_link : sqe_flag::io_hardlink;
    }

    step& add(verb what) {
        step made;
        made.what = what;
        made.pick = static_cast<std::uint32_t>(random_.next());
        made.variant = static_cast<std::uint32_t>(random_.next());
        made.bytes = choose_bytes();
        fill(made);
        if (is_entry(what)) ++made_;
        made.id = static_cast<std::uint32_t>(program_.steps.size()) + 1;
        program_.steps.push_back(made);
        return program_.steps.back();
    }

    std::uint32_t choose_bytes() {
        const std::uint32_t dice = random_.below(100);
        if (dice < 3) return 0;
        if (dice < 55) return random_.between(1, 40);
        if (dice < 85) return random_.between(41, 400);
        if (dice < 96) return random_.between(401, 3000);
        return random_.between(3001, 40'000);
    }

    void fill(step& made) {
        switch (made.what) {
            case verb::recv:
            case verb::recvmsg: return fill_receive(made);
            case verb::recv_select:
            case verb::recv_multishot: return fill_select(made);
            case verb::send:
            case verb::send_vectorized:
            case verb::send_zc:
            case verb::sendmsg: return fill_send(made);
            case verb::accept:
            case verb::accept_multishot: return fill_accept(made);
            case verb::poll:
            case verb::poll_multishot:
            case verb::poll_update: return fill_poll(made);
            case verb::cancel:
            case verb::cancel_fd:
            case verb::cancel_opcode:
            case verb::cancel_any:
                if (random_.percent(40)) made.flags |= cancel_flag::all;
                return fill_skip(made);
            case verb::timeout: return fill_timeout(made);
            case verb::nop:
                if (random_.percent(10)) made.sqe_flags |= sqe_flag::async;
                return fill_skip(made);
            case verb::close: return fill_skip(made);
            default: return;
        }
    }

    void fill_skip(step& made) {
        if (random_.percent(8)) made.sqe_flags |= sqe_flag::cqe_skip_success;
    }

    void fill_receive(step& made) {
        if (random_.percent(25)) made.flags |= msg_flag::wait_all;
        if (random_.percent(12)) made.flags |= msg_flag::dont_wait;
        if (random_.percent(6)) made.flags |= msg_flag::peek;
        if (random_.percent(4)) made.flags |= msg_flag::trunc;
        if (random_.percent(20)) made.ioprio |= transfer_flag::poll_first;
        fill_skip(made);
    }

    void fill_select(step& made) {
        if (random_.percent(10)) made.flags |= msg_flag::dont_wait;
        if (random_.percent(10)) made.ioprio |= transfer_flag::poll_first;
        if (made.what == verb::recv_select && random_.percent(25)) made.flags |= msg_flag::wait_all;
        // The whole buffer mostly; a limit is for the one-shot form.
        if (random_.percent(70) || made.what == verb::recv_multishot) made.bytes = 0;
    }

    void fill_send(step& made) {
        if (random_.percent(50)) made.flags |= msg_flag::wait_all;
        if (random_.percent(12)) made.flags |= msg_flag::dont_wait;
        if (random_.percent(50)) made.flags |= msg_flag::no_signal;
        if (random_.percent(10)) made.ioprio |= transfer_flag::poll_first;
        if (made.what == verb::send_zc) {
            if (random_.percent(50)) made.ioprio |= transfer_flag::zc_report_usage;
        } else {
            fill_skip(made);
        }
    }

    void fill_accept(step& made) {
        if (random_.percent(30)) made.flags |= socket_flag::cloexec;
        if (random_.percent(20)) made.flags |= socket_flag::nonblock;
        if (random_.percent(10)) made.ioprio |= accept_flag::dont_wait;
        if (random_.percent(10)) made.ioprio |= accept_flag::poll_first;
    }

    void fill_poll(step& made) {
        constexpr std::array masks{
            poll_event::in,  poll_event::in,  poll_event::in | poll_event::rdhup, poll_event::rdhup,
            poll_event::out, poll_event::pri, poll_event::in | poll_event::out,   0U};
        made.flags = random_.one_of(masks);
    }

    void fill_timeout(step& made) {
        if (random_.percent(25)) made.flags |= timeout_flag::absolute;
        if (random_.percent(10))
            made.flags |= timeout_flag::boottime;
        else if (random_.percent(10))
            made.flags |= timeout_flag::realtime;
        if (random_.percent(15)) made.flags |= timeout_flag::etime_success;
        if (random_.percent(12)) made.flags |= timeout_flag::multishot;
        made.bytes = random_.percent(40) ? random_.between(1, 4) : 0;  // Completions to wait for.
        fill_skip(made);
    }

    random_source random_;
    program program_;
    std::uint32_t made_ = 0;
    std::uint32_t tilt_ = 50;
    std::uint32_t batch_percent_ = 30;
    std::uint32_t link_percent_ = 5;
};

}  // namespace

std::string_view to_string(verb what) noexcept {
    constexpr std::array<std::string_view, static_cast<std::size_t>(verb::count)> names{
        "nop",
        "recv",
        "recv_select",
        "recv_multishot",
        "recvmsg",
        "send",
        "send_vectorized",
        "send_zc",
        "sendmsg",
        "accept",
        "accept_multishot",
        "connect",
        "shutdown",
        "close",
        "cancel",
        "cancel_fd",
        "cancel_opcode",
        "cancel_any",
        "poll",
        "poll_multishot",
        "poll_update",
        "poll_remove",
        "timeout",
        "timeout_update",
        "timeout_remove",
        "link_timeout",
        "message",
        "make_socket",
        "bind",
        "listen",
        "malformed",
        "submit",
        "burst",
        "peer_write",
        "peer_read",
        "peer_shutdown",
        "peer_close",
        "peer_reset",
        "peer_connect",
        "open_pair",
        "recycle",
        "shutdown_now",
        "close_now"};
    return names[static_cast<std::size_t>(what)];
}

std::size_t program::operations() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(steps, [](const step& each) { return is_entry(each.what); }));
}

program generate(std::uint64_t seed) { return generator{seed}.run(); }

}  // namespace ioring::differential
