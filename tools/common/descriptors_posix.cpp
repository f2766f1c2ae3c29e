// SPDX-License-Identifier: MIT
// descriptors_posix.cpp - RLIMIT_NOFILE.
#include "common/descriptors.hpp"

#include <sys/resource.h>

#include <cerrno>
#include <system_error>

#include <fmt/core.h>

#include "common/number_text.hpp"

namespace ioring::tools {

bool ensure_descriptors(std::uint64_t connections, std::string& why) {
    const std::uint64_t needed = connections + descriptors_reserve;
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        why = fmt::format("cannot read the descriptor limit: {}",
                          std::generic_category().message(errno));
        return false;
    }
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed) return true;
    const rlim_t soft = limit.rlim_cur;
    limit.rlim_cur = needed;
    // A privileged process could raise the hard limit too; it was set by somebody for a reason.
    const bool possible = limit.rlim_max == RLIM_INFINITY || limit.rlim_max >= needed;
    if (possible && setrlimit(RLIMIT_NOFILE, &limit) == 0) return true;
    why = fmt::format(
        "{} connections need {} descriptors and the limit is {}: raise it (ulimit -n, or "
        "LimitNOFILE= of the service) or ask for at most {} connections",
        with_commas(connections), with_commas(needed),
        with_commas(std::uint64_t{possible ? soft : limit.rlim_max}),
        with_commas(limit.rlim_max > descriptors_reserve
                        ? std::uint64_t{limit.rlim_max} - descriptors_reserve
                        : std::uint64_t{0}));
    return false;
}

}  // namespace ioring::tools
