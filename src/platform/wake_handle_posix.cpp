// SPDX-License-Identifier: MIT
// wake_handle_posix.cpp - signalling and draining, the same for a pipe and for Linux's eventfd.
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "platform/text.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::platform {
namespace {

bool set_flags(int descriptor) {
    const int flags = ::fcntl(descriptor, F_GETFL);
    return flags != -1 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != -1 &&
           ::fcntl(descriptor, F_SETFD, FD_CLOEXEC) != -1;
}

}  // namespace

std::error_code wake_handle::create_pipe(wake_handle& out) noexcept {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) return errno_code(errno);
    wake_handle made{ends[0], ends[1]};
    if (!set_flags(ends[0]) || !set_flags(ends[1])) return errno_code(errno);
    out = std::move(made);
    return {};
}

wake_handle& wake_handle::operator=(wake_handle&& other) noexcept {
    if (this != &other) {
        close();
        read_ = std::exchange(other.read_, -1);
        write_ = std::exchange(other.write_, -1);
    }
    return *this;
}

void wake_handle::signal() const noexcept {
    if (write_ < 0) return;
    const int kept = errno;
    const std::uint64_t one = 1;  // An eventfd takes a number; what a pipe takes does not matter.
    // EAGAIN: it is full, so it is readable. Nothing else can happen while the handle lives.
    while (::write(write_, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
    errno = kept;
}

bool wake_handle::drain() const noexcept {
    if (read_ < 0) return false;
    std::array<char, 512> bytes;
    bool signalled = false;
    for (;;) {
        const ssize_t got = ::read(read_, bytes.data(), bytes.size());
        if (got < 0 && errno == EINTR) continue;
        signalled = signalled || got > 0;
        // A short read has emptied it; an eventfd always gives 8 bytes.
        if (got < static_cast<ssize_t>(bytes.size())) return signalled;
    }
}

void wake_handle::close() noexcept {
    if (read_ >= 0) ::close(read_);
    if (write_ >= 0 && write_ != read_) ::close(write_);
    read_ = -1;
    write_ = -1;
}

}  // namespace ioring::platform
