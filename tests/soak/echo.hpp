// SPDX-License-Identifier: MIT
// echo.hpp - the managed side: echoes in every way there is, verifies, and judges each end.
#pragma once

#include <array>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ioring/socket_manager.hpp"
#include "soak/client.hpp"

namespace ioring::soak {

inline constexpr std::size_t reasons = static_cast<std::size_t>(close_reason::drained) + 1;

class echo {
public:
    // Manners of ends, and those of connections that never said which they are.
    static constexpr std::size_t unknown = manners;
    using tally = std::array<std::array<std::uint32_t, reasons>, manners + 1>;

    echo(std::uint32_t seed, const lag_meter& lag) : random_{seed}, lag_{lag} {}

    // Errors: as socket_manager::create() and listen(), with a sentence.
    [[nodiscard]] std::error_code start(ring& where, std::string& why);
    // One poll() and its events.
    void turn(std::chrono::nanoseconds timeout);
    // A connection to the own listener, or to `nobody`.
    void connect(manner how, const endpoint& nobody);
    // Ends the manager and with it the listener.
    void end() { sockets_ = socket_manager{}; }

    [[nodiscard]] socket_manager& sockets() noexcept { return sockets_; }
    [[nodiscard]] endpoint address() const noexcept { return sockets_.local_endpoint(listener_); }
    [[nodiscard]] const tally& ends() const noexcept { return ends_; }
    void clear_ends() noexcept { ends_ = {}; }
    // Ends that only a machine which stood still explains.
    [[nodiscard]] std::uint32_t excused() const noexcept { return excused_; }
    [[nodiscard]] std::uint64_t verified_bytes() const noexcept { return verified_; }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    struct guest {
        talk what;
        bool is_known = false;
        bool is_ours = false;  // Of connect().
        std::uint32_t position = 0;
        std::uint32_t said = 0;
    };

    void handle(const socket_event& event);
    void received(socket& at, guest& of);
    void check_back(socket& at, guest& of);
    void feed(socket& at, guest& of);
    [[nodiscard]] std::size_t reply(socket& at);
    void judge(const guest& of, const socket_event& event);
    void fail(const guest& of, const std::string& why);
    [[nodiscard]] guest* take_guest();

    std::minstd_rand random_;
    const lag_meter& lag_;
    socket_manager sockets_;
    listener_id listener_;
    std::vector<guest> guests_;
    std::vector<guest*> free_;
    tally ends_{};
    std::uint32_t excused_ = 0;
    std::uint64_t verified_ = 0;
    std::string problem_;
};

}  // namespace ioring::soak
