// SPDX-License-Identifier: MIT
// misuse.cpp - from a step to an entry that is wrong: each kind of mistake once.
#include <algorithm>
#include <array>

#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

constexpr std::int32_t bad_descriptor = 1'000'000;

// What a mistake can be made with.
struct materials {
    sqe& entry;
    const kernel_timespec* time;
    std::byte* memory;
    std::int32_t stream;
    std::int32_t listener;
    std::int32_t other;
};

struct misuse {
    const char* name;
    void (*apply)(const materials& at);
};

using bytes = std::span<std::byte>;

constexpr std::array misuses{
    misuse{"an opcode that there is not",
           [](const materials& at) { at.entry.op = static_cast<opcode>(250); }},
    misuse{"receive of no descriptor",
           [](const materials& at) {
               prep_recv(at.entry, fd{-1}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"receive of a closed descriptor",
           [](const materials& at) {
               prep_recv(at.entry, fd{bad_descriptor}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"send to a closed descriptor",
           [](const materials& at) {
               prep_send(at.entry, fd{bad_descriptor}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"receive of what is no socket",
           [](const materials& at) {
               prep_recv(at.entry, fd{at.other}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"send to what is no socket",
           [](const materials& at) {
               prep_send(at.entry, fd{at.other}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"receive with an unknown flag of ioprio",
           [](const materials& at) {
               prep_recv(at.entry, fd{at.stream}, bytes{at.memory, 8}, 0, 0);
               at.entry.ioprio = 0x4000;
           }},
    misuse{"send with an unknown flag of ioprio",
           [](const materials& at) {
               prep_send(at.entry, fd{at.stream}, bytes{at.memory, 8}, 0, 0);
               at.entry.ioprio = 0x4000;
           }},
    misuse{"accept with unknown socket flags",
           [](const materials& at) {
               prep_accept(at.entry, fd{at.listener}, nullptr, nullptr, 1, 0);
           }},
    misuse{"accept with an unknown flag of ioprio",
           [](const materials& at) {
               prep_accept(at.entry, fd{at.listener}, nullptr, nullptr, 0, 0);
               at.entry.ioprio = 0x4000;
           }},
    misuse{
        "accept of a connection",
        [](const materials& at) { prep_accept(at.entry, fd{at.stream}, nullptr, nullptr, 0, 0); }},
    misuse{
        "accept of what is no socket",
        [](const materials& at) { prep_accept(at.entry, fd{at.other}, nullptr, nullptr, 0, 0); }},
    misuse{"accept of a closed descriptor",
           [](const materials& at) {
               prep_accept(at.entry, fd{bad_descriptor}, nullptr, nullptr, 0, 0);
           }},
    misuse{"send to a listener",
           [](const materials& at) {
               prep_send(at.entry, fd{at.listener}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"receive of a listener",
           [](const materials& at) {
               prep_recv(at.entry, fd{at.listener}, bytes{at.memory, 8}, 0, 0);
           }},
    misuse{"poll with unknown flags",
           [](const materials& at) {
               prep_poll_add(at.entry, fd{at.stream}, poll_event::in, 0);
               at.entry.len = 0x100;
           }},
    misuse{"poll of a closed descriptor",
           [](const materials& at) {
               prep_poll_add(at.entry, fd{bad_descriptor}, poll_event::in, 0);
           }},
    misuse{"poll with an offset",
           [](const materials& at) {
               prep_poll_add(at.entry, fd{at.stream}, poll_event::in, 0);
               at.entry.off = 1;
           }},
    misuse{"poll update without a flag that changes anything",
           [](const materials& at) {
               prep_poll_update(at.entry, 900'000, 900'001, poll_event::in, 0x10, 0);
           }},
    misuse{"timeout with unknown flags",
           [](const materials& at) { prep_timeout(at.entry, at.time, 0, 1U << 12U, 0); }},
    misuse{"timeout of two clocks",
           [](const materials& at) {
               prep_timeout(at.entry, at.time, 0, timeout_flag::boottime | timeout_flag::realtime,
                            0);
           }},
    misuse{"timeout of length 2",
           [](const materials& at) {
               prep_timeout(at.entry, at.time, 0, 0, 0);
               at.entry.len = 2;
           }},
    misuse{"timeout without a time",
           [](const materials& at) { prep_timeout(at.entry, nullptr, 0, 0, 0); }},
    misuse{"timeout that repeats at an absolute time",
           [](const materials& at) {
               prep_timeout(at.entry, at.time, 2, timeout_flag::multishot | timeout_flag::absolute,
                            0);
           }},
    misuse{"timeout removal with unknown flags",
           [](const materials& at) {
               prep_timeout_remove(at.entry, 900'000, 0);
               at.entry.op_flags = 1U << 12U;
           }},
    misuse{"cancel with unknown flags",
           [](const materials& at) { prep_cancel(at.entry, 900'000, 1U << 12U, 0); }},
    misuse{
        "cancel of anything by descriptor",
        [](const materials& at) { prep_cancel_fd(at.entry, fd{at.stream}, cancel_flag::any, 0); }},
    misuse{"cancel by a closed descriptor",
           [](const materials& at) { prep_cancel_fd(at.entry, fd{bad_descriptor}, 0, 0); }},
    misuse{"shutdown of neither direction",
           [](const materials& at) {
               prep_shutdown(at.entry, fd{at.stream}, static_cast<shutdown_how>(7), 0);
           }},
    misuse{"shutdown of a listener's descriptor that is closed",
           [](const materials& at) {
               prep_shutdown(at.entry, fd{bad_descriptor}, shutdown_how::both, 0);
           }},
    misuse{
        "shutdown of what is no socket",
        [](const materials& at) { prep_shutdown(at.entry, fd{at.other}, shutdown_how::both, 0); }},
    misuse{"close of no descriptor", [](const materials& at) { prep_close(at.entry, fd{-1}, 0); }},
    misuse{"close with an offset",
           [](const materials& at) {
               prep_close(at.entry, fd{bad_descriptor}, 0);
               at.entry.off = 1;
           }},
    misuse{"connect with an address that is too short",
           [](const materials& at) {
               prep_connect(at.entry, fd{at.stream}, reinterpret_cast<::sockaddr*>(at.memory), 1,
                            0);
           }},
    misuse{"connect of a closed descriptor",
           [](const materials& at) {
               prep_connect(at.entry, fd{bad_descriptor}, reinterpret_cast<::sockaddr*>(at.memory),
                            16, 0);
           }},
    misuse{"connect with a length of an address",
           [](const materials& at) {
               prep_connect(at.entry, fd{at.stream}, reinterpret_cast<::sockaddr*>(at.memory), 16,
                            0);
               at.entry.len = 1;
           }},
    misuse{"receive into a group that there is not",
           [](const materials& at) { prep_recv_select(at.entry, fd{at.stream}, 60'000, 0, 0, 0); }},
    misuse{"multishot receive without a group",
           [](const materials& at) {
               prep_recv(at.entry, fd{at.stream}, {}, 0, 0);
               at.entry.ioprio = transfer_flag::multishot;
           }},
    misuse{"multishot receive of all",
           [](const materials& at) {
               prep_recv_multishot(at.entry, fd{at.stream}, 60'000, msg_flag::wait_all, 0);
           }},
    misuse{"nop with a buffer group",
           [](const materials& at) {
               prep_nop(at.entry, 0);
               at.entry.flags = sqe_flag::buffer_select;
           }},
    misuse{"nop with flags",
           [](const materials& at) {
               prep_nop(at.entry, 0);
               at.entry.op_flags = 1U << 30U;
           }},
    misuse{"nop of a personality that there is not",
           [](const materials& at) {
               prep_nop(at.entry, 0);
               at.entry.personality = 77;
           }},
    misuse{"receive of a registered file that there is not",
           [](const materials& at) {
               prep_recv(at.entry, fd{3}, bytes{at.memory, 8}, 0, 0);
               at.entry.flags = sqe_flag::fixed_file;
           }},
    misuse{"an unknown flag of the entry",
           [](const materials& at) {
               prep_nop(at.entry, 0);
               at.entry.flags = 0x80;
           }},
    misuse{"read into a kernel buffer that there is not",
           [](const materials& at) {
               prep_read_fixed(at.entry, fd{at.stream}, bytes{at.memory, 8}, 0, 1000, 0);
           }},
    misuse{"write from a kernel buffer that there is not",
           [](const materials& at) {
               prep_write_fixed(at.entry, fd{at.stream}, bytes{at.memory, 8}, 0, 1000, 0);
           }},
    misuse{"read of a closed descriptor into a kernel buffer",
           [](const materials& at) {
               prep_read_fixed(at.entry, fd{bad_descriptor}, bytes{at.memory, 8}, 0, 1000, 0);
           }},
    misuse{"write to a closed descriptor from a kernel buffer",
           [](const materials& at) {
               prep_write_fixed(at.entry, fd{bad_descriptor}, bytes{at.memory, 8}, 0, 1000, 0);
           }},
    misuse{"bind of a closed descriptor",
           [](const materials& at) {
               prep_bind(at.entry, fd{bad_descriptor}, reinterpret_cast<::sockaddr*>(at.memory), 16,
                         0);
           }},
    misuse{"bind of a connection",
           [](const materials& at) {
               prep_bind(at.entry, fd{at.stream}, reinterpret_cast<::sockaddr*>(at.memory), 1, 0);
           }},
    misuse{"listen on a closed descriptor",
           [](const materials& at) { prep_listen(at.entry, fd{bad_descriptor}, 4, 0); }},
    misuse{"listen on what is no socket",
           [](const materials& at) { prep_listen(at.entry, fd{at.other}, 4, 0); }},
    misuse{"listen with an address",
           [](const materials& at) {
               prep_listen(at.entry, fd{bad_descriptor}, 4, 0);
               at.entry.addr = 1;
           }},
    misuse{"socket with unknown type flags",
           [](const materials& at) { prep_socket(at.entry, 2, 1U | 0x100U, 0, 0); }},
    misuse{"message to a closed descriptor",
           [](const materials& at) { prep_msg_ring(at.entry, fd{bad_descriptor}, 0, 1, 0, 0); }},
    misuse{"message with unknown flags",
           [](const materials& at) { prep_msg_ring(at.entry, fd{at.other}, 0, 1, 1U << 12U, 0); }},
};

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
    const misuse& how = misuses[from.variant % misuses.size()];
    how.apply({out.entry, time_of(false, 0, 0), take_memory(64).data(), sockets_.at(stream).fd,
               sockets_.at(listener).fd, sockets_.at(other).fd});
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
