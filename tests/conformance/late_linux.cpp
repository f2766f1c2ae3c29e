// SPDX-License-Identifier: MIT
// late_linux.cpp - backends whose completions come late and in another order, as they may.
//
// The fault backend at level 0 changes no single result, so that what every test promises still
// holds. IORING_TEST_SEED, by default 1, chooses what is late.
#include <cstdlib>
#include <memory>
#include <string>

#include "backend/registry.hpp"
#include "backends.hpp"

namespace ioring::conformance {
namespace {

using backends::backend;
using backends::backend_options;

std::error_code set_up(std::string_view over, const backend_options& options,
                       std::unique_ptr<backend>& out, std::string& why) {
    const char* const asked = std::getenv("IORING_TEST_SEED");
    const std::string seed = asked != nullptr ? asked : "1";
    backends::chosen_backend chosen;
    const std::error_code error =
        backends::choose("fault:" + seed + "@0:" + std::string{over}, options, chosen, why);
    if (!error) out = std::move(chosen.instance);
    return error;
}

std::error_code set_up_uring(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("uring", options, out, why);
}

std::error_code set_up_epoll(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("epoll", options, out, why);
}

const extra_backend late_uring{{"uring_late", set_up_uring, /*automatic=*/false}};
const extra_backend late_epoll{{"epoll_late", set_up_epoll, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
