// SPDX-License-Identifier: MIT
// buffer_pool_test.cpp - what a pool promises, without a single transfer.
#include "ioring/buffer_pool.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "buffer/buffer_test_support.hpp"

namespace ioring::buffer_tests {
namespace {

const auto page = static_cast<std::uint32_t>(ring_buffer::granularity());

class pool_test : public testing::Test {
protected:
    buffer_pool make(pool_options options) {
        if (options.buffer_bytes == pool_options{}.buffer_bytes) options.buffer_bytes = page;
        buffer_pool made;
        std::string why;
        EXPECT_FALSE(buffer_pool::create(ring_, options, made, &why)) << why;
        return made;
    }

    // Whether the ring knows the buffer under its id, both views of it and no byte more.
    bool registered(ring_buffer& buffer) {
        connection_id connection;
        EXPECT_FALSE(ring_.register_socket(fd{0}, connection));
        const std::uint32_t all = 2 * buffer.capacity();
        const sqe* const whole = ring_.prepare_recv_buffer(connection, buffer.id(), 0, all, 1);
        const bool same = whole->op == opcode::recv && whole->len == all &&
                          whole->addr == reinterpret_cast<std::uintptr_t>(buffer.memory().data());
        const sqe* const beyond = ring_.prepare_recv_buffer(connection, buffer.id(), 1, all, 1);
        const bool bounded = beyond->op != opcode::recv;
        EXPECT_FALSE(ring_.unregister_socket(connection));
        ring_.submit();
        ring_.advance_completion_queue(2);
        return same && bounded;
    }

