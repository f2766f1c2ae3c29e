// SPDX-License-Identifier: MIT
// listener.hpp - a listening socket that belongs to a ring.
#pragma once

#include <memory>

#include "ioring/endpoint.hpp"
#include "ioring/fd.hpp"

namespace ioring {

namespace detail {
class ring_state;
}

// Made by ring::create_listener(). Movable; closes itself, on the ring's thread: accepts in flight
// are cancelled first (their CQEs still come), because on io_uring an armed accept keeps a closed
// socket listening. A local socket's file is removed. It may outlive its ring, which then has ended
// the accepts already.
class listener {
public:
    // None.
    listener() noexcept;
    // `other` is then none; the assigned one closes what it had.
    listener(listener&& other) noexcept;
    listener& operator=(listener&& other) noexcept;
    // As close().
    ~listener();

    // It is open.
    [[nodiscard]] bool valid() const noexcept { return socket_.valid(); }
    // For prepare_accept() and its kin; owned by the listener.
    [[nodiscard]] fd descriptor() const noexcept { return socket_; }
    // As descriptor().
    operator fd() const noexcept { return socket_; }  // NOLINT(google-explicit-constructor)
    // The bound address, with the port that the system chose for port 0.
    [[nodiscard]] const endpoint& local_endpoint() const noexcept { return local_; }

    // Closes now; does nothing when it is closed already.
    void close() noexcept;

private:
    friend class ring;

    std::shared_ptr<detail::ring_state> ring_;
    fd socket_;
    endpoint local_;
};

}  // namespace ioring
