// SPDX-License-Identifier: MIT
// shared_pool.hpp - all connections receive into shared chunks and send straight out of them.
//
// One incremental buffer group serves everybody: small messages of many connections lie side by
// side in memory that stays in the cache, and a connection that waits holds none. After a batch of
// completions each connection sends what it has gathered in one send, vectored when it lies in
// several pieces.
//
// A client that does not read must not keep chunks from the others. With more than unsent_max bytes
// unsent it is no longer received from; and when connections find no chunk, those whose send has
// been stuck for a while are made to give theirs up: the send is cancelled, what it left is copied
// to memory of its own, and sent from there. That memory is bounded too: over the bound such
// clients are disconnected.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "common/message_types.hpp"
#include "echo/chunk_queue.hpp"
#include "echo/connections.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"

namespace echo {

class shared_pool {
public:
    static constexpr bool settles_per_batch = true;
    static constexpr std::uint32_t chunks = 256;
    // Received in a turn of the loop: it is still in the processor's cache when it is sent.
    static constexpr std::uint32_t turn_bytes_max = 1U << 20U;
    // Received from no longer, until half of it is gone.
    static constexpr std::uint64_t unsent_max_bytes = 1U << 20U;
    // Memory for what stuck clients leave behind: as much as a buffer each, but at least this.
    static constexpr std::uint64_t owned_max_bytes_least = 64U << 20U;

    // `vectorized`: several pieces go by SEND with SEND_VECTORIZED, otherwise by SENDMSG.
    shared_pool(ioring::ring& ring, connection_table& table, ioring::buffer_group& group,
                std::uint32_t buffer_bytes, bool vectorized);
    shared_pool(const shared_pool&) = delete;
    shared_pool& operator=(const shared_pool&) = delete;
    ~shared_pool();

    [[nodiscard]] std::error_code open(std::uint32_t slot) noexcept;
    void close(std::uint32_t slot) noexcept;

    void received(std::uint32_t slot, const ioring::cqe& done) noexcept;
    [[nodiscard]] bool may_receive(std::uint32_t slot) const noexcept {
        const shared& at = slots_[slot];
        return !at.starved && at.unsent.owned_chunks() == 0 &&
               at.unsent.bytes() <= unsent_max_bytes / 2;
    }
    [[nodiscard]] bool must_pause(std::uint32_t slot) const noexcept {
        const chunk_queue& unsent = slots_[slot].unsent;
        return unsent.bytes() > unsent_max_bytes || unsent.owned_chunks() != 0;
    }
    [[nodiscard]] bool prepare_receive(std::uint32_t slot, std::uint64_t user_data) noexcept {
        return ring_.prepare_recv_multishot(table_[slot].socket, group_.id(), user_data) != nullptr;
    }

    [[nodiscard]] std::uint64_t unsent(std::uint32_t slot) const noexcept {
        return slots_[slot].unsent.bytes();
    }
    [[nodiscard]] bool prepare_send(std::uint32_t slot, std::uint64_t user_data,
                                    std::uint32_t& bytes) noexcept;
    void sent(std::uint32_t slot, std::uint32_t bytes) noexcept;
    void drop(std::uint32_t slot) noexcept { consume(slots_[slot], slots_[slot].unsent.bytes()); }

    template <class Wake>
    void end_of_batch(Wake&& wake) noexcept {
        if (recycled_) group_.publish();
        recycled_ = false;
        // As many as find a chunk each, the longest waiting first. While others are left there is
        // no sleep: whichever has data must find the chunks.
        const std::size_t count = std::min<std::size_t>(starved_.size(), group_.posted());
        for (std::size_t index = 0; index < count; ++index) {
            slots_[starved_[index]].starved = false;
            wake(starved_[index]);
        }
        starved_.erase(starved_.begin(), starved_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    [[nodiscard]] bool has_more() const noexcept {
        return !starved_.empty() && group_.posted() != 0;
    }
    [[nodiscard]] bool is_starving() const noexcept {
        return !starved_.empty() && group_.posted() == 0;
    }
    void relieve() noexcept;
    [[nodiscard]] std::string describe() const;

private:
    // Of one send; what is left follows in the next. Each is 16 bytes of an idle connection, too.
    static constexpr std::size_t pieces_max = 8;

    struct shared {
        chunk_queue unsent;
        std::uint32_t send_period = 0;  // In which the send in flight began.
        bool starved = false;           // In the list of those that wait for a chunk.
        bool evicting = false;          // The send in flight is cancelled to get its chunks back.
        std::array<::iovec, pieces_max> pieces;  // Of the send in flight.
        ::msghdr message;
    };

    void consume(shared& at, std::uint64_t bytes) noexcept;
    void release(const chunk& finished) noexcept;
    void own(std::uint32_t slot, std::uint32_t first) noexcept;
    void disconnect(std::uint32_t slot) noexcept;

    ioring::ring& ring_;
    connection_table& table_;
    ioring::buffer_group& group_;
    std::vector<shared> slots_;
    std::vector<std::uint32_t> starved_;
    std::uint64_t owned_bytes_ = 0;
    std::uint64_t owned_max_bytes_;
    std::uint64_t starvations_ = 0;
    std::uint64_t evictions_ = 0;
    std::uint64_t disconnected_ = 0;
    std::uint32_t period_ = 0;
    bool vectorized_;
    bool recycled_ = false;
};

}  // namespace echo
