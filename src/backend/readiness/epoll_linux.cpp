// SPDX-License-Identifier: MIT
// epoll_linux.cpp - the readiness kernel with epoll as its poller.
#include "backend/readiness/epoll.hpp"

#include "backend/readiness/poller_epoll.hpp"
#include "backend/readiness/readiness_backend.hpp"

namespace ioring::backends::epoll {

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    return readiness::readiness_backend<readiness::epoll_poller>::create(options, out, why);
}

}  // namespace ioring::backends::epoll
