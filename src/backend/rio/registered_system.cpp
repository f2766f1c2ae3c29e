// SPDX-License-Identifier: MIT
// registered_system.cpp - requests that look like overlapped calls to the engine.
#include "backend/rio/registered_system.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/pointer.hpp"

namespace ioring::backends::rio {
namespace {

using detail::pointer_of;

std::uint64_t address_of(const void* data) noexcept {
    return static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data));
}

}  // namespace

std::int32_t registered_system::set_up() noexcept {
    core_options options;
    options.port = {.port = below_->port(), .key = nullptr, .overlapped = &notification_};
    return core_.set_up(options);
}

// The engine has waited for what could be waited for. What the system still has keeps its memory.
registered_system::~registered_system() { (void)core_.shut_down(); }

int registered_system::attach_requests(iocp::socket_handle socket) noexcept {
    if (has_requests(socket)) return 0;
    if (!sockets_.make_room()) return -ENOMEM;
    reference made;
    const std::int32_t error = core_.attach(socket, 0, made);
    // Made without WSA_FLAG_REGISTERED_IO; -EOPNOTSUPP would mean that nobody does this here.
    if (error == -EOPNOTSUPP) return -EPROTOTYPE;
    if (error == 0) sockets_.add(socket, made);
    return error;
}

iocp::begun registered_system::submit(reference on, transfer asked, std::uint32_t buffer,
                                      iocp::overlapped& of) noexcept {
    if (buffer == 0 || asked.bytes == 0) return {.res = -EOPNOTSUPP};
    of = {};
    asked.buffer = buffer - 1;
    asked.cookie = address_of(&of);
    reference made;
    const std::int32_t error = core_.submit(on, asked, made);
    if (error != 0) return {.res = error};
    of.event = pointer_of<void>(made.packed());  // For cancel(): no event is wanted.
    core_.flush();
    return {.pending = true};
}

iocp::begun registered_system::receive(iocp::socket_handle socket, std::byte* data,
                                       std::uint32_t bytes, std::uint32_t buffer,
                                       iocp::overlapped& of) noexcept {
    const reference on = find(socket);
    if (on.generation == 0) return below_->receive(socket, data, bytes, buffer, of);
    transfer asked;
    asked.way = direction::receive;
    asked.data = data;
    asked.bytes = bytes;
    return submit(on, asked, buffer, of);
}

iocp::begun registered_system::send(iocp::socket_handle socket, const std::byte* data,
                                    std::uint32_t bytes, std::uint32_t buffer,
                                    const sockaddr* address, std::uint32_t address_bytes,
                                    iocp::overlapped& of) noexcept {
    const reference on = find(socket);
    if (on.generation == 0) {
        return below_->send(socket, data, bytes, buffer, address, address_bytes, of);
    }
    transfer asked;
    asked.way = direction::send;
    asked.data = const_cast<std::byte*>(data);
    asked.bytes = bytes;
    return submit(on, asked, address == nullptr ? buffer : 0, of);
}

iocp::begun registered_system::receive_pieces(iocp::socket_handle socket,
                                              std::span<iocp::piece> into,
                                              iocp::overlapped& of) noexcept {
    if (has_requests(socket)) return {.res = -EOPNOTSUPP};
    return below_->receive_pieces(socket, into, of);
}

iocp::begun registered_system::send_message(iocp::socket_handle socket, iocp::message& what,
                                            iocp::overlapped& of) noexcept {
    if (has_requests(socket)) return {.res = -EOPNOTSUPP};
    return below_->send_message(socket, what, of);
}

std::int32_t registered_system::receive_message_now(iocp::socket_handle socket, bool stream,
                                                    iocp::message& what) noexcept {
    if (has_requests(socket)) return -EOPNOTSUPP;
    return below_->receive_message_now(socket, stream, what);
}

std::int32_t registered_system::send_message_now(iocp::socket_handle socket,
                                                 iocp::message& what) noexcept {
    return has_requests(socket) ? -EOPNOTSUPP : below_->send_message_now(socket, what);
}

