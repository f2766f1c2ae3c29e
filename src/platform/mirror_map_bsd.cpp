// SPDX-License-Identifier: MIT
// mirror_map_bsd.cpp - mirrored memory by shm_open(). Not compiled here.
#include "platform/mirror_map_os.hpp"

namespace ioring::platform {

std::error_code map_mirrors(const mirror_request& request, mirror_memory& out,
                            std::string* why) noexcept {
    return map_mirrors_shm(request, out, why);
}

std::size_t huge_page_bytes() noexcept { return page_bytes(); }

}  // namespace ioring::platform
