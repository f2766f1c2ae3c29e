// SPDX-License-Identifier: MIT
// share_test.cpp - many connections with more to say than the chunks that a turn may fill.
#include <chrono>
#include <vector>

#include "managed.hpp"
#include "plain.hpp"

namespace ioring::managed {
namespace {

using conformance::pattern;

class managed_share_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override { return {.sockets_max = clients_max}; }
    [[nodiscard]] ring_options options() const override {
        return {.sq_entries = 64, .connections_max = clients_max};
    }

    struct talker {
        socket_end socket;
        std::size_t sent = 0;
        std::string received;
    };
    // As much of the rest as the system takes.
    static void send_some(talker& from, std::string_view all) {
        const std::string_view rest = all.substr(from.sent);
        if (rest.empty()) return;
        const std::ptrdiff_t put =
            conformance::plain::send(from.socket.number(), rest.data(), rest.size());
        if (put > 0) from.sent += static_cast<std::size_t>(put);
    }
    static constexpr std::size_t clients_max = 40;
};
INSTANTIATE_TEST_SUITE_P(backend, managed_share_test, every_managed_backend(),
                         conformance::backend_name);

// Two times what a turn may fill, and less for each than its buffer holds: nobody waits for a chunk
// for ever, and nothing that is forwarded is copied.
TEST_P(managed_share_test, all_get_all_of_theirs_back_and_nothing_is_copied) {
    echo(/*forwards=*/true);
    const std::string all = pattern(60'000);
    std::vector<talker> talkers(clients_max);
    for (talker& each : talkers) each.socket = client();
    ASSERT_TRUE(until_told(event_type::accepted, talkers.size()));
    // All is there before anybody is answered, as far as the system takes it.
    for (talker& each : talkers) send_some(each, all);
    ASSERT_TRUE(until([&] {
        bool complete = true;
        for (talker& each : talkers) {
            send_some(each, all);
            each.received += conformance::receive_some(each.socket);
            complete = complete && each.received.size() >= all.size();
        }
        return complete;
    }));
    for (const talker& each : talkers) EXPECT_TRUE(each.received == all);
    EXPECT_EQ(0U, sockets_.counters().bytes_copied);
}

// Those who found no chunk go on in their order; who does not want to any more gives its turn away.
TEST_P(managed_share_test, who_waits_behind_others_that_were_paused_goes_on_at_once) {
    on_event_ = nullptr;
    const std::string all = pattern(60'000);
    std::vector<pair> pairs;
    for (std::size_t index = 0; index < clients_max; ++index) pairs.push_back(accept_one());
    for (const pair& each : pairs) ASSERT_TRUE(conformance::send_all(each.theirs, all));
    ASSERT_TRUE(until_told(event_type::received));
    socket* last = nullptr;
    for (const pair& each : pairs) {
        if (each.ours->unread_bytes() != 0) continue;
        each.ours->pause_recv();
        last = each.ours;
    }
    if (last == nullptr) return;  // Nobody had to wait.
    last->resume_recv();
    const auto start = std::chrono::steady_clock::now();
    for (int turns = 0; turns < 1'000 && last->unread_bytes() == 0; ++turns) {
        (void)turn(conformance::patience);
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, conformance::patience / 2);
    EXPECT_NE(0U, last->unread_bytes());
}

}  // namespace
}  // namespace ioring::managed
