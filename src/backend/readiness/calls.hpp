// SPDX-License-Identifier: MIT
// calls.hpp - the system calls that move bytes, which AddressSanitizer must not see.
//
// This kernel works on memory that programs must not touch meanwhile, which is poisoned
// (ioring/detail/lent_memory.hpp), and AddressSanitizer checks what the C library's wrappers are
// given. As theirs, results are -1 and errno.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>

#include "platform/poisons.hpp"

#if defined(IORING_POISONS)
#include <sys/syscall.h>
#endif

namespace ioring::backends::readiness::calls {

#if defined(IORING_POISONS)

inline ssize_t receive(int fd, void* data, std::size_t bytes, int flags) noexcept {
    return ::syscall(SYS_recvfrom, fd, data, bytes, flags, nullptr, nullptr);
}
inline ssize_t send(int fd, const void* data, std::size_t bytes, int flags, const sockaddr* address,
                    socklen_t address_bytes) noexcept {
    return ::syscall(SYS_sendto, fd, data, bytes, flags, address, address_bytes);
}
inline ssize_t receive_message(int fd, msghdr& message, int flags) noexcept {
    return ::syscall(SYS_recvmsg, fd, &message, flags);
}
inline ssize_t send_message(int fd, const msghdr& message, int flags) noexcept {
    return ::syscall(SYS_sendmsg, fd, &message, flags);
}
inline ssize_t read(int fd, void* data, std::size_t bytes) noexcept {
    return ::syscall(SYS_read, fd, data, bytes);
}
inline ssize_t read_at(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return ::syscall(SYS_pread64, fd, data, bytes, offset);
}
inline ssize_t write(int fd, const void* data, std::size_t bytes) noexcept {
    return ::syscall(SYS_write, fd, data, bytes);
}
inline ssize_t write_at(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return ::syscall(SYS_pwrite64, fd, data, bytes, offset);
}

#else

inline ssize_t receive(int fd, void* data, std::size_t bytes, int flags) noexcept {
    return ::recv(fd, data, bytes, flags);
}
// `address` may be nullptr.
inline ssize_t send(int fd, const void* data, std::size_t bytes, int flags, const sockaddr* address,
                    socklen_t address_bytes) noexcept {
    return address == nullptr ? ::send(fd, data, bytes, flags)
                              : ::sendto(fd, data, bytes, flags, address, address_bytes);
}
inline ssize_t receive_message(int fd, msghdr& message, int flags) noexcept {
    return ::recvmsg(fd, &message, flags);
}
inline ssize_t send_message(int fd, const msghdr& message, int flags) noexcept {
    return ::sendmsg(fd, &message, flags);
}
inline ssize_t read(int fd, void* data, std::size_t bytes) noexcept {
    return ::read(fd, data, bytes);
}
inline ssize_t read_at(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return ::pread(fd, data, bytes, offset);
}
inline ssize_t write(int fd, const void* data, std::size_t bytes) noexcept {
    return ::write(fd, data, bytes);
}
inline ssize_t write_at(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return ::pwrite(fd, data, bytes, offset);
}

#endif

}  // namespace ioring::backends::readiness::calls
