// SPDX-License-Identifier: MIT
// connector.hpp - opens the connections, a bounded number of them at a time, each to the first of
// the server's addresses that answers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "clock.hpp"
#include "ioring/endpoint.hpp"
#include "world.hpp"

namespace load {

class connector {
public:
    enum class outcome : std::uint8_t { connected, again, failed };

    connector(world& shared, std::vector<ioring::endpoint> addresses);

    // Starts as many connects as are allowed now. Returns early with the index of a connection that
    // could not even begin; why() says why. Call it again then.
    [[nodiscard]] std::optional<std::uint32_t> pump(std::int64_t now);
    // When pump() has something to do although nothing completes.
    [[nodiscard]] std::int64_t next_time_ns() const noexcept;

    // The end of a connect with `res`. `again`: another address is tried, or this one later.
    [[nodiscard]] outcome completed(connection& peer, std::uint32_t index, std::int32_t res,
                                    std::int64_t now);
    // Ends the try, which has taken too long; completed() follows.
    void expire(std::uint32_t index) noexcept;
    // Begins no more connects. Those in flight still complete, as failed: expire() them.
    void stop() noexcept;

    [[nodiscard]] bool stopped() const noexcept { return stopped_; }

    // All connections are there or have failed.
    [[nodiscard]] bool done() const noexcept {
        return in_flight_ == 0 && waiting_.empty() && begun_ == limit_;
    }
    // Of the last failure: a sentence, and whether it was a time-out.
    [[nodiscard]] const std::string& why() const noexcept { return why_; }
    [[nodiscard]] bool timed_out() const noexcept { return timed_out_; }

private:
    static constexpr std::uint32_t in_flight_max = 128;
    static constexpr std::int64_t retry_pause_ns = 5'000'000;

    [[nodiscard]] bool begin(connection& peer, std::uint32_t index, std::int64_t now);
    outcome next_address(connection& peer, std::uint32_t index, int error, std::int64_t now);
    void explain(const connection& peer, int error);
    void close(connection& peer) noexcept;

    world& world_;
    std::vector<ioring::endpoint> addresses_;
    std::uint32_t preferred_ = 0;  // The address that answered last.
    std::uint32_t begun_ = 0;      // Connections [0, begun_) have been tried.
    std::uint32_t limit_;          // Up to here they are wanted.
    std::uint32_t in_flight_ = 0;
    std::vector<std::uint32_t> waiting_;  // Tried and to be tried again.
    std::int64_t waiting_until_ns_ = 0;
    schedule pace_;  // Of --connect-rate.
    std::int64_t start_ns_ = 0;
    std::string why_;
    bool timed_out_ = false;
    bool stopped_ = false;
};

}  // namespace load
