// SPDX-License-Identifier: MIT
// accepts.cpp - a listener's accepts, and the operations that take what they bring.
#include <algorithm>
#include <cassert>
#include <cerrno>

#include "backend/iocp/iocp_kernel.hpp"
#include "base/pointer.hpp"
#include "platform/socket_table.hpp"

namespace ioring::backends::iocp {
namespace {

using detail::pointer_of;

bool is_multishot(const operation& op) noexcept {
    return (op.entry.ioprio & accept_flag::multishot) != 0;
}

// How many pending accepts an operation has a use for.
std::uint32_t weight_of(const operation& op) noexcept {
    return is_multishot(op) ? iocp_kernel::accepts_max : 1;
}

// That connection is gone; the next one may be fine.
bool concerns_one_connection(std::int32_t res) noexcept {
    return res == -ECONNRESET || res == -ECONNABORTED || res == -ENOTCONN;
}

}  // namespace

bool iocp_kernel::start_accept(operation& op, socket_state& of) noexcept {
    const sqe& asked = op.entry;
    if (!of.listening) {
        of.listening = system_->is_listening(of.handle);
        if (!of.listening) {
            finish(op, of.stream ? -EINVAL : -EOPNOTSUPP);
            return false;
        }
    }
    if ((asked.ioprio & accept_flag::dont_wait) != 0) {
        if ((asked.ioprio & accept_flag::poll_first) != 0) {  // As io_uring, whatever is there.
            finish(op, -EAGAIN);
            return false;
        }
        socket_handle accepted = no_socket;
        if (of.ready == nullptr) {
            const std::int32_t error = system_->accept_now(of.handle, accepted);
            finish(op, error != 0 ? error : hand_over(of, accepted, asked));
            return false;
        }
    }
    op.kept_by = &of;
    of.accepts.push(op);
    of.accepts_waiting += weight_of(op);
    // The pool takes note of it when start() has said that it is kept, so nothing may end it here.
    add_again(of);
    return true;
}

void iocp_kernel::remove_accept(socket_state& of, operation& op) noexcept {
    of.accepts.remove(op);
    of.accepts_waiting -= weight_of(op);
}

// Hands out what is ready, and has as many accepts pending as operations wait for.
void iocp_kernel::run_accepts(socket_state& of) noexcept {
    for (int shot = 0; shot < shots_turn_max; ++shot) {
        serve(of);
        if (of.accepting >= std::min(of.accepts_waiting, accepts_max)) {
            trim(of);
            return;
        }
        if (!begin_accept(of)) return;
    }
    add_again(of);
}

// One more. False: it could not be begun, of which an operation has been told if nothing else is
// pending that would serve it.
bool iocp_kernel::begin_accept(socket_state& of) noexcept {
    socket_handle fresh = no_socket;
    const std::int32_t error = system_->open_like(of.handle, fresh);
    flight* const out = error == 0 ? pool_.take(of, flight::kind::accept, nullptr) : nullptr;
    if (out == nullptr) {
        if (fresh != no_socket) system_->close(fresh);
        if (of.accepting != 0) return false;
        fail_first(of, error != 0 ? error : -ENOMEM);
        return true;
    }
    out->accepted = fresh;
    ++of.accepting;
    const begun how = system_->accept(of.handle, fresh, out->room.addresses.data(), out->system);
    if (how.pending) return true;
    pool_.unlink(*out);
    land_accept(*out, how.res);
    return true;
}

void iocp_kernel::fail_first(socket_state& of, std::int32_t error) noexcept {
    operation* const op = of.accepts.first;
    if (op == nullptr) return;
    remove_accept(of, *op);
    finish(*op, error);
}

void iocp_kernel::land_accept(flight& done, std::int32_t res) noexcept {
    socket_state& of = *done.of;
    if (!done.cancelled) --of.accepting;
    if (res >= 0) res = system_->finish_accept(of.handle, done.accepted);
    if (res >= 0 && of.slot >= 0) {
        done.next = nullptr;
        (of.ready == nullptr ? of.ready : of.ready_last->next) = &done;
        of.ready_last = &done;
    } else {
        system_->close(done.accepted);
        pool_.give_back(done);
        const bool is_an_operations =
            of.slot >= 0 && res != -ECANCELED && !concerns_one_connection(res);
        if (is_an_operations) fail_first(of, res);
    }
    if (of.slot >= 0) add_again(of);
}

void iocp_kernel::serve(socket_state& of) noexcept {
    while (of.ready != nullptr && of.accepts.first != nullptr) {
        flight& each = *of.ready;
        of.ready = each.next;
        operation& op = *of.accepts.first;
        const std::int32_t named = hand_over(of, each.accepted, op.entry);
        pool_.give_back(each);
        if (named >= 0 && is_multishot(op) && post_more(op, named, 0)) continue;
        remove_accept(of, op);
        finish(op, named);
    }
}

// A number for what was accepted, and its peer's address where it was asked for.
std::int32_t iocp_kernel::hand_over(socket_state&, socket_handle accepted,
                                    const sqe& asked) noexcept {
    if (asked.addr != 0 && asked.off != 0) {
        (void)system_->peer_address(accepted, pointer_of<sockaddr>(asked.addr),
                                    pointer_of<std::uint32_t>(asked.off));
    }
    const std::int32_t named = platform::socket_table::add(accepted);
    if (named >= 0) return named;
    system_->close(accepted);
    return -EMFILE;
}

// Takes back what no operation waits for. What has come meanwhile is kept for the next one.
void iocp_kernel::trim(socket_state& of) noexcept {
    const std::uint32_t wanted = std::min(of.accepts_waiting, accepts_max);
    for (flight* each = of.first; each != nullptr && of.accepting > wanted; each = each->next) {
        if (each->what != flight::kind::accept || each->cancelled) continue;
        --of.accepting;
        (void)cancel_flight(*each);
    }
}

}  // namespace ioring::backends::iocp
