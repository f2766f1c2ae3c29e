// SPDX-License-Identifier: MIT
// socket.cpp - a socket's calls, each its manager's.
#include "ioring/socket.hpp"

#include "socket/manager_state.hpp"

namespace ioring {

using detail::close_phase;
using detail::manager_state;

socket_id socket::id() const noexcept { return {manager_->slot_of(*this), generation_}; }

listener_id socket::listener() const noexcept { return manager_->cold_of(*this).listener; }

const endpoint& socket::peer() const noexcept { return manager_->cold_of(*this).peer; }

void* socket::user() const noexcept { return manager_->cold_of(*this).user; }

void socket::set_user(void* user) noexcept { manager_->cold_of(*this).user = user; }

bool socket::is_open() const noexcept {
    return manager_state::phase_of(*this) == close_phase::open;
}

bool socket::peer_has_ended() const noexcept { return (facts_ & detail::close_fact::ended) != 0; }

std::span<const std::byte> socket::readable() const noexcept { return manager_->readable(*this); }

void socket::consume(std::size_t bytes) noexcept { manager_->consume(*this, bytes); }

void socket::pause_recv() noexcept { manager_->set_paused(*this, true); }

void socket::resume_recv() noexcept { manager_->set_paused(*this, false); }

std::size_t socket::write(std::span<const std::byte> bytes) noexcept {
    return manager_->write(*this, bytes);
}

std::span<std::byte> socket::writable(std::size_t least) noexcept {
    return manager_->writable(*this, least);
}

void socket::commit_write(std::size_t bytes) noexcept { manager_->commit_write(*this, bytes); }

std::size_t socket::forward_to(socket& other, std::size_t bytes) noexcept {
    return manager_->forward(*this, other, bytes);
}

void socket::notify_drained() noexcept { manager_->notify_drained(*this); }

void socket::shutdown_write() noexcept { manager_->finish(*this); }

void socket::close() noexcept { manager_->close(*this, close_reason::closed); }

void socket::abort() noexcept { manager_->abort(*this, close_reason::aborted); }

void socket::finish_handshake() noexcept { manager_->finish_handshake(*this); }

}  // namespace ioring
