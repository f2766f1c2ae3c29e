// SPDX-License-Identifier: MIT
// turns_between_looks_linux_test.cpp - while turns leave work over, the poller is asked seldom, and
// often enough.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "backend/readiness/poller_epoll.hpp"
#include "backend/readiness/readiness_backend.hpp"
#include "backend/registry.hpp"
#include "ioring/ring.hpp"
#include "poller_test_support.hpp"

namespace ioring::backends::readiness {
namespace {

// epoll, which counts how often it is asked.
class counting_poller : public epoll_poller {
public:
    static inline int waits = 0;
    [[nodiscard]] int wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
        ++waits;
        return epoll_poller::wait(events, timeout_ns);
    }
};

class turns_between_looks_test : public ::testing::Test {
protected:
    static constexpr std::size_t each_bytes = readiness_kernel::turn_bytes_max;
    static constexpr std::size_t streams_count = 24;
    static constexpr std::uint64_t late = streams_count;  // The quiet connection's user_data.

    static void SetUpTestSuite() {
        add({"counting", readiness_backend<counting_poller>::create, /*automatic=*/false});
    }
    void SetUp() override {
        ASSERT_FALSE(ring::create({.sq_entries = 64, .backend = "counting"}, ring_));
        // One that waits, and then more than a turn may receive.
        ring_.prepare_recv(fd{quiet_.ours.get()}, quiet_room_, late);
        for (std::size_t index = 0; index < streams_count; ++index) {
            streams_.push_back(connected());
            rooms_.emplace_back(each_bytes);
            begin(index);
        }
    }
    // Much for the stream to receive, and its receive.
    void begin(std::size_t index) {
        send_text(streams_[index].theirs, bytes_);
        const fd from{streams_[index].ours.get()};
        ring_.prepare_recv(from, std::as_writable_bytes(std::span{rooms_[index]}), index,
                           msg_flag::wait_all);
    }
    // A turn. Returns the streams that were received; sets heard_late_.
    std::vector<std::size_t> turn() {
        EXPECT_LE(0, ring_.submit_and_wait(1, std::chrono::nanoseconds{patience_ns}));
        std::vector<std::size_t> received;
        for (const cqe& done : ring_.completions()) {
            if (done.user_data == late) {
                heard_late_ = true;
                EXPECT_EQ(1, done.res);
            } else {
                EXPECT_EQ(static_cast<std::int32_t>(each_bytes), done.res);
                received.push_back(done.user_data);
            }
        }
        return received;
    }

    const std::string bytes_ = std::string(each_bytes, 'x');
    ring ring_;
    connection quiet_ = connected();
    std::array<std::byte, 16> quiet_room_{};
    std::vector<connection> streams_;
    std::vector<std::vector<char>> rooms_;
    bool heard_late_ = false;
};

TEST_F(turns_between_looks_test, the_poller_is_asked_once_in_eight_long_receives) {
    int turns = 0;
    counting_poller::waits = 0;
    for (std::size_t done = 0; done < streams_count; ++turns) {
        ASSERT_LT(turns, 1'000);
        done += turn().size();
    }
    // One stream a turn: what was sent lies in the socket already.
    EXPECT_LE(streams_count - 1, static_cast<std::size_t>(turns));
    EXPECT_LE(counting_poller::waits, turns / readiness_kernel::receives_a_look + 2);
    EXPECT_FALSE(heard_late_);
}

TEST_F(turns_between_looks_test, who_comes_meanwhile_is_served_though_the_others_never_end) {
    for (const std::size_t index : turn()) begin(index);
    send_text(quiet_.theirs, "x");
    for (std::size_t turns = 0; !heard_late_; ++turns) {
        // A look, and a turn of those left over for each of those before it.
        ASSERT_LE(turns, (readiness_kernel::newer_turns_max + 1) * (streams_count + 2));
        for (const std::size_t index : turn()) begin(index);
    }
}

TEST(short_receives_test, go_round_though_a_turn_does_not_take_all_and_each_begins_again) {
    constexpr std::size_t count = 128;
    constexpr std::size_t bytes = 1024;
    static_assert(count * bytes == 2 * readiness_kernel::turn_bytes_max);
    ring on;
    ASSERT_FALSE(ring::create({.sq_entries = 2 * count, .backend = "epoll"}, on));
    std::vector<connection> all;
    std::vector<std::vector<std::byte>> rooms(count, std::vector<std::byte>(bytes));
    std::vector<int> received(count);
    const std::string message(bytes, 'x');
    const auto begin = [&](std::size_t index) {
        send_text(all[index].theirs, message);
        on.prepare_recv(fd{all[index].ours.get()}, rooms[index], index, msg_flag::wait_all);
    };
    for (std::size_t index = 0; index < count; ++index) {
        all.push_back(connected());
        begin(index);
    }
    for (int turn = 0; turn < 40; ++turn) {
        ASSERT_LE(0, on.submit_and_wait(1, std::chrono::nanoseconds{patience_ns}));
        for (const cqe& done : on.completions()) {
            ASSERT_EQ(static_cast<std::int32_t>(bytes), done.res);
            ++received[done.user_data];
            begin(done.user_data);
        }
    }
    const auto [least, most] = std::minmax_element(received.begin(), received.end());
    EXPECT_LT(0, *least);
    EXPECT_LE(*most - *least, 2);
}

}  // namespace
}  // namespace ioring::backends::readiness
