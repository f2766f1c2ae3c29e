// SPDX-License-Identifier: MIT
// fork_test.cpp - a forked child can do nothing to its parent's ring.
#include <sys/mman.h>
#include <sys/socket.h>

#include "backend/uring/uring_test_support.hpp"
#include "platform/process.hpp"

namespace ioring::backends::uring {
namespace {

class fork_test : public each_kernel {};
INSTANTIATE_TEST_SUITE_P(kernels, fork_test, testing::ValuesIn(old_kernels()), kernel_name);

// What a child may find out about a ring of its parent: 0 when all is as it must be.
int misuse(program& ring) {
    // Not through the queues: they are not mapped here.
    if (ring->enter(1, 0, 0, no_timeout) != -EOWNERDEAD) return 1;
    if (ring->enter(0, 1, enter_flag::getevents, no_timeout) != -EOWNERDEAD) return 2;
    if (ring->register_(register_op::wake, nullptr, 0) != -EOWNERDEAD) return 3;
    if (ring->register_(register_op::wake_descriptor, nullptr, 0) != -EOWNERDEAD) return 4;
    if (ring->register_(register_op::message_descriptor, nullptr, 0) != -EOWNERDEAD) return 5;
    std::int32_t own_output = 1;
    if (ring->register_(register_op::close_now, &own_output, 0) != -EOWNERDEAD) return 6;
    kernel_buffer buffer{nullptr, 0};
    if (ring->register_(register_op::pin_buffer, &buffer, 0) != -EOWNERDEAD) return 7;
    return 0;
}

TEST_P(fork_test, everything_is_refused_in_the_child_and_the_parent_goes_on) {
    program ring = make();
    ring.arm_wake();
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()));
    std::array<std::byte, 8> bytes{};
    sqe entry;
    prep_recv(entry, fd{ends[0]}, bytes, 0, 5);
    ring.push(entry);
    ASSERT_EQ(1, ring.submit());
    ring.push_nop(6);  // Prepared, not submitted.

    const child_result child = in_child([&](std::string&) { return misuse(ring); });
    EXPECT_EQ(0, child.status);

    // Neither was the nop taken nor a wake left behind nor the recv ended.
    EXPECT_EQ(1U, ring.pending());
    EXPECT_EQ(6U, ring.complete_one().user_data);
    EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 5 * millisecond_ns));
    ASSERT_EQ(3, ::send(ends[1], "abc", 3, MSG_NOSIGNAL));
    const cqe done = ring.complete_one();
    EXPECT_EQ(5U, done.user_data);
    EXPECT_EQ(3, done.res);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_P(fork_test, a_ring_dies_with_the_parent_s_though_a_child_lives) {
    for (const bool abandons : {false, true}) {
        program ring = make();
        ring.expect_nop_round_trip();
        const child_result child = in_child([&](std::string&) {
            const std::size_t descriptors = open_descriptors();
            if (abandons) {
                ring->register_(register_op::abandon_after_fork, nullptr, 0);
                if (open_descriptors() + 2 != descriptors) return 3;
            }
            ring.destroy();
            // The ring and the event are given back, and nothing else.
            if (open_descriptors() + 2 != descriptors) return 1;
            return ring_mappings() == 0 ? 0 : 2;
        });
        EXPECT_EQ(0, child.status);
        ring.expect_nop_round_trip();
    }
}

TEST_P(fork_test, a_child_makes_rings_of_its_own) {
    program ring = make();
    ring.expect_nop_round_trip();
    const child_result child = in_child([&](std::string& text) {
        ring.destroy();
        std::unique_ptr<backend> made;
        if (set_up_masked(small_ring, GetParam().mask, made, text)) return 1;
        program own{std::move(made)};
        own.push_nop(9);
        if (own.submit_and_wait(1) != 1) return 2;
        const std::vector<cqe> all = own.reap();
        return all.size() == 1 && all[0].user_data == 9 && all[0].res == 0 ? 0 : 3;
    });
    EXPECT_EQ(0, child.status) << child.text;
    ring.expect_nop_round_trip();
}

TEST_P(fork_test, a_ring_that_was_not_enabled_is_the_parent_s_too) {
    program ring = make();
    const child_result child = in_child([&](std::string&) { return misuse(ring); });
    EXPECT_EQ(0, child.status);
    ring.expect_nop_round_trip();
}

TEST(fork_queue_test, a_child_s_own_memory_where_the_queues_were_is_not_unmapped) {
    program ring = make_program();
    const ring_view view = ring->view();
    const child_result child = in_child([&](std::string&) {
        void* const mine = ::mmap(view.sqes, 512, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (mine != view.sqes) return 1;
        ring.destroy();
        static_cast<volatile char*>(mine)[0] = 1;
        return 0;
    });
    EXPECT_EQ(0, child.status);
    ring.expect_nop_round_trip();
}

TEST(fork_queue_test, the_queues_are_not_mapped_in_a_child) {
    const program ring = make_program();
    ASSERT_LT(0U, ring_mappings());
    const child_result child = in_child([](std::string&) { return ring_mappings() == 0 ? 0 : 1; });
    EXPECT_EQ(0, child.status);
}

}  // namespace
}  // namespace ioring::backends::uring
