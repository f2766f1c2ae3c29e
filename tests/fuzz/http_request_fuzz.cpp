// SPDX-License-Identifier: MIT
// http_request_fuzz.cpp - requests of any bytes are read alike in any pieces, or refused.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fuzz/http_check.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t room);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ioring::fuzz::check_http({reinterpret_cast<const char*>(data), size});
    return 0;
}

// http_parser is not instrumented and cannot show the way in: now and then a sample begins anew.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t room, unsigned int seed) {
    const auto samples = ioring::fuzz::http_samples();
    const auto sample = samples[seed % samples.size()];
    if ((size < 8 || seed % 61 == 0) && sample.size() <= room) {
        std::copy(sample.begin(), sample.end(), data);
        size = sample.size();
    }
    return LLVMFuzzerMutate(data, size, room);
}
