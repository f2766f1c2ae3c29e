// SPDX-License-Identifier: MIT
// world.hpp - a place to try Registered I/O in: its table, sockets, ports and events.
//
// The self-tests of the double are written against this alone, and use the table for all that RIO
// does. A world in memory exists on every system, one on Winsock and the system's own RIO on
// Windows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/rio/rio_system.hpp"
#include "rio_double.hpp"

namespace ioring::rio_tests {

class world {
public:
    // Connected to each other: one for RIO, one that is spoken to by plain calls.
    struct pair {
        abi::socket rio = abi::invalid_socket;
        abi::socket peer = abi::invalid_socket;
    };
    struct packet {
        bool came = false;
        void* key = nullptr;
        void* overlapped = nullptr;
    };
    static constexpr unsigned wait_ms_max = 10'000;  // No wait of a test is longer.

    world() = default;
    world(const world&) = delete;
    world& operator=(const world&) = delete;
    virtual ~world() = default;

    [[nodiscard]] virtual const backends::rio::system& system() = 0;
    // Where the table is a double's, that.
    [[nodiscard]] virtual rio_double* the_double() = 0;

    // `registered_io`: the first one is made with WSA_FLAG_REGISTERED_IO.
    [[nodiscard]] virtual pair connect(bool registered_io) = 0;
    // The peer's side, and the plain socket's own: these wait.
    virtual void send(abi::socket by, std::string_view bytes) = 0;
    [[nodiscard]] virtual std::string receive(abi::socket by, std::size_t bytes) = 0;
    virtual void end(abi::socket by) = 0;
    virtual void reset(abi::socket by) = 0;
    // How much a peer that reads nothing lets through at most.
    [[nodiscard]] virtual std::size_t room_max() const = 0;

    [[nodiscard]] virtual abi::handle make_port() = 0;
    virtual void close_port(abi::handle port) = 0;
    [[nodiscard]] virtual packet wait_for(abi::handle port, unsigned timeout_ms) = 0;
    // Reset by hand.
    [[nodiscard]] virtual abi::handle make_event() = 0;
    virtual void close_event(abi::handle event) = 0;
    [[nodiscard]] virtual bool wait_for_event(abi::handle event, unsigned timeout_ms) = 0;
};

struct world_kind {
    const char* name;
    // Nothing, and the reason in the argument, where there is no such world on this machine.
    std::function<std::unique_ptr<world>(std::string&)> make;
};

// Of this system.
[[nodiscard]] std::vector<world_kind> worlds();
[[nodiscard]] std::unique_ptr<world> make_memory_world();

}  // namespace ioring::rio_tests
