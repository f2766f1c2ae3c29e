// SPDX-License-Identifier: MIT
// program.hpp - a random program: which sockets there are, and what is done to them in order.
//
// A step names no descriptor. It carries numbers, of which the runner makes the operation with what
// is there at that moment (`pick` chooses among the sockets that fit). So any subset of a program's
// steps is a program, which is what the shrinker lives from. A step that fits nothing is passed
// over. Two backends that behave alike make the same of the same steps.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ioring::differential {

enum class verb : std::uint8_t {
    // Entries of the submission queue.
    nop,
    recv,
    recv_select,
    recv_multishot,
    recvmsg,
    send,
    send_vectorized,
    send_zc,
    sendmsg,
    accept,
    accept_multishot,
    connect,
    shutdown,
    close,
    cancel,
    cancel_fd,
    cancel_opcode,
    cancel_any,
    poll,
    poll_multishot,
    poll_update,
    poll_remove,
    timeout,
    timeout_update,
    timeout_remove,
    link_timeout,
    message,
    make_socket,
    bind,
    listen,
    malformed,
    // What the program does beside the ring.
    submit,      // Hands over what is prepared, and runs until nothing moves.
    burst,       // Nops, more than the queue holds, without a look at completions in between.
    peer_write,  // The rest: plain calls on the other ends of the connections.
    peer_read,
    peer_shutdown,
    peer_close,
    peer_reset,
    peer_connect,
    open_pair,     // One more connection.
    recycle,       // Gives used buffers back to their group.
    shutdown_now,  // register_op::shutdown_now and close_now.
    close_now,
    count
};

[[nodiscard]] constexpr bool is_entry(verb what) noexcept { return what < verb::submit; }
[[nodiscard]] std::string_view to_string(verb what) noexcept;

struct step {
    verb what = verb::nop;
    std::uint8_t sqe_flags = 0;
    std::uint16_t ioprio = 0;
    std::uint32_t id = 0;       // The entry's user_data: its number in the unshrunk program.
    std::uint32_t pick = 0;     // Chooses a socket, a target, a group.
    std::uint32_t bytes = 0;    // A length or a count.
    std::uint32_t flags = 0;    // msg_flag, poll_event, timeout_flag, cancel_flag ...
    std::uint32_t variant = 0;  // What else there is to choose.
};

enum class connection_kind : std::uint8_t { tcp, local, local_small };  // Small: its send buffer.
enum class listener_kind : std::uint8_t { tcp, local };

struct group_plan {
    std::uint32_t buffers = 0;
    std::uint32_t buffer_bytes = 0;
    bool incremental = false;
    bool shared = false;  // Of all connections: large, and refilled after each step.
};

struct program {
    std::uint64_t seed = 0;
    std::uint32_t sq_entries = 0;
    std::uint32_t cq_entries = 0;
    std::vector<connection_kind> connections;
    std::vector<listener_kind> listeners;
    std::vector<group_plan> groups;
    std::vector<step> steps;

    [[nodiscard]] std::size_t operations() const noexcept;
};

// The program of `seed`, always the same one.
[[nodiscard]] program generate(std::uint64_t seed);

}  // namespace ioring::differential
