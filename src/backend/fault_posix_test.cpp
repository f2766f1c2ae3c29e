// SPDX-License-Identifier: MIT
// fault_posix_test.cpp - each kind of fault happens, looks as the contract allows, and loses
// nothing.
//
// Over the null backend where no byte has to move, over every other one where bytes do.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "backend/backend_test_support.hpp"
#include "backend/fault/fault_backend.hpp"
#include "backend/registry.hpp"

namespace ioring::backends::fault {
namespace {

constexpr std::uint64_t seed = 20'251;
constexpr unsigned often = 2;

class stream_pair {
public:
    stream_pair() { EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data())); }
    stream_pair(const stream_pair&) = delete;
    stream_pair& operator=(const stream_pair&) = delete;
    ~stream_pair() {
        for (const int end : ends_) ::close(end);
    }
    [[nodiscard]] fd ours() const { return fd{ends_[0]}; }
    [[nodiscard]] int theirs() const { return ends_[1]; }
    void give(std::size_t bytes) const {
        const std::string text(bytes, 'x');
        ASSERT_EQ(static_cast<ssize_t>(bytes), ::send(theirs(), text.data(), bytes, 0));
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

// A program over a fault backend over `inner_name`.
class faulty : public program {
public:
    faulty(std::string_view inner_name, unsigned level, std::uint32_t entries = 64)
        : faulty{make(inner_name, level, entries)} {}

    [[nodiscard]] std::uint64_t injected(kind which) const {
        return backend_->injected().of(which);
    }
    // Submits all, whatever is refused or cut on the way.
    void submit_all() {
        for (int attempt = 0; pending() > 0 && attempt < 100; ++attempt) {
            const int taken = submit();
            EXPECT_TRUE(taken >= 0 || taken == -EAGAIN || taken == -EBUSY) << taken;
        }
        EXPECT_EQ(0U, pending());
    }
    // Submits all, and reads until there are `count`, whatever wait ends early.
    std::vector<cqe> finish(std::size_t count) {
        submit_all();
        std::vector<cqe> all = reap();
        for (int attempt = 0; all.size() < count && attempt < 1000; ++attempt) {
            const int result = submit_and_wait(1);
            if (result == -ETIME) break;
            for (const cqe& done : reap()) all.push_back(done);
        }
        EXPECT_EQ(count, all.size());
        return all;
    }
    cqe finish_one(const sqe& entry) {
        push(entry);
        const std::vector<cqe> all = finish(1);
        return all.empty() ? cqe{.user_data = 0, .res = -ENODATA} : all.front();
    }

private:
    explicit faulty(std::unique_ptr<backend>&& made)
        : program{std::move(made)}, backend_{static_cast<fault_backend*>(&**this)} {}

    static std::unique_ptr<backend> make(std::string_view inner_name, unsigned level,
                                         std::uint32_t entries) {
        const backend_options options{.sq_entries = entries, .cq_entries = 2 * entries};
        chosen_backend inner;
        std::string why;
        EXPECT_FALSE(choose(inner_name, options, inner, why)) << why;
        return std::make_unique<fault_backend>(options, seed, level, std::move(inner.instance),
                                               inner_name);
    }

    fault_backend* backend_;
};

// The results of the same 300 receives, and in what order they came.
std::vector<std::pair<std::uint64_t, std::int32_t>> run_receives(unsigned level) {
    const stream_pair pair;
    faulty ring{"null", level};
    std::array<std::byte, 1000> buffer{};
    std::vector<std::pair<std::uint64_t, std::int32_t>> results;
    for (std::uint64_t user_data = 0; user_data < 300; user_data += 10) {
        for (std::uint64_t i = 0; i < 10; ++i) {
            sqe entry;
            prep_recv(entry, pair.ours(), buffer, 0, user_data + i);
            ring.push(entry);
        }
        for (const cqe& done : ring.finish(10)) results.emplace_back(done.user_data, done.res);
    }
    return results;
}

TEST(fault_test, a_seed_repeats_everything) {
    const auto first = run_receives(often);
    EXPECT_EQ(first, run_receives(often));
    EXPECT_NE(first, run_receives(1));
    EXPECT_FALSE(std::is_sorted(first.begin(), first.end()));
}

TEST(fault_test, short_transfers_are_at_least_one_byte_and_at_most_what_was_asked_for) {
    const stream_pair pair;
    faulty ring{"null", often};
    std::array<std::byte, 1000> buffer{};
    std::uint64_t short_ones = 0;
    for (std::uint64_t i = 0; i < 200; ++i) {
        sqe entry;
        if (i % 2 == 0) {
            prep_recv(entry, pair.ours(), buffer, 0, i);
        } else {
            prep_send(entry, pair.ours(), buffer, msg_flag::no_signal, i);
        }
        const std::int32_t res = ring.finish_one(entry).res;
        if (res == -EAGAIN || res == -EINTR) continue;
        EXPECT_GE(res, 1);
        EXPECT_LE(res, 1000);
        short_ones += res < 1000 ? 1 : 0;
    }
    EXPECT_EQ(ring.injected(kind::short_transfer), short_ones);
    EXPECT_GT(short_ones, 10U);
}

TEST(fault_test, pieces_are_left_out_from_the_end) {
    const stream_pair pair;
    faulty ring{"null", often};
    std::array<char, 8> text{};
    std::array<iovec, 4> pieces{};
    for (std::size_t i = 0; i < pieces.size(); ++i) pieces[i] = {text.data() + 2 * i, 2};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    for (std::uint64_t i = 0; i < 200; ++i) {
        sqe entry;
        prep_sendmsg(entry, pair.ours(), &message, msg_flag::no_signal, i);
        const std::int32_t res = ring.finish_one(entry).res;
        if (res == -EAGAIN || res == -EINTR) continue;
        EXPECT_TRUE(res == 2 || res == 4 || res == 6 || res == 8) << res;
    }
    EXPECT_EQ(pieces.size(), message.msg_iovlen) << "the program's own message was edited";
    EXPECT_GT(ring.injected(kind::short_transfer), 10U);
}

TEST(fault_test, transfers_of_all_bytes_and_of_datagrams_are_never_cut) {
    std::array<int, 2> datagrams{};
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams.data()));
    const stream_pair pair;
    faulty ring{"null", often};
    std::array<std::byte, 1000> buffer{};
    for (std::uint64_t i = 0; i < 200; ++i) {
        sqe entry;
        prep_send(entry, pair.ours(), buffer, msg_flag::wait_all, i);
        const std::int32_t res = ring.finish_one(entry).res;
        EXPECT_TRUE(res == 1000 || res == -EAGAIN || res == -EINTR) << res;
        prep_recv(entry, fd{datagrams[0]}, buffer, 0, i);
        EXPECT_EQ(1000, ring.finish_one(entry).res);
    }
    EXPECT_EQ(0U, ring.injected(kind::short_transfer));
    for (const int each : datagrams) ::close(each);
}

