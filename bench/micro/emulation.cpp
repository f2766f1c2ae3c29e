// SPDX-License-Identifier: MIT
// emulation.cpp - what an operation on a kernel in user space costs over the system call it makes.
//
// One iteration moves 64 bytes over a Unix socket pair `batch` times, a send and a receive each: by
// the bare calls (`raw`, and once more as `raw_again`: their difference is the noise), or prepared,
// submitted in one enter and reaped on a ring of that backend. Nothing ever has to wait.
#include <benchmark/benchmark.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string_view>

#include "ioring/ring.hpp"

namespace {

constexpr std::size_t message_bytes = 64;
constexpr std::uint32_t batch_max = 16;

struct socket_pair {
    socket_pair() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) ends = {-1, -1};
    }
    socket_pair(const socket_pair&) = delete;
    socket_pair& operator=(const socket_pair&) = delete;
    ~socket_pair() {
        for (const int end : ends) ::close(end);
    }

    std::array<int, 2> ends{-1, -1};
};

// Messages that were received whole.
int move_raw(const socket_pair& pair, std::uint32_t batch) {
    std::array<std::byte, message_bytes> message{};
    int moved = 0;
    for (std::uint32_t each = 0; each < batch; ++each) {
        ::send(pair.ends[0], message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        const auto got = ::recv(pair.ends[1], message.data(), message.size(), MSG_DONTWAIT);
        moved += got == static_cast<ssize_t>(message.size()) ? 1 : 0;
    }
    return moved;
}

int move_by_ring(ioring::ring& ring, const socket_pair& pair, std::uint32_t batch) {
    std::array<std::byte, message_bytes> message{};
    for (std::uint32_t each = 0; each < batch; ++each) {
        ring.prepare_send(ioring::fd{pair.ends[0]}, message, 0);
        ring.prepare_recv(ioring::fd{pair.ends[1]}, message, 1);
    }
    ring.submit_and_wait(2 * batch);
    int moved = 0;
    for (const ioring::cqe& done : ring.completions()) {
        const bool whole = done.res == static_cast<std::int32_t>(message_bytes);
        moved += whole && done.user_data == 1 ? 1 : 0;
    }
    return moved;
}

template <class Move>
void measure(benchmark::State& state, Move move) {
    const auto batch = static_cast<std::uint32_t>(state.range(0));
    const socket_pair pair;
    for (auto unused : state) {
        static_cast<void>(unused);
        if (move(pair, batch) == static_cast<int>(batch)) continue;
        state.SkipWithError("a message was lost");
        break;
    }
    state.SetItemsProcessed(state.iterations() * 2 * state.range(0));
}

void raw(benchmark::State& state) { measure(state, move_raw); }
void raw_again(benchmark::State& state) { measure(state, move_raw); }

void on(benchmark::State& state, std::string_view backend) {
    try {
        ioring::ring ring = ioring::ring::create({.sq_entries = 4 * batch_max, .backend = backend});
        measure(state, [&ring](const socket_pair& pair, std::uint32_t batch) {
            return move_by_ring(ring, pair, batch);
        });
    } catch (const std::exception& error) {
        state.SkipWithError(error.what());
    }
}

void epoll(benchmark::State& state) { on(state, "epoll"); }
void poll(benchmark::State& state) { on(state, "poll"); }
void uring(benchmark::State& state) { on(state, "uring"); }

BENCHMARK(raw)->Name("emulation/raw")->Arg(1)->Arg(batch_max);
BENCHMARK(epoll)->Name("emulation/epoll")->Arg(1)->Arg(batch_max);
BENCHMARK(poll)->Name("emulation/poll")->Arg(1)->Arg(batch_max);
BENCHMARK(uring)->Name("emulation/uring")->Arg(1)->Arg(batch_max);
BENCHMARK(raw_again)->Name("emulation/raw_again")->Arg(1)->Arg(batch_max);

}  // namespace
