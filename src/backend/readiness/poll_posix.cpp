// SPDX-License-Identifier: MIT
// poll_posix.cpp - the readiness kernel with poll(2) as its poller.
#include "backend/readiness/poll.hpp"

#include "backend/readiness/poller_poll.hpp"
#include "backend/readiness/readiness_backend.hpp"

namespace ioring::backends::poll {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    return readiness::readiness_backend<readiness::poll_poller>::create(options, out, why);
}

}  // namespace ioring::backends::poll
