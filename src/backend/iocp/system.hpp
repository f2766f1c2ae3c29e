// SPDX-License-Identifier: MIT
// system.hpp - what the engine asks of Windows, as an interface: the real one, or a test's.
//
// The structures have Windows' layout without its headers (asserted in system_windows.cpp).
// Results are 0 or more, or -errno. Nothing waits but wait().
//
// An operation that has begun and is pending owns its `overlapped` and its memory until its packet
// has come out of wait(). One that has ended at once sends no packet.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

struct sockaddr;

namespace ioring::backends::iocp {

using socket_handle = std::uintptr_t;
inline constexpr socket_handle no_socket = ~socket_handle{0};

// OVERLAPPED.
struct overlapped {
    std::uintptr_t status = 0;  // NTSTATUS
    std::uintptr_t bytes = 0;
    std::uint64_t offset = 0;
    void* event = nullptr;
};

// One that has ended, or with `of` == nullptr a post().
struct packet {
    overlapped* of = nullptr;
};

// overlapped::status of one that has ended by no system call: this and an errno. (To Windows, a
// status that somebody else has defined.)
inline constexpr std::uint32_t own_status = 0xe000'0000;
inline constexpr std::uint32_t own_status_mask = 0xffff'0000;

// What became of a call that begins an operation.
struct begun {
    bool pending = false;
    std::int32_t res = 0;  // When it is not: bytes or an event mask, or -errno.
};

// What AcceptEx() writes: both addresses, 16 bytes longer than any that it is used for.
inline constexpr std::size_t accept_address_bytes = 44;
// What the system reads and writes while it polls.
struct poll_request {
    std::int64_t timeout = 0;  // In steps of 100 ns; negative: from now.
    std::uint32_t count = 0;
    std::uint32_t exclusive = 0;
    void* handle = nullptr;
    std::uint32_t events = 0;
    std::int32_t status = 0;
};

// WSABUF.
struct piece {
    std::uint32_t bytes = 0;
    std::byte* data = nullptr;
};

// WSAMSG.
struct message {
    const sockaddr* name = nullptr;
    std::int32_t name_bytes = 0;
    piece* pieces = nullptr;
    std::uint32_t count = 0;
    piece control;
    std::uint32_t flags = 0;
};

// Linux' MSG_CTRUNC, which is msg_flag::trunc of control data.
inline constexpr std::uint32_t control_cut = 0x08;

class system {
public:
    system() = default;
    system(const system&) = delete;
    system& operator=(const system&) = delete;
    virtual ~system() = default;

    // --- the port ---
    // From now on the socket's packets come out of wait(), and its plain calls do not wait. -EBUSY:
    // another ring has it.
    virtual int attach(socket_handle socket) noexcept = 0;
    // Up to out.size() packets; waits `timeout_ns` (negative: without end) for the first one.
    virtual int wait(std::span<packet> out, std::int64_t timeout_ns) noexcept = 0;
    // Ends the present or the next wait(). Any thread.
    virtual void post() noexcept = 0;

    // The port itself, for those who post to it.
    virtual void* port() noexcept = 0;

    // --- registered sockets and buffers, which only some systems have ---
    // As register_op::attach_socket; close() undoes it.
    virtual int attach_requests(socket_handle /*socket*/) noexcept { return -EOPNOTSUPP; }
    [[nodiscard]] virtual bool has_requests(socket_handle /*socket*/) noexcept { return false; }
    // As register_op::attach_buffer and detach_buffer.
    virtual int attach_buffer(std::uint32_t /*slot*/, std::byte* /*data*/,
                              std::size_t /*bytes*/) noexcept {
        return -EOPNOTSUPP;
    }
    virtual int detach_buffer(std::uint32_t /*slot*/) noexcept { return -EOPNOTSUPP; }

