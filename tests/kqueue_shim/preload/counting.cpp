// SPDX-License-Identifier: MIT
// counting.cpp - a kqueue to preload, which counts its calls and leaves the rest to the shim's.
#include <dlfcn.h>
#include <sys/event.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace {

std::atomic<long> kqueues{0};
std::atomic<long> kevents{0};

// Into the file that KQUEUE_CALLS names.
[[gnu::destructor]] void tell() {
    const char* const path = std::getenv("KQUEUE_CALLS");
    std::FILE* const file = path == nullptr ? nullptr : std::fopen(path, "w");
    if (file == nullptr) return;
    std::fprintf(file, "%ld %ld\n", kqueues.load(), kevents.load());
    std::fclose(file);
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" int kqueue(void) {
    static auto* const shim = next<int()>("kqueue");
    ++kqueues;
    return shim();
}

extern "C" int kevent(int kq, const struct kevent* changelist, int nchanges,
                      struct kevent* eventlist, int nevents, const timespec* timeout) {
    static auto* const shim = next<decltype(kevent)>("kevent");
    ++kevents;
    return shim(kq, changelist, nchanges, eventlist, nevents, timeout);
}
