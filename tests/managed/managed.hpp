// SPDX-License-Identifier: MIT
// managed.hpp - a socket_manager on every backend, and the plain peers that it serves.
//
// The manager runs on the test's thread: whatever waits for it polls it meanwhile. Every event that
// comes is kept, in order, with what the socket showed at that moment.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "conformance.hpp"
#include "ioring/socket_manager.hpp"

namespace ioring::managed {

using namespace std::chrono_literals;
using conformance::bytes_of;
using conformance::socket_end;

struct told {
    event_type type;
    close_reason reason;
    listener_id listener;
    socket_id id;
    std::error_code error;
    cqe done;
};

class managed_test : public conformance::backend_test {
protected:
    // Makes the ring, a manager as manager() says, and a listener.
    void SetUp() override;
    // Nothing is left behind: no connection, no descriptor, no operation.
    void TearDown() override;
    [[nodiscard]] virtual manager_options manager() const { return {.sockets_max = 64}; }
    [[nodiscard]] virtual std::string address() const { return "127.0.0.1:0"; }
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 64, .connections_max = 64};
    }
    // Called for each event when it is delivered; the socket is good here.
    std::function<void(const socket_event&)> on_event_;

    // One poll(); false when it brought nothing within `timeout`.
    bool turn(std::chrono::nanoseconds timeout = 10ms);
    // Polls until it holds. A test fails when it does not in time.
    [[nodiscard]] bool until(const std::function<bool()>& holds);
    // ... until there are `count` events of a type.
    [[nodiscard]] bool until_told(event_type type, std::size_t count = 1);
    [[nodiscard]] std::size_t count(event_type type) const;
    [[nodiscard]] told last(event_type type) const;

    // A plain client, and the connection here that accepted it.
    struct pair {
        socket_end theirs;
        socket* ours = nullptr;
    };
    [[nodiscard]] pair accept_one();
    // One of `from`, of listen_narrow(), whose connection holds as little as the system allows.
    [[nodiscard]] pair accept_narrow(listener_id from);
    [[nodiscard]] listener_id listen_narrow();
    [[nodiscard]] socket_end client() const;
    // As conformance::receive, with the manager polled meanwhile.
    [[nodiscard]] std::string receive(const socket_end& at, std::size_t bytes);
    [[nodiscard]] std::string receive_to_end(const socket_end& at);
    // Before a reset, where the system forgets one that comes while nobody receives.
    void begin_to_receive();
    // Sends all of it, with the manager polled meanwhile.
    void send(const socket_end& from, std::string_view bytes);
    // Writes until the system takes no more and a write is cut: how many bytes were taken, which
    // are pattern(60'000), again and again.
    std::size_t fill(socket& at);
    // Echoes: by write() or, when `forwards`, by forward().
    void echo(bool forwards = false);

    socket_manager sockets_;
    listener_id listener_;
    std::vector<told> events_;
    std::size_t descriptors_before_ = 0;
};

// Those that the tests of this folder run on.
[[nodiscard]] std::vector<std::string> managed_backends();
inline auto every_managed_backend() { return testing::ValuesIn(managed_backends()); }

[[nodiscard]] inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace ioring::managed
