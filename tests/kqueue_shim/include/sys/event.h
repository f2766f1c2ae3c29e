// SPDX-License-Identifier: MIT
// event.h - <sys/event.h> for Linux: Darwin's numbers and layout, kqueue() and kevent().
//
// It declares what the library and its tests use, as Darwin declares it. A program compiled with it
// can therefore also run with another implementation of kqueue preloaded, given this layout.
#pragma once

#include <stdint.h>
#include <time.h>

// Filters: what `ident` is and what is waited for.
#define EVFILT_READ (-1)   // A descriptor: bytes, an end of stream, a connection to accept.
#define EVFILT_WRITE (-2)  // A descriptor: room to send, an attempt to connect that ended.
#define EVFILT_AIO (-3)    // This one and the next three: EINVAL in the shim.
#define EVFILT_VNODE (-4)
#define EVFILT_PROC (-5)
#define EVFILT_SIGNAL (-6)
#define EVFILT_TIMER (-7)    // Any number: each `data` milliseconds, or what the NOTE_ flags say.
#define EVFILT_USER (-10)    // Any number: NOTE_TRIGGER.
#define EVFILT_EXCEPT (-15)  // A descriptor: with NOTE_OOB, out-of-band data.

#define EV_SET(kevp, a, b, c, d, e, f)          \
    do {                                        \
        struct kevent* const set_kevp = (kevp); \
        set_kevp->ident = (a);                  \
        set_kevp->filter = (b);                 \
        set_kevp->flags = (c);                  \
        set_kevp->fflags = (d);                 \
        set_kevp->data = (e);                   \
        set_kevp->udata = (f);                  \
    } while (0)

#pragma pack(push, 4)
struct kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void* udata;
};
#pragma pack(pop)

// What to do.
#define EV_ADD 0x0001
#define EV_DELETE 0x0002
#define EV_ENABLE 0x0004
#define EV_DISABLE 0x0008
// How; all but EV_RECEIPT stay with a knote from the EV_ADD that makes it.
#define EV_ONESHOT 0x0010
#define EV_CLEAR 0x0020
#define EV_RECEIPT 0x0040
#define EV_DISPATCH 0x0080
// What happened.
#define EV_ERROR 0x4000
#define EV_EOF 0x8000
#define EV_SYSFLAGS 0xF000
#define EV_FLAG0 0x1000
#define EV_FLAG1 0x2000
#define EV_POLL EV_FLAG0
#define EV_OOBAND EV_FLAG1

// EVFILT_USER, which leaves 24 bits of `fflags` to the program.
#define NOTE_TRIGGER 0x01000000
#define NOTE_FFNOP 0x00000000
#define NOTE_FFAND 0x40000000
#define NOTE_FFOR 0x80000000
#define NOTE_FFCOPY 0xc0000000
#define NOTE_FFCTRLMASK 0xc0000000
#define NOTE_FFLAGSMASK 0x00ffffff

// EVFILT_READ and EVFILT_WRITE: EINVAL in the shim.
#define NOTE_LOWAT 0x00000001
// EVFILT_EXCEPT.
#define NOTE_OOB 0x00000002

// EVFILT_TIMER: the unit of `data`; a time of the wall clock rather than an interval.
#define NOTE_SECONDS 0x00000001
#define NOTE_USECONDS 0x00000002
#define NOTE_NSECONDS 0x00000004
#define NOTE_ABSOLUTE 0x00000008
#define NOTE_LEEWAY 0x00000010
#define NOTE_CRITICAL 0x00000020
#define NOTE_BACKGROUND 0x00000040

#ifdef __cplusplus
extern "C" {
#endif

int kqueue(void);
int kevent(int kq, const struct kevent* changelist, int nchanges, struct kevent* eventlist,
           int nevents, const struct timespec* timeout);

#ifdef __cplusplus
}
#endif
