// SPDX-License-Identifier: MIT
// real_close.hpp - close() past the one that the shim puts in its place.
#pragma once

namespace ioring::kqueue_shim {

int real_close(int fd);

}  // namespace ioring::kqueue_shim
