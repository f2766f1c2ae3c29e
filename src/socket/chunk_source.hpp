// SPDX-License-Identifier: MIT
// chunk_source.hpp - the memory that all connections of a manager receive into.
//
// Where the backend has feature::buffer_rings it is a buffer group, and the
// kernel chooses a chunk when there are bytes. Elsewhere the manager polls
// first and chooses one itself then. Either way a connection that waits holds
// none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"

namespace ioring::detail {

class chunk_source {
public:
    // At most so large where a chunk holds one receive's bytes only.
    static constexpr std::uint32_t plain_chunk_bytes = 16'384;
    // Received in a turn: it is still in the processor's cache when it is read or sent.
    static constexpr std::uint32_t turn_bytes_max = 1U << 20U;

    // Makes `out` a source of about chunks * chunk_bytes bytes. Errors as
    // buffer_group::create().
    [[nodiscard]] static std::error_code create(ring& owner, std::uint32_t chunks,
                                                std::uint32_t chunk_bytes, chunk_source& out,
                                                std::string* why) noexcept;

    [[nodiscard]] bool polls_first() const noexcept { return memory_ != nullptr; }

    // Of a buffer group only: its id, and a completion's bytes.
    [[nodiscard]] std::uint16_t group() const noexcept { return group_.id(); }
    [[nodiscard]] std::span<std::byte> take(const cqe& done) noexcept { return group_.take(done); }
    // Of the other kind only: a chunk to receive into; empty when all are in use.
    [[nodiscard]] std::span<std::byte> acquire() noexcept;

    // A chunk, or what take() gave, is in use no longer; the kernel sees it after
    // publish().
    void give_back(std::span<std::byte> chunk) noexcept;
    void publish() noexcept {
        if (!polls_first()) group_.publish();
    }
    // Chunks that the next receives can find.
    [[nodiscard]] std::uint32_t available() const noexcept {
        return polls_first() ? free_count_ : group_.posted();
    }
    // Those, and chunks that are for later ones.
    [[nodiscard]] std::uint32_t unused() const noexcept {
        return polls_first() ? free_count_ : group_.unused();
    }
    [[nodiscard]] std::uint32_t chunks() const noexcept {
        return polls_first() ? count_ : group_.buffers();
    }
    // Chunks, or pieces of them, that are not given back yet.
    [[nodiscard]] std::uint32_t chunks_out() const noexcept {
        return polls_first() ? count_ - free_count_ : group_.chunks_out();
    }
    // Its end comes while receives are in flight: their memory stays for ever.
    void abandon() noexcept { (void)memory_.release(); }

private:
    struct page_deleter {
        std::size_t bytes;
        void operator()(std::byte* memory) const noexcept;
    };

    [[nodiscard]] std::error_code prepare(std::uint32_t chunks, std::uint32_t chunk_bytes,
                                          std::string* why) noexcept;

    buffer_group group_;
    std::unique_ptr<std::byte, page_deleter> memory_;
    std::unique_ptr<std::uint32_t[]> free_;  // The first free_count_.
    std::uint32_t free_count_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t bytes_ = 0;  // Of each.
};

}  // namespace ioring::detail
