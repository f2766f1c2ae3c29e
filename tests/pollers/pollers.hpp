// SPDX-License-Identifier: MIT
// pollers.hpp - the pollers that the tests of this folder run on.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "backend/readiness/poller_kqueue.hpp"
#include "backend/readiness/poller_poll.hpp"
#if defined(__linux__)
#include "backend/readiness/poller_epoll.hpp"
#endif

namespace ioring::backends::readiness {

// One more is one more here.
#if defined(__linux__)
using every_poller = ::testing::Types<epoll_poller, poll_poller, kqueue_poller>;
#else
using every_poller = ::testing::Types<poll_poller, kqueue_poller>;
#endif

struct poller_name {
    template <class Poller>
    static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest's word.
        return Poller::name;
    }
};

}  // namespace ioring::backends::readiness
