// SPDX-License-Identifier: MIT
// text_fields.hpp - numbers out of the texts by which Linux describes itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace doctor {

// The number that `text` begins with, after blanks; none for "max", "" and other words.
[[nodiscard]] std::optional<std::int64_t> number_at(std::string_view text, int base = 10);

// The number behind the line that begins with `name`: field(status, "Seccomp:") of
// "...\nSeccomp:\t2\n..." is 2.
[[nodiscard]] std::optional<std::int64_t> field(std::string_view text, std::string_view name,
                                                int base = 10);

// The path of the unified hierarchy in /proc/self/cgroup ("0::/a/b"), "" when there is none.
[[nodiscard]] std::string_view cgroup_path(std::string_view text);

// The container whose mark is in /proc/self/cgroup: "docker", "kubernetes", ... or "".
[[nodiscard]] std::string_view container_in_cgroup(std::string_view text);

}  // namespace doctor
