// SPDX-License-Identifier: MIT
// local_bind_posix.cpp - binding to a path, and telling a stale socket file from one in use.
#include "platform/local_bind.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>

#include "platform/clock.hpp"
#include "platform/descriptor_guard.hpp"
#include "platform/sockaddr.hpp"
#include "platform/socket_os.hpp"

namespace ioring::platform {
namespace {

// A path that ends with 0.
using path_text = std::array<char, endpoint::capacity + 1>;

// Whether `address` has a path; an abstract or missing name has none.
bool copy_path(const endpoint& address, path_text& out) {
    const std::string_view name = local_name(address);
    if (address.family() != address_family::local || name.empty() || name[0] == '\0') return false;
    out[name.copy(out.data(), out.size() - 1)] = '\0';
    return true;
}

void cut_to_folder(path_text& path) {
    const std::string_view text = path.data();
    const std::size_t slash = text.rfind('/');
    if (slash == text.npos) {
        path = {'.'};
    } else {
        path[slash == 0 ? 1 : slash] = '\0';
    }
}

// flock() has no time-out, so it is asked every few milliseconds; its holders need microseconds.
int lock_folder(path_text path, descriptor_guard& lock) {
    constexpr std::chrono::seconds patience{1};
    constexpr int pause_ms = 5;
    cut_to_folder(path);
    lock.slot() = ::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    // A folder that we may write to but not read: nothing to lock, and the bind tells the rest.
    if (lock.get() < 0) return errno == EACCES ? 0 : errno;
    const std::uint64_t deadline = deadline_ns(patience);
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return 0;  // A file system without locks.
        if (monotonic_ns() >= deadline) return EBUSY;
        ::poll(nullptr, 0, pause_ms);
    }
    return 0;
}

// Whether the file is a socket's and the socket is gone. Asked with a datagram socket: a stream
// socket that is there refuses it for its type, so that no listener sees a connection that nobody
// wanted.
bool is_stale(const endpoint& address, const path_text& path) {
    struct stat status {};
    if (::lstat(path.data(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
    const descriptor_guard probe{open_socket(AF_UNIX, SOCK_DGRAM, /*nonblocking=*/true)};
    return probe.get() >= 0 &&
           ::connect(probe.get(), as_sockaddr(address), as_socklen(address)) != 0 &&
           errno == ECONNREFUSED;
}

int bind_once(native_socket socket, const endpoint& address) {
    return ::bind(socket, as_sockaddr(address), as_socklen(address)) == 0 ? 0 : errno;
}

}  // namespace

int bind_local(native_socket socket, const endpoint& address, bool unlink_stale) noexcept {
    int error = bind_once(socket, address);
    path_text path{};
    if (error != EADDRINUSE || !unlink_stale || !copy_path(address, path)) return error;
    descriptor_guard lock;
    if (const int refused = lock_folder(path, lock)) return refused;
    // Another starter may have been through here while we waited for the lock.
    error = bind_once(socket, address);
    if (error != EADDRINUSE || !is_stale(address, path)) return error;
    if (::unlink(path.data()) != 0 && errno != ENOENT) return errno;
    return bind_once(socket, address);
}

void unlink_local(const endpoint& address) noexcept {
    path_text path{};
    if (copy_path(address, path)) ::unlink(path.data());
}

}  // namespace ioring::platform
