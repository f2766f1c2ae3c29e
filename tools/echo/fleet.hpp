// SPDX-License-Identifier: MIT
// fleet.hpp - what the threads of one server share: its port, its stop, and the sum of its figures.
//
// A connection lives on the thread that accepted it: each thread has a ring, a listener,
// connections and buffers of its own, and nothing here is touched while it serves, but once a
// second for --stats. The first thread listens and begins the others, which listen at the port that
// it got; the system spreads connections over them (SO_REUSEPORT). Nobody serves before all listen.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "common/command_line.hpp"
#include "common/stop_signals.hpp"
#include "echo/report.hpp"
#include "echo/settings.hpp"
#include "ioring/endpoint.hpp"

namespace echo {

// A sentence, and the status to exit with.
struct refusal {
    std::string sentence;
    int status = ioring::tools::exit_failed;
};

// What a thread has to tell at its end.
struct thread_result {
    sample total;
    sample serving;       // Up to the begin of the stop.
    std::string buffers;  // The strategy's line, as it was then.
    std::string backend;
    std::chrono::duration<double> seconds{0};
};

class fleet {
public:
    // The life of a thread, given its number.
    using life = std::function<void(fleet& all, std::uint32_t index)>;
    fleet(std::uint32_t threads, life serve_one)
        : serve_one_{std::move(serve_one)}, published_(threads), results_(threads) {}
    fleet(const fleet&) = delete;
    fleet& operator=(const fleet&) = delete;

    // The first thread's life here, the others' on theirs. Returns when all have ended.
    void run();

    [[nodiscard]] ioring::tools::stop_signals& stop() noexcept { return stop_; }
    [[nodiscard]] std::uint32_t size() const noexcept {
        return static_cast<std::uint32_t>(results_.size());
    }

    // --- by each thread, in this order ---

    // Of the first thread, for the others: where to listen.
    [[nodiscard]] const ioring::endpoint& address() const noexcept { return address_; }
    // It listens at `where`. Waits for the others; false when one of them was refused.
    [[nodiscard]] bool begin_together(std::uint32_t index, const ioring::endpoint& where);
    // Its figures so far. The sum of all threads', each as of its last second.
    [[nodiscard]] sample publish(std::uint32_t index, const sample& now);
    void finish(std::uint32_t index, thread_result result);
    // It cannot serve (any more): all threads stop, and the first reason is kept.
    void refuse(refusal why);

    // --- after run() ---

    [[nodiscard]] const std::optional<refusal>& refused() const noexcept { return refused_; }
    // Of the threads that have served; empty when none has.
    [[nodiscard]] std::vector<thread_result> results() const;

private:
    ioring::tools::stop_signals stop_;
    life serve_one_;
    ioring::endpoint address_;
    std::mutex guard_;
    std::condition_variable changed_;
    std::uint32_t listening_ = 0;
    std::optional<refusal> refused_;
    std::vector<sample> published_;
    std::vector<std::optional<thread_result>> results_;
    std::vector<std::thread> others_;
};

}  // namespace echo
