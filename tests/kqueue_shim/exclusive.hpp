// SPDX-License-Identifier: MIT
// exclusive.hpp - the lock over everything that the shim remembers.
//
// kevent() and close() may be called by a signal handler, also by one that interrupts a kevent() of
// its own thread. So nothing interrupts a thread that holds the lock, and no path that a handler
// may take allocates.
#pragma once

#include <pthread.h>
#include <signal.h>

#include <mutex>

namespace ioring::kqueue_shim {

class exclusive {
public:
    exclusive() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, &before_);
        mutex().lock();
    }
    exclusive(const exclusive&) = delete;
    exclusive& operator=(const exclusive&) = delete;
    ~exclusive() {
        mutex().unlock();
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    // Never destroyed: descriptors are closed until the process is gone.
    static std::mutex& mutex() {
        static auto& only = *new std::mutex;
        return only;
    }

    sigset_t before_;
};

}  // namespace ioring::kqueue_shim
