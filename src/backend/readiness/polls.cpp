// SPDX-License-Identifier: MIT
// polls.cpp - poll_add: which events are there, and which appear.
#include <cassert>
#include <cerrno>

#include "backend/readiness/readiness_kernel.hpp"
#include "backend/readiness/system.hpp"

namespace ioring::backends::readiness {
namespace {

// As io_uring: these are told whether they were asked for or not.
constexpr std::uint32_t always = poll_event::err | poll_event::hup | poll_event::rdhup;

bool is_multishot(const operation& op) noexcept {
    return (op.entry.len & poll_flag::multishot) != 0;
}

std::int32_t told(const operation& op, std::int32_t events) noexcept {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(events) &
                                     (op.entry.op_flags | always));
}

}  // namespace

bool readiness_kernel::start_poll(operation& op) noexcept {
    const std::int32_t events = system::poll_now(op.entry.fd, op.entry.op_flags);
    const std::int32_t mask = events < 0 ? events : told(op, events);
    if (mask != 0) {
        const bool goes_on = mask > 0 && is_multishot(op) && post_more(op, mask, 0);
        if (!goes_on) {
            finish(op, mask);
            return false;
        }
    }
    descriptor* const of = watch(op.entry.fd);
    if (of == nullptr) {
        finish(op, -ENOMEM);
        return false;
    }
    of->polls.push(op);
    arm_poll(op);
    return true;
}

void readiness_kernel::arm_poll(const operation& op) noexcept {
    const std::uint32_t events = op.entry.op_flags;
    std::uint8_t directions = direction::ended;
    if ((events & poll_event::in) != 0) directions |= direction::read;
    if ((events & poll_event::out) != 0) directions |= direction::write;
    if ((events & poll_event::pri) != 0) directions |= direction::urgent;
    arm(op.entry.fd, directions, is_multishot(op) ? arming::edge : arming::once);
}

void readiness_kernel::run_polls(std::int32_t fd) noexcept {
    constexpr std::uint32_t all = poll_event::in | poll_event::out | poll_event::pri;
    const std::int32_t events = system::poll_now(fd, all);
    operation* each = table_.find(fd)->polls.first;
    while (each != nullptr) {
        operation& op = *each;
        each = op.next;
        const std::int32_t mask = events < 0 ? events : told(op, events);
        if (mask == 0) {
            arm_poll(op);
            continue;
        }
        if (mask > 0 && is_multishot(op) && post_more(op, mask, 0)) continue;
        table_.find(fd)->polls.remove(op);
        finish(op, mask);
    }
}

}  // namespace ioring::backends::readiness