TEST(fault_test, what_is_invalid_fails_as_without_faults) {
    faulty ring{"null", 3};
    std::array<std::byte, 10> buffer{};
    for (std::uint64_t i = 0; i < 100; ++i) {
        sqe entry;
        prep_recv(entry, fd{-1}, buffer, 0, i);
        EXPECT_EQ(-EBADF, ring.finish_one(entry).res);
        entry = sqe{.op = static_cast<opcode>(200), .user_data = i};
        EXPECT_EQ(-EINVAL, ring.finish_one(entry).res);
    }
}

TEST(fault_test, every_operation_ends_once_and_internal_entries_are_only_late) {
    const stream_pair pair;
    faulty ring{"null", often, /*entries=*/256};
    std::array<std::byte, 100> buffer{};
    std::map<std::uint64_t, int> ended;
    int internal = 0;
    for (std::uint64_t round = 0; round < 20; ++round) {
        for (std::uint64_t i = 0; i < 50; ++i) {
            sqe entry;
            prep_recv(entry, pair.ours(), buffer, 0, round * 50 + i);
            ring.push(entry);
        }
        sqe own;
        prep_recv(own, pair.ours(), buffer, 0, reserved_user_data);
        ring.push(own);
        for (const cqe& done : ring.finish(51)) {
            if (done.user_data == reserved_user_data) {
                EXPECT_EQ(100, done.res);
                ++internal;
            } else {
                ++ended[done.user_data];
            }
        }
    }
    EXPECT_EQ(20, internal);
    EXPECT_EQ(1000U, ended.size());
    for (const auto& [user_data, times] : ended) EXPECT_EQ(1, times) << user_data;
    EXPECT_GT(ring.injected(kind::late), 100U);
    EXPECT_GT(ring.injected(kind::passing_error), 10U);
}

