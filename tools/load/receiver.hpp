// SPDX-License-Identifier: MIT
// receiver.hpp - receives in the best way that the backend has: into buffers that all connections
// share, one standing operation a connection, or else into a buffer of each connection's own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "connection.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"

namespace load {

class receiver {
public:
    // `in_flight_bytes` is what one connection has in flight at most. `own_buffers` takes the
    // second way in any case.
    receiver(ioring::ring& ring, std::size_t connections, std::uint64_t in_flight_bytes,
             bool own_buffers);

    // Prepares a receive; false when the submission queue is full.
    [[nodiscard]] bool arm(connection& peer, std::uint32_t index) noexcept;
    // The bytes of a completed receive, valid until give_back().
    [[nodiscard]] std::span<const std::byte> take(const ioring::cqe& done,
                                                  std::uint32_t index) noexcept;
    void give_back(std::span<const std::byte> bytes) noexcept;
    // Once a turn, before submitting.
    void publish() noexcept;

    [[nodiscard]] std::string description() const;

private:
    static constexpr std::uint32_t group_buffers = 64;
    static constexpr std::uint32_t group_buffer_bytes = 65'536;

    ioring::ring& ring_;
    ioring::buffer_group group_;  // None: own buffers.
    std::size_t own_bytes_ = 0;
    std::unique_ptr<std::byte[]> own_;
    bool given_back_ = false;
};

}  // namespace load
