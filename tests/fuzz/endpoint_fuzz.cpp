// SPDX-License-Identifier: MIT
// endpoint_fuzz.cpp - any text either is an address that survives being written, or is refused
// whole.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ioring/endpoint.hpp"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    ioring::endpoint parsed;
    std::string why;
    if (ioring::endpoint::parse(text, parsed, &why)) {
        demand(parsed == ioring::endpoint{});
        demand(!why.empty());
        return 0;
    }
    demand(parsed.size() > 0 && parsed.size() <= ioring::endpoint::capacity);
    demand(parsed.family() != ioring::address_family::unspecified);
    ioring::endpoint again;
    demand(!ioring::endpoint::parse(to_string(parsed), again));
    demand(parsed == again);
    return 0;
}