TEST(fault_test, chains_are_neither_cut_nor_failed_nor_reordered) {
    const stream_pair pair;
    faulty ring{"null", often, /*entries=*/256};
    std::array<std::byte, 100> buffer{};
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t i = 0; i < 12; ++i) {
            sqe entry;
            prep_send(entry, pair.ours(), buffer, msg_flag::wait_all, i);
            if (i % 4 != 3) entry.flags = sqe_flag::io_link;
            ring.push(entry);
        }
        std::array<std::uint64_t, 3> next{0, 4, 8};
        for (const cqe& done : ring.finish(12)) {
            EXPECT_EQ(100, done.res);
            EXPECT_EQ(next[done.user_data / 4]++, done.user_data);
        }
    }
    EXPECT_GT(ring.injected(kind::submission_cut), 5U);
    EXPECT_GT(ring.injected(kind::late), 100U);
}

TEST(fault_test, a_refused_enter_leaves_everything_prepared) {
    faulty ring{"null", often};
    std::uint64_t refused = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        ring.push_nop(i);
        const int taken = ring.submit();
        if (taken < 0) {
            EXPECT_TRUE(taken == -EAGAIN || (taken == -EBUSY && ring.ready() > 0)) << taken;
            EXPECT_EQ(1U, ring.pending());
            EXPECT_EQ(1, ring.submit()) << "two refusals in turn";
            ++refused;
        }
        if (i % 20 == 19) (void)ring.reap();
    }
    EXPECT_EQ(ring.injected(kind::enter_refused), refused);
    EXPECT_GT(refused, 5U);
}

TEST(fault_test, a_wait_may_end_early_but_never_twice_in_turn) {
    faulty ring{"null", often};
    int early = 0;
    for (int i = 0; i < 100; ++i) {
        const int result = ring.submit_and_wait(1, /*timeout_ns=*/1000);
        if (result == -EINTR) {
            ++early;
            EXPECT_EQ(-ETIME, ring.submit_and_wait(1, /*timeout_ns=*/1000));
        } else {
            EXPECT_EQ(-ETIME, result);
        }
    }
    EXPECT_EQ(ring.injected(kind::wait_ended), static_cast<std::uint64_t>(early));
    EXPECT_GT(early, 5);
}

TEST(fault_test, what_is_held_back_is_flagged_and_comes_without_a_wait) {
    faulty ring{"null", often};
    for (std::uint64_t i = 0; i < 60; ++i) ring.push_nop(i);
    ring.submit_all();
    std::size_t seen = ring.reap().size();
    ASSERT_LT(seen, 60U);
    for (int turn = 0; turn < 20 && seen < 60; ++turn) {
        EXPECT_TRUE(ring.flagged(sq_flag::taskrun));
        EXPECT_EQ(0, ring->enter(0, 0, enter_flag::getevents, no_timeout));
        seen += ring.reap().size();
    }
    EXPECT_EQ(60U, seen);
    EXPECT_FALSE(ring.flagged(sq_flag::taskrun));
}

