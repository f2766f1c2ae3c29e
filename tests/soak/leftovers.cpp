// SPDX-License-Identifier: MIT
// leftovers.cpp - asks /proc.
#include "soak/leftovers.hpp"

#include <filesystem>
#include <fstream>

#if defined(IORING_SOAK_COUNTS_ALLOCATIONS)
#include "support/allocation_counter.hpp"
#endif

namespace ioring::soak {

namespace files = std::filesystem;

std::size_t descriptors_now() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& each : files::directory_iterator{"/proc/self/fd"}) ++count;
    return count - 1;  // The directory's own.
}

std::string describe_descriptors() {
    std::string text;
    for (const auto& each : files::directory_iterator{"/proc/self/fd"}) {
        std::error_code gone;
        const files::path target = files::read_symlink(each.path(), gone);
        text += ' ' + each.path().filename().string() + '=' + target.string();
    }
    return text;
}

std::size_t shared_mappings_now() {
    std::ifstream maps{"/proc/self/maps"};
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) {
        const std::size_t space = line.find(' ');
        if (space != std::string::npos && line.compare(space + 4, 1, "s") == 0) ++count;
    }
    return count;
}

std::size_t resident_kib_now() {
    std::ifstream status{"/proc/self/status"};
    for (std::string word; status >> word;) {
        if (word != "VmRSS:") continue;
        std::size_t kib = 0;
        status >> kib;
        return kib;
    }
    return 0;
}

std::uint64_t allocations_now() {
#if defined(IORING_SOAK_COUNTS_ALLOCATIONS)
    return test_support::allocations_alive();
#else
    return 0;
#endif
}

}  // namespace ioring::soak
