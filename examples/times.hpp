// SPDX-License-Identifier: MIT
// times.hpp - times of a server's clients: as its arguments say them, and one for what was begun.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include <ioring/ioring.hpp>

namespace times {

using std::chrono::milliseconds;

// That of an argument, if there are so many.
inline milliseconds argument(int argc, char** argv, int index, milliseconds otherwise) {
    if (argc <= index) return otherwise;
    return milliseconds{std::max(1, std::atoi(argv[index]))};
}

// What a client has begun (a line, a request) must be whole a time after its first byte, however
// busily it drips: the manager's own time-outs begin anew with each byte. It wants the events
// `timer`, of which the program has no others, and `closed`.
class patience {
public:
    patience(ioring::socket_manager& sockets, std::uint32_t sockets_max, milliseconds time)
        : sockets_{sockets}, time_{time}, timers_(sockets_max) {}

    [[nodiscard]] milliseconds time() const { return time_; }
    // Something is not whole. True: its time has begun just now.
    bool begin(const ioring::socket& client) {
        ioring::socket_manager::timer_id& timer = timers_[client.id().slot];
        if (timer.valid()) return false;
        const ioring::socket_id id = client.id();
        timer = sockets_.start_timer(time_,
                                     (static_cast<std::uint64_t>(id.generation) << 32U) | id.slot);
        return true;
    }
    // It is, or the connection is closed.
    void end(const ioring::socket& client) {
        ioring::socket_manager::timer_id& timer = timers_[client.id().slot];
        if (timer.valid()) sockets_.cancel_timer(timer);
        timer = {};
    }
    // Whose time is over, by a timer event; it may begin again. nullptr: it has gone.
    [[nodiscard]] ioring::socket* late(const ioring::socket_event& event) {
        const std::uint64_t id = event.done.user_data;
        ioring::socket* const client =
            sockets_.find({.slot = static_cast<std::uint32_t>(id),
                           .generation = static_cast<std::uint32_t>(id >> 32U)});
        if (client != nullptr) timers_[client->id().slot] = {};
        return client;
    }

private:
    ioring::socket_manager& sockets_;
    milliseconds time_;
    std::vector<ioring::socket_manager::timer_id> timers_;  // By slot.
};

}  // namespace times
