// SPDX-License-Identifier: MIT
// bare_system_test_support.hpp - what is below registered_system, without any sockets of its own.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

#include "backend/iocp/system.hpp"
#include "world.hpp"

namespace ioring::rio_tests {

using backends::iocp::begun;
using backends::iocp::overlapped;
using backends::iocp::packet;
using backends::iocp::socket_handle;

// The real system's place: its port is one in memory, and of everything else it says -ENOSYS.
class bare_system final : public backends::iocp::system {
public:
    explicit bare_system(world& in) : in_(in), port_(in.make_port()) {}
    ~bare_system() override { in_.close_port(port_); }

    int attach(socket_handle) noexcept override { return 0; }
    int wait(std::span<packet> out, std::int64_t timeout_ns) noexcept override {
        const auto ms =
            timeout_ns < 0 ? world::wait_ms_max : static_cast<unsigned>(timeout_ns / 1'000'000);
        const world::packet came = in_.wait_for(port_, ms);
        if (!came.came || out.empty()) return 0;
        out[0].of = static_cast<overlapped*>(came.overlapped);
        return 1;
    }
    void post() noexcept override {}
    void* port() noexcept override { return port_; }
    begun receive(socket_handle, std::byte*, std::uint32_t, std::uint32_t,
                  overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun send(socket_handle, const std::byte*, std::uint32_t, std::uint32_t, const sockaddr*,
               std::uint32_t, overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun receive_pieces(socket_handle, std::span<backends::iocp::piece>,
                         overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun send_message(socket_handle, backends::iocp::message&, overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun accept(socket_handle, socket_handle, std::byte*, overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun connect(socket_handle, const sockaddr*, std::uint32_t, overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    begun poll(socket_handle, std::uint32_t, backends::iocp::poll_request&,
               overlapped&) noexcept override {
        return {.res = -ENOSYS};
    }
    std::int32_t polled(const backends::iocp::poll_request&) noexcept override { return 0; }
    bool cancel(socket_handle, overlapped&) noexcept override { return true; }
    std::int32_t receive_now(socket_handle, std::byte*, std::uint32_t,
                             std::uint32_t) noexcept override {
        return -ENOSYS;
    }
    std::int32_t send_now(socket_handle, const std::byte*, std::uint32_t) noexcept override {
        return -ENOSYS;
    }
    std::int32_t receive_message_now(socket_handle, bool,
                                     backends::iocp::message&) noexcept override {
        return -ENOSYS;
    }
    std::int32_t send_message_now(socket_handle, backends::iocp::message&) noexcept override {
        return -ENOSYS;
    }
    std::int32_t accept_now(socket_handle, socket_handle&) noexcept override { return -ENOSYS; }
    std::int32_t open(std::int32_t, std::uint32_t, std::int32_t, socket_handle&) noexcept override {
        return -ENOSYS;
    }
    std::int32_t open_like(socket_handle, socket_handle&) noexcept override { return -ENOSYS; }
    int finish_accept(socket_handle, socket_handle) noexcept override { return 0; }
    int finish_connect(socket_handle) noexcept override { return 0; }
    int peer_address(socket_handle, sockaddr*, std::uint32_t*) noexcept override { return 0; }
    int bind(socket_handle, const sockaddr*, std::uint32_t) noexcept override { return 0; }
    int listen(socket_handle, std::int32_t) noexcept override { return 0; }
    int shut_down(socket_handle, std::uint32_t) noexcept override { return 0; }
    void close(socket_handle which) noexcept override { closed = which; }
    bool is_listening(socket_handle) noexcept override { return false; }
    bool is_stream(socket_handle) noexcept override { return true; }

    socket_handle closed = 0;

private:
    world& in_;
    abi::handle port_;
};

}  // namespace ioring::rio_tests
