// SPDX-License-Identifier: MIT
// setup_test.cpp - set-up climbs down until the kernel agrees, and leaves nothing behind.
#include <fcntl.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>

#include "backend/uring/detect.hpp"
#include "backend/uring/uring_test_support.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::uring {
namespace {

class setup_test : public each_kernel {};
INSTANTIATE_TEST_SUITE_P(kernels, setup_test, testing::ValuesIn(old_kernels()), kernel_name);

bool kernel_takes(std::string_view rung_name) {
    const auto found = std::find_if(rungs().begin(), rungs().end(),
                                    [&](const rung& each) { return each.name == rung_name; });
    const kernel unmasked{kernel_mask{}};
    ring_file ring;
    return found != rungs().end() &&
           ring_file::create(unmasked, found->setup_flags, 8, 16, ring) == 0;
}

TEST_P(setup_test, finds_the_best_rung_and_carries_a_nop) {
    program ring = make();
    const std::string wanted = "io_uring, " + std::string{GetParam().rung} + ", 8 SQEs, 16 CQEs";
    if (kernel_takes(GetParam().rung)) {
        EXPECT_EQ(0U, ring->description().find(wanted)) << ring->description();
    }
    ring.expect_nop_round_trip();
}

TEST_P(setup_test, probe_tells_the_rung) {
    const program ring = make();
    const probe_result& probe = ring->probe();
    const std::string_view rung = GetParam().rung;
    if (!kernel_takes(rung)) return;  // Told by the test above.
    EXPECT_EQ(rung.starts_with("deferred"), probe.has(feature::deferred_taskrun));
    EXPECT_EQ(rung.starts_with("cooperative"), probe.has(feature::cooperative_taskrun));
    EXPECT_EQ(rung.ends_with("no SQ array"), probe.has(feature::no_sq_array));
    EXPECT_EQ(rung.starts_with("deferred") || rung.ends_with("single issuer"),
              probe.has(feature::single_issuer));
    for (std::size_t i = 0; i < probe.features.size(); ++i) {
        if (GetParam().mask.features.test(i)) {
            EXPECT_FALSE(probe.features.test(i)) << to_string(static_cast<feature>(i));
        }
    }
}

TEST_P(setup_test, entries_go_round_the_queue_in_order) {
    program ring = make();
    std::uint64_t next = 0;
    for (int round = 0; round < 7; ++round) {
        // Five at a time in a queue of eight: each slot carries each position in turn.
        for (std::uint64_t i = 0; i < 5; ++i) ring.push_nop(100 + next + i);
        for (const cqe& done : ring.complete(5)) {
            EXPECT_EQ(100 + next, done.user_data);
            ++next;
        }
    }
}

TEST_P(setup_test, a_full_queue_is_taken_whole) {
    program ring = make();
    for (std::uint64_t i = 0; i < 8; ++i) ring.push_nop(i);
    EXPECT_EQ(8, ring.submit());
    EXPECT_EQ(0U, ring.pending());
    ring.complete(8);
}

TEST_P(setup_test, hundred_rings_leave_no_descriptor_and_no_mapping) {
    {
        program first = make();  // What is made once a process is made now.
        first.expect_nop_round_trip();
    }
    const std::size_t descriptors = open_descriptors();
    const std::size_t mappings = ring_mappings();
    for (int i = 0; i < 100; ++i) {
        program ring = make();
        if (i % 2 == 0) ring.expect_nop_round_trip();  // Others are never enabled.
        EXPECT_EQ(descriptors + 2, open_descriptors());
    }
    EXPECT_EQ(descriptors, open_descriptors());
    EXPECT_EQ(mappings, ring_mappings());
}

TEST(setup_sizes_test, queues_have_the_size_asked_for) {
    for (const std::uint32_t entries : {8U, 64U, 4096U, 32'768U}) {
        program ring = make_program({.sq_entries = entries, .cq_entries = 2 * entries});
        EXPECT_EQ(entries, ring->view().sq_entries);
        EXPECT_EQ(2 * entries, ring->view().cq_entries);
        ring.expect_nop_round_trip();
    }
}

TEST(setup_refusal_test, a_kernel_below_the_floor_is_refused_with_what_is_needed) {
    kernel_mask mask;
    mask.setup_flags = setup_flag::submit_all;
    std::unique_ptr<backend> made;
    std::string why;
    const std::error_code error = set_up_masked(small_ring, mask, made, why);
    EXPECT_EQ(std::errc::not_supported, error);
    EXPECT_EQ(nullptr, made);
    EXPECT_NE(std::string::npos, why.find("Linux 5.19 or newer")) << why;
}

TEST(setup_refusal_test, a_ring_that_cannot_do_what_every_ring_does_is_refused_as_too_old) {
    for (const feature which : {feature::cancel_any, feature::poll_multishot}) {
        kernel_mask mask;
        hide(mask, {which});
        std::unique_ptr<backend> made;
        std::string why;
        EXPECT_EQ(std::errc::not_supported, set_up_masked(small_ring, mask, made, why));
        EXPECT_EQ(nullptr, made);
        EXPECT_NE(std::string::npos, why.find(to_string(which))) << why;
        EXPECT_NE(std::string::npos, why.find("Linux 5.19 or newer")) << why;
    }
}

TEST(setup_refusal_test, nothing_is_left_open_by_a_refusal) {
    kernel_mask mask;
    mask.setup_flags = setup_flag::submit_all;
    const std::size_t descriptors = open_descriptors();
    const std::size_t mappings = ring_mappings();
    std::unique_ptr<backend> made;
    std::string why;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(set_up_masked(small_ring, mask, made, why));
    EXPECT_EQ(descriptors, open_descriptors());
    EXPECT_EQ(mappings, ring_mappings());
}

TEST(setup_descriptors_test, all_are_closed_on_exec) {
    const program ring = make_program();
    const std::array opens{
        ring->register_(register_op::message_descriptor, nullptr, 0),
        ring->register_(register_op::wake_descriptor, nullptr, 0),
    };
    for (const int file : opens) {
        ASSERT_GE(file, 0);
        EXPECT_NE(0, ::fcntl(file, F_GETFD) & FD_CLOEXEC) << file;
    }
    // And there are no others: set-up made these two.
}

TEST(detect_test, finds_the_same_every_time) {
    const kernel unmasked{kernel_mask{}};
    abilities first;
    std::string why;
    ASSERT_FALSE(detect(unmasked, first, why)) << why;
    for (int i = 0; i < 20; ++i) {
        abilities again;
        ASSERT_FALSE(detect(unmasked, again, why)) << why;
        EXPECT_EQ(first.setup_flags, again.setup_flags);
        EXPECT_EQ(first.probe.opcodes, again.probe.opcodes);
        EXPECT_EQ(to_string(first.probe), to_string(again.probe));
    }
}

TEST(detect_test, takes_less_than_ten_milliseconds) {
    const kernel unmasked{kernel_mask{}};
    std::uint64_t best_ns = ~std::uint64_t{0};
    for (int i = 0; i < 5; ++i) {
        abilities found;
        std::string why;
        const std::uint64_t start = platform::monotonic_ns();
        ASSERT_FALSE(detect(unmasked, found, why)) << why;
        best_ns = std::min(best_ns, platform::monotonic_ns() - start);
    }
    EXPECT_LT(best_ns, 10'000'000U);
}

// The first of two numbers such as "6.18.44-fc".
struct release {
    long major = 0;
    long minor = 0;
    bool operator>=(const release& other) const {
        return major > other.major || (major == other.major && minor >= other.minor);
    }
};

release this_kernel() {
    utsname name{};
    if (::uname(&name) != 0) return {};
    char* rest = nullptr;
    const long major = std::strtol(name.release, &rest, 10);
    return {major, *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0};
}

TEST(detect_test, finds_what_came_with_this_kernel_or_before) {
    struct since {
        feature which;
        release version;
    };
    constexpr std::array known{
        since{feature::accept_multishot, {5, 19}},
        since{feature::recv_multishot, {6, 0}},
        since{feature::cancel_any, {5, 19}},
        since{feature::poll_multishot, {5, 13}},
        since{feature::timeout_multishot, {6, 4}},
        since{feature::buffer_rings, {5, 19}},
        since{feature::incremental_buffers, {6, 12}},
        since{feature::bundles, {6, 10}},
        since{feature::send_vectorized, {6, 17}},
        since{feature::send_zero_copy, {6, 0}},
        since{feature::msg_ring, {5, 18}},
        since{feature::single_issuer, {6, 0}},
        since{feature::deferred_taskrun, {6, 1}},
        since{feature::no_sq_array, {6, 6}},
        since{feature::registered_ring, {5, 18}},
        since{feature::registered_wait, {6, 13}},
    };
    const program ring = make_program();
    for (const since& each : known) {
        if (this_kernel() >= each.version) {
            EXPECT_TRUE(ring->probe().has(each.which)) << to_string(each.which);
        }
    }
    EXPECT_TRUE(ring->probe().supports(opcode::nop));
    EXPECT_TRUE(ring->probe().supports(opcode::msg_ring));
    EXPECT_FALSE(ring->probe().supports(static_cast<opcode>(255)));
}

TEST(detect_test, an_ability_that_does_not_work_is_not_in_the_probe) {
    kernel_mask mask;
    mask.register_codes.set(static_cast<std::size_t>(register_code::buffer_ring));
    const program ring{set_up_with(set_up_masked, small_ring, mask)};
    const program whole = make_program();
    auto expected = whole->probe().features;
    for (const feature which : {feature::buffer_rings, feature::recv_multishot,
                                feature::incremental_buffers, feature::bundles}) {
        expected.reset(static_cast<std::size_t>(which));
    }
    EXPECT_EQ(expected, ring->probe().features) << to_string(ring->probe());
}

TEST(detect_test, an_opcode_that_is_hidden_is_not_in_the_probe) {
    kernel_mask mask;
    mask.opcodes.set(static_cast<std::size_t>(opcode::send_zc));
    const program ring{set_up_with(set_up_masked, small_ring, mask)};
    EXPECT_FALSE(ring->probe().supports(opcode::send_zc));
    EXPECT_TRUE(ring->probe().supports(opcode::send));
}

}  // namespace
}  // namespace ioring::backends::uring
