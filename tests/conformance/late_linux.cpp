// SPDX-License-Identifier: MIT
// late_linux.cpp - backends whose completions come late and in another order, as they may.
//
// The fault backend at level 0 changes no single result, so that what every test promises still
// holds.
#include <memory>
#include <string>

#include "backend/registry.hpp"
#include "backends.hpp"

namespace ioring::conformance {
namespace {

using backends::backend;
using backends::backend_options;

std::error_code set_up(std::string_view name, const backend_options& options,
                       std::unique_ptr<backend>& out, std::string& why) {
    backends::chosen_backend chosen;
    const std::error_code error = backends::choose(name, options, chosen, why);
    if (!error) out = std::move(chosen.instance);
    return error;
}

std::error_code set_up_uring(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("fault:1@0:uring", options, out, why);
}

std::error_code set_up_epoll(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("fault:1@0:epoll", options, out, why);
}

const extra_backend late_uring{{"uring_late", set_up_uring, /*automatic=*/false}};
const extra_backend late_epoll{{"epoll_late", set_up_epoll, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
