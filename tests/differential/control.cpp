// SPDX-License-Identifier: MIT
// control.cpp - from a step to an entry: cancels, polls' changes, timers and messages.
#include <algorithm>
#include <array>
#include <chrono>

#include "differential/random.hpp"
#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

constexpr std::uint32_t no_such_tag = 900'000;
constexpr std::uint32_t new_names = 500'000;  // What poll_update renames to, plus its own tag.
constexpr std::uint32_t percent_unknown = 12;
constexpr std::int64_t long_s = 3600;
constexpr std::uint64_t mailbox_base = std::uint64_t{1} << 32U;

constexpr std::uint64_t bit(verb what) { return std::uint64_t{1} << static_cast<unsigned>(what); }
constexpr std::uint64_t polls = bit(verb::poll) | bit(verb::poll_multishot);
// What a cancel may be aimed at without a race.
constexpr std::uint64_t cancellable = ~bit(verb::connect);

bool waits_for_all(const operation& which) {
    return (which.ways & (way::read | way::write)) != 0 &&
           (which.entry.op_flags & msg_flag::wait_all) != 0;
}

clockid_t clock_of(std::uint32_t flags) {
    if ((flags & timeout_flag::boottime) != 0) return CLOCK_BOOTTIME;
    if ((flags & timeout_flag::realtime) != 0) return CLOCK_REALTIME;
    return CLOCK_MONOTONIC;
}

}  // namespace

bool runner::make_cancel(const step& from, operation& out) {
    for (const std::uint32_t tag : chain_) {
        if (operations_.at(tag).ways != 0 || operations_.at(tag).worker) return false;
    }
    if (chained_ && is_anything_counted()) return false;
    out.prompt = true;
    std::uint32_t flags = from.flags & cancel_flag::all;
    std::size_t matches = 0;
    const auto count = [&](auto matching) {
        for (const auto& [tag, each] : operations_) {
            if (each.left > 0 && matching(each)) matches += each.left;
        }
        if (matches > 1 || !chain_.empty()) flags |= cancel_flag::all;
    };
    switch (from.what) {
        case verb::cancel: {
            std::uint32_t target = pick_operation(from.pick, cancellable);
            if (target != 0) target = name_of(target);
            if (target == 0 || from.variant % 100 < percent_unknown) target = no_such_tag;
            prep_cancel(out.entry, target, flags, from.id);
            return true;
        }
        case verb::cancel_fd: {
            const std::uint32_t target = pick_operation(from.pick, cancellable);
            const std::int32_t socket = target != 0 && from.variant % 100 >= percent_unknown
                                            ? operations_.at(target).socket
                                            : pick_stream(from.pick);
            if (socket == socket_slot::none || sockets_.at(socket).fd < 0) return false;
            count([&](const operation& each) { return each.socket == socket; });
            prep_cancel_fd(out.entry, fd{sockets_.at(socket).fd}, flags, from.id);
            return true;
        }
        case verb::cancel_opcode: {
            const std::uint32_t target = pick_operation(from.pick, cancellable);
            const opcode op = target != 0 ? operations_.at(target).entry.op : opcode::recv;
            count([&](const operation& each) { return each.entry.op == op; });
            prep_cancel(out.entry, 0, flags | cancel_flag::by_opcode, from.id);
            out.entry.len = static_cast<std::uint32_t>(op);
            return true;
        }
        default:
            count([](const operation&) { return true; });
            prep_cancel(out.entry, 0, flags | cancel_flag::any, from.id);
            return true;
    }
}

std::uint32_t runner::name_of(std::uint32_t tag) const {
    const std::uint32_t name = operations_.at(tag).name;
    return name != 0 ? name : tag;
}

bool runner::make_poll_change(const step& from, operation& out) {
    out.prompt = true;
    std::uint32_t target = pick_operation(from.pick, polls);
    if (target == 0 || from.variant % 100 < percent_unknown) {
        target = no_such_tag;
    } else {
        if (chained_) return false;
        out.target = target;
        target = name_of(target);
    }
    if (from.what == verb::poll_remove) {
        prep_poll_remove(out.entry, target, from.id);
        return true;
    }
    std::uint32_t flags = 0;
    if (out.target != 0 && operations_.at(out.target).multishot) flags |= poll_flag::multishot;
    if (from.variant % 3 != 0) flags |= poll_flag::update_events;
    if (from.variant % 3 != 1) flags |= poll_flag::update_user_data;
    // The poll may complete under its new name before the update does.
    if (out.target != 0 && (flags & poll_flag::update_user_data) != 0) {
        renamed_[new_names + from.id] = out.target;
    }
    const std::uint32_t events = (flags & poll_flag::update_events) != 0 ? from.flags : 0;
    const bool renames = (flags & poll_flag::update_user_data) != 0;
    prep_poll_update(out.entry, target, renames ? new_names + from.id : 0, events, flags, from.id);
    return true;
}

void runner::poll_changed(const operation& which, const cqe& done) {
    if (done.res != 0 || which.target == 0) return;
    operation& poll = operations_.at(which.target);
    if ((which.entry.len & poll_flag::update_user_data) != 0) {
        poll.name = static_cast<std::uint32_t>(which.entry.off);
    }
    if ((which.entry.len & poll_flag::update_events) != 0) {
        poll.entry.op_flags = which.entry.op_flags;
    }
    poll.level = 0;
}

