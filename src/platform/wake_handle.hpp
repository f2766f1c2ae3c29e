// SPDX-License-Identifier: MIT
// wake_handle.hpp - a descriptor that any thread or signal handler makes readable.
//
// Signals coalesce: any number of them before a drain() is one. The descriptor is non-blocking and
// close-on-exec. Wait for it with a poll (poll(2), POLL_ADD, EVFILT_READ), not with a read.
//
// Linux: an eventfd. Elsewhere: a pipe, two descriptors. Windows: an event object, which is no
// socket: wait for it with WaitForSingleObject().
//
// Threads: signal() from any thread and signal handler while the handle lives; the rest belongs to
// the owner. Fork: a child inherits the descriptors and would wake its parent; it must not
// signal().
#pragma once

#include <system_error>
#include <utility>

namespace ioring::platform {

class wake_handle {
public:
#if defined(_WIN32)
    using native_type = void*;
    static constexpr native_type none = nullptr;
#else
    using native_type = int;
    static constexpr native_type none = -1;
#endif

    // Makes `out` a handle that is not signalled. On an error `out` is unchanged.
    // Errors: too_many_files_open, too_many_files_open_in_system, not_enough_memory.
    [[nodiscard]] static std::error_code create(wake_handle& out) noexcept;
    // The same made of a pipe, on every POSIX system.
    [[nodiscard]] static std::error_code create_pipe(wake_handle& out) noexcept;

    // Nothing: signal() and drain() have no effect, native() is `none`.
    wake_handle() noexcept = default;
    wake_handle(wake_handle&& other) noexcept
        : read_(std::exchange(other.read_, none)), write_(std::exchange(other.write_, none)) {}
    wake_handle& operator=(wake_handle&& other) noexcept;
    ~wake_handle() { close(); }

    // Makes native() readable until drain(). Async-signal-safe; leaves errno as it was.
    void signal() const noexcept;
    // Takes all signals back. Returns whether there was one.
    bool drain() const noexcept;
    // To be polled for reading. Owned by the handle.
    [[nodiscard]] native_type native() const noexcept { return read_; }
    // Gives the descriptors back; the handle is then empty.
    void close() noexcept;

private:
    wake_handle(native_type read, native_type write) noexcept : read_(read), write_(write) {}

    native_type read_ = none;
    native_type write_ = none;  // The same for an eventfd and an event object.
};

}  // namespace ioring::platform
