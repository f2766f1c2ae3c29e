// SPDX-License-Identifier: MIT
// validate.hpp - what an SQE must look like before anything of it is done.
//
// The checks are those that io_uring makes while it reads an entry, in its order, so that the same
// entry gives the same error. What only the operation itself finds out, such as a bad descriptor,
// is not asked here.
#pragma once

#include <cstdint>

#include "ioring/probe.hpp"
#include "ioring/sqe.hpp"

namespace ioring::backends::emulation {

// What every user-space kernel honours.
[[nodiscard]] probe_result probe() noexcept;

// Whether it is what most entries are: a receive or a send without flags, which is valid.
[[nodiscard]] inline bool is_plain_transfer(const sqe& entry) noexcept {
    const bool transfers = entry.op == opcode::recv || entry.op == opcode::send;
    const std::uint64_t odd = entry.off | static_cast<std::uint32_t>(entry.file_index) |
                              entry.flags | entry.ioprio | entry.personality;
    return transfers && odd == 0;
}

// 0, -EINVAL, -EOPNOTSUPP (buffer_select where there is nothing to select for), -EBADF or -EFAULT.
// A link timeout must also follow an entry that links to it, which is not checked here.
[[nodiscard]] std::int32_t validate(const sqe& entry) noexcept;

}  // namespace ioring::backends::emulation