kernel_timespec* runner::time_of(bool brief, std::uint32_t variant, std::uint32_t flags) {
    auto* const time = take<kernel_timespec>();
    *time = {};
    if (brief) {
        // At once, or in a millisecond.
        time->tv_nsec =
            (variant & 1U) == 0 && (flags & timeout_flag::multishot) == 0 ? 0 : 1'000'000;
    } else {
        time->tv_sec = long_s;
    }
    if ((flags & timeout_flag::absolute) != 0) {
        ::timespec now{};
        ::clock_gettime(clock_of(flags), &now);
        time->tv_sec += now.tv_sec;
        time->tv_nsec += now.tv_nsec;
        if (brief && (variant & 2U) != 0) --time->tv_sec;  // It is over already.
        if (time->tv_nsec >= 1'000'000'000) {
            time->tv_nsec -= 1'000'000'000;
            ++time->tv_sec;
        }
    }
    return time;
}

bool runner::make_timeout(const step& from, operation& out) {
    std::uint32_t flags = from.flags;
    if (!options_->common.has(feature::timeout_multishot)) flags &= ~timeout_flag::multishot;
    const bool repeats = (flags & timeout_flag::multishot) != 0;
    std::uint32_t completions = from.bytes;
    out.brief = (completions == 0 || repeats) && from.variant % 100 < 40;
    if (repeats && out.brief && completions == 0) completions = 2;
    out.counts = completions > 0 && !repeats;
    // Linux 6.18 takes a timeout that ends for very many completions where another one counts; and
    // how many a multishot operation posts is open.
    if (out.counts) {
        if (chained_) return false;
        for (const auto& [tag, each] : operations_) {
            const bool is_timer = each.what == verb::timeout && (each.multishot || each.counts);
            if (each.left > 0 && (each.what == verb::poll_multishot || is_timer)) return false;
        }
    }
    if ((repeats || out.brief) && is_anything_counted()) return false;
    out.prompt = out.brief;
    out.multishot = repeats;
    prep_timeout(out.entry, time_of(out.brief, from.variant >> 8U, flags), completions, flags,
                 from.id);
    return true;
}

bool runner::make_timeout_change(const step& from, operation& out) {
    if (chained_ && is_anything_counted()) return false;
    out.prompt = true;
    std::uint32_t target = pick_operation(from.pick, bit(verb::timeout));
    // One that fires for ever would do so all the faster.
    if (target != 0 && from.what == verb::timeout_update &&
        (operations_.at(target).counts || operations_.at(target).multishot)) {
        target = 0;
    }
    if (target == 0 || from.variant % 100 < percent_unknown) {
        target = no_such_tag;
    } else {
        out.target = target;
    }
    if (from.what == verb::timeout_remove) {
        prep_timeout_remove(out.entry, target, from.id);
        return true;
    }
    if (chained_) return false;
    const std::uint32_t flags = (from.variant >> 10U) % 4 == 0 ? timeout_flag::absolute : 0;
    out.shortens = from.variant % 2 == 0 && !is_anything_counted();
    prep_timeout_update(out.entry, time_of(out.shortens, from.variant >> 8U, flags), target, flags,
                        from.id);
    flush_after_ = true;
    return true;
}

// Bounds the member before it. When that is over in a moment, so is the member.
bool runner::make_link_timeout(const step& from, operation& out) {
    out.brief = from.variant % 2 == 0;
    const bool bounds = last_in_chain_ != 0;
    if (bounds && operations_.at(last_in_chain_).worker) return false;
    // Linux 6.18 forgets the time of one that goes on after a part.
    if (bounds && waits_for_all(operations_.at(last_in_chain_))) return false;
    if (bounds && (operations_.at(last_in_chain_).ways & way::connect) != 0) return false;
    if (!bounds || out.brief) out.prompt = true;
    if (bounds && out.brief) {
        // Which of them comes first is open where the member ends by itself.
        const operation& bounded = operations_.at(last_in_chain_);
        if (bounded.prompt || bounded.multishot || (bounded.ways & way::write) != 0) return false;
        operations_.at(last_in_chain_).prompt = true;
    }
    std::uint32_t flags = 0;
    if ((from.variant >> 4U) % 5 == 0) flags = timeout_flag::absolute;
    if ((from.variant >> 7U) % 8 == 0) flags |= timeout_flag::boottime;
    prep_link_timeout(out.entry, time_of(out.brief, from.variant >> 12U, flags), flags, from.id);
    return true;
}

bool runner::make_message(const step& from, operation& out) {
    if (!options_->common.has(feature::msg_ring)) return false;
    if (!mailbox_.valid()) {
        std::string why;
        mailbox_ =
            queues{set_up_by_name(options_->backend, {.sq_entries = 8, .cq_entries = 64}, why)};
        if (!mailbox_.valid()) {
            complain("no second ring: " + why);
            return false;
        }
        mailbox_.turn();  // Owned from here on.
    }
    std::int32_t target =
        mailbox_->register_(backends::register_op::message_descriptor, nullptr, 0);
    if (target < 0) {
        complain("message_descriptor: " + std::to_string(target));
        return false;
    }
    if (from.variant % 8 == 0) {
        const std::int32_t other = pick_kind(from.pick, socket_kind::other);
        if (other != socket_slot::none) target = sockets_.at(other).fd;
    }
    out.prompt = true;
    prep_msg_ring(out.entry, fd{target}, static_cast<std::int32_t>(from.bytes),
                  mailbox_base + from.id, 0, from.id);
    flush_after_ = true;
    return true;
}

}  // namespace ioring::differential
