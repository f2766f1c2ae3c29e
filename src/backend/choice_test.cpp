// SPDX-License-Identifier: MIT
// choice_test.cpp - a backend is tried before it is chosen; refusals fall back, shortages do not.
#include "backend/choice.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include "backend/backend_test_support.hpp"
#include "backend/null/null.hpp"

namespace ioring::backends {
namespace {

constexpr backend_options small_queues{.sq_entries = 32, .cq_entries = 64};

// What a made-up backend does when it is set up; each has a number, and so a function of its own.
struct script {
    std::error_code error;            // It refuses with this,
    std::string why;                  // and this sentence.
    int enter_result = 0;             // Its enter() gives this in place of doing anything.
    bool forgets = false;             // Its enter() takes everything and completes nothing.
    std::vector<std::uint32_t> made;  // The entries of the queues of each ring set up.
};
std::array<script, 40> scripts;

// A null backend that may be out of order.
class made_up final : public backend {
public:
    made_up(const script& of, std::unique_ptr<backend> inner) : of_{of}, inner_{std::move(inner)} {
        view_ = inner_->view();
        probe_ = inner_->probe();
        description_ = "made up";
    }
    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override {
        if (of_.enter_result != 0) return of_.enter_result;
        if (of_.forgets) return -ETIME;
        return inner_->enter(to_submit, min_complete, flags, timeout_ns);
    }
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override {
        return inner_->register_(operation, argument, count);
    }

private:
    const script& of_;
    std::unique_ptr<backend> inner_;
};

template <std::size_t Number>
std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    script& mine = scripts[Number];
    mine.made.push_back(options.sq_entries);
    if (mine.error) {
        why = mine.why;
        return mine.error;
    }
    std::unique_ptr<backend> inner;
    if (const std::error_code error = null::set_up(options, inner, why)) return error;
    out = std::make_unique<made_up>(mine, std::move(inner));
    return {};
}

// Two rows that nobody has tried yet: the names are of this library, the functions of the test.
template <std::size_t Number>
std::array<backend_entry, 2> fresh_rows() {
    scripts[Number] = {};
    scripts[Number + 1] = {};
    return {backend_entry{"uring", set_up<Number>, true},
            backend_entry{"epoll", set_up<Number + 1>, true}};
}

struct outcome {
    std::error_code error;
    std::string why;
    std::string name;
    std::string reason;
};

outcome choose_from(std::span<const backend_entry> rows, const wishes& program = {},
                    std::string_view environment = "") {
    outcome result;
    chosen_backend chosen;
    result.error = choose_among(rows, program, environment, small_queues, chosen, result.why);
    EXPECT_EQ(static_cast<bool>(result.error), chosen.instance == nullptr);
    if (result.error) return result;
    result.name = chosen.name;
    result.reason = chosen.reason;
    EXPECT_EQ(small_queues.sq_entries, chosen.instance->view().sq_entries);
    return result;
}

TEST(choice_test, the_first_that_carries_a_nop_is_chosen_after_a_trial_on_a_ring_of_its_own) {
    const auto rows = fresh_rows<0>();
    const outcome first = choose_from(rows);
    EXPECT_EQ("uring", first.name) << first.why;
    EXPECT_EQ("a ring could be set up and completed a nop", first.reason);
    EXPECT_EQ((std::vector<std::uint32_t>{8, 32}), scripts[0].made);
    EXPECT_TRUE(scripts[1].made.empty());
    // The process knows now; each ring is set up anew all the same.
    EXPECT_EQ("uring", choose_from(rows).name);
    EXPECT_EQ((std::vector<std::uint32_t>{8, 32, 32}), scripts[0].made);
}

TEST(choice_test, each_refusal_moves_on_to_the_next_and_is_told_without_its_advice) {
    for (const int error : {ENOSYS, EPERM, EACCES, ENOTSUP, EOPNOTSUPP}) {
        const auto rows = fresh_rows<2>();
        scripts[2].error = {error, std::generic_category()};
        scripts[2].why = "it is forbidden here (E), most likely by a profile; allow it, or else";
        const outcome chosen = choose_from(rows);
        EXPECT_EQ("epoll", chosen.name) << error << chosen.why;
        EXPECT_EQ(
            "a ring could be set up and completed a nop, while uring: it is forbidden here (E), "
            "most likely by a profile",
            chosen.reason);
    }
}

TEST(choice_test, a_shortage_is_the_caller_s_error_and_nothing_else_is_tried) {
    for (const int error : {ENOMEM, EMFILE, ENFILE, ENOBUFS, EAGAIN, EINVAL, EIO}) {
        const auto rows = fresh_rows<4>();
        scripts[4].error = {error, std::generic_category()};
        scripts[4].why = "the limit of open files is 3; raise it (ulimit -n)";
        const outcome refused = choose_from(rows);
        EXPECT_EQ(scripts[4].error, refused.error);
        EXPECT_EQ("uring: the limit of open files is 3; raise it (ulimit -n)", refused.why);
        EXPECT_TRUE(scripts[5].made.empty()) << error;
    }
}

TEST(choice_test, a_machine_that_refuses_ring_by_ring_is_met_at_each_ring) {
    const auto rows = fresh_rows<6>();
    EXPECT_EQ("uring", choose_from(rows).name);
    scripts[6].error = std::make_error_code(std::errc::operation_not_permitted);
    scripts[6].why = "no more";
    EXPECT_EQ("epoll", choose_from(rows).name);
    scripts[6].error = std::make_error_code(std::errc::too_many_files_open);
    EXPECT_EQ(std::errc::too_many_files_open, choose_from(rows).error);
    scripts[6].error = {};
    EXPECT_EQ("uring", choose_from(rows).name);
}

TEST(choice_test, a_ring_that_cannot_complete_a_nop_is_not_chosen) {
    const auto silent = fresh_rows<8>();
    scripts[8].forgets = true;
    const outcome chosen = choose_from(silent);
    EXPECT_EQ("epoll", chosen.name) << chosen.why;
    EXPECT_NE(std::string::npos, chosen.reason.find("uring: a ring could be set up, but did not"))
        << chosen.reason;

    const auto forbidden = fresh_rows<10>();
    scripts[10].enter_result = -EPERM;
    EXPECT_EQ("epoll", choose_from(forbidden).name);
    // Which is asked again the next time: it has never worked.
    scripts[10].enter_result = 0;
    EXPECT_EQ("uring", choose_from(forbidden).name);

    const auto exhausted = fresh_rows<12>();
    scripts[12].enter_result = -ENOMEM;
    EXPECT_EQ(std::errc::not_enough_memory, choose_from(exhausted).error);
    EXPECT_TRUE(scripts[13].made.empty());
}

TEST(choice_test, when_all_refuse_each_of_their_sentences_is_told) {
    const auto rows = fresh_rows<14>();
    scripts[14].error = std::make_error_code(std::errc::operation_not_permitted);
    scripts[14].why = "forbidden; allow it";
    scripts[15].error = std::make_error_code(std::errc::function_not_supported);
    scripts[15].why = "not there; update";
    const outcome refused = choose_from(rows);
    EXPECT_EQ(std::errc::function_not_supported, refused.error);
    EXPECT_EQ("uring: forbidden; allow it; epoll: not there; update", refused.why);
}

TEST(choice_test, a_demand_never_falls_back_whoever_makes_it) {
    const auto rows = fresh_rows<16>();
    scripts[16].error = std::make_error_code(std::errc::operation_not_permitted);
    scripts[16].why = "forbidden; allow it";
    for (const bool by_program : {true, false}) {
        const outcome refused =
            by_program ? choose_from(rows, {.backend = "uring"}) : choose_from(rows, {}, "uring");
        EXPECT_EQ(scripts[16].error, refused.error);
        EXPECT_EQ("forbidden; allow it", refused.why);
    }
    EXPECT_TRUE(scripts[17].made.empty());
    EXPECT_EQ("asked for by name", choose_from(rows, {.backend = "epoll"}).reason);
    EXPECT_EQ("asked for by IORING_BACKEND", choose_from(rows, {}, "epoll").reason);
}

TEST(choice_test, a_preferred_one_that_refuses_falls_back_to_the_others) {
    const auto rows = fresh_rows<18>();
    EXPECT_EQ("preferred by the program, and a ring could be set up and completed a nop",
              choose_from(rows, {.prefer = "epoll"}).reason);
    scripts[19].error = std::make_error_code(std::errc::function_not_supported);
    scripts[19].why = "not there; update";
    const outcome chosen = choose_from(rows, {}, "prefer:epoll");
    EXPECT_EQ("uring", chosen.name);
    EXPECT_EQ("a ring could be set up and completed a nop, while epoll: not there", chosen.reason);
}

TEST(choice_test, a_forbidden_one_is_not_even_set_up) {
    const auto rows = fresh_rows<20>();
    const outcome chosen = choose_from(rows, {.forbid = "uring"});
    EXPECT_EQ("epoll", chosen.name);
    EXPECT_EQ("a ring could be set up and completed a nop, while uring is forbidden by the program",
              chosen.reason);
    EXPECT_EQ("epoll", choose_from(rows, {}, "forbid:uring").name);
    EXPECT_TRUE(scripts[20].made.empty());
    EXPECT_EQ(std::errc::invalid_argument, choose_from(rows, {.prefer = "epol"}).error);
}

TEST(choice_test, a_trial_tells_what_the_ring_could_do_or_why_it_could_not) {
    const auto rows = fresh_rows<22>();
    const trial good = try_out(rows[0]);
    EXPECT_FALSE(good.error) << good.why;
    EXPECT_EQ("made up", good.description);
    EXPECT_TRUE(good.probe.supports(opcode::nop));
    scripts[22].enter_result = -EACCES;
    const trial bad = try_out(rows[0]);
    EXPECT_EQ(std::errc::permission_denied, bad.error);
    EXPECT_NE(std::string::npos, bad.why.find("not complete a nop")) << bad.why;
    EXPECT_EQ(2U, scripts[22].made.size());
}

}  // namespace
}  // namespace ioring::backends
