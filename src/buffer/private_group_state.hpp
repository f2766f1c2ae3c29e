// SPDX-License-Identifier: MIT
// private_group_state.hpp - one connection's mirrored buffer, lent to the kernel in pieces.
//
// The pieces are posted in the order in which they lie in the buffer, round and round, and the
// kernel fills each to its end before it begins the next. So what it writes is one stream, in which
// a piece has no meaning but this: it can be posted again once all of it was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include "buffer/provided_ring.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/ring_buffer.hpp"
#include "ring/ring_state.hpp"

namespace ioring::detail {

class private_group_state final : public retired_memory {
public:
    // Makes `out` a group that its private_group owns until close(). Errors as
    // private_group::create.
    [[nodiscard]] static std::error_code create(const std::shared_ptr<ring_state>& ring,
                                                ring_buffer& buffer,
                                                const private_group_options& options,
                                                private_group_state*& out,
                                                std::string* why) noexcept;
    private_group_state(const private_group_state&) = delete;
    private_group_state& operator=(const private_group_state&) = delete;

    [[nodiscard]] std::span<std::byte> take(const cqe& done) noexcept;
    std::uint32_t recycle() noexcept;
    void reset() noexcept;
    void close() noexcept;

    [[nodiscard]] std::uint16_t id() const noexcept { return records_.group(); }
    [[nodiscard]] ring_buffer& buffer() const noexcept { return buffer_; }
    [[nodiscard]] std::uint32_t posted_bytes() const noexcept {
        return static_cast<std::uint32_t>(posted_end_ - buffer_.tail());
    }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    private_group_state(void* records, ring_buffer& buffer, std::uint32_t pieces) noexcept;
    ~private_group_state() = default;

    void post_next() noexcept;
    void end() noexcept;
    static void destroy(private_group_state* state) noexcept;
    static void release_all(retired_memory* self) noexcept;

    provided_ring records_;
    std::byte* const memory_;  // Of the records and, behind them, of this object.
    std::shared_ptr<ring_state> ring_;
    ring_buffer& buffer_;
    const std::uint32_t pieces_;
    const std::uint32_t piece_bytes_;
    std::uint32_t next_to_post_ = 0;  // A piece.
    std::uint32_t next_to_fill_ = 0;  // The piece that the kernel is at ...
    std::uint32_t filled_ = 0;        // ... and its bytes that completions have brought.
    std::uint64_t posted_end_;        // As a position of the stream: the kernel writes up to there.
    std::uint64_t refused_ = 0;
};

}  // namespace ioring::detail
