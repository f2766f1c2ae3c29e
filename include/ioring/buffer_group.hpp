// SPDX-License-Identifier: MIT
// buffer_group.hpp - buffers that the kernel picks for a receive, when there is data for it.
//
// A connection that waits then holds no memory. Two kinds:
//
//   buffer_group     buffers that all connections of a ring share. Each completion's bytes are a
//                    chunk: take() it, use it where it is (send straight from it), recycle() it.
//   private_group    one connection's ring_buffer, which a multishot receive fills piece by piece.
//
// Incremental (Linux 6.12): a buffer takes the bytes of many receives, side by side, and comes back
// to the kernel when it was filled and all its chunks were recycled. Before that, a buffer holds
// one chunk.
//
// Prepare with ring::prepare_recv_multishot(socket, group.id(), ...) or prepare_recv_select(). When
// no buffer is left a receive ends with -ENOBUFS; nothing is lost: prepare it again after a
// recycle. Show take() every completion of those receives, in the order they came: the kernel keeps
// its place in each buffer and so must we.
//
// Threads: the ring's. Lifetime: a group may be destroyed before or after its ring. Destroy it on
// the ring's thread when its receives have ended; one that has not ends with -ENOBUFS. Destroyed on
// another thread while the ring lives, it leaks its memory.
// Limits: Linux counts 16 bytes a buffer, in whole pages, against RLIMIT_MEMLOCK (the buffers
// themselves not): for an ordinary user with 8 MiB that is 2,000 groups.
// After creation nothing allocates or calls the system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ioring/ring_buffer.hpp"
#include "ioring/sqe.hpp"

namespace ioring {

class ring;

namespace detail {
class group_state;
class private_group_state;
}  // namespace detail

// How a buffer_group is made.
struct group_options {
    static constexpr std::int32_t automatic = -1;                 // Any id that is free.
    static constexpr std::uint32_t buffers_max = 32'768;          // Of a group.
    static constexpr std::uint32_t buffer_bytes_max = 1U << 30U;  // Of a buffer.

