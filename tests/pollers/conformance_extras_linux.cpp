// SPDX-License-Identifier: MIT
// conformance_extras_linux.cpp - the faulty epoll.
#include "backend/readiness/poller_epoll.hpp"
#include "backend/readiness/readiness_backend.hpp"
#include "conformance/backends.hpp"
#include "faulty_poller.hpp"

namespace ioring::conformance {
namespace {

using namespace backends::readiness;

const extra_backend epoll_faulty{
    {"epoll_faulty", readiness_backend<faulty_poller<epoll_poller>>::create, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