TEST(fault_test, a_full_queue_loses_nothing) {
    faulty ring{"null", often, /*entries=*/8};
    std::map<std::uint64_t, int> ended;
    std::uint64_t next = 0;
    bool overflowed = false;
    for (int attempt = 0; attempt < 500 && next < 200; ++attempt) {
        while (ring.pending() < 8) ring.push_nop(next++);
        (void)ring.submit();
        overflowed = overflowed || ring.flagged(sq_flag::cq_overflow);
        if (attempt % 8 != 7) continue;
        for (int turn = 0; turn < 20; ++turn) {
            for (const cqe& done : ring.reap()) ++ended[done.user_data];
            (void)ring->enter(0, 0, enter_flag::getevents, no_timeout);
        }
    }
    EXPECT_TRUE(overflowed);
    for (const cqe& done : ring.finish(next - ended.size())) ++ended[done.user_data];
    EXPECT_EQ(next, ended.size());
    for (const auto& [user_data, times] : ended) EXPECT_EQ(1, times) << user_data;
}

TEST(fault_test, a_reset_is_real_for_what_comes_after) {
    faulty ring{"null", 3};
    bool happened = false;
    for (std::uint64_t i = 0; i < 2000 && !happened; ++i) {
        const stream_pair pair;
        std::array<std::byte, 10> buffer{};
        sqe entry;
        prep_recv(entry, pair.ours(), buffer, 0, i);
        if (ring.finish_one(entry).res != -ECONNRESET) continue;
        happened = true;
        char byte = 'x';
        EXPECT_EQ(0, ::recv(pair.ours().value, &byte, 1, MSG_DONTWAIT));
        EXPECT_EQ(-1, ::send(pair.ours().value, &byte, 1, MSG_NOSIGNAL));
        EXPECT_EQ(EPIPE, errno);
        EXPECT_EQ(0, ::recv(pair.theirs(), &byte, 1, MSG_DONTWAIT));
    }
    EXPECT_TRUE(happened);
    EXPECT_EQ(1U, ring.injected(kind::connection_reset));
}

TEST(fault_test, a_cancel_that_comes_too_late_says_that_it_did_not) {
    const stream_pair pair;
    faulty ring{"null", often};
    std::array<std::byte, 100> buffer{};
    std::uint64_t overtaken = 0;
    for (std::uint64_t i = 0; i < 300; ++i) {
        sqe entry;
        prep_recv(entry, pair.ours(), buffer, 0, /*user_data=*/2 * i);
        ring.push(entry);
        ring.submit_all();
        prep_cancel(entry, /*target=*/2 * i, 0, /*user_data=*/2 * i + 1);
        ring.push(entry);
        std::map<std::uint64_t, std::int32_t> res;
        for (const cqe& done : ring.finish(2)) res[done.user_data] = done.res;
        const std::int32_t cancel = res[2 * i + 1];
        EXPECT_TRUE(cancel == 0 || cancel == -ENOENT) << cancel;  // All was over before.
        if (cancel != 0) continue;
        EXPECT_GT(res[2 * i], 0);
        ++overtaken;
    }
    EXPECT_EQ(ring.injected(kind::cancel_overtaken), overtaken);
    EXPECT_GT(overtaken, 5U);
}

// The faults that need operations which wait, over each backend that has them.
class fault_over : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> backends_with_io() {
    std::vector<std::string> names;
    for (const backend_entry& each : all()) {
        if (each.name != "null") names.emplace_back(each.name);
    }
    return names;
}
INSTANTIATE_TEST_SUITE_P(backend, fault_over, ::testing::ValuesIn(backends_with_io()),
                         [](const auto& each) { return each.param; });

