// SPDX-License-Identifier: MIT
// process_posix_test.cpp - forks are noticed, in the child only, and hooks run there once each.
#include "platform/process.hpp"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::run_in_child;

void count_up(void* argument) noexcept { ++*static_cast<int*>(argument); }

void unlink_it(void* argument) noexcept { static_cast<fork_hook*>(argument)->unlink(); }

TEST(fork_generation, is_one_more_in_the_child_and_unchanged_in_the_parent) {
    const std::uint32_t before = fork_generation();
    EXPECT_EQ(0, run_in_child([before] { return fork_generation() == before + 1 ? 0 : 1; }));
    EXPECT_EQ(before, fork_generation());
}

TEST(fork_generation, counts_on_in_a_childs_child) {
    const std::uint32_t before = fork_generation();
    EXPECT_EQ(0, run_in_child([before] {
                  return run_in_child([before] { return fork_generation() == before + 2 ? 0 : 1; });
              }));
}

TEST(fork_hook, runs_once_in_the_child_and_never_in_the_parent) {
    int calls = 0;
    fork_hook hook{count_up, &calls};
    hook.link();
    EXPECT_EQ(1, run_in_child([&calls] { return calls; }));
    EXPECT_EQ(1, run_in_child([&calls] { return calls; }));
    EXPECT_EQ(0, calls);
    EXPECT_TRUE(hook.linked());
}

TEST(fork_hook, does_not_run_unless_it_is_linked) {
    int calls = 0;
    fork_hook hook{count_up, &calls};
    EXPECT_EQ(0, run_in_child([&calls] { return calls; }));
    hook.link();
    hook.unlink();
    hook.unlink();  // Once more does nothing.
    EXPECT_FALSE(hook.linked());
    EXPECT_EQ(0, run_in_child([&calls] { return calls; }));
}

TEST(fork_hook, is_unlinked_by_its_destructor) {
    int calls = 0;
    {
        fork_hook hook{count_up, &calls};
        hook.link();
    }
    EXPECT_EQ(0, run_in_child([&calls] { return calls; }));
}

TEST(fork_hook, any_of_several_may_be_unlinked) {
    for (const std::size_t gone : {0U, 1U, 2U}) {
        std::array<int, 3> calls{};
        fork_hook first{count_up, &calls[0]};
        fork_hook second{count_up, &calls[1]};
        fork_hook third{count_up, &calls[2]};
        const std::array<fork_hook*, 3> hooks{&first, &second, &third};
        for (fork_hook* const hook : hooks) hook->link();
        hooks[gone]->unlink();
        EXPECT_EQ(0, run_in_child([&] {
                      for (std::size_t index = 0; index < hooks.size(); ++index) {
                          if (calls[index] != (index == gone ? 0 : 1)) return 1;
                      }
                      return 0;
                  }));
    }
}

TEST(fork_hook, may_unlink_itself_while_it_runs) {
    int calls = 0;
    fork_hook before{count_up, &calls};
    before.link();
    fork_hook itself{unlink_it, &itself};
    itself.link();
    fork_hook after{count_up, &calls};
    after.link();
    EXPECT_EQ(0, run_in_child([&] { return calls == 2 && !itself.linked() ? 0 : 1; }));
    EXPECT_TRUE(itself.linked());
}

TEST(fork_hook, can_be_linked_and_unlinked_in_the_child) {
    int calls = 0;
    fork_hook hook{count_up, &calls};
    hook.link();
    EXPECT_EQ(0, run_in_child([&] {
                  hook.unlink();
                  fork_hook other{count_up, &calls};
                  other.link();
                  return run_in_child([&] { return calls == 2 ? 0 : 1; });
              }));
}

TEST(fork_hook, other_threads_may_link_while_one_forks) {
    std::atomic<bool> stop{false};
    const auto churn = [&stop] {
        int calls = 0;
        fork_hook hook{count_up, &calls};
        while (!stop.load()) {
            hook.link();
            hook.unlink();
        }
    };
    std::thread first{churn};
    std::thread second{churn};
    int linked_calls = 0;
    fork_hook linked{count_up, &linked_calls};
    linked.link();
    for (int round = 0; round < 50; ++round) {
        // A child that found the list in the middle of a change would hang or crash.
        EXPECT_EQ(1, run_in_child([&linked_calls] { return linked_calls; }));
    }
    stop = true;
    first.join();
    second.join();
}

}  // namespace
}  // namespace ioring::platform
