// SPDX-License-Identifier: MIT
// system_posix.cpp - the calls as every POSIX system has them.
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "backend/readiness/calls.hpp"
#include "backend/readiness/system.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::readiness::system {
namespace {

// Repeats a call that a signal has interrupted.
template <class Call>
auto uninterrupted(Call call) noexcept {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR) return result;
    }
}

}  // namespace

std::int32_t receive_message(std::int32_t fd, msghdr& message, std::uint32_t msg_flags) noexcept {
    const int flags = host_message_flags(msg_flags);
    if (flags < 0) return -EINVAL;
    return repeated([&] { return calls::receive_message(fd, message, flags); });
}

std::int32_t send_message(std::int32_t fd, const msghdr& message,
                          std::uint32_t msg_flags) noexcept {
    const int flags = host_message_flags(msg_flags);
    if (flags < 0) return -EINVAL;
    if (const int error = prepare_to_send(fd); error != 0) return error;
    return send_result(repeated([&] { return calls::send_message(fd, message, flags); }));
}

std::int32_t read_at(std::int32_t fd, std::byte* data, std::size_t bytes,
                     std::uint64_t offset) noexcept {
    return repeated([&] {
        return offset == ~std::uint64_t{0}
                   ? calls::read(fd, data, cut(bytes))
                   : calls::read_at(fd, data, cut(bytes), static_cast<off_t>(offset));
    });
}

std::int32_t write_at(std::int32_t fd, const std::byte* data, std::size_t bytes,
                      std::uint64_t offset) noexcept {
    return repeated([&] {
        return offset == ~std::uint64_t{0}
                   ? calls::write(fd, data, cut(bytes))
                   : calls::write_at(fd, data, cut(bytes), static_cast<off_t>(offset));
    });
}

std::int32_t accept(std::int32_t listener, sockaddr* address, std::uint32_t* address_bytes,
                    std::uint32_t socket_flags) noexcept {
    for (;;) {
        socklen_t bytes = address_bytes == nullptr ? 0 : static_cast<socklen_t>(*address_bytes);
        socklen_t* const length = address_bytes == nullptr ? nullptr : &bytes;
        const int made = accept_with_flags(listener, address, length, socket_flags);
        if (made >= 0) {
            if (address_bytes != nullptr) *address_bytes = static_cast<std::uint32_t>(bytes);
            return made;
        }
        if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) return -errno;
    }
}

std::int32_t connect(std::int32_t fd, const sockaddr* address,
                     std::uint32_t address_bytes) noexcept {
    if (::connect(fd, address, static_cast<socklen_t>(address_bytes)) == 0) return 0;
    // Interrupted, the attempt goes on all the same, and asking again would be an error.
    return errno == EINTR ? -EINPROGRESS : -errno;
}

std::int32_t connect_result_by_error(std::int32_t fd, std::int32_t error_hint) noexcept {
    int error = 0;
    socklen_t bytes = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) != 0) return -errno;
    if (error == 0) error = error_hint;
    if (error != 0) return -error;
    // No error is no proof: an event may have been older than the attempt.
    sockaddr_storage peer{};
    bytes = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &bytes) == 0) return 0;
    return errno == ENOTCONN ? -EINPROGRESS : -errno;
}

std::int32_t open_socket(std::int32_t domain, std::uint32_t type, std::int32_t protocol) noexcept {
    const int made = socket_with_flags(domain, type, protocol);
    return made < 0 ? -errno : made;
}

std::int32_t bind(std::int32_t fd, const sockaddr* address, std::uint32_t address_bytes) noexcept {
    return ::bind(fd, address, static_cast<socklen_t>(address_bytes)) == 0 ? 0 : -errno;
}

std::int32_t listen(std::int32_t fd, std::int32_t backlog) noexcept {
    return ::listen(fd, backlog) == 0 ? 0 : -errno;
}

std::int32_t set_nonblocking(std::int32_t fd, bool on) noexcept {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    if (((flags & O_NONBLOCK) != 0) == on) return 0;
    const int wanted = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return ::fcntl(fd, F_SETFL, wanted) == 0 ? 1 : -errno;
}

bool is_open(std::int32_t fd) noexcept { return ::fcntl(fd, F_GETFD) >= 0; }

namespace {

// The kind of socket, or -1.
int type_of(std::int32_t fd) noexcept {
    int type = 0;
    socklen_t bytes = sizeof type;
    return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes) == 0 ? type : -1;
}

}  // namespace

bool is_socket(std::int32_t fd) noexcept { return type_of(fd) >= 0; }

bool is_regular_file(std::int32_t fd) noexcept {
    struct stat about {};
    return ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

bool is_stream(std::int32_t fd) noexcept {
    const int type = type_of(fd);
    return type == SOCK_STREAM || type == SOCK_SEQPACKET;
}

std::int32_t poll_now(std::int32_t fd, std::uint32_t events) noexcept {
    // The bits of poll_event are the same on all these systems, but for rdhup.
    constexpr std::uint32_t common = poll_event::in | poll_event::pri | poll_event::out;
    const auto asked = static_cast<short>(events & common);
    pollfd file{.fd = fd, .events = static_cast<short>(asked | host_peer_ended()), .revents = 0};
    const int ready = uninterrupted([&] { return ::poll(&file, 1, 0); });
    if (ready < 0) return -errno;
    if ((file.revents & POLLNVAL) != 0) return -EBADF;
    return file.revents;
}

}  // namespace ioring::backends::readiness::system
