// SPDX-License-Identifier: MIT
// names.hpp - entries in words: opcodes and flags by the names that sqe.hpp gives them.
//
// For messages, traces and failed tests. What has no name here is written as a number, so that
// nothing of an entry is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ioring/sqe.hpp"

namespace ioring {

// "recv"; "?" for a number that sqe.hpp does not list. Static.
[[nodiscard]] std::string_view to_string(opcode op) noexcept;

// `sqe::flags` as "io_link|buffer_select", bits without a name as "0x80", none as "". What `ioprio`
// and `op_flags` mean depends on the opcode.
[[nodiscard]] std::string sqe_flag_names(std::uint8_t flags);
// Those of `sqe::ioprio`.
[[nodiscard]] std::string ioprio_names(opcode op, std::uint16_t ioprio);
// Those of `sqe::op_flags`.
[[nodiscard]] std::string op_flag_names(opcode op, std::uint32_t op_flags);
// Those of `cqe::flags`, without the buffer id in the upper half.
[[nodiscard]] std::string cqe_flag_names(std::uint32_t flags);

// One line, the fields that are not zero: "recv fd 5 len 64 ioprio multishot user_data 0x7".
// Addresses are left out: they say nothing to a person and differ from run to run.
[[nodiscard]] std::string to_string(const sqe& entry);
// "user_data 0x7 res 64 flags buffer|more buffer 3"; an error as "res -104 (Connection reset by
// peer)".
[[nodiscard]] std::string to_string(const cqe& done);

}  // namespace ioring
