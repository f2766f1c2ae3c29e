// SPDX-License-Identifier: MIT
// messages.hpp - completions that other rings of this process send: opcode::msg_ring.
//
// A ring is named by a descriptor that it alone has. Any thread may send to it while it exists; the
// owner collects at its next enter().
#pragma once

#include <atomic>
#include <cstdint>
#include <system_error>

#include "backend/emulation/growing_array.hpp"
#include "ioring/layout.hpp"

namespace ioring::backends::emulation {

class mailbox {
public:
    // Whom a delivery wakes. Called with a lock held: it must not send.
    using notify_function = void (*)(void* owner) noexcept;

    mailbox(notify_function notify, void* owner) noexcept : notify_{notify}, owner_{owner} {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;
    ~mailbox() { close(); }

    // From now on `name` reaches it, with room for `messages_max`, a power of two.
    // Errors: not_enough_memory.
    [[nodiscard]] std::error_code open(int name, std::uint32_t messages_max) noexcept;
    // Nobody reaches it any more. Idempotent.
    void close() noexcept;
    // In a forked child, before it has other threads: forgets the parent's rings, all of them.
    // Async-signal-safe.
    void abandon() noexcept;

    // Any thread: hands `message` to the mailbox called `name`. -EBADFD: there is none;
    // -EOVERFLOW: it is full.
    [[nodiscard]] static int send(int name, const cqe& message) noexcept;

    // Something may be there. One load.
    [[nodiscard]] bool pending() const noexcept { return pending_.load(std::memory_order_acquire); }
    // Takes the oldest message out. False: there is none (any more).
    [[nodiscard]] bool take(cqe& out) noexcept;

private:
    notify_function notify_;
    void* owner_;
    int name_ = -1;
    mailbox* next_ = nullptr;
    std::atomic<bool> pending_{false};
    growing_array<cqe> messages_;  // A circular queue: [head_, tail_).
    std::uint32_t head_ = 0;
    std::uint32_t tail_ = 0;
};

}  // namespace ioring::backends::emulation
