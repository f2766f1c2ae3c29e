// SPDX-License-Identifier: MIT
// recorder.cpp - the bytes of records.
#include "backend/trace/recorder.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <system_error>
#include <utility>

#include "platform/clock.hpp"

namespace ioring::backends::trace {

recorder::recorder(log_file&& file, std::string path, const format::file_header& header)
    : file_{std::move(file)},
      path_{std::move(path)},
      payload_bytes_max_{header.payload_bytes_max},
      start_ns_{platform::monotonic_ns()} {
    append(std::as_bytes(std::span{&header, 1}));
}

void recorder::begin(format::kind kind, std::size_t body_bytes) {
    if (buffer_.size() >= buffer_bytes_max) flush();
    format::record_header head;
    head.kind = kind;
    head.body_bytes = static_cast<std::uint32_t>(body_bytes);
    head.time_ns = platform::monotonic_ns() - start_ns_;
    append(std::as_bytes(std::span{&head, 1}));
}

void recorder::add_memory(format::kind kind, std::uint64_t number, format::role role,
                          std::span<const std::span<std::byte>> pieces) {
    std::size_t whole = 0;
    for (const std::span<std::byte> piece : pieces) whole += piece.size();
    std::size_t left =
        role == format::role::payload ? std::min<std::size_t>(whole, payload_bytes_max_) : whole;
    const format::memory_body body{
        .number = number, .role = role, .whole_bytes = static_cast<std::uint32_t>(whole)};
    begin(kind, sizeof body + left);
    append(std::as_bytes(std::span{&body, 1}));
    for (const std::span<std::byte> piece : pieces) {
        const std::size_t bytes = std::min(left, piece.size());
        append(piece.first(bytes));
        left -= bytes;
    }
}

void recorder::add_memory(format::kind kind, std::uint64_t number, format::role role,
                          std::span<const std::byte> bytes) {
    const format::memory_body body{
        .number = number, .role = role, .whole_bytes = static_cast<std::uint32_t>(bytes.size())};
    add(kind, body, bytes);
}

void recorder::flush() noexcept {
    if (!ended_ && !buffer_.empty()) {
        if (const int error = file_.write(buffer_); error != 0) {
            ended_ = true;
            std::fprintf(stderr, "ioring: the trace %s ends here: %s\n", path_.c_str(),
                         std::generic_category().message(error).c_str());
        }
    }
    buffer_.clear();
}

void recorder::abandon() noexcept {
    ended_ = true;
    file_.close();
    buffer_.clear();
}

}  // namespace ioring::backends::trace
