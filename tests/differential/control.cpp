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

namespace {

constexpr std::int32_t bad_descriptor = 1'000'000;

struct misuse {
    const char* name;
    void (*apply)(sqe& entry, const kernel_timespec* time, std::byte* memory, std::int32_t stream,
                  std::int32_t listener, std::int32_t other);
};

#define MISUSE(name)                                                                       \
    misuse {                                                                               \
        name, [](sqe & entry, [[maybe_unused]] const kernel_timespec* time,                \
                 [[maybe_unused]] std::byte* memory, [[maybe_unused]] std::int32_t stream, \
                 [[maybe_unused]] std::int32_t listener, [[maybe_unused]] std::int32_t other)

const auto& misuses() {
    using bytes = std::span<std::byte>;
    static const std::array all{
        MISUSE("an opcode that there is not"){entry.op = static_cast<opcode>(250);
}
}
, MISUSE("receive of no descriptor") { prep_recv(entry, fd{-1}, bytes{memory, 8}, 0, 0); }
}
, MISUSE("receive of a closed descriptor") {
    prep_recv(entry, fd{bad_descriptor}, bytes{memory, 8}, 0, 0);
}
}
, MISUSE("send to a closed descriptor") {
    prep_send(entry, fd{bad_descriptor}, bytes{memory, 8}, 0, 0);
}
}
, MISUSE("receive of what is no socket") { prep_recv(entry, fd{other}, bytes{memory, 8}, 0, 0); }
}
, MISUSE("send to what is no socket") { prep_send(entry, fd{other}, bytes{memory, 8}, 0, 0); }
}
, MISUSE("receive with an unknown flag of ioprio") {
    prep_recv(entry, fd{stream}, bytes{memory, 8}, 0, 0);
    entry.ioprio = 0x4000;
}
}
, MISUSE("send with an unknown flag of ioprio") {
    prep_send(entry, fd{stream}, bytes{memory, 8}, 0, 0);
    entry.ioprio = 0x4000;
}
}
, MISUSE("accept with unknown socket flags") {
    prep_accept(entry, fd{listener}, nullptr, nullptr, 1, 0);
}
}
, MISUSE("accept with an unknown flag of ioprio") {
    prep_accept(entry, fd{listener}, nullptr, nullptr, 0, 0);
    entry.ioprio = 0x4000;
}
}
, MISUSE("accept of a connection") { prep_accept(entry, fd{stream}, nullptr, nullptr, 0, 0); }
}
, MISUSE("accept of what is no socket") { prep_accept(entry, fd{other}, nullptr, nullptr, 0, 0); }
}
, MISUSE("accept of a closed descriptor") {
    prep_accept(entry, fd{bad_descriptor}, nullptr, nullptr, 0, 0);
}
}
, MISUSE("send to a listener") { prep_send(entry, fd{listener}, bytes{memory, 8}, 0, 0); }
}
, MISUSE("receive of a listener") { prep_recv(entry, fd{listener}, bytes{memory, 8}, 0, 0); }
}
, MISUSE("poll with unknown flags") {
    prep_poll_add(entry, fd{stream}, poll_event::in, 0);
    entry.len = 0x100;
}
}
, MISUSE("poll of a closed descriptor") {
    prep_poll_add(entry, fd{bad_descriptor}, poll_event::in, 0);
}
}
, MISUSE("poll with an offset") {
    prep_poll_add(entry, fd{stream}, poll_event::in, 0);
    entry.off = 1;
}
}
, MISUSE("poll update without a flag that changes anything") {
    prep_poll_update(entry, 900'000, 900'001, poll_event::in, 0x10, 0);
}
}
, MISUSE("timeout with unknown flags") { prep_timeout(entry, time, 0, 1U << 12U, 0); }
}
, MISUSE("timeout of two clocks") {
    prep_timeout(entry, time, 0, timeout_flag::boottime | timeout_flag::realtime, 0);
}
}
, MISUSE("timeout of length 2") {
    prep_timeout(entry, time, 0, 0, 0);
    entry.len = 2;
}
}
, MISUSE("timeout without a time") { prep_timeout(entry, nullptr, 0, 0, 0); }
}
, MISUSE("timeout that repeats at an absolute time") {
    prep_timeout(entry, time, 2, timeout_flag::multishot | timeout_flag::absolute, 0);
}
}
, MISUSE("timeout removal with unknown flags") {
    prep_timeout_remove(entry, 900'000, 0);
    entry.op_flags = 1U << 12U;
}
}
, MISUSE("cancel with unknown flags") { prep_cancel(entry, 900'000, 1U << 12U, 0); }
}
, MISUSE("cancel of anything by descriptor") {
    prep_cancel_fd(entry, fd{stream}, cancel_flag::any, 0);
}
}
, MISUSE("cancel by a closed descriptor") { prep_cancel_fd(entry, fd{bad_descriptor}, 0, 0); }
}
, MISUSE("shutdown of neither direction") {
    prep_shutdown(entry, fd{stream}, static_cast<shutdown_how>(7), 0);
}
}
, MISUSE("shutdown of a listener's descriptor that is closed") {
    prep_shutdown(entry, fd{bad_descriptor}, shutdown_how::both, 0);
}
}
, MISUSE("shutdown of what is no socket") {
    prep_shutdown(entry, fd{other}, shutdown_how::both, 0);
}
}
, MISUSE("close of no descriptor") { prep_close(entry, fd{-1}, 0); }
}
, MISUSE("close with an offset") {
    prep_close(entry, fd{bad_descriptor}, 0);
    entry.off = 1;
}
}
, MISUSE("connect with an address that is too short") {
    prep_connect(entry, fd{stream}, reinterpret_cast<::sockaddr*>(memory), 1, 0);
}
}
, MISUSE("connect of a closed descriptor") {
    prep_connect(entry, fd{bad_descriptor}, reinterpret_cast<::sockaddr*>(memory), 16, 0);
}
}
, MISUSE("connect with a length of an address") {
    prep_connect(entry, fd{stream}, reinterpret_cast<::sockaddr*>(memory), 16, 0);
    entry.len = 1;
}
}
, MISUSE("receive into a group that there is not") {
    prep_recv_select(entry, fd{stream}, 60'000, 0, 0, 0);
}
}
, MISUSE("multishot receive without a group") {
    prep_recv(entry, fd{stream}, {}, 0, 0);
    entry.ioprio = transfer_flag::multishot;
}
}
, MISUSE("multishot receive of all") {
    prep_recv_multishot(entry, fd{stream}, 60'000, msg_flag::wait_all, 0);
}
}
, MISUSE("nop with a buffer group") {
    prep_nop(entry, 0);
    entry.flags = sqe_flag::buffer_select;
}
}
, MISUSE("nop with flags") {
    prep_nop(entry, 0);
    entry.op_flags = 1U << 30U;
}
}
, MISUSE("nop of a personality that there is not") {
    prep_nop(entry, 0);
    entry.personality = 77;
}
}
, MISUSE("receive of a registered file that there is not") {
    prep_recv(entry, fd{3}, bytes{memory, 8}, 0, 0);
    entry.flags = sqe_flag::fixed_file;
}
}
, MISUSE("an unknown flag of the entry") {
    prep_nop(entry, 0);
    entry.flags = 0x80;
}
}
, MISUSE("read into a kernel buffer that there is not") {
    prep_read_fixed(entry, fd{stream}, bytes{memory, 8}, 0, 1000, 0);
}
}
, MISUSE("write from a kernel buffer that there is not") {
    prep_write_fixed(entry, fd{stream}, bytes{memory, 8}, 0, 1000, 0);
}
}
, MISUSE("read of a closed descriptor into a kernel buffer") {
    prep_read_fixed(entry, fd{bad_descriptor}, bytes{memory, 8}, 0, 1000, 0);
}
}
, MISUSE("write to a closed descriptor from a kernel buffer") {
    prep_write_fixed(entry, fd{bad_descriptor}, bytes{memory, 8}, 0, 1000, 0);
}
}
, MISUSE("bind of a closed descriptor") {
    prep_bind(entry, fd{bad_descriptor}, reinterpret_cast<::sockaddr*>(memory), 16, 0);
}
}
, MISUSE("bind of a connection") {
    prep_bind(entry, fd{stream}, reinterpret_cast<::sockaddr*>(memory), 1, 0);
}
}
, MISUSE("listen on a closed descriptor") { prep_listen(entry, fd{bad_descriptor}, 4, 0); }
}
, MISUSE("listen on what is no socket") { prep_listen(entry, fd{other}, 4, 0); }
}
, MISUSE("listen with an address") {
    prep_listen(entry, fd{bad_descriptor}, 4, 0);
    entry.addr = 1;
}
}
, MISUSE("socket with unknown type flags") { prep_socket(entry, 2, 1U | 0x100U, 0, 0); }
}
, MISUSE("message to a closed descriptor") { prep_msg_ring(entry, fd{bad_descriptor}, 0, 1, 0, 0); }
}
, MISUSE("message with unknown flags") { prep_msg_ring(entry, fd{other}, 0, 1, 1U << 12U, 0); }
}
,
}
;
return all;
}
#undef MISUSE

}  // namespace

