// SPDX-License-Identifier: MIT
// allocation_linux_alone_test.cpp - after creation neither pools nor groups nor buffers allocate.
//
// Of this whole test program operator new counts (support/allocation_counter.hpp).
#include <sys/socket.h>

#include <array>
#include <vector>

#include "buffer/buffer_test_support.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "support/allocation_counter.hpp"

namespace ioring::buffer_tests {
namespace {

using test_support::allocation_count;

TEST(allocations, are_counted_here) {
    const allocation_count count;
    const std::vector<int> one(100);
    EXPECT_EQ(1u, count.get()) << "or the other tests prove nothing";
}

TEST(allocations, none_by_acquiring_and_releasing) {
    ring owner = make_null_ring();
    buffer_pool pool;
    ASSERT_FALSE(buffer_pool::create(owner, {.slab_buffers = 8, .slabs_max = 1}, pool));
    std::array<buffer_lease, 10> leases;
    for (buffer_lease& each : leases) each = pool.acquire();  // Two of them fallbacks.
    for (buffer_lease& each : leases) each.reset();

    const allocation_count count;
    for (int round = 0; round < 100; ++round) {
        for (buffer_lease& each : leases) each = pool.acquire();
        for (buffer_lease& each : leases) {
            each->writable().front() = std::byte{1};
            each->commit_write(1);
            each->commit_read(1);
            each.reset();
        }
        ring_buffer* const raw = pool.acquire_raw();
        (void)pool.release_raw(raw);
        (void)pool.release_raw(raw);
        (void)pool.try_acquire();
        (void)pool.stats();
    }
    EXPECT_EQ(0u, count.get());
    EXPECT_EQ(2u + 200u, pool.stats().fallbacks_total);
}

TEST(allocations, none_by_receiving_into_a_shared_group) {
    for (const bool incremental : {true, false}) {
        ring owner = make_uring();
        tcp_pair both;
        buffer_group group;
        ASSERT_FALSE(buffer_group::create(
            owner, {.buffers = 4, .buffer_bytes = 64, .incremental = incremental}, group));
        std::array<std::byte, 50> out{};
        std::uint64_t passed = 0;
        const auto turn = [&](bool arm) {
            if (arm) owner.prepare_recv_multishot(both.ours(), group.id(), 1);
            if (::send(both.theirs().value, out.data(), out.size(), 0) != 50) return;
            owner.submit_and_wait(1, patience);
            for (const cqe& done : owner.completions()) {
                const auto bytes = group.take(done);
                passed += bytes.size();
                group.recycle(bytes);
            }
        };
        turn(true);
        const allocation_count count;
        for (int round = 0; round < 200; ++round) turn(false);
        EXPECT_EQ(0u, count.get());
        EXPECT_GE(passed, 200u * 50u - 50u);
    }
}

TEST(allocations, none_by_receiving_into_a_private_group) {
    ring owner = make_uring();
    tcp_pair both;
    ring_buffer buffer;
    ASSERT_FALSE(ring_buffer::create(ring_buffer::granularity(), {}, buffer));
    private_group group;
    ASSERT_FALSE(private_group::create(owner, buffer, {}, group));
    std::array<std::byte, 500> out{};
    const auto turn = [&](bool arm) {
        if (arm) owner.prepare_recv_multishot(both.ours(), group.id(), 1);
        if (::send(both.theirs().value, out.data(), out.size(), 0) != 500) return;
        owner.submit_and_wait(1, patience);
        for (const cqe& done : owner.completions()) (void)group.take(done);
        buffer.commit_read(buffer.readable_bytes());
        group.recycle();
    };
    turn(true);
    const allocation_count count;
    for (int round = 0; round < 200; ++round) turn(false);
    group.reset();
    EXPECT_EQ(0u, count.get());
    EXPECT_GE(buffer.tail(), 200u * 500u - 500u);
}

}  // namespace
}  // namespace ioring::buffer_tests
