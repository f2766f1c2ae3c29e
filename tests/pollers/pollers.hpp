// SPDX-License-Identifier: MIT
// pollers.hpp - the pollers that the tests of this folder run on.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "backend/readiness/poller_epoll.hpp"
#include "backend/readiness/poller_kqueue.hpp"
#include "backend/readiness/poller_poll.hpp"

namespace ioring::backends::readiness {

// One more is one more here.
using every_poller = ::testing::Types<epoll_poller, poll_poller, kqueue_poller>;

struct poller_name {
    template <class Poller>
    static std::string GetName(int) {  // NOLINT(readability-identifier-naming): GoogleTest's word.
        return Poller::name;
    }
};

}  // namespace ioring::backends::readiness
