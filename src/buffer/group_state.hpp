// SPDX-License-Identifier: MIT
// group_state.hpp - what a buffer_group keeps: which bytes of which buffer are whose.
//
// A buffer is with the kernel (posted) until that has filled it, and out until every chunk of it
// was recycled; when neither, it is free, and is posted again as soon as it may be. In an
// incremental group the kernel fills it from its beginning to its end, in the order of the
// completions, and each completion brings the next piece: `filled` is where that begins.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "buffer/provided_ring.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/detail/lent_memory.hpp"
#include "ring/ring_state.hpp"

namespace ioring::detail {

// Memory that is not touched by being taken: the system gives pages once they are used.
struct page_deleter {
    void operator()(std::byte* memory) const noexcept;
};
using page_memory = std::unique_ptr<std::byte, page_deleter>;
[[nodiscard]] page_memory allocate_pages(std::size_t bytes) noexcept;

// The bytes of a group's memory at which a chunk begins that is out: nothing else could tell a
// chunk that is recycled twice from its neighbour. One bit each, zero at first.
class start_marks {
public:
    // False when there is no memory.
    [[nodiscard]] bool reserve(std::size_t bytes) noexcept;
    // The first one at or behind `from` that is set, or `end`.
    [[nodiscard]] std::size_t next(std::size_t from, std::size_t end) const noexcept;
    void set(std::size_t offset) noexcept { words_.get()[offset / 64] |= bit(offset); }
    // False when it is not set.
    [[nodiscard]] bool clear(std::size_t offset) noexcept {
        std::uint64_t& word = words_.get()[offset / 64];
        if ((word & bit(offset)) == 0) return false;
        word &= ~bit(offset);
        return true;
    }

private:
    struct free_deleter {
        void operator()(std::uint64_t* words) const noexcept { std::free(words); }
    };
    static std::uint64_t bit(std::size_t offset) noexcept {
        return std::uint64_t{1} << (offset % 64);
    }

    std::unique_ptr<std::uint64_t, free_deleter> words_;
};

class group_state final : public retired_memory {
public:
    // Makes `out` a group that its buffer_group owns until close(). Without `memory` it has its
    // own. Errors as buffer_group::create_over.
    [[nodiscard]] static std::error_code create(const std::shared_ptr<ring_state>& ring,
                                                std::optional<std::span<std::byte>> memory,
                                                const group_options& options, group_state*& out,
                                                std::string* why) noexcept;
    group_state(const group_state&) = delete;
    group_state& operator=(const group_state&) = delete;

    [[nodiscard]] std::span<std::byte> take(const cqe& done) noexcept;
    bool recycle(std::span<const std::byte> chunk) noexcept;
    void publish() noexcept { records_->publish(); }
    void close() noexcept;

    [[nodiscard]] std::uint16_t id() const noexcept { return records_->group(); }
    [[nodiscard]] bool incremental() const noexcept { return incremental_; }
    [[nodiscard]] std::string_view reason() const noexcept { return reason_; }
    [[nodiscard]] std::uint32_t buffers() const noexcept { return buffers_; }
    [[nodiscard]] std::uint32_t buffer_bytes() const noexcept { return buffer_bytes_; }
    [[nodiscard]] std::uint32_t posted() const noexcept { return posted_; }
    [[nodiscard]] std::uint32_t unused() const noexcept { return posted_ + free_; }
    [[nodiscard]] std::uint32_t chunks_out() const noexcept { return chunks_out_; }
    [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }

private:
    struct buffer_slot {
        std::uint32_t filled = 0;  // Bytes that completions have brought since it was posted.
        std::uint32_t chunks = 0;  // Of those, the pieces that are out.
        std::uint32_t next_free = 0;
        bool posted = false;
    };
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    group_state() noexcept;
    ~group_state() { reclaim(memory()); }

    [[nodiscard]] std::error_code prepare(std::optional<std::span<std::byte>> memory,
                                          const group_options& options, std::string* why) noexcept;
    void choose_kind(const group_options& options, const probe_result& probe) noexcept;
    [[nodiscard]] std::uint32_t buffer_at(std::size_t offset) const noexcept;
    [[nodiscard]] std::byte* data_of(std::uint32_t buffer) const noexcept {
        return data_ + std::size_t{buffer} * buffer_bytes_;
    }
    [[nodiscard]] std::span<std::byte> memory() const noexcept {
        return {data_, data_ == nullptr ? 0 : std::size_t{buffers_} * buffer_bytes_};
    }
    void set_free(std::uint32_t buffer) noexcept;
    void post_some() noexcept;
    static void release_all(retired_memory* self) noexcept;

    std::shared_ptr<ring_state> ring_;
    std::optional<provided_ring> records_;
    std::byte* data_ = nullptr;
    std::unique_ptr<buffer_slot[]> slots_;
    start_marks starts_;  // Incremental only: a plain buffer is one chunk.
    std::uint32_t buffers_ = 0;
    std::uint32_t buffer_bytes_ = 0;
    std::int32_t buffer_shift_ = -1;  // log2(buffer_bytes_), -1 when that is no whole number.
    std::uint32_t posted_ = 0;
    std::uint32_t posted_max_ = 0;
    std::uint32_t free_ = 0;
    std::uint32_t first_free_ = none;  // A stack by next_free: what was used last is used next.
    std::uint32_t chunks_out_ = 0;
    std::uint64_t refused_ = 0;
    bool incremental_ = false;
    std::string_view reason_;
    page_memory record_memory_;
    page_memory own_data_;
};

}  // namespace ioring::detail
