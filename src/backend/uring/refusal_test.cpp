// SPDX-License-Identifier: MIT
// refusal_test.cpp - what a machine that refuses, or is full, makes of set-up: one sentence.
//
// Each test lives in a child: what it takes from the process cannot be given back.
#include <sys/resource.h>
#include "backend/uring/uring_test_support.hpp"

namespace ioring::backends::uring {
namespace {

struct refused_set_up {
    std::error_code error;
    std::string why;
    bool made = false;
    std::string found;  // The features of what was made.
};

refused_set_up try_set_up(const backend_options& options, bool anew) {
    refused_set_up result;
    std::unique_ptr<backend> out;
    result.error = anew ? set_up_masked(options, kernel_mask{}, out, result.why)
                        : set_up(options, out, result.why);
    result.made = out != nullptr;
    if (result.made) result.found = to_string(out->probe());
    return result;
}

// What the children report: the condition that the error compares equal with is the status.
int report(const refused_set_up& result, std::errc expected, std::string& text) {
    text = result.why;
    return result.error == expected && !result.made ? 0 : 1;
}

// With what the process knows of the kernel already, and without.
class refusal_test : public testing::TestWithParam<bool> {
protected:
    static bool anew() { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(knowledge, refusal_test, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& each) {
                             return each.param ? "anew" : "cached";
                         });

TEST_P(refusal_test, eperm_names_the_container_s_profile) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(EPERM)) return 2;
        return report(try_set_up(small_ring, anew()), std::errc::operation_not_permitted, text);
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("EPERM")) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("seccomp")) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("choose another backend")) << child.text;
}

TEST_P(refusal_test, enosys_is_not_supported) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(ENOSYS)) return 2;
        return report(try_set_up(small_ring, anew()), std::errc::not_supported, text);
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("ENOSYS")) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("seccomp")) << child.text;
}

TEST_P(refusal_test, eacces_of_a_security_module_is_a_refusal_too) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(EACCES)) return 2;
        return report(try_set_up(small_ring, anew()), std::errc::operation_not_permitted, text);
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("(EACCES), most likely")) << child.text;
}

TEST_P(refusal_test, the_administrator_s_sysctl_is_named) {
    (void)make_program();
    for (const char value : {'1', '2'}) {
        const child_result child = in_child([value](std::string& text) {
            if (!show_disabled_sysctl(value)) return 77;
            if (!forbid_io_uring(EPERM)) return 2;  // What the kernel gives then.
            return report(try_set_up(small_ring, anew()), std::errc::operation_not_permitted, text);
        });
        if (child.status == 77) GTEST_SKIP() << "this process may not mount";
        EXPECT_EQ(0, child.status) << child.text;
        EXPECT_EQ(std::string{"the administrator has turned io_uring off (sysctl "
                              "kernel.io_uring_disabled = "} +
                      value + ", EPERM); set it to 0, or choose another backend",
                  child.text);
    }
}

TEST(refusal_of_calls_test, a_filter_that_lets_rings_be_made_but_not_used_is_a_refusal) {
    for (const long call : {call_enter, call_register}) {
        for (const std::uint32_t error : {1U * EPERM, 1U * ENOSYS, 1U * EACCES}) {
            const child_result child = in_child([=](std::string& text) {
                if (!forbid_io_uring(error, call)) return 2;
                const refused_set_up result = try_set_up(small_ring, /*anew=*/true);
                text = result.why;
                if (result.made) return 3;
                return result.error == std::errc::operation_not_permitted ||
                               result.error == std::errc::not_supported
                           ? 0
                           : 1;
            });
            EXPECT_EQ(0, child.status) << call << ' ' << error << child.text;
        }
    }
}

