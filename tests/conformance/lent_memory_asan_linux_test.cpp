// SPDX-License-Identifier: MIT
// lent_memory_asan_linux_test.cpp - buffers are the program's from a completion to their return.

#include "entries.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "support/use_after_lend.hpp"

namespace ioring::conformance {
namespace {

using tests::read_byte;
using tests::write_byte;

class lent_buffer_test : public backend_test {
protected:
    void make_pool() {
        std::string why;
        ASSERT_FALSE(buffer_pool::create(
            ring_, {.buffer_bytes = page, .slab_buffers = 2, .slabs_max = 1}, pool_, &why))
            << why;
    }

    static inline const auto page = static_cast<std::uint32_t>(ring_buffer::granularity());
    buffer_pool pool_;
};
INSTANTIATE_TEST_SUITE_P(backend, lent_buffer_test, every_backend(), backend_name);

TEST_P(lent_buffer_test, of_a_pool_is_not_touched_after_its_release) {
    make_pool();
    buffer_lease lease = pool_.acquire();
    const std::span<std::byte> memory = lease->memory();
    for (std::byte& each : memory) write_byte(each);
    lease.reset();
    EXPECT_LENT(read_byte(memory.front()));
    EXPECT_LENT(write_byte(memory.back()));
    EXPECT_EQ(memory.data(), pool_.acquire()->memory().data()) << "the one that was released last";
}

TEST_P(lent_buffer_test, released_twice_stays_free_and_is_an_error) {
    make_pool();
    ring_buffer* const raw = pool_.acquire_raw();
    ASSERT_NE(nullptr, raw);
    EXPECT_FALSE(pool_.release_raw(raw));
    EXPECT_EQ(std::errc::operation_not_permitted, pool_.release_raw(raw));
    EXPECT_LENT(read_byte(raw->memory()[0]));
    ring_buffer* const again = pool_.acquire_raw();
    ring_buffer* const other = pool_.acquire_raw();
    EXPECT_NE(again, other);
    write_byte(again->memory()[0]);
    write_byte(other->memory()[0]);
}

TEST_P(lent_buffer_test, beyond_the_acquired_one_is_not_touched) {
    make_pool();
    const buffer_lease lease = pool_.acquire();
    EXPECT_LENT(read_byte(*(lease->memory().data() + lease->memory().size())));
}

TEST_P(lent_buffer_test, is_the_receives_until_its_commit) {
    make_pool();
    const auto [ours, theirs] = connected_pair();
    buffer_lease lease = pool_.acquire();
    const std::span<std::byte> room = lease->begin_write();
    ASSERT_NE(nullptr, ring_.prepare_recv(ours.fd(), room, 1));
    expect_nothing();
    EXPECT_LENT(read_byte(room.front()));
    EXPECT_LENT(write_byte(room.back()));
    ASSERT_TRUE(send_all(theirs, "hello"));
    const cqe done = complete_one(1);
    ASSERT_EQ(5, done.res);
    ASSERT_TRUE(lease->commit_write(5));
    EXPECT_EQ("hello", text(lease->readable(), 5));
    write_byte(lease->writable().back());
}

TEST_P(lent_buffer_test, what_is_readable_stays_so_beside_a_receive) {
    make_pool();
    buffer_lease lease = pool_.acquire();
    ASSERT_TRUE(lease->commit_write(page - 16));
    ASSERT_TRUE(lease->commit_read(page - 32));
    (void)lease->begin_write();
    for (const std::byte& each : lease->readable()) read_byte(each);
    EXPECT_LENT(read_byte(*(lease->readable().data() + 16)));
    ASSERT_TRUE(lease->commit_write(0));
    for (const std::byte& each : lease->memory()) read_byte(each);
}

class lent_chunk_test : public backend_test {
protected:
    void make_group(bool incremental) {
        std::string why;
        ASSERT_FALSE(buffer_group::create(
            ring_, {.buffers = 2, .buffer_bytes = 64, .incremental = incremental}, group_, &why))
            << why;
    }
    [[nodiscard]] std::span<std::byte> take_one(const socket_pair& from, std::string_view bytes) {
        EXPECT_TRUE(send_all(from.theirs, bytes));
        while (unread(from.ours) < bytes.size()) {
            if (!readable(from.ours)) return {};
        }
        ring_.prepare_recv_select(from.ours.fd(), group_.id(), 1);
        const auto chunk = group_.take(complete_one(1));
        EXPECT_EQ(bytes, text(chunk, chunk.size()));
        return chunk;
    }

