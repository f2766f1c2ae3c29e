// SPDX-License-Identifier: MIT
// log_file_posix.cpp - files on POSIX systems.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "backend/trace/log_file.hpp"

namespace ioring::backends::trace {
namespace {

constexpr mode_t readable_by_all = 0644;
constexpr std::size_t block_bytes = 65'536;

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
    made.descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, readable_by_all);
    if (made.descriptor_ < 0) return errno;
    // Before anything is thrown away: what another ring has recorded there is not ours.
    if (::flock(made.descriptor_, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? EBUSY : errno;
    }
    // Not a device or a pipe, which cannot be cut and need not be.
    if (::ftruncate(made.descriptor_, 0) != 0 && errno != EINVAL) return errno;
    out = std::move(made);
    return 0;
}

int log_file::write(std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

void log_file::close() noexcept {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
}

int read_file(const std::string& path, std::vector<std::byte>& out) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    std::vector<std::byte> all;
    int error = 0;
    for (;;) {
        std::array<std::byte, block_bytes> block;  // NOLINT: filled by read()
        const ssize_t got = ::read(file, block.data(), block.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) error = errno;
        if (got <= 0) break;
        all.insert(all.end(), block.begin(), block.begin() + got);
    }
    ::close(file);
    if (error == 0) out = std::move(all);
    return error;
}

}  // namespace ioring::backends::trace