TEST_P(refusal_test, every_shortage_of_descriptors_is_told_and_leaks_none) {
    const std::string everything = to_string(make_program()->probe());
    const child_result child = in_child([&](std::string& text) {
        const std::size_t before = open_descriptors();
        const int next = ::dup(0);  // The lowest number that is free.
        ::close(next);
        const auto first = static_cast<rlim_t>(next);
        constexpr rlim_t enough = 100;
        int refused = 0;
        for (rlim_t spare = 0; spare < enough; ++spare) {
            const rlimit limit{first + spare, first + enough};
            if (next < 0 || ::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 2;
            const refused_set_up result = try_set_up(small_ring, anew());
            const rlimit plenty{first + enough, first + enough};
            if (::setrlimit(RLIMIT_NOFILE, &plenty) != 0) return 2;
            if (open_descriptors() != before) return 3;
            if (ring_mappings() != 0) return 4;
            if (!result.error) {
                // A trial that lacked descriptors must not count as one that failed.
                if (result.found != everything) return 8;
                return refused > 0 ? 0 : 5;
            }
            text = result.why;
            if (result.error != std::errc::too_many_files_open) return 6;
            ++refused;
        }
        return 7;  // Never enough.
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("open files; raise it (ulimit -n)")) << child.text;
}

// --- locked memory ---

// Root is exempt from RLIMIT_MEMLOCK. The limit counts all processes of a user, so a user that
// nobody else is.
bool become_unprivileged(rlim_t memlock_bytes) {
    const rlimit limit{memlock_bytes, memlock_bytes};
    if (::setrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
    const uid_t nobody_else = 1'000'000U + static_cast<uid_t>(::getpid());
    return ::geteuid() != 0 || (::setgid(nobody_else) == 0 && ::setuid(nobody_else) == 0);
}

// Kernels before 6.14 take no ring for locked memory: report() of one that could be made.
constexpr int not_counted = 9;

int report_memlock(const refused_set_up& result, std::string& text) {
    if (!result.error) return not_counted;
    return report(result, std::errc::not_enough_memory, text);
}

constexpr rlim_t little_memory = 512 * 1024;
constexpr backend_options large_ring{.sq_entries = 32'768, .cq_entries = 65'536};

TEST_P(refusal_test, a_ring_too_large_for_the_memory_limit_is_told) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!become_unprivileged(little_memory)) return 2;
        return report_memlock(try_set_up(large_ring, anew()), text);
    });
    if (child.status == not_counted) GTEST_SKIP() << "this kernel counts no ring as locked memory";
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("32768 and 65536 entries")) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("524288 bytes; raise it (ulimit -l)"))
        << child.text;
}

TEST_P(refusal_test, a_user_without_privileges_has_everything_but_pinned_memory) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!become_unprivileged(little_memory)) return 2;
        std::unique_ptr<backend> made;
        const std::error_code error = anew() ? set_up_masked(small_ring, kernel_mask{}, made, text)
                                             : set_up(small_ring, made, text);
        if (error) return 3;
        program ring{std::move(made)};
        text = ring->description();
        if (!ring->probe().has(feature::registered_ring)) return 4;
        std::vector<std::byte> memory(4 * little_memory);
        kernel_buffer buffer{memory.data(), memory.size()};
        if (ring->register_(register_op::pin_buffer, &buffer, 0) != -ENOMEM) return 5;
        // Refused, and nothing else: a small one still works, and so does the ring.
        buffer.bytes = 4096;
        if (ring->register_(register_op::pin_buffer, &buffer, 0) != 0) return 6;
        ring.push_nop(1);
        return ring.submit_and_wait(1) == 1 && ring.ready() == 1 ? 0 : 7;
    });
    EXPECT_EQ(0, child.status) << child.text;
}

TEST_P(refusal_test, no_memory_to_lock_at_all_is_told) {
    (void)make_program();
    const child_result child = in_child([](std::string& text) {
        if (!become_unprivileged(0)) return 2;
        return report_memlock(try_set_up(small_ring, anew()), text);
    });
    if (child.status == not_counted) GTEST_SKIP() << "this kernel counts no ring as locked memory";
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("limit of locked memory is 0 bytes"))
        << child.text;
}

}  // namespace
}  // namespace ioring::backends::uring
