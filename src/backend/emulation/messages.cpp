// SPDX-License-Identifier: MIT
// messages.cpp - the mailboxes of a process, by name, under one lock.
#include "backend/emulation/messages.hpp"

#include <cerrno>
#include <mutex>

#include "base/spin_lock.hpp"

#if !defined(EBADFD)
#define IORING_EBADFD EBADF  // Only Linux has a name for "not a ring's".
#else
#define IORING_EBADFD EBADFD
#endif

namespace ioring::backends::emulation {
namespace {

// Messages are rare beside everything else, so one lock serves all rings.
constinit detail::spin_lock all_lock;
mailbox* all_mailboxes = nullptr;

}  // namespace

std::error_code mailbox::open(int name, std::uint32_t messages_max) noexcept {
    if (!messages_.grow_to(messages_max)) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
    const std::lock_guard hold{all_lock};
    name_ = name;
    next_ = all_mailboxes;
    all_mailboxes = this;
    return {};
}

void mailbox::close() noexcept {
    if (name_ < 0) return;
    const std::lock_guard hold{all_lock};
    for (mailbox** each = &all_mailboxes; *each != nullptr; each = &(*each)->next_) {
        if (*each != this) continue;
        *each = next_;
        break;
    }
    name_ = -1;
}

void mailbox::abandon() noexcept {
    all_lock.unlock();
    all_mailboxes = nullptr;  // The others are the parent's too.
    name_ = -1;
}

int mailbox::send(int name, const cqe& message) noexcept {
    const std::lock_guard hold{all_lock};
    mailbox* to = all_mailboxes;
    while (to != nullptr && to->name_ != name) to = to->next_;
    if (to == nullptr) return -IORING_EBADFD;
    if (to->tail_ - to->head_ == to->messages_.size()) return -EOVERFLOW;
    to->messages_[to->tail_++ & (to->messages_.size() - 1)] = message;
    to->pending_.store(true, std::memory_order_release);
    to->notify_(to->owner_);
    return 0;
}

bool mailbox::take(cqe& out) noexcept {
    const std::lock_guard hold{all_lock};
    if (head_ == tail_) {
        pending_.store(false, std::memory_order_relaxed);
        return false;
    }
    out = messages_[head_++ & (messages_.size() - 1)];
    return true;
}

}  // namespace ioring::backends::emulation
