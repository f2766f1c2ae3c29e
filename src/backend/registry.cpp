// SPDX-License-Identifier: MIT
// registry.cpp - the rows, in the order in which they are tried.
#include "backend/registry.hpp"

#include <cassert>
#include <vector>

#include "backend/null/null.hpp"
#include "backend/wrappers.hpp"
#include "platform/environment.hpp"
#if defined(_WIN32)
#include "backend/iocp/iocp.hpp"
#include "backend/rio/rio.hpp"
#else
#include "backend/readiness/poll.hpp"
#endif
#if defined(__linux__)
#include "backend/readiness/epoll.hpp"
#include "backend/uring/uring.hpp"
#elif !defined(_WIN32)
#include "backend/readiness/kqueue.hpp"
#endif

namespace ioring::backends {
namespace {

std::vector<backend_entry>& candidates() {
    static std::vector<backend_entry> rows {
#if defined(__linux__)
        {"uring", uring::set_up, /*automatic=*/true}, {"epoll", epoll::set_up, /*automatic=*/true},
#elif !defined(_WIN32)
        {"kqueue", kqueue::set_up, /*automatic=*/true},
#endif
#if defined(_WIN32)
            {"iocp", iocp::set_up, /*automatic=*/true}, {"rio", rio::set_up, /*automatic=*/false},
#else
            {"poll", poll::set_up, /*automatic=*/true},
#endif
            {"null", null::set_up, /*automatic=*/false},
    };
    return rows;
}

}  // namespace

std::span<const backend_entry> all() noexcept { return candidates(); }

void add(const backend_entry& entry) {
    assert(!entry.automatic);
    candidates().push_back(entry);
}

std::error_code choose(const wishes& program, const backend_options& options, chosen_backend& out,
                       std::string& why) {
    if (names_wrapper(program.backend)) {
        return choose_wrapped(program.backend, options, out, why);
    }
    const std::string environment = platform::environment(choice_variable);
    return choose_among(candidates(), program, environment, options, out, why);
}

std::error_code choose(std::string_view name, const backend_options& options, chosen_backend& out,
                       std::string& why) {
    return choose(wishes{.backend = name}, options, out, why);
}

std::error_code check(const wishes& program, std::string& why) {
    if (names_wrapper(program.backend)) return {};  // Its parts are read when it is set up.
    plan unused;
    return make_plan(candidates(), program, {}, unused, why);
}

}  // namespace ioring::backends