    buffer_group group_;
    socket_pair pair_ = connected_pair();
};
INSTANTIATE_TEST_SUITE_P(backend, lent_chunk_test, every_backend_with(feature::buffer_rings),
                         backend_name);

TEST_P(lent_chunk_test, is_not_touched_after_it_was_recycled) {
    make_group(/*incremental=*/false);
    const auto chunk = take_one(pair_, "hello");
    ASSERT_EQ(5U, chunk.size());
    write_byte(chunk[4]);
    EXPECT_LENT(read_byte(*(chunk.data() + 8))) << "behind what came";
    EXPECT_TRUE(group_.recycle(chunk));
    EXPECT_LENT(read_byte(chunk[0]));
    EXPECT_FALSE(group_.recycle(chunk));
    EXPECT_LENT(write_byte(chunk[0]));
}

TEST_P(lent_chunk_test, is_the_kernels_when_the_group_is_destroyed) {
    make_group(/*incremental=*/false);
    const auto chunk = take_one(pair_, "hello");
    ASSERT_EQ(5U, chunk.size());
    // The group's memory is kept while a receive may be in flight somewhere, and freed later.
    group_ = buffer_group{};
    EXPECT_DEATH(read_byte(chunk[0]), "use-after-(poison|free)");
}

TEST_P(lent_chunk_test, of_the_programs_memory_is_the_programs_again_without_the_group) {
    alignas(64) std::array<std::byte, 128> memory{};
    std::string why;
    ASSERT_FALSE(buffer_group::create_over(
        ring_, memory, {.buffers = 2, .buffer_bytes = 64, .incremental = false}, group_, &why))
        << why;
    EXPECT_LENT(read_byte(memory[0]));
    EXPECT_LENT(read_byte(memory[127]));
    (void)take_one(pair_, "hello");
    group_ = buffer_group{};
    for (std::byte& each : memory) write_byte(each);
}

class lent_piece_test : public lent_chunk_test {};
INSTANTIATE_TEST_SUITE_P(backend, lent_piece_test, every_backend_with(feature::incremental_buffers),
                         backend_name);

TEST_P(lent_piece_test, is_recycled_alone) {
    make_group(/*incremental=*/true);
    const auto first = take_one(pair_, "first, of 16 byt");
    const auto second = take_one(pair_, "second, of 17 byt");
    const auto third = take_one(pair_, "third");
    ASSERT_EQ(5U, third.size());
    ASSERT_EQ(third.data(), first.data() + 33);
    EXPECT_TRUE(group_.recycle(second.first(1))) << "only its beginning counts";
    EXPECT_EQ("first, of 16 byt", text(first, first.size()));
    EXPECT_EQ("third", text(third, third.size()));
    EXPECT_LENT(read_byte(second.front()));
    EXPECT_LENT(read_byte(second[15]));
    EXPECT_TRUE(group_.recycle(first));
    EXPECT_LENT(read_byte(first.back()));
    EXPECT_EQ("third", text(third, third.size()));
    EXPECT_TRUE(group_.recycle(third));
    EXPECT_LENT(read_byte(third[0]));
}

TEST_P(lent_piece_test, of_a_private_group_is_readable_in_both_views_until_it_is_recycled) {
    ring_buffer buffer;
    ASSERT_FALSE(ring_buffer::create(ring_buffer::granularity(), {}, buffer));
    const std::size_t piece = buffer.capacity() / 2;
    private_group group;
    ASSERT_FALSE(private_group::create(ring_, buffer, {.pieces = 2}, group));
    EXPECT_LENT(read_byte(buffer.memory().front()));
    EXPECT_LENT(read_byte(buffer.memory().back()));

    const std::string bytes = pattern(piece);
    ASSERT_TRUE(send_all(pair_.theirs, bytes));
    ring_.prepare_recv_multishot(pair_.ours.fd(), group.id(), 1);
    while (buffer.readable_bytes() < piece && !HasFailure()) (void)group.take(complete_one(1));
    EXPECT_EQ(bytes, text(buffer.readable(), piece));
    EXPECT_EQ(bytes, text(buffer.memory().subspan(buffer.capacity()), piece));
    EXPECT_LENT(read_byte(buffer.memory()[piece]));

    ASSERT_TRUE(buffer.commit_read(piece));
    EXPECT_EQ(1U, group.recycle());
    EXPECT_LENT(read_byte(buffer.memory()[0]));
    EXPECT_LENT(read_byte(buffer.memory()[buffer.capacity()]));
    ring_.prepare_cancel(1, 2);
    EXPECT_EQ(0, result_of(complete(2), 2));
    group = private_group{};
    for (std::byte& each : buffer.memory()) write_byte(each);
}

}  // namespace
}  // namespace ioring::conformance
