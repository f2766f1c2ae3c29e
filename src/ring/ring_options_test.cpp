// SPDX-License-Identifier: MIT
// ring_options_test.cpp - a ring's options are checked, named and printable.
#include "ioring/ring_options.hpp"

#include <gtest/gtest.h>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

TEST(ring_options, the_defaults_are_valid) { EXPECT_FALSE(validate(ring_options{})); }

TEST(ring_options, each_field_out_of_range_is_refused_by_name_with_its_range) {
    struct bad {
        ring_options options;
        const char* field;
        const char* value;
    };
    const bad all[] = {
        {{.sq_entries = 7}, "sq_entries", "7"},
        {{.sq_entries = 32'769}, "sq_entries", "32769"},
        {{.cq_entries = 65'537}, "cq_entries", "65537"},
        {{.connections_max = 0}, "connections_max", "0"},
        {{.connections_max = (1U << 24U) + 1}, "connections_max", "16777217"},
        {{.posts_max = 0}, "posts_max", "0"},
        {{.posts_max = (1U << 20U) + 1}, "posts_max", "1048577"},
        {{.spin = -1ns}, "spin", "-1"},
        {{.spin = 2s}, "spin", "2000000000"},
        {{.drain_timeout = -1ns}, "drain_timeout", "-1"},
        {{.drain_timeout = 11min}, "drain_timeout", "660000000000"},
    };
    for (const bad& each : all) {
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, validate(each.options, &why)) << each.field;
        EXPECT_NE(std::string::npos, why.find(std::string{each.field} + " is " + each.value))
            << why;
        EXPECT_NE(std::string::npos, why.find("must be")) << why;
    }
}

TEST(ring_options, create_refuses_what_validate_refuses_and_changes_nothing) {
    ring out = make_ring({.sq_entries = 8, .backend = "null"});
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, ring::create({.sq_entries = 0}, out, &why));
    EXPECT_NE(std::string::npos, why.find("sq_entries")) << why;
    EXPECT_TRUE(out.valid());
    EXPECT_STREQ("null", out.backend_info().name);
}

TEST(ring_options, an_unknown_backend_is_refused_with_the_names_there_are) {
    ring out;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, ring::create({.backend = "carrier-pigeon"}, out, &why));
    EXPECT_NE(std::string::npos, why.find("carrier-pigeon")) << why;
    for (const std::string_view name : backend_names()) {
        EXPECT_NE(std::string::npos, why.find(name)) << why;
    }
    EXPECT_FALSE(out.valid());
}

TEST(ring_options, print_every_field) {
    EXPECT_EQ(
        "sq_entries=16 cq_entries=32 connections_max=3 posts_max=4 spin_ns=5 drain_timeout_ns=6 "
        "backend=null backend_prefer=epoll,poll backend_forbid=uring",
        to_string(ring_options{.sq_entries = 16,
                               .cq_entries = 32,
                               .connections_max = 3,
                               .posts_max = 4,
                               .spin = 5ns,
                               .drain_timeout = 6ns,
                               .backend = "null",
                               .backend_prefer = "epoll,poll",
                               .backend_forbid = "uring"}));
}

TEST(ring_options, wishes_for_backends_that_cannot_be_met_are_refused_by_field) {
    struct bad {
        ring_options options;
        std::vector<const char*> words;
    };
    const bad all[] = {
        {{.backend_prefer = "epol"}, {"backend_prefer", "epol"}},
        {{.backend_forbid = "uring,,null"}, {"backend_forbid", "uring,,null"}},
        {{.backend_forbid = "automatic"}, {"backend_forbid", "automatic"}},
        {{.backend = "null", .backend_forbid = "null"}, {"backend is", "backend_forbid", "null"}},
        {{.backend = "null", .backend_prefer = "null"}, {"backend is", "backend_prefer"}},
        {{.backend_prefer = "null", .backend_forbid = "null"}, {"backend_prefer and", "null"}},
    };
    for (const bad& each : all) {
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, validate(each.options, &why));
        for (const char* word : each.words) EXPECT_NE(std::string::npos, why.find(word)) << why;
        ring out;
        std::string same;
        EXPECT_EQ(std::errc::invalid_argument, ring::create(each.options, out, &same));
        EXPECT_EQ(why, same);
    }
}

TEST(ring_options, a_preferred_backend_is_chosen_and_the_reason_says_so) {
    const ring made = make_ring({.sq_entries = 8, .backend_prefer = "null"});
    EXPECT_STREQ("null", made.backend_info().name);
    EXPECT_STREQ("preferred by the program, and a ring could be set up and completed a nop",
                 made.backend_info().reason);
}

TEST(ring_options, a_ring_whose_every_backend_is_forbidden_is_none) {
    std::string everything;
    for (const std::string_view name : backend_names()) {
        everything += (everything.empty() ? "" : ",") + std::string{name};
    }
    ring out;
    std::string why;
    EXPECT_EQ(std::errc::not_supported, ring::create({.backend_forbid = everything}, out, &why));
    EXPECT_NE(std::string::npos, why.find("forbidden by the program")) << why;
}

#if defined(__cpp_exceptions)
TEST(ring_options, the_throwing_create_carries_the_sentence) {
    try {
        (void)ring::create({.sq_entries = 1});
        FAIL() << "no exception";
    } catch (const std::system_error& error) {
        EXPECT_EQ(std::errc::invalid_argument, error.code());
        EXPECT_NE(nullptr, std::strstr(error.what(), "sq_entries is 1")) << error.what();
    }
}
#endif

TEST(ring_options, a_ring_that_is_none_refuses_everything_quietly) {
    ring none;
    EXPECT_FALSE(none.valid());
    EXPECT_EQ(nullptr, none.get_sqe());
    EXPECT_EQ(nullptr, none.prepare_nop(1));
    EXPECT_EQ(nullptr, none.prepare_close(fd{0}, 1));
    EXPECT_EQ(0U, none.submission_queue_space());
    EXPECT_FALSE(none.reserve(1));
    EXPECT_EQ(-EBADF, none.submit());
    EXPECT_EQ(0U, none.completion_queue_count());
    EXPECT_FALSE(none.post(1, 2));
    none.wake();
    for (const cqe& done : none.completions()) FAIL() << done.user_data;
    listener out;
    EXPECT_TRUE(none.create_listener("127.0.0.1:0", {}, out));
}

}  // namespace
}  // namespace ioring::ring_tests