TEST_P(fault_over, cut_and_failed_transfers_move_each_byte_once) {
    const stream_pair pair;
    faulty ring{GetParam(), often};
    std::string sent;
    for (int i = 0; i < 20'000; ++i) sent += static_cast<char>(i * 7 + i / 256);
    std::string got;
    std::size_t done_bytes = 0;
    std::array<char, 700> buffer{};
    bool sending = false;
    bool receiving = false;
    for (int turn = 0; got.size() < sent.size() && turn < 100'000; ++turn) {
        sqe entry;
        if (!sending && done_bytes < sent.size()) {
            const auto left = std::as_bytes(std::span{sent}).subspan(done_bytes);
            prep_send(entry, pair.ours(), left.first(std::min<std::size_t>(left.size(), 900)),
                      msg_flag::no_signal, 1);
            ring.push(entry);
            sending = true;
        }
        if (!receiving) {
            prep_recv(entry, fd{pair.theirs()}, std::as_writable_bytes(std::span{buffer}), 0, 2);
            ring.push(entry);
            receiving = true;
        }
        (void)ring.submit_and_wait(1);
        for (const cqe& done : ring.reap()) {
            (done.user_data == 1 ? sending : receiving) = false;
            if (done.res == -EAGAIN || done.res == -EINTR) continue;
            ASSERT_GT(done.res, 0);
            const auto bytes = static_cast<std::size_t>(done.res);
            if (done.user_data == 1) done_bytes += bytes;
            if (done.user_data == 2) got.append(buffer.data(), bytes);
        }
    }
    EXPECT_EQ(sent, got);
    EXPECT_GT(ring.injected(kind::short_transfer), 5U);
    EXPECT_GT(ring.injected(kind::passing_error), 0U);
}

TEST_P(fault_over, a_lost_cancel_ends_its_target_all_the_same) {
    const stream_pair pair;
    faulty ring{GetParam(), often};
    std::array<std::byte, 100> buffer{};
    std::uint64_t lost = 0;
    for (std::uint64_t i = 0; i < 100; ++i) {
        sqe entry;
        prep_recv(entry, pair.ours(), buffer, 0, /*user_data=*/2 * i);
        ring.push(entry);
        ring.submit_all();
        prep_cancel(entry, /*target=*/2 * i, 0, /*user_data=*/2 * i + 1);
        ring.push(entry);
        std::map<std::uint64_t, std::int32_t> res;
        for (const cqe& done : ring.finish(2)) res[done.user_data] = done.res;
        const std::int32_t target = res[2 * i];
        switch (res[2 * i + 1]) {
            case 0: EXPECT_EQ(-ECANCELED, target); break;
            case -EALREADY:
                EXPECT_EQ(-EINTR, target);
                ++lost;
                break;
            case -ENOENT: EXPECT_TRUE(target == -EAGAIN || target == -EINTR) << target; break;
            default: ADD_FAILURE() << res[2 * i + 1];
        }
    }
    EXPECT_EQ(ring.injected(kind::cancel_lost), lost);
    EXPECT_GT(lost, 5U);
}

TEST_P(fault_over, a_multishot_poll_ends_early_or_tells_twice) {
    const stream_pair pair;
    faulty ring{GetParam(), often};
    bool armed = false;
    for (std::uint64_t i = 0; i < 200; ++i) {
        if (!armed) {
            sqe entry;
            prep_poll_multishot(entry, pair.ours(), poll_event::in, 5);
            ring.push(entry);
            ring.submit_all();
            armed = true;
        }
        pair.give(1);
        for (bool told = false; !told;) {
            const int result = ring.submit_and_wait(1);
            ASSERT_NE(-ETIME, result);
            for (const cqe& done : ring.reap()) {
                EXPECT_EQ(static_cast<std::int32_t>(poll_event::in), done.res);
                armed = done.more();
                told = true;
            }
        }
        char byte = 0;
        ASSERT_EQ(1, ::recv(pair.ours().value, &byte, 1, MSG_DONTWAIT));
        // A poller that asks only for the present state must see that there is nothing now.
        (void)ring->enter(0, 0, enter_flag::getevents, no_timeout);
        for (const cqe& done : ring.reap()) armed = armed && done.more();
    }
    EXPECT_GT(ring.injected(kind::multishot_ended), 5U);
    EXPECT_GT(ring.injected(kind::poll_repeated), 5U);
}

}  // namespace
}  // namespace ioring::backends::fault
