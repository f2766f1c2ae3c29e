// SPDX-License-Identifier: MIT
// thread_token.cpp - handing out tokens.
#include "base/thread_token.hpp"

#include <atomic>

namespace ioring::detail {
namespace {

std::atomic<std::uint64_t> tokens_given{no_thread};

}  // namespace

thread_local constinit std::uint64_t current_thread_token = no_thread;

std::uint64_t make_thread_token() noexcept {
    current_thread_token = tokens_given.fetch_add(1, std::memory_order_relaxed) + 1;
    return current_thread_token;
}

}  // namespace ioring::detail
