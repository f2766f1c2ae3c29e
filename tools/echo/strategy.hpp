// SPDX-License-Identifier: MIT
// strategy.hpp - what the three ways to receive and send have in common.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <system_error>

#include "echo/connections.hpp"
#include "ioring/sqe.hpp"

namespace echo {

// The server decides when (server.hpp), a strategy where the bytes are. All prepare functions
// return false when the submission queue is full, and have done nothing then.
template <class Strategy>
concept echo_strategy = requires(Strategy strategy, const Strategy& constant, std::uint32_t slot,
                                 std::uint32_t bytes, std::uint64_t user_data,
                                 const ioring::cqe& done, void (*wake)(std::uint32_t)) {
    // Whether connections are looked at after the batch of completions rather than after each.
    { Strategy::settles_per_batch } -> std::convertible_to<bool>;
    // Gets what the slot's new connection needs, and gives it back. Nothing is in flight at
    // either time.
    { strategy.open(slot) } -> std::same_as<std::error_code>;
    { strategy.close(slot) } -> std::same_as<void>;
    // A receive's completion, whatever its result.
    { strategy.received(slot, done) } -> std::same_as<void>;
    { strategy.may_receive(slot) } -> std::same_as<bool>;
    // A receive in flight should end, since too much is unsent.
    { strategy.must_pause(slot) } -> std::same_as<bool>;
    { strategy.prepare_receive(slot, user_data) } -> std::same_as<bool>;
    // Bytes to be sent; prepare_send() says how many of them it sends.
    { strategy.unsent(slot) } -> std::convertible_to<std::uint64_t>;
    { strategy.prepare_send(slot, user_data, bytes) } -> std::same_as<bool>;
    // The send in flight has ended after `bytes` bytes.
    { strategy.sent(slot, bytes) } -> std::same_as<void>;
    // Nothing more can be sent: forgets what was to be.
    { strategy.drop(slot) } -> std::same_as<void>;
    // After each batch; calls wake(slot) for connections that may go on.
    { strategy.end_of_batch(wake) } -> std::same_as<void>;
    // Connections that have waited may go on at the next end_of_batch(): the loop must not sleep.
    { constant.has_more() } -> std::same_as<bool>;
    // Some connections wait for what others hold; relieve() is called every
    // starvation_period until they do not.
    { constant.is_starving() } -> std::same_as<bool>;
    { strategy.relieve() } -> std::same_as<void>;
    // One line on its buffers.
    { constant.describe() } -> std::same_as<std::string>;
};

}  // namespace echo
