// SPDX-License-Identifier: MIT
// rio_core.cpp - the completion queue: making it, reading it, being told of it, and its death.
#include "backend/rio/rio_core.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

namespace ioring::backends::rio {

std::int32_t core::set_up(const core_options& options) noexcept {
    if (options.receives_max == 0 || options.sends_max == 0) return -EINVAL;
    if (options.receives_max > queue_budget::entries_max / 4) return -EINVAL;
    if (options.sends_max > queue_budget::entries_max / 4) return -EINVAL;
    options_ = options;
    abi::notification how{};
    how.type = abi::notification_type::completion_port;
    how.port = options.port;
    const std::uint32_t entries = budget_.grown_for(share());
    completions_ = system_.table.create_completion_queue(
        entries, options.port.port != nullptr ? &how : nullptr);
    if (completions_ == abi::invalid_completion_queue) return system_error();
    budget_.resized(entries);
    return 0;
}

std::uint32_t core::reap(std::uint32_t budget) noexcept {
    std::uint32_t taken = 0;
    has_more_ = false;
    while (taken < budget && in_flight_ > 0) {
        std::array<abi::result, results_max> results;
        const std::uint32_t asked = std::min(results_max, budget - taken);
        const abi::dword count =
            system_.table.dequeue_completion(completions_, results.data(), asked);
        if (count > asked) {
            die("RIODequeueCompletion says that its queue is corrupt", 0);
            return taken;
        }
        for (std::uint32_t index = 0; index < count && !dead_; ++index) complete(results[index]);
        if (dead_) return taken;
        taken += count;
        has_more_ = count == asked && in_flight_ > 0;
        if (!has_more_) break;
    }
    flush();
    return taken;
}

void core::complete(const abi::result& done) noexcept {
    const reference which = reference::unpacked(done.request_context);
    const bool known = which.slot < requests_made_ &&
                       requests_[which.slot].generation == which.generation &&
                       requests_[which.slot].where == place::in_system;
    if (!known) {
        die("a completion of no request came out of the queue", done.status);
        return;
    }
    const request ended = requests_[which.slot];
    connection& home = connections_[ended.connection];
    const reference here{ended.connection, home.generation};
    if (done.socket_context != here.packed() || done.bytes_transferred > ended.bytes) {
        die("a completion that does not fit its request came out of the queue", done.status);
        return;
    }
    --in_flight_;
    --lane_of(home, ended.way).in_flight;
    if (ended.way == direction::send) {
        buffers_.set_sender(ended.registration, registrations::nobody);
    }
    const std::int32_t res = result_of(done, home);
    mark(ended.connection);
    end(which.slot, res);
    const std::uint64_t cookie = connections_[ended.connection].cookie;
    if (free_if_idle(ended.connection)) {
        telling_ = true;
        observer_.closed(cookie);
        telling_ = false;
    }
}

// An error after part of the bytes: that part is told, and the next request meets the error. What
// is aborted without our having closed it was closed by the peer, so the documentation.
std::int32_t core::result_of(const abi::result& done, const connection& of) const noexcept {
    const auto moved = static_cast<std::int32_t>(done.bytes_transferred);
    if (done.status == 0 || moved > 0) return moved;
    if (done.status == abi::code::operation_aborted) {
        return of.now == phase::draining ? -ECANCELED : -ECONNRESET;
    }
    return system_.negative_errno(done.status);
}

void core::arm() noexcept {
    if (dead_ || armed_ || in_flight_ == 0) return;
    const std::int32_t code = system_.table.notify(completions_);
    if (code != 0 && code != abi::code::already) {
        // Whoever slept now would sleep for ever.
        die("RIONotify failed", code);
        return;
    }
    armed_ = true;
}

void core::notified() noexcept {
    armed_ = false;
    has_more_ = !dead_;
}

void core::die(const char* what, std::int32_t code) noexcept {
    dead_ = true;
    has_more_ = false;
    death_ = what;
    death_code_ = code;
    // Their registrations stay held: the system may still use them.
    for (std::uint32_t index = 0; index < requests_made_; ++index) {
        request& lost = requests_[index];
        if (lost.where == place::nowhere) continue;
        lost.where = place::nowhere;
        tell(lost.cookie, -EIO);
    }
}

std::string core::death() const {
    if (death_code_ == 0) return death_;
    return std::string(death_) + " (" + std::to_string(death_code_) + ")";
}

void core::tell(std::uint64_t cookie, std::int32_t res) noexcept {
    telling_ = true;
    observer_.ended(cookie, res);
    telling_ = false;
}

}  // namespace ioring::backends::rio
