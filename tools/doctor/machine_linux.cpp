// SPDX-License-Identifier: MIT
// machine_linux.cpp - what stands under /proc and /sys.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "doctor/machine.hpp"
#include "doctor/text_fields.hpp"

namespace doctor {
namespace {

constexpr int capability_ipc_lock = 14;

std::string read_text(const std::string& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
}

std::optional<std::int64_t> read_number(const std::string& path) {
    return number_at(read_text(path));
}

std::optional<std::uint64_t> not_negative(std::optional<std::int64_t> number) {
    if (!number || *number < 0) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

// What is left of a limit and its use; `unlimited` when either is not there.
std::uint64_t left_of(const std::string& limit, const std::string& use) {
    const auto most = not_negative(read_number(limit));
    const auto used = not_negative(read_number(use));
    if (!most || !used) return unlimited;
    return *most - std::min(*most, *used);
}

// The least that this process's control group and those around it leave. A container may see its
// own group as the root.
std::uint64_t memory_left_by_groups() {
    const std::string root = "/sys/fs/cgroup";
    std::uint64_t least =
        left_of(root + "/memory/memory.limit_in_bytes", root + "/memory/memory.usage_in_bytes");
    std::string group{cgroup_path(read_text("/proc/self/cgroup"))};
    for (;;) {
        const std::string folder = root + group;
        least = std::min(least, left_of(folder + "/memory.max", folder + "/memory.current"));
        if (group.empty()) return least;
        group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
    }
}

std::string find_container() {
    std::error_code ignored;
    if (std::filesystem::exists("/.dockerenv", ignored)) return "docker (/.dockerenv)";
    if (std::filesystem::exists("/run/.containerenv", ignored)) {
        return "podman (/run/.containerenv)";
    }
    if (std::getenv("KUBERNETES_SERVICE_HOST") != nullptr) {
        return "kubernetes (KUBERNETES_SERVICE_HOST)";
    }
    if (const char* const name = std::getenv("container"); name != nullptr && *name != '\0') {
        return std::string{name} + " (the variable `container`)";
    }
    const std::string_view name = container_in_cgroup(read_text("/proc/self/cgroup"));
    return name.empty() ? "" : std::string{name} + " (/proc/self/cgroup)";
}

void add_rights(machine& out) {
    out.io_uring_disabled = read_number("/proc/sys/kernel/io_uring_disabled");
    out.io_uring_group = read_number("/proc/sys/kernel/io_uring_group");
    const std::string status = read_text("/proc/self/status");
    out.seccomp_mode = field(status, "Seccomp:");
    out.seccomp_filters = field(status, "Seccomp_filters:");
    if (const auto value = field(status, "NoNewPrivs:")) out.no_new_privileges = *value != 0;
    if (const auto rights = field(status, "CapEff:", 16)) {
        out.may_lock_memory = (*rights >> capability_ipc_lock & 1) != 0;
    }
    out.container = find_container();
}

}  // namespace

void add_system_facts(machine& out) {
    add_rights(out);
    if (const auto most = not_negative(read_number("/proc/sys/vm/max_map_count"))) {
        out.mappings_max = *most;
    }
    const std::string maps = read_text("/proc/self/maps");
    if (!maps.empty()) {
        out.mappings_used = static_cast<std::uint64_t>(std::count(maps.begin(), maps.end(), '\n'));
    }
    out.backlog_max = not_negative(read_number("/proc/sys/net/core/somaxconn"));
    if (const auto free = not_negative(field(read_text("/proc/meminfo"), "MemAvailable:"))) {
        out.memory_available_bytes = *free * 1024;
    }
    out.memory_available_bytes = std::min(out.memory_available_bytes, memory_left_by_groups());
}

}  // namespace doctor
