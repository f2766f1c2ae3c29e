// SPDX-License-Identifier: MIT
// registry_linux_test.cpp - the automatic choice on Linux, with io_uring and without it.
#include <gtest/gtest.h>

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

TEST(registry_linux_test, a_refusal_is_told_with_the_name_of_who_refused) {
    const child_result child = in_child([](std::string& text) {
        if (!forbid_io_uring(EPERM)) return 2;
        chosen_backend chosen;
        const std::error_code error = choose("automatic", small_ring, chosen, text);
        if (chosen.instance != nullptr) return 3;
        return error == std::errc::operation_not_permitted ? 0 : 1;
    });
    EXPECT_EQ(0, child.status) << child.text;
    EXPECT_EQ(0U, child.text.find("uring: io_uring_setup is forbidden")) << child.text;
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
