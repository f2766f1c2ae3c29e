// SPDX-License-Identifier: MIT
// conformance_extras.cpp - the backends that only tests have, for the conformance suite.
#include "backend/readiness/kqueue.hpp"
#include "conformance/backends.hpp"

namespace ioring::conformance {
namespace {

const extra_backend kqueue{{"kqueue", backends::kqueue::set_up, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
