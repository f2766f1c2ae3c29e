// SPDX-License-Identifier: MIT
// log_file.hpp - a file that is written from its beginning, by one writer at a time, and one that
// is read whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace ioring::backends::trace {

class log_file {
public:
    log_file() noexcept = default;
    log_file(log_file&& other) noexcept;
    log_file& operator=(log_file&& other) noexcept;
    ~log_file() { close(); }

    // Makes `out` the empty file `path`, created when there is none. Returns 0 or an errno: EBUSY
    // when somebody else is writing it.
    [[nodiscard]] static int create(const std::string& path, log_file& out) noexcept;
    // All of `bytes`, past the buffers of this process: a crash later loses nothing. 0 or an errno.
    [[nodiscard]] int write(std::span<const std::byte> bytes) noexcept;
    void close() noexcept;

private:
    int descriptor_ = -1;
};

// Makes `out` what is in the file. 0 or an errno.
[[nodiscard]] int read_file(const std::string& path, std::vector<std::byte>& out);

}  // namespace ioring::backends::trace
