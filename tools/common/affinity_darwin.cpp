// SPDX-License-Identifier: MIT
// affinity_darwin.cpp - macOS lets no program choose a CPU.
//
// Its thread affinity tags (THREAD_AFFINITY_POLICY) only say which threads share a cache, and Apple
// silicon refuses even those: a server that was asked for a CPU must not pretend to be on it.
#include "common/affinity.hpp"

#include <mach/thread_act.h>
#include <mach/thread_policy.h>
#include <pthread.h>

#include <fmt/core.h>

namespace ioring::tools {

bool pin_to_cpu(int cpu, std::string& why) {
    why =
        fmt::format("cannot pin to CPU {}: macOS has no call that keeps a thread on one CPU", cpu);
    return false;
}

// Timers of a thread are grouped with others by up to its latency tier; the first is the strictest.
void ask_for_precise_waits() noexcept {
    thread_latency_qos_policy_data_t policy{};
    policy.thread_latency_qos_tier = LATENCY_QOS_TIER_0;
    // The thread's port is the library's own here: unlike mach_thread_self(), nothing to give back.
    thread_policy_set(pthread_mach_thread_np(pthread_self()), THREAD_LATENCY_QOS_POLICY,
                      reinterpret_cast<thread_policy_t>(&policy), THREAD_LATENCY_QOS_POLICY_COUNT);
}

}  // namespace ioring::tools
