// SPDX-License-Identifier: MIT
// core_random_test.cpp - the rio core through random programs: each request ends once, no byte is
// lost, and the double has nothing to say.
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core_test_support.hpp"

namespace ioring::rio_tests {
namespace {

constexpr int steps = 3'000;
constexpr std::size_t sockets_max = 6;

class rio_random_test : public core_test {
protected:
    struct connection {
        socket it;
        std::string from_peer;  // What the peer sent and nobody has received yet.
        bool open = true;
    };
    struct pending {
        std::size_t connection;
        direction way;
        std::uint32_t buffer;
        std::uint32_t bytes;
        std::string text;  // Of a send.
    };

    [[nodiscard]] std::uint32_t below(std::uint32_t limit) {
        return static_cast<std::uint32_t>(random_()) % limit;
    }
    // A buffer that no request uses, or buffers_count.
    [[nodiscard]] std::uint32_t free_buffer() {
        const std::uint32_t first = below(buffers_count);
        for (std::uint32_t n = 0; n < buffers_count; ++n) {
            const std::uint32_t buffer = (first + n) % buffers_count;
            if (used_.count(buffer) == 0) return buffer;
        }
        return buffers_count;
    }

    // One that is open, or nullptr.
    [[nodiscard]] connection* pick() {
        std::vector<connection*> open;
        for (connection& each : all_) {
            if (each.open) open.push_back(&each);
        }
        return open.empty() ? nullptr : open[below(static_cast<std::uint32_t>(open.size()))];
    }

    void open_one() {
        if (all_.size() - closed_ >= sockets_max) return;
        connection made;
        made.it = attach();
        all_.push_back(made);
    }
    void submit_one() {
        connection* const on = pick();
        const std::uint32_t buffer = free_buffer();
        if (on == nullptr || buffer == buffers_count) return;
        const auto index = static_cast<std::size_t>(on - all_.data());
        const std::uint32_t bytes = 1 + below(buffer_bytes);
        pending made{
            index, below(2) == 0 ? direction::receive : direction::send, buffer, bytes, {}};
        const std::uint64_t cookie = next_cookie_++;
        if (made.way == direction::receive) {
            ASSERT_EQ(0, receive(on->it, buffer, 0, bytes, cookie));
        } else {
            for (std::uint32_t n = 0; n < bytes; ++n) {
                made.text += static_cast<char>('a' + below(26));
            }
            ASSERT_EQ(0, send(on->it, buffer, made.text, cookie));
        }
        used_.insert(buffer);
        pending_[cookie] = made;
        if (below(2) == 0) core_->flush();
        if (below(8) == 0 && core_->withdraw(last_)) {
            used_.erase(buffer);
            pending_.erase(cookie);
        }
    }
    void peer_speaks() {
        connection* const on = pick();
        if (on == nullptr || on->from_peer.size() > 200) return;
        std::string text(1 + below(50), static_cast<char>('A' + below(26)));
        world_->send(on->it.peer, text);
        on->from_peer += text;
    }
    void close_one() {
        connection* const on = pick();
        if (on == nullptr) return;
        on->open = false;
        ++closed_;
        (void)close(on->it);
        settle();
    }
    // What has ended since the last look, against what should have come of it.
    void settle() {
        for (const ending& each : std::exchange(told_.all, {})) {
            ASSERT_EQ(1u, pending_.count(each.cookie)) << "ended twice, or never submitted";
            const pending was = pending_[each.cookie];
            pending_.erase(each.cookie);
            used_.erase(was.buffer);
            connection& on = all_[was.connection];
            if (each.res == -ECANCELED) {
                EXPECT_FALSE(on.open);
                continue;
            }
            ASSERT_GT(each.res, 0);
            const auto moved = static_cast<std::uint32_t>(each.res);
            if (was.way == direction::send) {
                EXPECT_EQ(was.bytes, moved);
                // Bytes of a socket that was closed since may be lost to a reset.
                if (on.open) {
                    EXPECT_EQ(was.text, world_->receive(on.it.peer, moved));
                }
            } else {
                EXPECT_EQ(on.from_peer.substr(0, moved), text_at(was.buffer, 0, moved));
                on.from_peer.erase(0, moved);
            }
        }
    }
    void step() {
        switch (below(10)) {
            case 0: open_one(); break;
            case 1: ours().hold_completions(below(2) == 0); break;
            case 2:
                if (below(20) == 0) close_one();
                break;
            case 3: ours().run_deferred(below(2) == 0); break;
            case 4:
            case 5: peer_speaks(); break;
            default: submit_one(); break;
        }
        if (below(3) == 0) {
            core_->flush();
            (void)core_->reap(1 + below(6));
        }
        settle();
    }

    std::mt19937 random_;
    std::vector<connection> all_;
    std::set<std::uint32_t> used_;
    std::map<std::uint64_t, pending> pending_;
    std::uint64_t next_cookie_ = 1;
    std::size_t closed_ = 0;
};
INSTANTIATE_TEST_SUITE_P(world, rio_random_test, testing::ValuesIn(worlds()),
                         [](const auto& each) { return std::string(each.param.name); });

TEST_P(rio_random_test, every_request_ends_once_with_the_right_bytes) {
    for (unsigned seed = 1; seed <= 3; ++seed) {
        SCOPED_TRACE(seed);
        random_.seed(seed);
        if (core_ == nullptr) start(/*receives_max=*/2, /*sends_max=*/3);
        open_one();
        for (int n = 0; n < steps && !HasFatalFailure(); ++n) step();
        ours().hold_completions(false);
        for (connection& each : all_) {
            if (each.open) (void)close(each.it);
            closed_ += each.open ? 1 : 0;
            each.open = false;
        }
        for (std::uint32_t round = 0; !pending_.empty() && round < rounds_max; ++round) {
            settle();
            if (core_->in_flight() == 0) break;
            sleep_once();
            (void)core_->reap(64);
        }
        settle();
        EXPECT_TRUE(pending_.empty());
        EXPECT_EQ(0u, core_->budget().reserved());
    }
}

}  // namespace
}  // namespace ioring::rio_tests
