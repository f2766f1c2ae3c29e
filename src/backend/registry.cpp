// SPDX-License-Identifier: MIT
// registry.cpp - the rows, in the order in which they are tried.
#include "backend/registry.hpp"

#include <cassert>
#include <utility>
#include <vector>

#include "backend/null/null.hpp"
#include "backend/wrappers.hpp"
#if !defined(_WIN32)
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
        {"uring", uring::set_up, /*automatic=*/true}, {"epoll", epoll::set_up, /*automatic=*/false},
#elif !defined(_WIN32)
        {"kqueue", kqueue::set_up, /*automatic=*/true},
#endif
#if !defined(_WIN32)
            {"poll", poll::set_up, /*automatic=*/false},
#endif
            {"null", null::set_up, /*automatic=*/false},
    };
    return rows;
}

// Not for this machine, as against a limit that is reached just now.
bool is_refusal(std::error_code error) noexcept {
    return error == std::errc::not_supported || error == std::errc::operation_not_permitted;
}

std::error_code choose_named(std::string_view name, const backend_options& options,
                             chosen_backend& out, std::string& why) {
    for (const backend_entry& candidate : candidates()) {
        if (candidate.name != name) continue;
        chosen_backend chosen{nullptr, candidate.name, "asked for by name"};
        const std::error_code error = candidate.setup(options, chosen.instance, why);
        if (!error) out = std::move(chosen);
        return error;
    }
    why = "there is no backend called \"" + std::string{name} + "\" in this build; there are: ";
    for (const backend_entry& candidate : candidates()) {
        why += std::string{candidate.name} + ", ";
    }
    why += "and \"automatic\"";
    return std::make_error_code(std::errc::invalid_argument);
}

std::error_code choose_first(const backend_options& options, chosen_backend& out,
                             std::string& why) {
    std::string refused;
    std::error_code error = std::make_error_code(std::errc::not_supported);
    for (const backend_entry& candidate : candidates()) {
        if (!candidate.automatic) continue;
        chosen_backend chosen{nullptr, candidate.name,
                              "a ring could be set up and completed a nop"};
        std::string sentence;
        error = candidate.setup(options, chosen.instance, sentence);
        if (!error) {
            if (!refused.empty()) chosen.reason += ", while " + refused;
            out = std::move(chosen);
            return {};
        }
        if (!refused.empty()) refused += "; ";
        refused += std::string{candidate.name} + ": " + sentence;
        if (!is_refusal(error)) break;
    }
    why = refused.empty() ? "this build has no backend that can be chosen automatically" : refused;
    return error;
}

}  // namespace

std::span<const backend_entry> all() noexcept { return candidates(); }

void add(const backend_entry& entry) {
    assert(!entry.automatic);
    candidates().push_back(entry);
}

std::error_code choose(std::string_view name, const backend_options& options, chosen_backend& out,
                       std::string& why) noexcept {
    if (names_wrapper(name)) return choose_wrapped(name, options, out, why);
    if (name == "automatic") return choose_first(options, out, why);
    return choose_named(name, options, out, why);
}

}  // namespace ioring::backends
