// SPDX-License-Identifier: MIT
// fake_system_test_support.hpp - a system in which nothing ends before the test says so.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstring>
#include <deque>
#include <mutex>
#include <string_view>
#include <vector>

#include "backend/iocp/system.hpp"

namespace ioring::iocp_tests {

using namespace backends::iocp;

inline constexpr std::uintptr_t status_cancelled = 0xC000'0120;
inline constexpr std::uintptr_t status_reset = 0xC000'020D;

enum class call { receive, send, accept, connect, poll };

struct pending_call {
    call what;
    socket_handle socket;
    std::byte* data;
    std::uint32_t bytes;
    overlapped* of;
    socket_handle fresh;
};

class fake_system final : public system {
public:
    // --- the test's side ---
    std::vector<pending_call> pending;
    std::vector<socket_handle> closed;
    std::vector<piece> given;       // Of the last message.
    bool cancels_too_late = false;  // What is cancelled has ended, and its packet is to come.

    [[nodiscard]] std::size_t count(call what) const {
        return static_cast<std::size_t>(
            std::count_if(pending.begin(), pending.end(),
                          [what](const pending_call& each) { return each.what == what; }));
    }
    // Ends the oldest call of the kind. False: there is none.
    bool end(call what, std::uintptr_t status, std::string_view bytes = "") {
        for (std::size_t index = 0; index < pending.size(); ++index) {
            if (pending[index].what != what) continue;
            if (!bytes.empty()) std::memcpy(pending[index].data, bytes.data(), bytes.size());
            land(index, status, bytes.size());
            return true;
        }
        return false;
    }
    bool end_send(std::uintptr_t bytes) {
        for (std::size_t index = 0; index < pending.size(); ++index) {
            if (pending[index].what != call::send) continue;
            land(index, 0, bytes);
            return true;
        }
        return false;
    }
    void land_cancelled() {
        for (overlapped* each : cancelled_) packets_.push_back(each);
        cancelled_.clear();
    }

    // --- system ---
    int attach(socket_handle) noexcept override { return 0; }
    int wait(std::span<packet> out, std::int64_t timeout_ns) noexcept override {
        if (timeout_ns > 0) land_cancelled();  // Whoever waits sees the end of it.
        std::size_t taken = 0;
        for (; taken < out.size() && !packets_.empty(); ++taken) {
            out[taken].of = packets_.front();
            packets_.pop_front();
        }
        if (taken == 0 && timeout_ns < 0) sleep();
        return static_cast<int>(taken);
    }
    void post() noexcept override {
        const std::lock_guard hold{posting_};
        posted_ = true;
        was_posted_.notify_one();
    }
    void* port() noexcept override { return nullptr; }
    begun receive(socket_handle socket, std::byte* data, std::uint32_t bytes, std::uint32_t,
                  overlapped& of) noexcept override {
        return begin({call::receive, socket, data, bytes, &of, no_socket});
    }
    begun send(socket_handle socket, const std::byte* data, std::uint32_t bytes, std::uint32_t,
               const sockaddr*, std::uint32_t, overlapped& of) noexcept override {
        return begin({call::send, socket, const_cast<std::byte*>(data), bytes, &of, no_socket});
    }
    begun receive_pieces(socket_handle socket, std::span<piece> into,
                         overlapped& of) noexcept override {
        given.assign(into.begin(), into.end());
        return begin({call::receive, socket, into[0].data, into[0].bytes, &of, no_socket});
    }
    begun send_message(socket_handle socket, message& what, overlapped& of) noexcept override {
        given.assign(what.pieces, what.pieces + what.count);
        return begin({call::send, socket, nullptr, 0, &of, no_socket});
    }
    begun accept(socket_handle on, socket_handle fresh, std::byte*,
                 overlapped& of) noexcept override {
        return begin({call::accept, on, nullptr, 0, &of, fresh});
    }
    begun connect(socket_handle socket, const sockaddr*, std::uint32_t,
                  overlapped& of) noexcept override {
        return begin({call::connect, socket, nullptr, 0, &of, no_socket});
    }
    begun poll(socket_handle socket, std::uint32_t, poll_request&,
               overlapped& of) noexcept override {
        return begin({call::poll, socket, nullptr, 0, &of, no_socket});
    }
    std::int32_t polled(const poll_request&) noexcept override { return 1; }
    bool cancel(socket_handle, overlapped& of) noexcept override {
        if (cancels_too_late) return false;
        const auto found = std::find_if(pending.begin(), pending.end(),
                                        [&](const pending_call& each) { return each.of == &of; });
        if (found == pending.end()) return false;
        of.status = status_cancelled;
        cancelled_.push_back(&of);
        pending.erase(found);
        return true;
    }
    std::int32_t receive_now(socket_handle, std::byte*, std::uint32_t,
                             std::uint32_t) noexcept override {
        return -EAGAIN;
    }
    std::int32_t send_now(socket_handle, const std::byte*, std::uint32_t) noexcept override {
        return -EAGAIN;
    }
    std::int32_t receive_message_now(socket_handle, bool, message&) noexcept override {
        return -EAGAIN;
    }
    std::int32_t send_message_now(socket_handle, message&) noexcept override { return -EAGAIN; }
    std::int32_t accept_now(socket_handle, socket_handle&) noexcept override { return -EAGAIN; }
    std::int32_t open(std::int32_t, std::uint32_t, std::int32_t,
                      socket_handle& out) noexcept override {
        out = next_handle_++;
        return 0;
    }
    std::int32_t open_like(socket_handle, socket_handle& out) noexcept override {
        return open(0, 0, 0, out);
    }
    int finish_accept(socket_handle, socket_handle) noexcept override { return 0; }
    int finish_connect(socket_handle) noexcept override { return 0; }
    int peer_address(socket_handle, sockaddr*, std::uint32_t*) noexcept override { return 0; }
    int bind(socket_handle, const sockaddr*, std::uint32_t) noexcept override { return 0; }
    int listen(socket_handle, std::int32_t) noexcept override { return 0; }
    int shut_down(socket_handle, std::uint32_t) noexcept override { return 0; }
    void close(socket_handle socket) noexcept override {
        closed.push_back(socket);
        // As Windows: what is pending on it is aborted.
        for (std::size_t index = pending.size(); index-- > 0;) {
            if (pending[index].socket != socket) continue;
            pending[index].of->status = status_cancelled;
            cancelled_.push_back(pending[index].of);
            pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
        }
    }
    bool is_listening(socket_handle socket) noexcept override { return socket == listener; }
    bool is_stream(socket_handle) noexcept override { return true; }

    static constexpr socket_handle listener = 0x1'0000'0001;

private:
    // Until post(), which nothing else can end.
    void sleep() {
        std::unique_lock hold{posting_};
        EXPECT_TRUE(was_posted_.wait_for(hold, std::chrono::seconds{10}, [&] { return posted_; }));
        posted_ = false;
    }
    begun begin(const pending_call& one) {
        pending.push_back(one);
        return {.pending = true};
    }
    void land(std::size_t index, std::uintptr_t status, std::uintptr_t bytes) {
        pending[index].of->status = status;
        pending[index].of->bytes = bytes;
        packets_.push_back(pending[index].of);
        pending.erase(pending.begin() + static_cast<std::ptrdiff_t>(index));
    }

    std::deque<overlapped*> packets_;
    std::vector<overlapped*> cancelled_;
    socket_handle next_handle_ = 0x2'0000'0001;
    std::mutex posting_;
    std::condition_variable was_posted_;
    bool posted_ = false;
};

}  // namespace ioring::iocp_tests
