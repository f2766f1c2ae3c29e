// SPDX-License-Identifier: MIT
// sockets.cpp - which socket an operation means, connecting, and closing while calls are pending.
#include <cassert>
#include <cerrno>
#include <utility>

#include "backend/iocp/iocp_kernel.hpp"
#include "base/pointer.hpp"
#include "platform/socket_table.hpp"

namespace ioring::backends::iocp {

using detail::pointer_of;
using platform::socket_table;

// The state of the socket that has this number now, if there is one.
socket_state* iocp_kernel::known(std::int32_t fd) noexcept {
    socket_state* const of = states_.find(fd);
    if (of == nullptr) return nullptr;
    const socket_table::found found = socket_table::find(fd);
    const bool same =
        found.what == socket_table::kind::socket && found.generation == of->generation;
    return same ? of : nullptr;
}

// As known(), made if there is none. nullptr: `error` is -errno.
socket_state* iocp_kernel::state_of(std::int32_t fd, std::int32_t& error) noexcept {
    const socket_table::found found = socket_table::find(fd);
    if (found.what != socket_table::kind::socket) {
        error = found.what == socket_table::kind::none ? -EBADF : -ENOTSOCK;
        return nullptr;
    }
    socket_state* of = states_.find(fd);
    if (of != nullptr && of->generation == found.generation) [[likely]]
        return of;
    if (of != nullptr) {  // Of a socket that was closed behind our back.
        (void)cancel_descriptor(fd);
        detach(*of);
        settle(*of);
    }
    of = states_.make_room(fd) ? pool_.take_state() : nullptr;
    error = of == nullptr ? -ENOMEM : system_->attach(found.handle);
    if (error != 0) {
        if (of != nullptr) pool_.give_back(*of);
        return nullptr;
    }
    of->handle = found.handle;
    of->slot = fd;
    of->generation = found.generation;
    of->stream = system_->is_stream(found.handle);
    states_.put(fd, of);
    return of;
}

// Its number is another's from now on.
void iocp_kernel::detach(socket_state& of) noexcept {
    discard_ready(of);
    states_.put(of.slot, nullptr);
    of.slot = -1;
}

// Connections that nobody has asked for go with their listener.
void iocp_kernel::discard_ready(socket_state& of) noexcept {
    while (of.ready != nullptr) {
        flight& each = *of.ready;
        of.ready = each.next;
        system_->close(each.accepted);
        pool_.give_back(each);
    }
    of.ready_last = nullptr;
}

// Gives a closed socket's state back once nothing of it is pending.
void iocp_kernel::settle(socket_state& of) noexcept {
    if (of.slot >= 0 || of.flights != 0 || of.listed) return;
    operation* const closer = std::exchange(of.closer, nullptr);
    const std::int32_t res = of.close_result;
    pool_.give_back(of);
    if (closer != nullptr) finish(*closer, res);
}

// 0 or -errno, as close(2).
int iocp_kernel::close_number(std::int32_t fd) noexcept {
    const socket_table::found was = socket_table::remove(fd);
    if (was.what == socket_table::kind::none) return -EBADF;
    if (was.what == socket_table::kind::socket) system_->close(was.handle);
    return 0;
}

// What plain calls have begun, and what only they can do, must be over: the two are not mixed.
int iocp_kernel::attach_socket(std::int32_t fd) noexcept {
    std::int32_t error = 0;
    socket_state* const of = state_of(fd, error);
    if (of == nullptr) return error;
    if (system_->has_requests(of->handle)) return 0;
    if (!of->stream || of->listening) return -EPROTOTYPE;
    if (of->flights != 0) return -EBUSY;
    return system_->attach_requests(of->handle);
}

int iocp_kernel::abort_attached() noexcept {
    for (std::size_t slot = 0; slot < states_.size(); ++slot) {
        socket_state* const of = states_.find(static_cast<std::int32_t>(slot));
        if (of == nullptr || !system_->has_requests(of->handle)) continue;
        socket_table::disown(of->slot);
        system_->close(of->handle);
        of->handle = no_socket;  // What waits behind what is in flight finds no socket.
    }
    return 0;
}

int iocp_kernel::close_descriptor(std::int32_t fd) noexcept {
    socket_state* const of = known(fd);
    if (of == nullptr) return close_number(fd);
    detach(*of);
    const int result = close_number(fd);
    settle(*of);
    return result;
}

// Closed at once; its completion comes when the system has let go of everything on the socket.
bool iocp_kernel::start_close(operation& op) noexcept {
    const std::int32_t fd = op.entry.fd;
    (void)cancel_descriptor(fd);
    socket_state* const of = known(fd);
    if (of == nullptr) {
        finish(op, close_number(fd));
        return false;
    }
    detach(*of);
    of->close_result = close_number(fd);
    if (of->flights == 0 && !of->listed) {
        const std::int32_t res = of->close_result;
        settle(*of);
        finish(op, res);
        return false;
    }
    of->closer = &op;
    op.kept_by = of;
    return true;
}

int iocp_kernel::shut_down(std::int32_t fd, std::uint32_t how) noexcept {
    if (how > static_cast<std::uint32_t>(shutdown_how::both)) return -EINVAL;
    const socket_table::found found = socket_table::find(fd);
    if (found.what == socket_table::kind::none) return -EBADF;
    if (found.what != socket_table::kind::socket) return -ENOTSOCK;
    const int result = system_->shut_down(found.handle, how);
    socket_state* const of = known(fd);
    if (result != 0 || of == nullptr) return result;
    // Windows does not say what becomes of what is pending: ours ends, as elsewhere.
    if (how != static_cast<std::uint32_t>(shutdown_how::write) && of->stream) {
        of->read_ended = true;
        if (of->reading != nullptr) (void)cancel_flight(*of->reading);
        if (of->readable != nullptr) (void)cancel_flight(*of->readable);
    }
    if (how != static_cast<std::uint32_t>(shutdown_how::read) && of->stream) {
        of->write_ended = true;
        if (of->writing != nullptr) (void)cancel_flight(*of->writing);
    }
    return 0;
}

bool iocp_kernel::is_open(std::int32_t fd) noexcept {
    return socket_table::find(fd).what != socket_table::kind::none;
}

void iocp_kernel::open_socket(operation& op) noexcept {
    const sqe& asked = op.entry;
    socket_handle made = no_socket;
    const std::int32_t error = system_->open(asked.fd, static_cast<std::uint32_t>(asked.off),
                                             static_cast<std::int32_t>(asked.len), made);
    if (error != 0) {
        finish(op, error);
        return;
    }
    const std::int32_t named = socket_table::add(made);
    if (named < 0) system_->close(made);
    finish(op, named < 0 ? -EMFILE : named);
}

// bind and listen, which are calls.
std::int32_t iocp_kernel::call_on(const sqe& asked) noexcept {
    const socket_table::found found = socket_table::find(asked.fd);
    if (found.what == socket_table::kind::none) return -EBADF;
    if (found.what != socket_table::kind::socket) return -ENOTSOCK;
    if (asked.op == opcode::listen) {
        return system_->listen(found.handle, static_cast<std::int32_t>(asked.len));
    }
    return system_->bind(found.handle, pointer_of<const sockaddr>(asked.addr),
                         static_cast<std::uint32_t>(asked.off));
}

bool iocp_kernel::start_connect(operation& op, socket_state& of) noexcept {
    if (of.connecting != nullptr) {
        finish(op, -EALREADY);
        return false;
    }
    flight* const out = pool_.take(of, flight::kind::connect, &op);
    if (out == nullptr) {
        finish(op, -ENOMEM);
        return false;
    }
    const sqe& asked = op.entry;
    const begun how = system_->connect(of.handle, pointer_of<const sockaddr>(asked.addr),
                                       static_cast<std::uint32_t>(asked.off), out->system);
    if (how.pending) {
        of.connecting = out;
        op.kept_by = &of;
        return true;
    }
    pool_.unlink(*out);
    pool_.give_back(*out);
    const std::int32_t res = how.res < 0 ? how.res : system_->finish_connect(of.handle);
    finish(op, res);
    return false;
}

void iocp_kernel::land_connect(socket_state& of, operation& op, std::int32_t res) noexcept {
    if (res >= 0) res = system_->finish_connect(of.handle);
    // What has waited for the connection has none.
    if (res < 0 && of.reads.first != nullptr) of.read_error = -ENOTCONN;
    finish(op, res);
    run_queue(of, /*writes=*/false);
    run_queue(of, /*writes=*/true);
}

}  // namespace ioring::backends::iocp
