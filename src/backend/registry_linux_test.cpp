// SPDX-License-Identifier: MIT
// registry_linux_test.cpp - the automatic choice on Linux, with io_uring and without it.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <array>

#include "backend/null/null.hpp"
#include "backend/registry.hpp"
#include "backend/uring/uring_test_support.hpp"

namespace ioring::backends::uring {
namespace {

TEST(registry_linux_test, io_uring_is_chosen_where_it_works) {
    chosen_backend chosen;
    std::string why;
    ASSERT_FALSE(choose("automatic", small_ring, chosen, why)) << why;
    EXPECT_EQ("uring", chosen.name);
    EXPECT_EQ("a ring could be set up and completed a nop", chosen.reason);
}

TEST(registry_linux_test, forbidden_by_the_environment_io_uring_is_not_chosen) {
    const child_result child = in_child([](std::string& text) {
        ::setenv(choice_variable, "forbid:uring", 1);
        chosen_backend chosen;
        if (choose("automatic", small_ring, chosen, text)) return 2;
        text = chosen.reason;
        return chosen.name == "epoll" ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_EQ(
        "a ring could be set up and completed a nop, while uring is forbidden by IORING_BACKEND",
        child.text);
}

TEST(registry_linux_test, the_environment_is_read_for_each_ring) {
    const child_result child = in_child([](std::string& text) {
        chosen_backend chosen;
        ::setenv(choice_variable, "null", 1);
        if (choose("automatic", small_ring, chosen, text) || chosen.name != "null") return 1;
        if (chosen.reason != "asked for by IORING_BACKEND") return 2;
        ::setenv(choice_variable, "nul", 1);
        if (choose("automatic", small_ring, chosen, text) != std::errc::invalid_argument) return 3;
        if (choose("uring", small_ring, chosen, text) || chosen.name != "uring") return 4;
        ::unsetenv(choice_variable);
        return choose("automatic", small_ring, chosen, text) || chosen.name != "uring" ? 5 : 0;
    });
    EXPECT_EQ(0, child.status) << child.text;
}

// As the registry's, but finds out anew what the kernel can do, as the first ring of a process
// does.
std::error_code set_up_anew(const backend_options& options, std::unique_ptr<backend>& out,
                            std::string& why) noexcept {
    return set_up_masked(options, kernel_mask{}, out, why);
}

// The registry's first row beside one that always works: what a machine with a fallback has.
std::array<backend_entry, 2> uring_and_another() {
    for (const backend_entry& each : all()) {
        if (each.name == "uring") return {each, {"another", null::set_up, true}};
    }
    ADD_FAILURE() << "no uring";
    return {};
}

TEST(registry_linux_test, each_real_refusal_falls_back_with_its_reason) {
    struct refusal {
        std::uint32_t error;
        long call;
        const char* cause;
    };
    for (const refusal& each :
         {refusal{EPERM, call_setup, "while uring: io_uring is forbidden here (EPERM), most"},
          refusal{EACCES, call_setup, "while uring: io_uring is forbidden here (EACCES), most"},
          refusal{ENOSYS, call_setup, "has no io_uring (ENOSYS): it was built without it"},
          refusal{EPERM, call_register, "while uring: io_uring is forbidden here (EPERM), most"},
          refusal{EPERM, call_enter, "while uring: io_uring is forbidden here (EPERM), most"}}) {
        const child_result child = in_child([&each](std::string& text) {
            if (!forbid_io_uring(each.error, each.call)) return 2;
            auto rows = uring_and_another();
            if (each.call != call_setup) rows[0].setup = set_up_anew;
            chosen_backend chosen;
            if (choose_among(rows, {}, "", small_ring, chosen, text)) return 3;
            text = chosen.reason;
            // One clause for `listening on ... (backend NAME: REASON)`.
            return chosen.name == "another" && text.find(';') == std::string::npos ? 0 : 1;
        });
        EXPECT_EQ(0, child.status) << child.text;
        EXPECT_NE(std::string::npos, child.text.find(each.cause)) << child.text;
    }
}

TEST(registry_linux_test, a_ring_refused_later_falls_back_too) {
    const child_result child = in_child([](std::string& text) {
        chosen_backend chosen;
        if (choose_among(uring_and_another(), {}, "", small_ring, chosen, text)) return 2;
        if (chosen.name != "uring" || !forbid_io_uring(EPERM)) return 3;
        if (choose_among(uring_and_another(), {}, "", small_ring, chosen, text)) return 4;
        text = chosen.reason;
        return chosen.name == "another" ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
}

TEST(registry_linux_test, want_of_descriptors_does_not_fall_back) {
    for (const bool known : {false, true}) {
        const child_result child = in_child([known](std::string& text) {
            chosen_backend chosen;
            if (known && choose_among(uring_and_another(), {}, "", small_ring, chosen, text)) {
                return 2;
            }
            chosen.instance.reset();
            const auto first = static_cast<rlim_t>(::dup(0));
            const rlimit limit{first + 1, first + 1};  // It stays open: nothing is left.
            if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 3;
            const std::error_code error =
                choose_among(uring_and_another(), {}, "", small_ring, chosen, text);
            return error == std::errc::too_many_files_open && chosen.instance == nullptr ? 0 : 1;
        });
        EXPECT_EQ(0, child.status) << child.text;
        EXPECT_NE(std::string::npos, child.text.find("open files; raise it (ulimit -n)"))
            << child.text;
    }
}

TEST(registry_linux_test, a_refusal_is_told_with_the_name_of_who_refused) {
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(EPERM)) return 2;
        chosen_backend chosen;
        const std::error_code error = choose("uring", small_ring, chosen, text);
        if (chosen.instance != nullptr) return 3;
        return error == std::errc::operation_not_permitted ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_EQ(0U, child.text.find("io_uring is forbidden")) << child.text;
}

TEST(registry_linux_test, where_io_uring_is_refused_epoll_serves_and_says_why) {
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(EPERM)) return 2;
        chosen_backend chosen;
        if (choose("automatic", small_ring, chosen, text)) return 3;
        text = chosen.reason;
        return chosen.name == "epoll" ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_EQ(
        "a ring could be set up and completed a nop, while uring: io_uring is forbidden here "
        "(EPERM), most likely by a container's seccomp profile or a security module",
        child.text);
}

TEST(registry_linux_test, want_of_descriptors_on_epoll_names_the_limit_too) {
    const child_result child = in_child([](std::string& text) {
        ::setenv(choice_variable, "forbid:uring", 1);
        const auto first = static_cast<rlim_t>(::dup(0));
        const rlimit limit{first + 1, first + 1};
        if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) return 3;
        chosen_backend chosen;
        const std::error_code error = choose("automatic", small_ring, chosen, text);
        return error == std::errc::too_many_files_open ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_NE(std::string::npos, child.text.find("ulimit -n")) << child.text;
}

TEST(registry_linux_test, other_backends_do_not_need_io_uring) {
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(ENOSYS)) return 2;
        chosen_backend chosen;
        if (choose("uring", small_ring, chosen, text) != std::errc::not_supported) return 3;
        return choose("null", small_ring, chosen, text) ? 1 : 0;
    });
    EXPECT_EQ(0, child.status) << child.text;
}

}  // namespace
}  // namespace ioring::backends::uring
