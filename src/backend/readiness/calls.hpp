// SPDX-License-Identifier: MIT
// calls.hpp - the system calls that move bytes: how they are made. Results are -errno on an error.
//
// On Linux without the C library: each frame between a call and who asked for it is a return that
// the processor predicts wrongly, as the kernel has cleared what it knew. AddressSanitizer must not
// see them: they work on memory that programs must not touch meanwhile, which is poisoned
// (ioring/detail/lent_memory.hpp), and it checks what the C library's wrappers are given.
// ThreadSanitizer must, as a socket orders what two threads do.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "platform/poisons.hpp"

#if defined(__SANITIZE_THREAD__)
#define IORING_CALLS_ARE_SEEN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define IORING_CALLS_ARE_SEEN 1
#endif
#endif

#if defined(__linux__) && defined(__LP64__) && !defined(IORING_CALLS_ARE_SEEN)
#define IORING_BARE_CALLS 1
#include <sys/syscall.h>

#include "platform/bare_call.hpp"
#elif defined(IORING_POISONS)
#error "AddressSanitizer would see the calls on poisoned memory"
#endif

namespace ioring::backends::readiness::calls {

#if defined(IORING_BARE_CALLS)

inline long number_of(const void* address) noexcept {
    return static_cast<long>(reinterpret_cast<std::uintptr_t>(address));
}
inline std::int32_t bare(long call, int fd, const void* data, std::size_t bytes, long flags,
                         const void* address = nullptr, long address_bytes = 0) noexcept {
    return static_cast<std::int32_t>(platform::bare_call(call, fd, number_of(data),
                                                         static_cast<long>(bytes), flags,
                                                         number_of(address), address_bytes));
}

inline std::int32_t receive(int fd, void* data, std::size_t bytes, int flags) noexcept {
    return bare(SYS_recvfrom, fd, data, bytes, flags);
}
// `address` may be nullptr.
inline std::int32_t send(int fd, const void* data, std::size_t bytes, int flags,
                         const sockaddr* address, socklen_t address_bytes) noexcept {
    return bare(SYS_sendto, fd, data, bytes, flags, address, address_bytes);
}
inline std::int32_t receive_message(int fd, msghdr& message, int flags) noexcept {
    return bare(SYS_recvmsg, fd, &message, static_cast<std::size_t>(flags), 0);
}
inline std::int32_t send_message(int fd, const msghdr& message, int flags) noexcept {
    return bare(SYS_sendmsg, fd, &message, static_cast<std::size_t>(flags), 0);
}
inline std::int32_t read(int fd, void* data, std::size_t bytes) noexcept {
    return bare(SYS_read, fd, data, bytes, 0);
}
inline std::int32_t read_at(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return bare(SYS_pread64, fd, data, bytes, offset);
}
inline std::int32_t write(int fd, const void* data, std::size_t bytes) noexcept {
    return bare(SYS_write, fd, data, bytes, 0);
}
inline std::int32_t write_at(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return bare(SYS_pwrite64, fd, data, bytes, offset);
}

#else

inline std::int32_t result_of(long result) noexcept {
    return result < 0 ? -errno : static_cast<std::int32_t>(result);
}

inline std::int32_t receive(int fd, void* data, std::size_t bytes, int flags) noexcept {
    return result_of(::recv(fd, data, bytes, flags));
}
// `address` may be nullptr.
inline std::int32_t send(int fd, const void* data, std::size_t bytes, int flags,
                         const sockaddr* address, socklen_t address_bytes) noexcept {
    return result_of(address == nullptr ? ::send(fd, data, bytes, flags)
                                        : ::sendto(fd, data, bytes, flags, address, address_bytes));
}
inline std::int32_t receive_message(int fd, msghdr& message, int flags) noexcept {
    return result_of(::recvmsg(fd, &message, flags));
}
inline std::int32_t send_message(int fd, const msghdr& message, int flags) noexcept {
    return result_of(::sendmsg(fd, &message, flags));
}
inline std::int32_t read(int fd, void* data, std::size_t bytes) noexcept {
    return result_of(::read(fd, data, bytes));
}
inline std::int32_t read_at(int fd, void* data, std::size_t bytes, off_t offset) noexcept {
    return result_of(::pread(fd, data, bytes, offset));
}
inline std::int32_t write(int fd, const void* data, std::size_t bytes) noexcept {
    return result_of(::write(fd, data, bytes));
}
inline std::int32_t write_at(int fd, const void* data, std::size_t bytes, off_t offset) noexcept {
    return result_of(::pwrite(fd, data, bytes, offset));
}

#endif

}  // namespace ioring::backends::readiness::calls