    // The group's id in SQEs, 0 to 65535, or `automatic` for one from 64 on that the ring has free.
    // Linux 6.1 has a bug with ids below 64 (seen on 6.1.192, not on 6.18): a ring's second group
    // of such an id begins at the place where the first one had stopped, not at its first buffer,
    // so that its receives end with -ENOBUFS or take buffers that were never posted. There, make
    // no second group of an id below 64 on one ring.
    std::int32_t group = automatic;
    // 1 to buffers_max.
    std::uint32_t buffers = 256;
    // Bytes of a buffer, 1 to buffer_bytes_max.
    std::uint32_t buffer_bytes = 65'536;
    // Whether a buffer may take many receives, where the system can.
    bool incremental = true;
    // Where the system cannot do incremental: the same memory, in buffers of at most this size,
    // because each then holds one chunk only. 0: as buffer_bytes.
    std::uint32_t plain_buffer_bytes = 16'384;
    // Where it is incremental: how much memory the kernel may hold at a time, in whole buffers. The
    // other buffers stay behind, and the one that was given back last follows one that is full. So
    // a turn receives about as much at most, which is still in the processor's cache when it is
    // sent on; 1 MiB is good for most. An -ENOBUFS then says that this turn's share is used up:
    // prepare again while posted() is not 0. 0: all buffers.
    std::uint32_t posted_bytes_max = 0;
};

// Buffers that all connections of a ring share. Move-only.
class buffer_group {
public:
    // Makes `out` a group of buffers in memory of its own (used only once written to). On an error
    // `out` is unchanged and `why`, when given, is a sentence.
    //
    // Errors: invalid_argument     an option is out of range, or `owner` is no ring
    //         not_supported        the backend has no feature::buffer_rings
    //         file_exists          the ring has a group of that id already
    //         no_buffer_space      `automatic`, and it has one of every id from 64 on
    //         not_enough_memory    memory, or RLIMIT_MEMLOCK
    [[nodiscard]] static std::error_code create(ring& owner, const group_options& options,
                                                buffer_group& out,
                                                std::string* why = nullptr) noexcept;
    // As create(), over memory of the caller's, which must stay until the group is destroyed and
    // its receives have ended. Error: invalid_argument also when `memory` is smaller than buffers *
    // buffer_bytes.
    [[nodiscard]] static std::error_code create_over(ring& owner, std::span<std::byte> memory,
                                                     const group_options& options,
                                                     buffer_group& out,
                                                     std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As create(); throws std::system_error.
    explicit buffer_group(ring& owner, const group_options& options = {});
#endif

    // No group.
    buffer_group() noexcept = default;
    // `other` is then no group.
    buffer_group(buffer_group&& other) noexcept : state_{std::exchange(other.state_, nullptr)} {}
    buffer_group& operator=(buffer_group&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    // Takes the buffers from the kernel. See above for when.
    ~buffer_group() { close(); }
    // There is a group.
    [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

    // The bytes that `done` brought, the program's until recycle(). Empty when it brought none (an
    // error, the end of the stream): nothing to recycle then. Empty too, and counted as refused(),
    // for a completion that cannot be this group's. Call it once for each completion of a receive.
    [[nodiscard]] std::span<std::byte> take(const cqe& done) noexcept;

    // Gives back a chunk, by the beginning it had when it was taken (its size does not matter). Its
    // buffer goes to the kernel when that has filled it and no chunk of it is left. False, and
    // nothing has changed, when no such chunk is out: it was recycled already, or is not ours.
    bool recycle(std::span<const std::byte> chunk) noexcept {
        const bool known = recycle_later(chunk);
        publish();
        return known;
    }
    // As recycle(), but the kernel sees the buffer at the next publish(). For batches.
    bool recycle_later(std::span<const std::byte> chunk) noexcept;
    // Shows the kernel what recycle_later() has given back; an atomic store.
    void publish() noexcept;

    // What goes into `sqe::buf_index`. Precondition of this and the rest: valid().
    [[nodiscard]] std::uint16_t id() const noexcept;
    // Whether a buffer takes many receives.
    [[nodiscard]] bool incremental() const noexcept;
    // Why it is not incremental; empty when it is.
    [[nodiscard]] std::string_view reason() const noexcept;
    // How many there are, and of how many bytes: as asked for, but for plain_buffer_bytes.
    [[nodiscard]] std::uint32_t buffers() const noexcept;
    // Bytes of a buffer.
    [[nodiscard]] std::uint32_t buffer_bytes() const noexcept;
    // Buffers that the kernel may still fill; 0 means that the next receive gets -ENOBUFS.
    [[nodiscard]] std::uint32_t posted() const noexcept;
    // Buffers of which the program has nothing: those, and what posted_bytes_max keeps back.
    [[nodiscard]] std::uint32_t unused() const noexcept;
    // Chunks taken and not recycled.
    [[nodiscard]] std::uint32_t chunks_out() const noexcept;
    // Calls of take() and recycle() that were wrong, since creation. Not 0: a bug of the program.
    [[nodiscard]] std::uint64_t refused() const noexcept;

private:
    void close() noexcept;

    detail::group_state* state_ = nullptr;
};

// How a private_group is made.
struct private_group_options {
    static constexpr std::uint32_t pieces_max = 1024;  // Of a buffer.

    // As group_options::group.
    std::int32_t group = group_options::automatic;
    // Into how many pieces the buffer is cut, 2 to pieces_max, evenly; a piece goes back to the
    // kernel when all of it was read.
    std::uint32_t pieces = 4;
};

// One connection's ring_buffer as a group. Move-only.
//
// While it exists the buffer is lent() to it: neither rewind nor begin_write nor commit_write on
// it; reading and commit_read are the program's.
class private_group {
public:
    // Makes `out` a group over `buffer`, which must be empty, must not be lent() and must stay
    // where it is until `out` is destroyed. Errors: as buffer_group::create;
    //     not_supported             also when there is no feature::incremental_buffers
    //     device_or_resource_busy   `buffer` is lent
    [[nodiscard]] static std::error_code create(ring& owner, ring_buffer& buffer,
                                                const private_group_options& options,
                                                private_group& out,
                                                std::string* why = nullptr) noexcept;

    // No group.
    private_group() noexcept = default;
    // `other` is then no group; the buffer stays where it is.
    private_group(private_group&& other) noexcept : state_{std::exchange(other.state_, nullptr)} {}
    private_group& operator=(private_group&& other) noexcept {
        if (this != &other) {
            close();
            state_ = std::exchange(other.state_, nullptr);
        }
        return *this;
    }
    // The buffer is the program's again; unread bytes stay in it.
    ~private_group() { close(); }
    // There is a group.
    [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

    // The bytes that `done` brought: now the last ones of buffer.readable(). Empty as for
    // buffer_group::take(). Call it once for each completion of a receive, in order.
    [[nodiscard]] std::span<std::byte> take(const cqe& done) noexcept;

    // Gives the kernel the pieces that were read in full since: call it after commit_read. Returns
    // how many; not 0 is when a receive that ended with -ENOBUFS is worth preparing again.
    std::uint32_t recycle() noexcept;

    // For the next connection: drops what is unread and recycles. Receives of the one before must
    // have ended and their completions been taken. Costs no system call: the kernel goes on where
    // it was, and so does the buffer.
    void reset() noexcept;

    // What goes into `sqe::buf_index`. Precondition of this and the rest: valid().
    [[nodiscard]] std::uint16_t id() const noexcept;
    // The one it was made over.
    [[nodiscard]] ring_buffer& buffer() const noexcept;
    // Bytes that the kernel may still write; 0 means that the next receive gets -ENOBUFS.
    [[nodiscard]] std::uint32_t posted_bytes() const noexcept;
    // Completions that take() could not accept. Not 0: a bug of the program; the bytes are lost.
    [[nodiscard]] std::uint64_t refused() const noexcept;

private:
    void close() noexcept;

    detail::private_group_state* state_ = nullptr;
};

}  // namespace ioring
