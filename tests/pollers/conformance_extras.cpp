// SPDX-License-Identifier: MIT
// conformance_extras.cpp - the backends that only tests have, for the conformance suite.
#include "backend/readiness/poller_kqueue.hpp"
#include "backend/readiness/readiness_backend.hpp"
#include "conformance/backends.hpp"
#include "faulty_poller.hpp"

namespace ioring::conformance {
namespace {

using namespace backends::readiness;

const extra_backend kqueue_faulty{{"kqueue_faulty",
                                   readiness_backend<faulty_poller<kqueue_poller>>::create,
                                   /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
