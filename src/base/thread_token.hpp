// SPDX-License-Identifier: MIT
// thread_token.hpp - a number that names the calling thread and is never given out twice.
//
// Unlike std::this_thread::get_id() it is not reused once a thread has ended, so that a ring can
// tell its owner from a later thread that happens to look the same.
#pragma once

#include <cstdint>

namespace ioring::detail {

// The token of no thread.
inline constexpr std::uint64_t no_thread = 0;

extern thread_local constinit std::uint64_t current_thread_token;
std::uint64_t make_thread_token() noexcept;

// Any thread; not a signal handler (the first call in a thread writes a thread-local variable).
// One load after the first call. A child of fork() keeps the token of the thread that forked.
[[nodiscard]] inline std::uint64_t thread_token() noexcept {
    const std::uint64_t token = current_thread_token;
    return token != no_thread ? token : make_thread_token();
}

// Whether `token` is the calling thread's. Cheaper than thread_token(): it never makes one.
[[nodiscard]] inline bool is_this_thread(std::uint64_t token) noexcept {
    return token == current_thread_token && token != no_thread;
}

}  // namespace ioring::detail
