// SPDX-License-Identifier: MIT
// added_kqueue_linux.cpp - kqueue over the shim, for whatever program this is linked to. Elsewhere
// it is the library's own.
#include "backend/readiness/kqueue.hpp"
#include "backend/registry.hpp"

namespace ioring::backends {
namespace {

const struct added_kqueue {
    added_kqueue() { add({"kqueue", kqueue::set_up, /*automatic=*/false}); }
} added;

}  // namespace
}  // namespace ioring::backends
