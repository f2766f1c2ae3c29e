// SPDX-License-Identifier: MIT
// wake_handle_windows.cpp - a wake handle is an event object that is reset by hand.
#include "platform/text.hpp"
#include "platform/wake_handle.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::platform {

std::error_code wake_handle::create(wake_handle& out) noexcept {
    const HANDLE event = ::CreateEventW(nullptr, /*manual=*/TRUE, /*initially=*/FALSE, nullptr);
    if (event == nullptr) return errno_code(win32_errno());
    out = wake_handle{event, event};
    return {};
}

wake_handle& wake_handle::operator=(wake_handle&& other) noexcept {
    if (this != &other) {
        close();
        read_ = std::exchange(other.read_, none);
        write_ = std::exchange(other.write_, none);
    }
    return *this;
}

void wake_handle::signal() const noexcept {
    if (write_ != none) ::SetEvent(write_);
}

bool wake_handle::drain() const noexcept {
    if (read_ == none || ::WaitForSingleObject(read_, 0) != WAIT_OBJECT_0) return false;
    ::ResetEvent(read_);
    return true;
}

void wake_handle::close() noexcept {
    if (read_ != none) ::CloseHandle(read_);
    read_ = none;
    write_ = none;
}

}  // namespace ioring::platform
