// SPDX-License-Identifier: MIT
// built_backends.hpp - those backends of a program's users that this build has.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "ioring/ring.hpp"

namespace ioring::test_support {

// Not those that tests have added, nor the null backend.
[[nodiscard]] inline std::vector<std::string> built_backends() {
    std::vector<std::string> names{"uring", "epoll", "poll", "iocp"};
    std::erase_if(names, [](const std::string& name) {
        const auto built = backend_names();
        return std::find(built.begin(), built.end(), name) == built.end();
    });
    return names;
}

}  // namespace ioring::test_support