bool runner::make_malformed(const step& from, operation& out) {
    // When it starts late its sockets may be in use: a receive waits behind an accept, as behind
    // any read (allowed difference 2).
    const bool starts_late = std::ranges::any_of(
        chain_, [this](std::uint32_t tag) { return !operations_.at(tag).prompt; });
    if (starts_late) return false;
    const std::int32_t stream = pick_stream(from.pick);
    const std::int32_t listener = pick_kind(from.pick, socket_kind::listener);
    const std::int32_t other = pick_kind(from.pick, socket_kind::other);
    if (stream == socket_slot::none || listener == socket_slot::none ||
        other == socket_slot::none || sockets_.at(stream).kind != socket_kind::stream ||
        is_busy(stream, way::any) || is_busy(listener, way::any) || is_busy(other, way::any)) {
        return false;
    }
    const misuse& how = misuses()[from.variant % misuses().size()];
    how.apply(out.entry, time_of(false, 0, 0), take_memory(64).data(), sockets_.at(stream).fd,
              sockets_.at(listener).fd, sockets_.at(other).fd);
    out.entry.user_data = from.id;
    out.prompt = true;
    // Shutdowns run in a worker thread, however wrong they are.
    out.worker = out.entry.op == opcode::shutdown;
    if (out.worker && chained_) return false;
    flush_after_ = flush_after_ || out.worker;
    out.misuse = how.name;
    return true;
}

}  // namespace ioring::differential