iocp::begun registered_system::poll(iocp::socket_handle socket, std::uint32_t events,
                                    iocp::poll_request& request, iocp::overlapped& of) noexcept {
    if (has_requests(socket)) return {.res = -EOPNOTSUPP};
    return below_->poll(socket, events, request, of);
}

std::int32_t registered_system::receive_now(iocp::socket_handle socket, std::byte* data,
                                            std::uint32_t bytes, std::uint32_t msg_flags) noexcept {
    if (has_requests(socket)) return -EOPNOTSUPP;
    return below_->receive_now(socket, data, bytes, msg_flags);
}

std::int32_t registered_system::send_now(iocp::socket_handle socket, const std::byte* data,
                                         std::uint32_t bytes) noexcept {
    return has_requests(socket) ? -EOPNOTSUPP : below_->send_now(socket, data, bytes);
}

// Only what the system does not have yet can be taken back.
bool registered_system::cancel(iocp::socket_handle socket, iocp::overlapped& of) noexcept {
    if (!has_requests(socket)) return below_->cancel(socket, of);
    if (!core_.withdraw(reference::unpacked(address_of(of.event)))) return false;
    ended(address_of(&of), -ECANCELED);
    return true;
}

void registered_system::close(iocp::socket_handle socket) noexcept {
    const reference closing = find(socket);
    if (closing.generation == 0) {
        below_->close(socket);
        return;
    }
    sockets_.remove(socket);
    std::int32_t unused = 0;
    (void)core_.close(closing, unused);
}

void registered_system::ended(std::uint64_t cookie, std::int32_t res) noexcept {
    auto& of = *pointer_of<iocp::overlapped>(cookie);
    of.status = res < 0 ? iocp::own_status | static_cast<std::uint32_t>(-res) : 0;
    of.bytes = res < 0 ? 0 : static_cast<std::uint32_t>(res);
    of.offset = 0;
    if (ended_ == nullptr) {
        ended_ = &of;
    } else {
        ended_last_->offset = cookie;
    }
    ended_last_ = &of;
}

std::size_t registered_system::take_ended(std::span<iocp::packet> out) noexcept {
    std::size_t count = 0;
    for (; count < out.size() && ended_ != nullptr; ++count) {
        iocp::overlapped& of = *std::exchange(ended_, pointer_of<iocp::overlapped>(ended_->offset));
        out[count] = {.of = &of};
    }
    return count;
}

// Takes the notification out of what has come. Returns how much else there is.
std::size_t registered_system::take_notification(std::span<iocp::packet> out) noexcept {
    const auto last = std::remove_if(out.begin(), out.end(), [this](const iocp::packet& each) {
        return each.of == &notification_;
    });
    if (last != out.end()) core_.notified();
    return static_cast<std::size_t>(last - out.begin());
}

// Requests get half of the room at first, so that neither kind keeps the other waiting.
int registered_system::wait(std::span<iocp::packet> out, std::int64_t timeout_ns) noexcept {
    (void)core_.reap(static_cast<std::uint32_t>(out.size() / 2));
    std::size_t count = take_ended(out.first(out.size() / 2));
    if (count == 0 && !core_.has_more() && timeout_ns != 0) {
        core_.arm();
        count = take_ended(out.first(out.size() / 2));  // Its death ends everything.
    }
    const bool sleeps = count == 0 && !core_.has_more();
    const std::span<iocp::packet> rest = out.subspan(count);
    const int came = below_->wait(rest, sleeps ? timeout_ns : 0);
    if (came < 0) return count > 0 ? static_cast<int>(count) : came;
    count += take_notification(rest.first(static_cast<std::size_t>(came)));
    if (core_.has_more()) {
        (void)core_.reap(static_cast<std::uint32_t>(out.size() - count));
        count += take_ended(out.subspan(count));
    }
    return static_cast<int>(count);
}

}  // namespace ioring::backends::rio
