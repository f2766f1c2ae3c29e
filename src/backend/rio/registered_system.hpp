// SPDX-License-Identifier: MIT
// registered_system.hpp - the iocp engine's system, with Registered I/O for attached sockets.
//
// It stands between the engine and the real system. Receives and sends of a socket that was
// attached, from registered buffers, go to the core, and come back as packets like any other;
// everything else is passed on. What else the engine asks of an attached socket is -EOPNOTSUPP:
// mixing plain calls with RIO is documented nowhere.
#pragma once

#include <memory>
#include <string>
#include <system_error>

#include "backend/iocp/system.hpp"
#include "backend/rio/rio_core.hpp"
#include "backend/rio/socket_map.hpp"

namespace ioring::backends::rio {

class registered_system final : public iocp::system, private observer {
public:
    registered_system(std::unique_ptr<iocp::system> below, const rio::system& table) noexcept
        : below_{std::move(below)}, core_{table, *this} {}
    ~registered_system() override;
    // Errors: those of core::set_up().
    [[nodiscard]] std::int32_t set_up() noexcept;
    [[nodiscard]] const core& requests() const noexcept { return core_; }

    int attach(iocp::socket_handle socket) noexcept override { return below_->attach(socket); }
    int wait(std::span<iocp::packet> out, std::int64_t timeout_ns) noexcept override;
    void post() noexcept override { below_->post(); }
    void* port() noexcept override { return below_->port(); }

    int attach_requests(iocp::socket_handle socket) noexcept override;
    bool has_requests(iocp::socket_handle socket) noexcept override {
        return find(socket).generation != 0;
    }
    int attach_buffer(std::uint32_t slot, std::byte* data, std::size_t bytes) noexcept override {
        return core_.add_buffer(slot, data, bytes);
    }
    int detach_buffer(std::uint32_t slot) noexcept override { return core_.remove_buffer(slot); }

    iocp::begun receive(iocp::socket_handle socket, std::byte* data, std::uint32_t bytes,
                        std::uint32_t buffer, iocp::overlapped& of) noexcept override;
    iocp::begun send(iocp::socket_handle socket, const std::byte* data, std::uint32_t bytes,
                     std::uint32_t buffer, const sockaddr* address, std::uint32_t address_bytes,
                     iocp::overlapped& of) noexcept override;
    iocp::begun receive_pieces(iocp::socket_handle socket, std::span<iocp::piece> into,
                               iocp::overlapped& of) noexcept override;
    iocp::begun send_message(iocp::socket_handle socket, iocp::message& what,
                             iocp::overlapped& of) noexcept override;
    iocp::begun accept(iocp::socket_handle listener, iocp::socket_handle fresh, std::byte* room,
                       iocp::overlapped& of) noexcept override {
        return below_->accept(listener, fresh, room, of);
    }
    iocp::begun connect(iocp::socket_handle socket, const sockaddr* address,
                        std::uint32_t address_bytes, iocp::overlapped& of) noexcept override {
        return below_->connect(socket, address, address_bytes, of);
    }
    iocp::begun poll(iocp::socket_handle socket, std::uint32_t events, iocp::poll_request& request,
                     iocp::overlapped& of) noexcept override;
    std::int32_t polled(const iocp::poll_request& request) noexcept override {
        return below_->polled(request);
    }
    bool cancel(iocp::socket_handle socket, iocp::overlapped& of) noexcept override;

    std::int32_t receive_now(iocp::socket_handle socket, std::byte* data, std::uint32_t bytes,
                             std::uint32_t msg_flags) noexcept override;
    std::int32_t send_now(iocp::socket_handle socket, const std::byte* data,
                          std::uint32_t bytes) noexcept override;
    std::int32_t receive_message_now(iocp::socket_handle socket, bool stream,
                                     iocp::message& what) noexcept override;
    std::int32_t send_message_now(iocp::socket_handle socket,
                                  iocp::message& what) noexcept override;
    std::int32_t accept_now(iocp::socket_handle listener,
                            iocp::socket_handle& out) noexcept override {
        return below_->accept_now(listener, out);
    }
    std::int32_t open(std::int32_t domain, std::uint32_t type, std::int32_t protocol,
                      iocp::socket_handle& out) noexcept override {
        return below_->open(domain, type, protocol, out);
    }
    std::int32_t open_like(iocp::socket_handle listener,
                           iocp::socket_handle& out) noexcept override {
        return below_->open_like(listener, out);
    }
    int finish_accept(iocp::socket_handle listener,
                      iocp::socket_handle accepted) noexcept override {
        return below_->finish_accept(listener, accepted);
    }
    int finish_connect(iocp::socket_handle socket) noexcept override {
        return below_->finish_connect(socket);
    }
    int peer_address(iocp::socket_handle socket, sockaddr* address,
                     std::uint32_t* bytes) noexcept override {
        return below_->peer_address(socket, address, bytes);
    }
    int bind(iocp::socket_handle socket, const sockaddr* address,
             std::uint32_t address_bytes) noexcept override {
        return below_->bind(socket, address, address_bytes);
    }
    int listen(iocp::socket_handle socket, std::int32_t backlog) noexcept override {
        return below_->listen(socket, backlog);
    }
    int shut_down(iocp::socket_handle socket, std::uint32_t how) noexcept override {
        return below_->shut_down(socket, how);
    }
    void close(iocp::socket_handle socket) noexcept override;
    bool is_listening(iocp::socket_handle socket) noexcept override {
        return below_->is_listening(socket);
    }
    bool is_stream(iocp::socket_handle socket) noexcept override {
        return below_->is_stream(socket);
    }

private:
    void ended(std::uint64_t cookie, std::int32_t res) noexcept override;
    void closed(std::uint64_t /*cookie*/) noexcept override {}  // The engine counts for itself.

    [[nodiscard]] reference find(iocp::socket_handle socket) const noexcept {
        return sockets_.find(socket);
    }
    [[nodiscard]] iocp::begun submit(reference on, transfer asked, std::uint32_t buffer,
                                     iocp::overlapped& of) noexcept;
    [[nodiscard]] std::size_t take_ended(std::span<iocp::packet> out) noexcept;
    [[nodiscard]] std::size_t take_notification(std::span<iocp::packet> out) noexcept;

    std::unique_ptr<iocp::system> below_;
    core core_;
    socket_map sockets_;
    iocp::overlapped notification_;      // Names the core's notification, and nothing else.
    iocp::overlapped* ended_ = nullptr;  // A queue, by `offset`.
    iocp::overlapped* ended_last_ = nullptr;
};

}  // namespace ioring::backends::rio
