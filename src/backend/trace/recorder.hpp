// SPDX-License-Identifier: MIT
// recorder.hpp - records in a buffer, and the buffer in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "backend/trace/log_file.hpp"
#include "backend/trace/messages.hpp"
#include "backend/wrapping/lent_bytes.hpp"
#include "ioring/trace.hpp"

namespace ioring::backends::trace {

namespace format = ioring::trace;

// An error of the file is told once on the standard error and ends the recording, not the program.
class recorder {
public:
    recorder(log_file&& file, std::string path, const format::file_header& header);
    recorder(const recorder&) = delete;
    recorder& operator=(const recorder&) = delete;

    template <class Body>
    void add(format::kind kind, const Body& body, std::span<const std::byte> after = {}) {
        begin(kind, sizeof body + after.size());
        append(std::as_bytes(std::span{&body, 1}));
        append(after);
    }
    void add(format::kind kind) { begin(kind, 0); }
    // The pieces' first bytes, as many as the header allows for payload.
    void add_memory(format::kind kind, std::uint64_t number, format::role role,
                    std::span<const std::span<std::byte>> pieces);
    void add_memory(format::kind kind, std::uint64_t number, format::role role,
                    std::span<const std::byte> bytes);

    // Everything so far is in the file, whatever happens to this process.
    void flush() noexcept;
    // Writes nothing any more: the file is another process's.
    void abandon() noexcept;

private:
    // Between flushes; more is flushed at once.
    static constexpr std::size_t buffer_bytes_max = 1U << 20U;

    void begin(format::kind kind, std::size_t body_bytes);
    void append(std::span<const std::byte> bytes) { append_lent(buffer_, bytes); }

    log_file file_;
    std::string path_;
    std::uint32_t payload_bytes_max_;
    std::uint64_t start_ns_;
    std::vector<std::byte> buffer_;
    bool ended_ = false;
};

}  // namespace ioring::backends::trace
