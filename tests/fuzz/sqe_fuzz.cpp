// SPDX-License-Identifier: MIT
// sqe_fuzz.cpp - entries of any bytes on both kernels in user space, see sqe_machine.hpp.
//
// The mutator starts over from an input that is nearly right now and then, so that a run needs no
// seeds.
#include <algorithm>

#include "fuzz/sqe_inputs.hpp"
#include "fuzz/sqe_machine.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t size_max, unsigned int seed) {
    if (seed % 16 != 0) return LLVMFuzzerMutate(data, size, size_max);
    const auto fresh = ioring::fuzz::nearly_right_input(seed);
    const std::size_t bytes = std::min(fresh.size(), size_max);
    std::copy_n(fresh.begin(), bytes, data);
    return bytes;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::span<const std::uint8_t> input{data, size};
    ioring::fuzz::sqe_machine::run((data[0] & 2U) != 0 ? "epoll" : "poll", input);
    return 0;
}
