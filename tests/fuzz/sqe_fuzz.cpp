// SPDX-License-Identifier: MIT
// sqe_fuzz.cpp - entries of any bytes on both kernels in user space, see sqe_machine.hpp.
#include "fuzz/sqe_machine.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span<const std::uint8_t> input{data, size};
    ioring::fuzz::sqe_machine::run((data[0] & 2U) != 0 ? "epoll" : "poll", input);
    return 0;
}
