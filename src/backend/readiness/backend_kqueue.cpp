// SPDX-License-Identifier: MIT
// backend_kqueue.cpp - the readiness kernel with kqueue as its poller.
#include "backend/readiness/kqueue.hpp"
#include "backend/readiness/poller_kqueue.hpp"
#include "backend/readiness/readiness_backend.hpp"

namespace ioring::backends::kqueue {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    return readiness::readiness_backend<readiness::kqueue_poller>::create(options, out, why);
}

}  // namespace ioring::backends::kqueue
