// SPDX-License-Identifier: MIT
// advice.cpp - how each limit is raised, or done without.
#include <fmt/core.h>

#include "common/number_text.hpp"
#include "doctor/report.hpp"

namespace doctor {

namespace tools = ioring::tools;

std::string advice_on(const price& limit, std::uint64_t connections, const diagnosis& of) {
    const std::uint64_t needed = limit.needed(connections);
    const bool shared = of.asked.how.strategy == strategy_kind::shared_pool;
    const std::string or_shared =
        shared ? "" : ", or --strategy shared-pool, where connections have no buffer of their own";
    switch (limit.kind) {
        case limit_kind::descriptors:
            return fmt::format(
                "raise the limit of open files to {} (ulimit -n {}, LimitNOFILE= of a service, "
                "--ulimit nofile= of a container)",
                needed, needed);
        case limit_kind::mappings:
            return fmt::format("sysctl -w vm.max_map_count={}{}", needed, or_shared);
        case limit_kind::memory:
            return fmt::format("{} would be needed with every buffer full: smaller buffers{}",
                               tools::bytes_text(needed), or_shared);
        case limit_kind::address_space:
            return fmt::format("raise the limit of address space (ulimit -v {})",
                               needed / 1024 + 1);
        case limit_kind::pool_buffers: return "several pools" + or_shared;
        case limit_kind::buffer_groups:
            return "several rings, or --strategy own-ring or shared-pool";
        case limit_kind::ring_sockets: return "several rings";
    }
    return {};
}

}  // namespace doctor