    ring ring_ = make_null_ring();
};

TEST_F(pool_test, has_its_first_slabs_from_the_beginning_and_no_more) {
    buffer_pool pool = make({.slab_buffers = 4, .slabs_max = 8, .slabs_initial = 2});
    EXPECT_EQ(2u, pool.stats().slabs);
    EXPECT_EQ(8u, pool.stats().buffers);
    EXPECT_EQ(16u + 2u - 8u, mirror_mappings()) << "count + 1 a slab";
    EXPECT_EQ(page, pool.buffer_bytes());
}

TEST_F(pool_test, grows_by_a_slab_when_none_is_free) {
    buffer_pool pool = make({.slab_buffers = 4, .slabs_max = 3, .slabs_initial = 0});
    EXPECT_EQ(0u, mirror_mappings());
    EXPECT_FALSE(pool.try_acquire()) << "never makes a slab";
    EXPECT_EQ(0u, pool.stats().slabs);
    std::vector<buffer_lease> leases;
    for (std::uint32_t count = 1; count <= 12; ++count) {
        leases.push_back(pool.acquire());
        ASSERT_TRUE(leases.back());
        EXPECT_EQ((count + 3) / 4, pool.stats().slabs);
        EXPECT_EQ(count, pool.stats().buffers_in_use);
        EXPECT_TRUE(registered(*leases.back()));
    }
    leases.clear();
    EXPECT_EQ(3u, pool.stats().slabs) << "slabs are kept";
    EXPECT_EQ(0u, pool.stats().buffers_in_use);
    EXPECT_EQ(12u, pool.stats().buffers_in_use_peak);
}

TEST_F(pool_test, is_exhausted_with_a_reason) {
    buffer_pool pool = make({.slab_buffers = 2, .slabs_max = 1, .fallback = false});
    const buffer_lease first = pool.acquire();
    buffer_lease second = pool.acquire();
    std::error_code error;
    EXPECT_FALSE(pool.acquire(&error));
    EXPECT_EQ(std::errc::no_buffer_space, error);
    EXPECT_FALSE(pool.acquire());
    EXPECT_EQ(nullptr, pool.acquire_raw(&error));
    EXPECT_EQ(0u, pool.stats().fallbacks_total);
    second.reset();
    EXPECT_TRUE(pool.acquire()) << "and usable again";
}

TEST_F(pool_test, falls_back_to_single_buffers_which_it_counts_and_keeps) {
    buffer_pool pool = make({.slab_buffers = 2, .slabs_max = 1});
    std::array<buffer_lease, 2> slab{pool.acquire(), pool.acquire()};
    EXPECT_FALSE(pool.try_acquire()) << "a fallback needs system calls";
    buffer_lease third = pool.acquire();
    buffer_lease fourth = pool.acquire();
    ASSERT_TRUE(third && fourth);
    EXPECT_TRUE(registered(*third));
    EXPECT_TRUE(registered(*fourth));
    EXPECT_EQ(2u, pool.stats().fallbacks_total);
    EXPECT_EQ(2u, pool.stats().fallbacks_in_use);
    EXPECT_EQ(2u, pool.stats().buffers_in_use) << "of slabs";
    EXPECT_EQ(4u, pool.stats().buffers_in_use_peak);
    EXPECT_EQ(3u + 2 * 2u, mirror_mappings());

    const ring_buffer* const kept = fourth.get();
    fourth.reset();
    EXPECT_EQ(1u, pool.stats().fallbacks_in_use);
    EXPECT_EQ(2u, pool.stats().fallbacks_mapped);
    const buffer_lease again = pool.acquire();
    EXPECT_EQ(kept, again.get());
    EXPECT_EQ(3u, pool.stats().fallbacks_total);
    EXPECT_EQ(2u, pool.stats().fallbacks_mapped);

    const ring_buffer* const of_slab = slab[1].get();
    slab[1].reset();
    third.reset();
    EXPECT_EQ(of_slab, pool.acquire().get()) << "slabs before fallbacks";
}

TEST_F(pool_test, gives_the_last_released_first) {
    buffer_pool pool = make({.slab_buffers = 8});
    std::vector<buffer_lease> leases;
    for (int count = 0; count < 8; ++count) leases.push_back(pool.acquire());
    const std::array<const ring_buffer*, 3> order{leases[5].get(), leases[1].get(),
                                                  leases[6].get()};
    for (const int index : {5, 1, 6}) leases[static_cast<std::size_t>(index)].reset();
    EXPECT_EQ(order[2], (leases[6] = pool.acquire()).get());
    EXPECT_EQ(order[1], (leases[1] = pool.acquire()).get());
    EXPECT_EQ(order[0], (leases[5] = pool.acquire()).get());
}

TEST_F(pool_test, a_released_buffer_comes_back_empty_and_rewound) {
    buffer_pool pool = make({.slab_buffers = 1, .slabs_max = 1});
    buffer_lease lease = pool.acquire();
    ring_buffer* const buffer = lease.get();
    ASSERT_TRUE(lease->commit_write(100));
    ASSERT_TRUE(lease->commit_read(30));
    const buffer_id id = lease.id();
    lease.reset();
    EXPECT_FALSE(lease);
    EXPECT_EQ(buffer_id::invalid, lease.id());

    lease = pool.acquire();
    ASSERT_EQ(buffer, lease.get());
    EXPECT_EQ(id, lease.id());
    EXPECT_TRUE(lease->empty());
    EXPECT_EQ(0u, lease->read_offset());
    EXPECT_EQ(0u, lease->write_offset());
    EXPECT_EQ(100u, lease->head()) << "what was counted stays counted";
}

TEST_F(pool_test, tells_its_statistics_in_one_line) {
    EXPECT_EQ("Slabs: 4/64, Buffers: 1000/1024 (97.7%), Fallbacks: 0 total",
              to_string(pool_stats{
                  .slabs = 4, .slabs_max = 64, .buffers_in_use = 1000, .buffers = 1024}));
    EXPECT_EQ("Slabs: 0/64, Buffers: 0/0 (0.0%), Fallbacks: 0 total",
              to_string(pool_stats{.slabs_max = 64}));
    EXPECT_EQ(
        "Slabs: 1/1, Buffers: 3/3 (100.0%), Fallbacks: 12 total",
        to_string(pool_stats{
            .slabs = 1, .slabs_max = 1, .buffers_in_use = 3, .buffers = 3, .fallbacks_total = 12}));

    buffer_pool pool = make({.slab_buffers = 256, .slabs_max = 64, .slabs_initial = 4});
    std::vector<buffer_lease> leases;
    for (int count = 0; count < 1000; ++count) leases.push_back(pool.acquire());
    EXPECT_EQ("Slabs: 4/64, Buffers: 1000/1024 (97.7%), Fallbacks: 0 total",
              to_string(pool.stats()));
}

TEST_F(pool_test, refuses_what_is_released_twice) {
    buffer_pool pool = make({.slab_buffers = 4, .slabs_max = 1});
    ring_buffer* const first = pool.acquire_raw();
    ring_buffer* const second = pool.acquire_raw();
    ASSERT_FALSE(pool.release_raw(first));
    EXPECT_EQ(std::errc::operation_not_permitted, pool.release_raw(first));
    EXPECT_EQ(1u, pool.stats().buffers_in_use);
    EXPECT_EQ(first, pool.acquire_raw());
    EXPECT_NE(first, pool.acquire_raw()) << "it was not given out twice";
    EXPECT_FALSE(pool.release_raw(second));

    // Fallbacks likewise.
    while (pool.stats().fallbacks_in_use == 0) ASSERT_NE(nullptr, pool.acquire_raw());
    ring_buffer* const fallback = pool.acquire_raw();
    ASSERT_FALSE(pool.release_raw(fallback));
    EXPECT_EQ(std::errc::operation_not_permitted, pool.release_raw(fallback));
}

TEST_F(pool_test, refuses_what_is_not_its_own_without_following_the_pointer) {
    buffer_pool pool = make({.slab_buffers = 4, .slabs_max = 2});
    buffer_pool other = make({.slab_buffers = 4, .slabs_max = 2});
    ring_buffer* const ours = pool.acquire_raw();
    ring_buffer own;
    ASSERT_FALSE(ring_buffer::create(page, {}, own));
    const auto at = [&](std::ptrdiff_t bytes) {
        return reinterpret_cast<ring_buffer*>(reinterpret_cast<std::uintptr_t>(ours) +
                                              static_cast<std::uintptr_t>(bytes));
    };
    const auto number = [](std::uintptr_t value) { return reinterpret_cast<ring_buffer*>(value); };
    for (ring_buffer* const wrong :
         {static_cast<ring_buffer*>(nullptr), &own, other.acquire_raw(), at(1), at(8), at(-64),
          at(63), at(4 * 64) /* of a slab not yet made */, at(8 * 64) /* of a fallback likewise */,
          at(std::ptrdiff_t{64} * (8 + pool_options::fallbacks_max)), number(64),
          number(~std::uintptr_t{63}), number(0xdead'0000'0000'0040)}) {
        EXPECT_EQ(std::errc::invalid_argument, pool.release_raw(wrong)) << wrong;
    }
    EXPECT_EQ(1u, pool.stats().buffers_in_use);
    EXPECT_EQ(1u, other.stats().buffers_in_use);
    EXPECT_FALSE(pool.release_raw(ours));
}

TEST_F(pool_test, a_lease_is_released_as_a_lease) {
    buffer_pool pool = make({.slab_buffers = 4});
    buffer_pool other = make({.slab_buffers = 4});
    buffer_lease lease = pool.acquire();
    EXPECT_EQ(std::errc::operation_not_permitted, pool.release_raw(lease.get()));
    EXPECT_EQ(std::errc::invalid_argument, other.release(std::move(lease)));
    ASSERT_TRUE(lease) << "it keeps its buffer";  // NOLINT(bugprone-use-after-move)
    EXPECT_FALSE(pool.release(std::move(lease)));
    EXPECT_FALSE(lease);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(std::errc::invalid_argument, pool.release(std::move(lease)));
    EXPECT_EQ(0u, pool.stats().buffers_in_use);
}

TEST_F(pool_test, a_buffer_that_is_lent_to_a_receive_is_never_given_to_another) {
    buffer_pool pool = make({.slab_buffers = 2, .slabs_max = 1, .fallback = false});
    ring_buffer* const raw = pool.acquire_raw();
    ASSERT_FALSE(raw->begin_write().empty());
    EXPECT_EQ(std::errc::device_or_resource_busy, pool.release_raw(raw));
    EXPECT_EQ(1u, pool.stats().buffers_in_use);
    ASSERT_TRUE(raw->commit_write(0));
    EXPECT_FALSE(pool.release_raw(raw));

    buffer_lease lease = pool.acquire();
    const ring_buffer* const lent = lease.get();
    ASSERT_FALSE(lease->begin_write().empty());
    lease.reset();
    EXPECT_EQ(1u, pool.stats().abandoned);
    EXPECT_EQ(0u, pool.stats().buffers_in_use);
    const buffer_lease other = pool.acquire();
    EXPECT_NE(lent, other.get());
    EXPECT_FALSE(pool.acquire()) << "one of two is left";
    EXPECT_EQ(std::errc::operation_not_permitted, pool.release_raw(const_cast<ring_buffer*>(lent)));
}

TEST_F(pool_test, a_pooled_buffer_cannot_be_moved_out_of_its_place) {
    buffer_pool pool = make({.slab_buffers = 2, .slabs_max = 1});
    buffer_lease lease = pool.acquire();
    ASSERT_TRUE(lease->commit_write(5));
    const buffer_id id = lease.id();
    ring_buffer stolen = std::move(*lease);
    EXPECT_EQ(0u, stolen.capacity());
    EXPECT_EQ(5u, lease->readable_bytes());
    ring_buffer own;
    ASSERT_FALSE(ring_buffer::create(2 * std::size_t{page}, {}, own));
    *lease = std::move(own);
    EXPECT_EQ(page, lease->capacity());
    EXPECT_EQ(2 * page, own.capacity());  // NOLINT(bugprone-use-after-move)
    lease->set_id(buffer_id{1234});
    EXPECT_EQ(id, lease.id());
}

TEST_F(pool_test, reserves_what_can_then_be_acquired_without_a_system_call) {
    buffer_pool pool = make({.slab_buffers = 4, .slabs_max = 4, .slabs_initial = 0});
    ASSERT_FALSE(pool.reserve(0));
    EXPECT_EQ(0u, pool.stats().slabs);
    ASSERT_FALSE(pool.reserve(5));
    EXPECT_EQ(2u, pool.stats().slabs);
    std::vector<buffer_lease> leases;
    for (int count = 0; count < 5; ++count) {
        leases.push_back(pool.try_acquire());
        ASSERT_TRUE(leases.back());
    }
    ASSERT_FALSE(pool.reserve(3)) << "three are left";
    EXPECT_EQ(2u, pool.stats().slabs);
    std::string why;
    EXPECT_EQ(std::errc::no_buffer_space, pool.reserve(12, &why));
    EXPECT_NE(std::string::npos, why.find("slabs_max")) << why;
    EXPECT_EQ(2u, pool.stats().slabs) << "nothing was made";
    EXPECT_EQ(std::errc::no_buffer_space, pool.reserve(~0U));
    ASSERT_FALSE(pool.reserve(11));
    EXPECT_EQ(4u, pool.stats().slabs);
}

TEST_F(pool_test, has_twenty_thousand_buffers_of_which_none_is_another) {
    buffer_pool pool = make({.slab_buffers = 256, .slabs_max = 80});
    constexpr std::uint32_t count = 20'000;  // More than the kernel could pin one by one.
    std::vector<buffer_lease> leases;
    std::set<buffer_id> ids;
    for (std::uint32_t index = 0; index < count; ++index) {
        leases.push_back(pool.acquire());
        ASSERT_TRUE(leases.back()) << index;
        ids.insert(leases.back().id());
        std::memcpy(leases.back()->writable().data(), &index, sizeof index);
        ASSERT_TRUE(leases.back()->commit_write(sizeof index));
    }
    EXPECT_EQ(count, ids.size());
    EXPECT_EQ(0u, ids.count(buffer_id::invalid));
    EXPECT_EQ(0u, pool.stats().fallbacks_total);
    const std::uint32_t slabs = (count + 255) / 256;
    EXPECT_EQ(slabs, pool.stats().slabs);
    EXPECT_LE(mirror_mappings(), slabs * std::size_t{257});
    for (std::uint32_t index = 0; index < count; ++index) {
        ASSERT_EQ(0, std::memcmp(leases[index]->readable().data(), &index, sizeof index)) << index;
    }
    EXPECT_TRUE(registered(*leases.front()));
    EXPECT_TRUE(registered(*leases.back()));
}

TEST_F(pool_test, splits_the_registration_of_a_slab_that_is_too_large_for_one) {
    // 64 buffers of 32 MiB: 4 GiB of addresses; the memory is not used.
    buffer_pool pool = make({.buffer_bytes = 32U << 20U, .slab_buffers = 64, .slabs_max = 1});
    std::vector<buffer_lease> leases;
    for (int count = 0; count < 64; ++count) {
        leases.push_back(pool.acquire());
        ASSERT_TRUE(registered(*leases.back())) << count;
    }
}

TEST_F(pool_test, an_option_out_of_range_is_an_error_that_names_it) {
    struct wrong {
        pool_options options;
        const char* names;
    };
    const std::vector<wrong> table{
        {{.buffer_bytes = 0}, "multiple of"},
        {{.buffer_bytes = page + 1}, "multiple of"},
        {{.buffer_bytes = ring_buffer::capacity_max + page}, "multiple of"},
        {{.slab_buffers = 0}, "slab_buffers is 0"},
        {{.slab_buffers = 32'769}, "slab_buffers is 32769, must be 1 to 32768"},
        {{.slabs_max = 0}, "slabs_max is 0"},
        {{.slab_buffers = 1024, .slabs_max = 4097}, "slabs_max is 4097, must be 1 to 4096"},
        {{.slab_buffers = 1, .slabs_max = ~0U}, "slabs_max"},
        {{.slabs_max = 2, .slabs_initial = 3}, "slabs_initial is 3, must be 0 to 2"},
    };
    for (const wrong& each : table) {
        buffer_pool pool;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument,
                  buffer_pool::create(ring_, each.options, pool, &why));
        EXPECT_NE(std::string::npos, why.find(each.names)) << why;
        EXPECT_FALSE(pool.acquire());
#if defined(__cpp_exceptions)
        EXPECT_THROW((buffer_pool{ring_, each.options}), std::system_error);
#endif
    }
    ring none;
    buffer_pool pool;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, buffer_pool::create(none, {}, pool, &why));
    EXPECT_NE(std::string::npos, why.find("needs a ring")) << why;
}

TEST_F(pool_test, none_gives_nothing) {
    buffer_pool none;
    std::error_code error;
    EXPECT_FALSE(none.acquire(&error));
    EXPECT_EQ(std::errc::no_buffer_space, error);
    EXPECT_FALSE(none.try_acquire());
    EXPECT_EQ(nullptr, none.acquire_raw());
    EXPECT_EQ(std::errc::invalid_argument, none.release_raw(nullptr));
    EXPECT_EQ(std::errc::invalid_argument, none.release(buffer_lease{}));
    EXPECT_EQ(std::errc::no_buffer_space, none.reserve(1));
    EXPECT_EQ(0u, none.stats().slabs_max);
    EXPECT_EQ(0u, none.buffer_bytes());
}

TEST_F(pool_test, moves_without_its_leases_noticing) {
    buffer_pool first = make({.slab_buffers = 4, .slabs_max = 1, .fallback = false});
    buffer_lease lease = first.acquire();
    buffer_pool second = std::move(first);
    EXPECT_FALSE(first.acquire());  // NOLINT(bugprone-use-after-move): that is the question.
    EXPECT_EQ(1u, second.stats().buffers_in_use);
    buffer_lease moved = std::move(lease);
    EXPECT_FALSE(lease);  // NOLINT(bugprone-use-after-move)
    EXPECT_EQ(1u, second.stats().buffers_in_use);
    moved = second.acquire();
    EXPECT_EQ(1u, second.stats().buffers_in_use) << "what it held was given back";
    buffer_lease& alias = moved;
    moved = std::move(alias);
    EXPECT_TRUE(moved);
    moved.reset();
    moved.reset();
    EXPECT_EQ(0u, second.stats().buffers_in_use);

    buffer_pool third = make({.slab_buffers = 2});
    third = std::move(second);
    EXPECT_EQ(4u, third.stats().buffers);
    EXPECT_EQ(5u, mirror_mappings()) << "those of the pool assigned to are gone";
}

TEST_F(pool_test, its_ids_are_stale_once_it_is_gone) {
    buffer_id id = buffer_id::invalid;
    buffer_id fallback = buffer_id::invalid;
    {
        buffer_pool pool = make({.slab_buffers = 1, .slabs_max = 1});
        const buffer_lease lease = pool.acquire();
        const buffer_lease single = pool.acquire();
        id = lease.id();
        fallback = single.id();
    }
    EXPECT_EQ(0u, mirror_mappings());
    EXPECT_EQ(std::errc::invalid_argument, ring_.unregister_buffer(id));
    EXPECT_EQ(std::errc::invalid_argument, ring_.unregister_buffer(fallback));
}

TEST_F(pool_test, a_lease_may_outlive_its_pool) {
    buffer_lease lease;
    {
        buffer_pool pool = make({.slab_buffers = 4});
        lease = pool.acquire();
        const ring_buffer* const raw = pool.acquire_raw();
        EXPECT_NE(nullptr, raw) << "raw pointers end with the pool and keep nothing";
    }
    EXPECT_EQ(5u, mirror_mappings());
    std::memset(lease->writable().data(), 1, lease->capacity());
    EXPECT_TRUE(registered(*lease));
    lease.reset();
    EXPECT_EQ(0u, mirror_mappings());
}

TEST_F(pool_test, a_lease_may_outlive_pool_and_ring_in_either_order) {
    for (const bool ring_first : {false, true}) {
        ring local = make_null_ring();
        buffer_pool pool;
        ASSERT_FALSE(buffer_pool::create(local, {.buffer_bytes = page, .slab_buffers = 4}, pool));
        buffer_lease lease = pool.acquire();
        if (ring_first) local = ring{};
        pool = buffer_pool{};
        if (!ring_first) local = ring{};
        ASSERT_TRUE(lease->commit_write(10));
        EXPECT_EQ(10u, lease->readable().size());
        EXPECT_EQ(5u, mirror_mappings());
        lease.reset();
        EXPECT_EQ(0u, mirror_mappings());
    }
}

TEST_F(pool_test, goes_on_handing_out_memory_after_its_ring) {
    buffer_pool pool = make({.slab_buffers = 2, .slabs_max = 2, .slabs_initial = 1});
    const buffer_lease before = pool.acquire();
    ring_ = ring{};
    const buffer_lease after = pool.acquire();
    const buffer_lease grown = pool.acquire();
    ASSERT_TRUE(after && grown);
    std::memset(grown->writable().data(), 1, grown->capacity());
}

// Random acquires and releases, right and wrong ones, against what must come of them.
TEST_F(pool_test, is_right_over_random_acquires_and_releases) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    buffer_pool pool = make({.slab_buffers = 16, .slabs_max = 4, .slabs_initial = 0});
    struct held {
        ring_buffer* buffer;
        std::uint64_t stamp;
    };
    std::vector<held> out;
    std::vector<ring_buffer*> released;
    for (std::uint64_t step = 1; step <= 200'000; ++step) {
        const std::uint64_t choice = random() % 16;
        if (choice < 8 && out.size() < 80) {
            ring_buffer* const buffer = pool.acquire_raw();
            ASSERT_NE(nullptr, buffer);
            ASSERT_TRUE(buffer->empty() && buffer->write_offset() == 0);
            std::memcpy(buffer->writable().data(), &step, sizeof step);
            ASSERT_TRUE(buffer->commit_write(sizeof step));
            out.push_back({buffer, step});
            std::erase(released, buffer);
        } else if (choice < 15 && !out.empty()) {
            std::swap(out[random() % out.size()], out.back());
            const held last = out.back();
            out.pop_back();
            ASSERT_EQ(0,
                      std::memcmp(last.buffer->readable().data(), &last.stamp, sizeof last.stamp))
                << "somebody else wrote to it";
            ASSERT_FALSE(pool.release_raw(last.buffer));
            released.push_back(last.buffer);
        } else if (!released.empty()) {
            ring_buffer* const twice = released[random() % released.size()];
            ASSERT_EQ(std::errc::operation_not_permitted, pool.release_raw(twice));
        }
        ASSERT_EQ(out.size(), pool.stats().buffers_in_use + pool.stats().fallbacks_in_use);
    }
    EXPECT_EQ(80u, pool.stats().buffers_in_use_peak);
    EXPECT_EQ(16u, pool.stats().fallbacks_mapped);
}

}  // namespace
}  // namespace ioring::buffer_tests