    // --- operations ---
    // `buffer`: the number of the registered buffer that `data` is of, + 1; 0: of none.
    virtual begun receive(socket_handle socket, std::byte* data, std::uint32_t bytes,
                          std::uint32_t buffer, overlapped& of) noexcept = 0;
    // `address` may be nullptr.
    virtual begun send(socket_handle socket, const std::byte* data, std::uint32_t bytes,
                       std::uint32_t buffer, const sockaddr* address, std::uint32_t address_bytes,
                       overlapped& of) noexcept = 0;
    // Into or from several pieces. They are read by the call alone and need not stay.
    virtual begun receive_pieces(socket_handle socket, std::span<piece> into,
                                 overlapped& of) noexcept = 0;
    // `what` may name an address, and of a datagram control data; all but its pieces stays.
    virtual begun send_message(socket_handle socket, message& what, overlapped& of) noexcept = 0;
    // `fresh` is from open_like(); `room` has 2 * accept_address_bytes.
    virtual begun accept(socket_handle listener, socket_handle fresh, std::byte* room,
                         overlapped& of) noexcept = 0;
    virtual begun connect(socket_handle socket, const sockaddr* address,
                          std::uint32_t address_bytes, overlapped& of) noexcept = 0;
    // Waits for one of `events` (poll_event). At once: the mask of those that are there.
    virtual begun poll(socket_handle socket, std::uint32_t events, poll_request& request,
                       overlapped& of) noexcept = 0;
    // The mask that a poll has ended with.
    virtual std::int32_t polled(const poll_request& request) noexcept = 0;
    // Asks for the end of a pending operation. False: it has ended, and its packet is on its way.
    virtual bool cancel(socket_handle socket, overlapped& of) noexcept = 0;

    // --- calls ---
    virtual std::int32_t receive_now(socket_handle socket, std::byte* data, std::uint32_t bytes,
                                     std::uint32_t msg_flags) noexcept = 0;
    virtual std::int32_t send_now(socket_handle socket, const std::byte* data,
                                  std::uint32_t bytes) noexcept = 0;
    // `what.flags`: msg_flag::peek before; msg_flag::trunc and control_cut afterwards. Sets the
    // sizes of name and control data.
    virtual std::int32_t receive_message_now(socket_handle socket, bool stream,
                                             message& what) noexcept = 0;
    virtual std::int32_t send_message_now(socket_handle socket, message& what) noexcept = 0;
    virtual std::int32_t accept_now(socket_handle listener, socket_handle& out) noexcept = 0;
    virtual std::int32_t open(std::int32_t domain, std::uint32_t type, std::int32_t protocol,
                              socket_handle& out) noexcept = 0;
    // A stream socket of the family of `listener`.
    virtual std::int32_t open_like(socket_handle listener, socket_handle& out) noexcept = 0;
    // What makes an accepted socket a whole one, its listener's options included.
    virtual int finish_accept(socket_handle listener, socket_handle accepted) noexcept = 0;
    virtual int finish_connect(socket_handle socket) noexcept = 0;
    // As getpeername(); `bytes` is the room before and the size afterwards.
    virtual int peer_address(socket_handle socket, sockaddr* address,
                             std::uint32_t* bytes) noexcept = 0;
    virtual int bind(socket_handle socket, const sockaddr* address,
                     std::uint32_t address_bytes) noexcept = 0;
    virtual int listen(socket_handle socket, std::int32_t backlog) noexcept = 0;
    virtual int shut_down(socket_handle socket, std::uint32_t how) noexcept = 0;
    virtual void close(socket_handle socket) noexcept = 0;
    [[nodiscard]] virtual bool is_listening(socket_handle socket) noexcept = 0;
    [[nodiscard]] virtual bool is_stream(socket_handle socket) noexcept = 0;
};

// The bytes of a pending operation that has ended, or -errno.
[[nodiscard]] std::int32_t result_of(const overlapped& ended) noexcept;

}  // namespace ioring::backends::iocp
