// SPDX-License-Identifier: MIT
// crowd.hpp - the clients of one round, in a thread of their own.
#pragma once

#include <poll.h>

#include <array>
#include <atomic>
#include <list>
#include <random>
#include <string>
#include <vector>

#include "soak/client.hpp"

namespace ioring::soak {

struct crowd_result {
    std::array<std::uint32_t, manners> ended{};  // Clients, by manner; however they ended.
    std::array<std::uint32_t, manners> clean{};  // Those that ended as their manner does.
    std::uint64_t bytes = 0;                     // That came back and were verified.
    std::uint32_t excused = 0;                   // Ended early while the machine stood still.
    std::string problem;                         // The first one.
};

class crowd {
public:
    crowd(const ::sockaddr_in& server, std::uint32_t seed, pace& speed, lag_meter& lag)
        : server_{server}, random_{seed}, pace_{speed}, lag_{lag} {}

    // Begins connections for `length`, no more than `together` at a time, each manner in its turn,
    // and sees all of them to their end. `over` then becomes true.
    void run(std::chrono::nanoseconds length, std::size_t together, std::atomic<bool>& over);
    // After the end of run().
    [[nodiscard]] const crowd_result& result() const noexcept { return result_; }

private:
    void begin();
    [[nodiscard]] std::uint32_t chance() { return static_cast<std::uint32_t>(random_()); }
    [[nodiscard]] talk next_talk();
    void wait(clock::time_point until);
    void step_all();
    void note_end(const client& which);

    ::sockaddr_in server_;
    std::minstd_rand random_;
    pace& pace_;
    lag_meter& lag_;
    std::list<client> clients_;
    std::vector<::pollfd> polled_;  // In the order of clients_.
    std::uint32_t begun_ = 0;
    crowd_result result_;
};

}  // namespace ioring::soak
