// SPDX-License-Identifier: MIT
// log_file_windows.cpp - files on Windows, by the descriptors of its C library.
#include <fcntl.h>
#include <io.h>
#include <share.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <utility>

#include "backend/trace/log_file.hpp"

namespace ioring::backends::trace {
namespace {

constexpr std::size_t block_bytes = 65'536;
constexpr auto piece_bytes_max = static_cast<std::size_t>(std::numeric_limits<int>::max());

}  // namespace

log_file::log_file(log_file&& other) noexcept : descriptor_{std::exchange(other.descriptor_, -1)} {}

log_file& log_file::operator=(log_file&& other) noexcept {
    if (this == &other) return *this;
    close();
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
}

int log_file::create(const std::string& path, log_file& out) noexcept {
    log_file made;
    // Who has it open for writing keeps it from being cut.
    const int error = ::_sopen_s(&made.descriptor_, path.c_str(),
                                 _O_WRONLY | _O_CREAT | _O_TRUNC | _O_BINARY | _O_NOINHERIT,
                                 _SH_DENYWR, _S_IREAD | _S_IWRITE);
    if (error != 0) {
        made.descriptor_ = -1;
        const bool exists = ::_access(path.c_str(), /*writable=*/2) == 0;
        return error == EACCES && exists ? EBUSY : error;
    }
    out = std::move(made);
    return 0;
}

int log_file::write(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
        const std::size_t wanted = std::min(bytes.size(), piece_bytes_max);
        const int written = ::_write(descriptor_, bytes.data(), static_cast<unsigned>(wanted));
        if (written < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

void log_file::close() noexcept {
    if (descriptor_ >= 0) ::_close(std::exchange(descriptor_, -1));
}

int read_file(const std::string& path, std::vector<std::byte>& out) {
    int file = -1;
    const int failed =
        ::_sopen_s(&file, path.c_str(), _O_RDONLY | _O_BINARY | _O_NOINHERIT, _SH_DENYNO, _S_IREAD);
    if (failed != 0) return failed;
    std::vector<std::byte> all;
    int error = 0;
    for (;;) {
        std::array<std::byte, block_bytes> block;  // NOLINT: filled by _read()
        const int got = ::_read(file, block.data(), static_cast<unsigned>(block.size()));
        if (got < 0) error = errno;
        if (got <= 0) break;
        all.insert(all.end(), block.begin(), block.begin() + got);
    }
    ::_close(file);
    if (error == 0) out = std::move(all);
    return error;
}

}  // namespace ioring::backends::trace
