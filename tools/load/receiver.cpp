// SPDX-License-Identifier: MIT
// receiver.cpp - receives in the best way that the backend has.
#include "receiver.hpp"

#include <algorithm>

#include <fmt/core.h>

namespace load {

receiver::receiver(ioring::ring& ring, std::size_t connections, std::uint64_t in_flight_bytes,
                   bool own_buffers)
    : ring_{ring} {
    if (!own_buffers && ring.probe().has(ioring::feature::recv_multishot)) {
        const ioring::group_options options{.buffers = group_buffers,
                                            .buffer_bytes = group_buffer_bytes};
        // Without buffer rings, or without memory for one, own buffers do.
        if (!ioring::buffer_group::create(ring, options, group_)) return;
    }
    own_bytes_ = static_cast<std::size_t>(
        std::clamp<std::uint64_t>(in_flight_bytes, 4'096, group_buffer_bytes));
    own_.reset(new std::byte[connections * own_bytes_]);
}

bool receiver::arm(connection& peer, std::uint32_t index) noexcept {
    const std::uint64_t user_data = tag(op::receive, index);
    const ioring::sqe* const entry =
        group_.valid() ? ring_.prepare_recv_multishot(peer.socket, group_.id(), user_data)
                       : ring_.prepare_recv(
                             peer.socket, {own_.get() + index * own_bytes_, own_bytes_}, user_data);
    if (entry == nullptr) return false;
    peer.receiving = true;
    return true;
}

std::span<const std::byte> receiver::take(const ioring::cqe& done, std::uint32_t index) noexcept {
    if (group_.valid()) return group_.take(done);
    if (done.res <= 0) return {};
    return {own_.get() + index * own_bytes_, static_cast<std::size_t>(done.res)};
}

void receiver::give_back(std::span<const std::byte> bytes) noexcept {
    if (!group_.valid()) return;
    group_.recycle_later(bytes);
    given_back_ = true;
}

void receiver::publish() noexcept {
    if (given_back_) group_.publish();
    given_back_ = false;
}

std::string receiver::description() const {
    if (!group_.valid()) return "a receive at a time, a buffer for each connection";
    return fmt::format("multishot, shared {} buffers",
                       group_.incremental() ? "incremental" : "plain");
}

}  // namespace load
