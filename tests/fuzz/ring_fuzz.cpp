// SPDX-License-Identifier: MIT
// ring_fuzz.cpp - any sequence of calls on a ring gets each entry and each post back exactly once.
//
// The input is a program, a byte or two a call. It runs on the null backend, whose completions are
// known, beside a model that counts. Nops, posts, full queues, tiny completion queues that
// overflow, peeks, loops left early and stale ids come in every order that the fuzzer finds.
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "ioring/ring.hpp"

namespace {

void demand(bool holds) {
    if (!holds) std::abort();
}

class program {
public:
    explicit program(std::span<const std::uint8_t> input) : input_{input} {
        demand(!ioring::ring::create({.sq_entries = 8,
                                      .cq_entries = 8,
                                      .connections_max = 2,
                                      .posts_max = 4,
                                      .backend = "null"},
                                     ring_));
    }

    void run() {
        while (!input_.empty()) step();
        finish();
    }

private:
    std::uint8_t next() {
        if (input_.empty()) return 0;
        const std::uint8_t byte = input_.front();
        input_ = input_.subspan(1);
        return byte;
    }

    void step() {
        const std::uint8_t byte = next();
        const std::uint8_t argument = byte >> 4U;
        switch (byte % 10) {
            case 0: return prepare_nops(argument);
            case 1: return submit();
            case 2: return wait(argument);
            case 3: return iterate(argument);
            case 4: return peek(argument);
            case 5: return post();
            case 6: return use_connection(argument);
            case 7: return use_buffer(argument);
            case 8: return reserve(argument);
            default: return ring_.wake();
        }
    }

    void prepare_nops(std::uint8_t count) {
        for (int index = 0; index <= count; ++index) {
            const std::uint32_t space = ring_.submission_queue_space();
            const bool prepared = ring_.prepare_nop(next_tag_) != nullptr;
            demand(prepared == (space > 0));
            if (prepared) expected_.insert(next_tag_++);
        }
    }

    void submit() {
        const int taken = ring_.submit();
        demand(taken >= 0 || taken == -EBUSY || taken == -EAGAIN);
    }

    void wait(std::uint8_t count) {
        const int taken = ring_.submit_and_wait(count, std::chrono::nanoseconds{1});
        demand(taken >= 0 || taken == -EBUSY || taken == -EAGAIN);
    }

    void reserve(std::uint8_t count) {
        const bool reserved = ring_.reserve(count);
        demand(!reserved || ring_.submission_queue_space() >= count);
    }

    void iterate(std::uint8_t leave_after) {
        int visited = 0;
        const std::size_t before = ring_.completion_queue_count();
        for (const ioring::cqe& done : ring_.completions()) {
            demand(expected_.erase(done.user_data) == 1);
            if (++visited > leave_after) break;
        }
        demand(ring_.completion_queue_count() + static_cast<std::size_t>(visited) >= before);
    }

    void peek(std::uint8_t count) {
        std::array<ioring::cqe, 16> seen;
        const std::size_t shown = ring_.peek_completions(std::span{seen}.first(count));
        demand(shown <= count);
        for (std::size_t index = 0; index < shown; ++index) {
            demand(expected_.erase(seen[index].user_data) == 1);
        }
        ring_.advance_completion_queue(shown);
    }

    void post() {
        if (ring_.post(next_tag_, 1)) expected_.insert(next_tag_++);
    }

    void use_connection(std::uint8_t argument) {
        ioring::connection_id fresh;
        if (argument % 2 == 0) {
            if (!ring_.register_socket(ioring::fd{1'000'000}, fresh)) stale_ = fresh;
        } else {
            (void)ring_.unregister_socket(stale_);
            demand(static_cast<bool>(ring_.unregister_socket(stale_)));
        }
        const std::uint64_t tag = next_tag_;
        if (ring_.prepare_send_buffer(stale_, buffer_, argument, argument, tag) != nullptr) {
            expected_.insert(next_tag_++);
        }
    }

    void use_buffer(std::uint8_t argument) {
        if (argument % 2 == 0) {
            (void)ring_.register_buffer(memory_, buffer_);
        } else {
            (void)ring_.unregister_buffer(buffer_);
            demand(static_cast<bool>(ring_.unregister_buffer(buffer_)));
        }
    }

    // Everything that was accepted comes, and nothing else.
    void finish() {
        for (int turn = 0; turn < 10'000 && !expected_.empty(); ++turn) {
            wait(1);
            iterate(15);
            (void)ring_.completion_queue_count();
            peek(4);
        }
        demand(expected_.empty());
        demand(ring_.in_flight() == 0);
    }

    std::span<const std::uint8_t> input_;
    ioring::ring ring_;
    std::array<std::byte, 16> memory_{};
    std::set<std::uint64_t> expected_;
    std::uint64_t next_tag_ = 1;
    ioring::connection_id stale_;
    ioring::buffer_id buffer_ = ioring::buffer_id::invalid;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    program{{data, size}}.run();
    return 0;
}
