// SPDX-License-Identifier: MIT
// own_ring.hpp - the classic strategy: a mirrored buffer for each connection, received into and
// sent from.
//
// A receive fills the buffer at its tail, a send empties it at its head: the same bytes, no copy.
// `late`, the default: the next receive is armed when the send has completed. By then there often
// is data already, so that it completes at once, and the buffer is empty, so that it starts again
// at its first, still cached bytes. `overlap`: it is armed together with the send, behind its
// bytes.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>
#include <vector>

#include "echo/connections.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/ids.hpp"
#include "ioring/ring.hpp"

namespace echo {

class own_ring {
public:
    static constexpr bool settles_per_batch = false;

    // The pool must hold a buffer for each connection of the table.
    own_ring(ioring::ring& ring, const connection_table& table, ioring::buffer_pool& pool,
             bool overlap)
        : ring_{ring}, table_{table}, pool_{pool}, slots_(table.size()), overlap_{overlap} {}

    [[nodiscard]] std::error_code open(std::uint32_t slot) noexcept {
        own& at = slots_[slot];
        std::error_code error;
        at.buffer = pool_.acquire(&error);
        if (!at.buffer) return error;
        error = ring_.register_socket(table_[slot].socket, at.id);
        if (error) at.buffer.reset();
        return error;
    }

    void close(std::uint32_t slot) noexcept {
        ring_.unregister_socket(slots_[slot].id);
        slots_[slot].buffer.reset();
    }

    void received(std::uint32_t slot, const ioring::cqe& done) noexcept {
        slots_[slot].buffer->commit_write(done.res > 0 ? static_cast<std::uint32_t>(done.res) : 0);
    }

    [[nodiscard]] bool may_receive(std::uint32_t slot) const noexcept {
        const ioring::ring_buffer& buffer = *slots_[slot].buffer;
        return overlap_ ? !buffer.full() : buffer.empty();
    }
    // A one-shot receive ends by itself.
    [[nodiscard]] static bool must_pause(std::uint32_t) noexcept { return false; }

    [[nodiscard]] bool prepare_receive(std::uint32_t slot, std::uint64_t user_data) noexcept {
        const own& at = slots_[slot];
        ioring::ring_buffer& buffer = *at.buffer;
        buffer.rewind();  // Only when it is empty, and so no send is in flight.
        if (ring_.prepare_recv_buffer(at.id, buffer.id(), buffer.write_offset(),
                                      buffer.writable_bytes(), user_data) == nullptr) {
            return false;
        }
        (void)buffer.begin_write();
        return true;
    }

    [[nodiscard]] std::uint32_t unsent(std::uint32_t slot) const noexcept {
        return slots_[slot].buffer->readable_bytes();
    }
    [[nodiscard]] bool prepare_send(std::uint32_t slot, std::uint64_t user_data,
                                    std::uint32_t& bytes) noexcept {
        const own& at = slots_[slot];
        bytes = at.buffer->readable_bytes();
        return ring_.prepare_send_buffer(at.id, at.buffer.id(), at.buffer->read_offset(), bytes,
                                         user_data) != nullptr;
    }
    void sent(std::uint32_t slot, std::uint32_t bytes) noexcept {
        slots_[slot].buffer->commit_read(bytes);
    }
    void drop(std::uint32_t slot) noexcept {
        ioring::ring_buffer& buffer = *slots_[slot].buffer;
        buffer.commit_read(buffer.readable_bytes());
    }

    // Every connection has its own buffer: nobody waits for anybody.
    template <class Wake>
    void end_of_batch(Wake&&) noexcept {}
    [[nodiscard]] static bool has_more() noexcept { return false; }
    [[nodiscard]] static bool is_starving() noexcept { return false; }
    static void relieve() noexcept {}
    [[nodiscard]] std::string describe() const { return ioring::to_string(pool_.stats()); }

private:
    struct own {
        ioring::connection_id id;
        ioring::buffer_lease buffer;
    };

    ioring::ring& ring_;
    const connection_table& table_;
    ioring::buffer_pool& pool_;
    std::vector<own> slots_;
    bool overlap_;
};

}  // namespace echo
