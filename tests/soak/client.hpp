// SPDX-License-Identifier: MIT
// client.hpp - the plain end of one connection: talks in its manner, and verifies what comes back.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <random>
#include <string>

#include "soak/pace.hpp"
#include "soak/stream.hpp"
#include "support/plain_sockets.hpp"

namespace ioring::soak {

// What the manager's options say, and clients count on.
inline constexpr milliseconds idle_timeout{2000};
inline constexpr milliseconds write_stall_timeout{1500};
inline constexpr milliseconds drain_timeout{1000};

class client {
public:
    // Begins to connect.
    client(const talk& what, const ::sockaddr_in& server, std::uint32_t chance);

    [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }
    // What poll() is to look for; and when it is to be called without that.
    [[nodiscard]] short wanted(clock::time_point now) const noexcept;
    [[nodiscard]] clock::time_point wake_at() const noexcept;
    void step(short found, clock::time_point now);

    [[nodiscard]] bool is_over() const noexcept { return over_; }
    // Empty when it went as its manner goes.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    // The problem is an end that came too early, as by a time-out of the server's.
    [[nodiscard]] bool is_early_end() const noexcept { return early_end_; }
    [[nodiscard]] const talk& what() const noexcept { return what_; }
    [[nodiscard]] std::uint32_t received() const noexcept { return received_; }

private:
    void connected();
    void send_some(clock::time_point now);
    void receive_some(clock::time_point now);
    void decide();
    void came_to_its_end(int error);
    [[nodiscard]] bool may_send(clock::time_point now) const noexcept;
    [[nodiscard]] bool may_receive(clock::time_point now) const noexcept;
    [[nodiscard]] bool has_all() const noexcept { return received_ == what_.bytes; }
    void finish() noexcept;
    void fail(std::string why);

    talk what_;
    std::minstd_rand random_;
    test_support::descriptor_owner socket_;
    std::uint32_t sent_ = 0;
    std::uint32_t received_ = 0;
    std::uint32_t reset_at_ = 0;
    bool connecting_ = true;
    bool ended_ = false;  // By the server.
    bool over_ = false;
    bool early_end_ = false;
    clock::time_point started_ = clock::now();
    clock::time_point said_ = started_;  // When it began to send for the last time.
    clock::time_point next_send_ = started_;
    clock::time_point next_receive_ = started_;
    std::string problem_;
};

}  // namespace ioring::soak
