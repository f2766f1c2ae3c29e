// SPDX-License-Identifier: MIT
// policy_test.cpp - from wishes and the environment to what is tried, in which order.
#include "backend/policy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

namespace ioring::backends {
namespace {

std::error_code never_called(const backend_options&, std::unique_ptr<backend>&,
                             std::string&) noexcept {
    ADD_FAILURE() << "a plan sets nothing up";
    return {};
}

// As on Linux: the names are those of this library, the last two are for those who name them.
constexpr std::array rows{
    backend_entry{"uring", never_called, true}, backend_entry{"epoll", never_called, true},
    backend_entry{"poll", never_called, false}, backend_entry{"null", never_called, false}};

// "epoll uring": what is tried, in that order; "!" before a demand.
std::string order_of(const plan& of) {
    std::string text = of.demand ? "!" : "";
    for (const candidate& each : of.candidates) {
        if (&each != &of.candidates.front()) text += ' ';
        text += each.entry->name;
    }
    return text;
}

plan plan_of(const wishes& program, std::string_view environment = "") {
    plan made;
    std::string why;
    EXPECT_FALSE(make_plan(rows, program, environment, made, why)) << why;
    return made;
}

std::string order(const wishes& program, std::string_view environment = "") {
    return order_of(plan_of(program, environment));
}

// The sentence of a plan that must not be.
std::string refusal(const wishes& program, std::string_view environment = "",
                    std::errc expected = std::errc::invalid_argument) {
    plan made{.candidates = {{&rows[3], "untouched"}}, .demand = true, .forbidden = "untouched"};
    std::string why;
    EXPECT_EQ(expected, make_plan(rows, program, environment, made, why)) << why;
    EXPECT_EQ("!null", order_of(made));
    EXPECT_EQ("untouched", made.forbidden);
    return why;
}

void expect_words(const std::string& text, std::initializer_list<const char*> words) {
    for (const char* const word : words) {
        EXPECT_NE(std::string::npos, text.find(word)) << word << " is not in: " << text;
    }
}

TEST(policy_test, without_a_wish_the_automatic_ones_are_tried_in_their_order) {
    const plan made = plan_of({});
    EXPECT_EQ("uring epoll", order_of(made));
    for (const candidate& each : made.candidates) EXPECT_EQ("", each.claim);
    EXPECT_EQ("", made.forbidden);
}

TEST(policy_test, a_name_is_a_demand) {
    for (const backend_entry& row : rows) {
        const plan made = plan_of({.backend = row.name});
        EXPECT_EQ("!" + std::string{row.name}, order_of(made));
        EXPECT_EQ("asked for by name", made.candidates.front().claim);
    }
}

TEST(policy_test, preferred_ones_come_first_then_the_others) {
    EXPECT_EQ("epoll uring", order({.prefer = "epoll"}));
    EXPECT_EQ("uring epoll", order({.prefer = "uring"}));
    EXPECT_EQ("poll epoll uring", order({.prefer = "poll,epoll"}));
    EXPECT_EQ("poll uring epoll", order({.prefer = " poll , poll\t"}));
    const plan made = plan_of({.prefer = "poll"});
    EXPECT_EQ("preferred by the program", made.candidates[0].claim);
    EXPECT_EQ("", made.candidates[1].claim);
}

TEST(policy_test, forbidden_ones_are_left_out_and_told) {
    const plan made = plan_of({.forbid = "uring"});
    EXPECT_EQ("epoll", order_of(made));
    EXPECT_EQ("uring is forbidden by the program", made.forbidden);
    // Nobody would have tried it.
    EXPECT_EQ("", plan_of({.forbid = "null,poll"}).forbidden);
    EXPECT_EQ("poll epoll", order({.prefer = "poll", .forbid = "uring"}));
}

TEST(policy_test, names_of_other_systems_are_passed_over_but_cannot_be_demanded) {
    EXPECT_EQ("uring epoll", order({.prefer = "kqueue"}));
    EXPECT_EQ("epoll uring", order({.prefer = "kqueue,epoll"}));
    EXPECT_EQ("", plan_of({.forbid = "kqueue"}).forbidden);
    EXPECT_EQ("uring epoll", order({}, "prefer:kqueue"));
    expect_words(refusal({.backend = "kqueue"}), {"\"kqueue\"", "uring", "epoll", "poll", "null"});
    expect_words(refusal({}, "kqueue"), {"IORING_BACKEND", "\"kqueue\""});
}

TEST(policy_test, names_that_there_are_not_are_refused_by_field) {
    expect_words(refusal({.backend = "epol"}), {"\"epol\"", "uring", "automatic"});
    expect_words(refusal({.backend = ""}), {"\"\""});
    expect_words(refusal({.prefer = "epoll,epol"}), {"backend_prefer", "\"epol\""});
    expect_words(refusal({.forbid = "Uring"}), {"backend_forbid", "\"Uring\""});
    expect_words(refusal({.prefer = "epoll,"}), {"backend_prefer", "\"\" is no backend"});
    expect_words(refusal({.prefer = "automatic"}), {"backend_prefer", "\"automatic\""});
    expect_words(refusal({.prefer = "epoll uring"}), {"backend_prefer", "\"epoll uring\""});
}

TEST(policy_test, wishes_that_contradict_each_other_are_refused) {
    expect_words(refusal({.backend = "epoll", .forbid = "epoll"}),
                 {"backend is \"epoll\"", "backend_forbid"});
    expect_words(refusal({.backend = "epoll", .prefer = "uring"}),
                 {"backend is \"epoll\"", "backend_prefer"});
    expect_words(refusal({.prefer = "poll,epoll", .forbid = "epoll"}),
                 {"backend_prefer and backend_forbid", "\"epoll\""});
    EXPECT_EQ("!epoll", order({.backend = "epoll", .forbid = "uring"}));
}

TEST(policy_test, nothing_left_to_try_says_who_forbids) {
    EXPECT_EQ(
        "no backend is left to choose: uring is forbidden by the program; epoll is forbidden by "
        "IORING_BACKEND",
        refusal({.forbid = "uring"}, "forbid:epoll", std::errc::not_supported));
    plan made;
    std::string why;
    EXPECT_EQ(std::errc::not_supported, make_plan(std::span{rows}.last(2), {}, "", made, why));
    expect_words(why, {"automatically"});
}

TEST(policy_test, the_environment_demands_what_the_program_leaves_open) {
    for (const char* const value : {"epoll", "require:epoll", " epoll ", "require: epoll"}) {
        const plan made = plan_of({.prefer = "uring"}, value);
        EXPECT_EQ("!epoll", order_of(made)) << value;
        EXPECT_EQ("asked for by IORING_BACKEND", made.candidates.front().claim);
    }
    EXPECT_EQ("!null", order({}, "null"));
}

TEST(policy_test, the_environment_s_preference_takes_the_place_of_the_program_s) {
    const plan made = plan_of({.prefer = "epoll"}, "prefer:poll");
    EXPECT_EQ("poll uring epoll", order_of(made));
    EXPECT_EQ("preferred by IORING_BACKEND", made.candidates.front().claim);
    EXPECT_EQ("uring epoll", order({.prefer = "epoll"}, "automatic"));
    EXPECT_EQ("epoll uring", order({.prefer = "epoll"}, ""));
    EXPECT_EQ("epoll uring", order({.prefer = "epoll"}, "  "));
}

TEST(policy_test, what_either_forbids_is_forbidden) {
    const plan made = plan_of({.prefer = "poll,epoll", .forbid = "uring"}, "forbid:poll");
    EXPECT_EQ("epoll", order_of(made));
    EXPECT_EQ("poll is forbidden by IORING_BACKEND; uring is forbidden by the program",
              made.forbidden);
    EXPECT_EQ("uring", order({.forbid = "epoll"}, "prefer:epoll"));
    expect_words(refusal({.forbid = "epoll"}, "epoll"), {"IORING_BACKEND", "\"epoll\"", "forbid"});
}

TEST(policy_test, a_demand_of_the_program_does_not_look_at_the_environment) {
    for (const char* const value : {"uring", "forbid:epoll", "no such word"}) {
        EXPECT_EQ("!epoll", order({.backend = "epoll"}, value));
    }
}

TEST(policy_test, a_bad_value_of_the_environment_names_the_variable_and_the_words) {
    for (const char* const value :
         {"epol", "Epoll", "epoll,uring", "prefer:", "forbid: ", "prefer", "require:", "want:epoll",
          "prefer:epol", "forbid:uring,,", ":epoll", "automatic:epoll", "epoll\n"}) {
        const std::string why = refusal({}, value);
        expect_words(why, {"IORING_BACKEND"});
        EXPECT_EQ(std::string::npos, why.find('\n')) << why;
    }
    expect_words(refusal({}, "epol"),
                 {"\"epol\"", "uring", "poll", "\"automatic\"", "prefer:NAME", "forbid:NAME"});
}

}  // namespace
}  // namespace ioring::backends
