// SPDX-License-Identifier: MIT
// own_ring_multishot.hpp - one multishot receive fills a connection's own mirrored buffer.
//
// The buffer is offered to the kernel in quarters, as a private incremental buffer group; a quarter
// is handed back when all of it was sent. There is one receive to prepare for a connection, not one
// for each message, and no receive at all when the buffer is full.
//
// The kernel keeps its place in a group from one connection to the next. A slot therefore keeps
// group and buffer for good: to make them costs system calls, to go on costs nothing.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "echo/connections.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/ring.hpp"

namespace echo {

class own_ring_multishot {
public:
    static constexpr bool settles_per_batch = true;
    static constexpr std::uint32_t pieces = 4;

    own_ring_multishot(ioring::ring& ring, const connection_table& table, ioring::buffer_pool& pool)
        : ring_{ring}, table_{table}, pool_{pool}, slots_(table.size()) {}

    [[nodiscard]] std::error_code open(std::uint32_t slot) noexcept {
        own& at = slots_[slot];
        if (at.group.valid()) {
            at.group.reset();
            return {};
        }
        std::error_code error;
        at.buffer = pool_.acquire(&error);
        if (!at.buffer) return error;
        error = ioring::private_group::create(ring_, *at.buffer, {.pieces = pieces}, at.group);
        if (error) at.buffer.reset();
        return error;
    }
    static void close(std::uint32_t) noexcept {}

    void received(std::uint32_t slot, const ioring::cqe& done) noexcept {
        (void)slots_[slot].group.take(done);
    }
    [[nodiscard]] bool may_receive(std::uint32_t slot) const noexcept {
        return slots_[slot].group.posted_bytes() != 0;
    }
    // A full buffer ends the receive.
    [[nodiscard]] static bool must_pause(std::uint32_t) noexcept { return false; }
    [[nodiscard]] bool prepare_receive(std::uint32_t slot, std::uint64_t user_data) noexcept {
        return ring_.prepare_recv_multishot(table_[slot].socket, slots_[slot].group.id(),
                                            user_data) != nullptr;
    }

    [[nodiscard]] std::uint32_t unsent(std::uint32_t slot) const noexcept {
        return slots_[slot].buffer->readable_bytes();
    }
    [[nodiscard]] bool prepare_send(std::uint32_t slot, std::uint64_t user_data,
                                    std::uint32_t& bytes) noexcept {
        const auto readable = slots_[slot].buffer->readable();
        bytes = static_cast<std::uint32_t>(readable.size());
        return ring_.prepare_send(table_[slot].socket, readable, user_data) != nullptr;
    }
    void sent(std::uint32_t slot, std::uint32_t bytes) noexcept { consume(slots_[slot], bytes); }
    void drop(std::uint32_t slot) noexcept { consume(slots_[slot], unsent(slot)); }

    template <class Wake>
    void end_of_batch(Wake&&) noexcept {}
    [[nodiscard]] static bool has_more() noexcept { return false; }
    [[nodiscard]] static bool is_starving() noexcept { return false; }
    static void relieve() noexcept {}
    [[nodiscard]] std::string describe() const { return ioring::to_string(pool_.stats()); }

private:
    // The group lies over the buffer and so ends first.
    struct own {
        ioring::buffer_lease buffer;
        ioring::private_group group;
    };

    static void consume(own& at, std::uint32_t bytes) noexcept {
        at.buffer->commit_read(bytes);
        at.group.recycle();
    }

    ioring::ring& ring_;
    const connection_table& table_;
    ioring::buffer_pool& pool_;
    std::vector<own> slots_;
};

}  // namespace echo
