// SPDX-License-Identifier: MIT
// unsent_bytes.hpp - what a non-blocking send has left over, for the peers that send by hand.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace peer {

class unsent_bytes {
public:
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    // One send; what is left is kept. Precondition: empty(). False when the connection is broken.
    bool send_or_keep(int fd, const std::byte* data, std::size_t bytes) {
        const ssize_t sent = ::send(fd, data, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
        const std::size_t gone = sent < 0 ? 0 : static_cast<std::size_t>(sent);
        if (gone != bytes) bytes_.assign(data + gone, data + bytes);
        return true;
    }
    // One send of what was kept. False when the connection is broken.
    bool flush_once(int fd) {
        const ssize_t sent =
            ::send(fd, bytes_.data() + first_, bytes_.size() - first_, MSG_NOSIGNAL);
        if (sent < 0) return errno == EAGAIN || errno == EINTR;
        first_ += static_cast<std::size_t>(sent);
        if (first_ != bytes_.size()) return true;
        bytes_.clear();
        first_ = 0;
        return true;
    }
    // ... until none is left or none is taken, as edge-triggered epoll wants it.
    bool flush(int fd) {
        while (!bytes_.empty()) {
            errno = 0;
            if (!flush_once(fd)) return false;
            if (errno == EAGAIN) return true;
        }
        return true;
    }

private:
    std::vector<std::byte> bytes_;
    std::size_t first_ = 0;
};

}  // namespace peer
