// SPDX-License-Identifier: MIT
// fairness_test.cpp - a thousand connections beside one that never stops.
#include <algorithm>
#include <atomic>
#include <thread>

#include "managed.hpp"
#include "plain.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;
namespace plain = conformance::plain;

constexpr std::size_t modest_count = 1000;

class managed_fairness_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = modest_count + 1,
                .chunks = 64,
                .chunk_bytes = 16'384,
                .events_max = 32,
                .turn_completions_max = 64,
                .turn_bytes_max = 65'536};
    }
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 256, .connections_max = modest_count + 1};
    }
    // One poll(), within its budgets; the greatest of what it took is kept.
    void measured_turn() {
        const manager_counters before = sockets_.counters();
        const std::size_t events_before = events_.size();
        (void)turn(1ms);
        const manager_counters& after = sockets_.counters();
        const std::uint64_t waits = after.turns - before.turns;
        // The completion that goes over the bound is the last one.
        EXPECT_LT(after.bytes_received - before.bytes_received,
                  waits * (manager().turn_bytes_max + manager().chunk_bytes));
        EXPECT_LE(after.messages - before.messages, waits * manager().turn_completions_max);
        EXPECT_LE(events_.size() - events_before, manager().events_max);
        bytes_max_ = std::max(bytes_max_, after.bytes_received - before.bytes_received);
    }
    std::uint64_t bytes_max_ = 0;
};
INSTANTIATE_TEST_SUITE_P(backend, managed_fairness_test, every_managed_backend(),
                         conformance::backend_name);

// Sends as fast as it can from a thread of its own, and reads what comes back.
class greedy_client {
public:
    explicit greedy_client(socket_end socket) : socket_{std::move(socket)} {}
    ~greedy_client() {
        over_ = true;
        plain::shut_down(socket_.number(), static_cast<int>(shutdown_how::both));
        thread_.join();
    }
    [[nodiscard]] std::uint64_t sent() const { return sent_; }

private:
    void run() {
        const std::string bulk = pattern(200'000);
        while (!over_) {
            const std::ptrdiff_t put = plain::send(socket_.number(), bulk.data(), bulk.size());
            if (put > 0) sent_ += static_cast<std::uint64_t>(put);
            if (conformance::receive_some(socket_).empty() && put <= 0) std::this_thread::yield();
        }
    }

    socket_end socket_;
    std::atomic<bool> over_{false};
    std::atomic<std::uint64_t> sent_{0};
    std::thread thread_{[this] { run(); }};
};

TEST_P(managed_fairness_test, one_that_never_stops_does_not_starve_a_thousand_others) {
    std::vector<socket_end> modest;
    for (std::size_t i = 0; i < modest_count; ++i) {
        modest.push_back(client());
        // In batches that a listener's queue holds.
        if (i % 50 != 49) continue;
        ASSERT_TRUE(until_told(event_type::accepted, i + 1));
    }
    pair flooding = accept_one();
    const greedy_client greedy{std::move(flooding.theirs)};
    // It is greedy indeed, once a completion that comes late has come.
    ASSERT_TRUE(until([&] {
        measured_turn();
        return greedy.sent() > 2'000'000 && manager().chunk_bytes / 2 <= bytes_max_;
    }));
    for (int round = 0; round < 2; ++round) {
        events_.clear();
        for (const socket_end& each : modest) ASSERT_TRUE(conformance::send_all(each, "m"));
        std::vector<const socket_end*> waiting;
        for (const socket_end& each : modest) waiting.push_back(&each);
        // A completion, an event and an answer each, and the greedy one's between.
        constexpr std::size_t turns_max = 20 * modest_count / 32;
        std::size_t turns = 0;
        for (; !waiting.empty() && turns < turns_max; ++turns) {
            measured_turn();
            std::erase_if(waiting, [](const socket_end* each) {
                return !conformance::receive_some(*each).empty();
            });
        }
        EXPECT_EQ(0u, waiting.size()) << "unanswered after " << turns << " turns";
    }
}

}  // namespace
}  // namespace ioring::managed
