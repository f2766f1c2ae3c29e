// SPDX-License-Identifier: MIT
// checker.cpp - verifies what comes back.
#include "checker.hpp"

#include <algorithm>

#include <fmt/core.h>

#include "common/number_text.hpp"

namespace load {
namespace {

using ioring::tools::with_commas;

std::uint64_t since(std::int64_t start_ns, std::int64_t now) noexcept {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(now - start_ns, 0));
}

}  // namespace

void checker::follow(const schedule& plan, std::uint64_t connections) noexcept {
    plan_ = plan;
    plan_connections_ = connections;
}

std::string checker::take(connection& peer, std::uint32_t index, std::span<const std::byte> bytes,
                          std::int64_t now) {
    const std::uint64_t position = peer.bytes_received;
    const std::uint64_t outstanding = peer.bytes_sent - position;
    const std::span<const std::byte> wanted =
        bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), outstanding)));
    const std::size_t equal = world_.content.find_mismatch(peer.key, position, wanted);
    peer.bytes_received += equal;
    while (peer.bytes_received >= peer.message_end && peer.in_flight() > 0) {
        finish_message(peer, index, now);
    }
    if (equal < wanted.size()) {
        return fmt::format(
            "connection {}: byte {} of its stream (message {}) came back as 0x{:02x} "
            "and not as 0x{:02x}",
            index, with_commas(peer.bytes_received), with_commas(peer.finished),
            std::to_integer<unsigned>(wanted[equal]),
            std::to_integer<unsigned>(world_.content.at(peer.key, peer.bytes_received)));
    }
    if (wanted.size() < bytes.size()) {
        return fmt::format(
            "connection {}: {} bytes came that were not sent, after byte {} of its "
            "stream; the first is 0x{:02x} and nothing was expected",
            index, with_commas(std::uint64_t{bytes.size() - wanted.size()}),
            with_commas(peer.bytes_received), std::to_integer<unsigned>(bytes[wanted.size()]));
    }
    return {};
}

void checker::finish_message(connection& peer, std::uint32_t index, std::int64_t now) noexcept {
    const std::uint64_t number = peer.finished;
    const std::int64_t start_ns = times_.finish(peer, index);
    peer.message_end += world_.asked.size_bytes;
    if (number < peer.measured_from) return;
    ++world_.found.messages;
    last_echo_ns_ = now;
    if (plan_connections_ == 0) {
        world_.found.latency.record(since(start_ns, now));
        return;
    }
    const std::int64_t intended_ns = plan_.time_of(number * plan_connections_ + peer.place);
    world_.found.latency.record(since(intended_ns, now));
    world_.found.service.record(since(start_ns, now));
}

}  // namespace load
