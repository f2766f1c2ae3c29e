// SPDX-License-Identifier: MIT
// knote.hpp - what a kqueue remembers of one (ident, filter).
#pragma once

#include <sys/event.h>

#include <cerrno>
#include <cstdint>

namespace ioring::kqueue_shim {

struct knote {
    std::uintptr_t ident = 0;
    std::uint16_t flags = 0;  // EV_ONESHOT, EV_CLEAR, EV_DISPATCH: those of its creation.
    bool enabled = true;
    std::uint32_t fflags = 0;
    std::intptr_t data = 0;
    void* udata = nullptr;
};

// 0, or why `change` does not apply to a knote that `exists` or not.
[[nodiscard]] inline int refuse(const struct kevent& change, bool exists) {
    return exists || (change.flags & EV_ADD) != 0 ? 0 : ENOENT;
}

// Makes `note` what `change`, which is no EV_DELETE, wants. EV_ADD does not enable a knote that
// there is already.
inline void update(knote& note, const struct kevent& change, bool exists) {
    if (!exists) {
        note = knote{};
        note.ident = change.ident;
        note.flags = change.flags & (EV_ONESHOT | EV_CLEAR | EV_DISPATCH);
    }
    note.udata = change.udata;
    if ((change.flags & EV_ENABLE) != 0) note.enabled = true;
    if ((change.flags & EV_DISABLE) != 0) note.enabled = false;
}

// The event of `note`, without what only its filter knows.
[[nodiscard]] inline struct kevent event_of(const knote& note, std::int16_t filter) {
    struct kevent event {};
    event.ident = note.ident;
    event.filter = filter;
    event.flags = note.flags;
    event.udata = note.udata;
    return event;
}

}  // namespace ioring::kqueue_shim
