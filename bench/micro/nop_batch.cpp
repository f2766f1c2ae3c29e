// SPDX-License-Identifier: MIT
// nop_batch.cpp - what preparing, submitting and reaping a batch of nops costs, beside liburing.
//
// The rows: `liburing` is the loop a careful programmer writes with liburing, `liburing_again` the
// same once more (their difference is the noise), `uring` and `null` are ioring::ring on these
// backends. All have queues of the same size, one enter a batch and a registered ring descriptor.
// liburing gets every set-up flag of ours that its version allows: NO_SQARRAY came later.
#include <benchmark/benchmark.h>
#include <liburing.h>

#include <cstdint>
#include <exception>
#include <string_view>
#include <system_error>

#include "ioring/ring.hpp"

namespace {

constexpr unsigned sq_entries = 256;
constexpr unsigned cq_entries = 512;

class liburing_ring {
public:
    liburing_ring() {
        io_uring_params params{};
        params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                       IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE;
        params.cq_entries = cq_entries;
        check(io_uring_queue_init_params(sq_entries, &ring_, &params));
        if (const int registered = io_uring_register_ring_fd(&ring_); registered != 1) {
            io_uring_queue_exit(&ring_);
            check(registered);
        }
    }
    liburing_ring(const liburing_ring&) = delete;
    liburing_ring& operator=(const liburing_ring&) = delete;
    ~liburing_ring() { io_uring_queue_exit(&ring_); }

    // Returns the sum of the user_data reaped.
    std::uint64_t run(unsigned batch) {
        for (unsigned i = 0; i < batch; ++i) {
            io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
            if (entry == nullptr) return 0;
            io_uring_prep_nop(entry);
            io_uring_sqe_set_data64(entry, i + 1);
        }
        if (io_uring_submit_and_wait(&ring_, batch) != static_cast<int>(batch)) return 0;
        std::uint64_t sum = 0;
        unsigned head = 0;
        unsigned count = 0;
        const io_uring_cqe* done = nullptr;
        io_uring_for_each_cqe(&ring_, head, done) {
            sum += done->user_data;
            ++count;
        }
        io_uring_cq_advance(&ring_, count);
        return sum;
    }

private:
    static void check(int result) {
        if (result < 0) throw std::system_error(-result, std::generic_category(), "liburing");
    }

    io_uring ring_{};
};

class library_ring {
public:
    explicit library_ring(std::string_view backend)
        : ring_{ioring::ring::create(
              {.sq_entries = sq_entries, .cq_entries = cq_entries, .backend = backend})} {}

    std::uint64_t run(unsigned batch) {
        for (unsigned i = 0; i < batch; ++i) {
            if (ring_.prepare_nop(i + 1) == nullptr) return 0;
        }
        if (ring_.submit_and_wait(batch) != static_cast<int>(batch)) return 0;
        std::uint64_t sum = 0;
        for (const ioring::cqe& done : ring_.completions()) sum += done.user_data;
        return sum;
    }

private:
    ioring::ring ring_;
};

template <typename Ring, typename... Arguments>
void measure(benchmark::State& state, Arguments... arguments) {
    try {
        Ring ring(arguments...);
        const auto batch = static_cast<unsigned>(state.range(0));
        const std::uint64_t expected = std::uint64_t{batch} * (batch + 1) / 2;
        for (auto unused : state) {
            static_cast<void>(unused);
            if (ring.run(batch) != expected) {
                state.SkipWithError("a nop was lost");
                break;
            }
        }
        state.SetItemsProcessed(state.iterations() * state.range(0));
    } catch (const std::exception& error) {
        state.SkipWithError(error.what());
    }
}

void liburing(benchmark::State& state) { measure<liburing_ring>(state); }
void liburing_again(benchmark::State& state) { measure<liburing_ring>(state); }
void uring(benchmark::State& state) { measure<library_ring>(state, "uring"); }
void null(benchmark::State& state) { measure<library_ring>(state, "null"); }

BENCHMARK(liburing)->Name("nop_batch/liburing")->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(uring)->Name("nop_batch/uring")->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(liburing_again)->Name("nop_batch/liburing_again")->Arg(1)->Arg(16)->Arg(64);
BENCHMARK(null)->Name("nop_batch/null")->Arg(1)->Arg(16)->Arg(64);

}  // namespace
