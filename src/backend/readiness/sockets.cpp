// SPDX-License-Identifier: MIT
// sockets.cpp - accepting and connecting.
#include <cassert>
#include <cerrno>

#include "backend/readiness/readiness_kernel.hpp"
#include "backend/readiness/system.hpp"
#include "base/pointer.hpp"

namespace ioring::backends::readiness {
namespace {

using detail::pointer_of;

}  // namespace

readiness_kernel::outcome readiness_kernel::try_accept(operation& op) noexcept {
    const sqe& asked = op.entry;
    // accept() has no flag for "do not wait", so the listener must not. Asked each time: the number
    // may be another listener's by now.
    if (const std::int32_t error = system::set_nonblocking(asked.fd, true); error < 0) {
        return {.failed = true, .res = error};
    }
    const bool multishot = (asked.ioprio & accept_flag::multishot) != 0;
    for (int shot = 0; shot < shots_turn_max; ++shot) {
        const std::int32_t made =
            system::accept(asked.fd, pointer_of<sockaddr>(asked.addr),
                           pointer_of<std::uint32_t>(asked.off), asked.op_flags);
        if (made == -EAGAIN || made == -EWOULDBLOCK) return {.what = outcome::kind::blocks};
        if (made < 0) return {.failed = true, .res = made};
        greet(made);
        if (!multishot || !post_more(op, made, 0)) return {.res = made};
    }
    return {.what = outcome::kind::yields};
}

bool readiness_kernel::start_connect(operation& op) noexcept {
    const sqe& asked = op.entry;
    descriptor* of = table_.find(asked.fd);
    if (of != nullptr && of->connecting != nullptr) {
        finish(op, -EALREADY);
        return false;
    }
    const std::int32_t changed = system::set_nonblocking(asked.fd, true);
    if (changed < 0) {
        finish(op, changed);
        return false;
    }
    // Whether the socket is to block again afterwards, as it did before.
    op.shots_left = static_cast<std::uint32_t>(changed);
    const std::int32_t res = system::connect(asked.fd, pointer_of<const sockaddr>(asked.addr),
                                             static_cast<std::uint32_t>(asked.off));
    if (res == -EINPROGRESS) of = watch(asked.fd);
    if (res != -EINPROGRESS || of == nullptr) {
        end_connect(op, of == nullptr && res == -EINPROGRESS ? -ENOMEM : res);
        return false;
    }
    of->connecting = &op;
    op.holds_connect = true;
    arm(asked.fd, direction::write, arming::once);
    return true;
}

void readiness_kernel::continue_connect(std::int32_t fd, std::int32_t error_hint) noexcept {
    operation& op = *table_.find(fd)->connecting;
    const std::int32_t res = system::connect_result(fd, error_hint);
    if (res == -EINPROGRESS) {
        arm(fd, direction::write, arming::once);
        return;
    }
    table_.find(fd)->connecting = nullptr;
    op.holds_connect = false;
    end_connect(op, res);
}

void readiness_kernel::end_connect(operation& op, std::int32_t res) noexcept {
    if (op.shots_left != 0) (void)system::set_nonblocking(op.entry.fd, false);
    finish(op, res);
}

}  // namespace ioring::backends::readiness
