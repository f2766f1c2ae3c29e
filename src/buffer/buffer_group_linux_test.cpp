// SPDX-License-Identifier: MIT
// buffer_group_linux_test.cpp - groups that connections share, on the kernel's io_uring.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "backend/uring/uring.hpp"
#include "buffer/group_state.hpp"
#include "buffer/linux_test_support.hpp"
#include "buffer/provided_ring.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::buffer_tests {
namespace {

using chunk = std::span<std::byte>;

class group_test : public testing::Test {
protected:
    buffer_group make(const group_options& options) {
        buffer_group made;
        std::string why;
        EXPECT_FALSE(buffer_group::create(ring_, options, made, &why)) << why;
        return made;
    }

    void arm(const tcp_pair& from, const buffer_group& group, std::uint64_t user_data = 1) {
        ASSERT_NE(nullptr, ring_.prepare_recv_multishot(from.ours(), group.id(), user_data));
        ASSERT_GE(ring_.submit(), 1);
    }

    // Sends, and takes what the one completion brings.
    chunk pass(const tcp_pair& over, buffer_group& group, std::string_view text) {
        send(over, text);
        const cqe done = complete_one(ring_);
        EXPECT_TRUE(done.more());
        const chunk bytes = group.take(done);
        EXPECT_EQ(text, text_of(bytes));
        return bytes;
    }

    ring ring_ = make_uring();
    tcp_pair both_;
};

TEST_F(group_test, plain_buffers_hold_one_chunk_each) {
    buffer_group group = make({.buffers = 4, .buffer_bytes = 1024, .incremental = false});
    EXPECT_FALSE(group.incremental());
    EXPECT_EQ("not asked for", group.reason());
    EXPECT_EQ(4u, group.buffers());
    EXPECT_EQ(4u, group.posted());
    arm(both_, group);
    const chunk first = pass(both_, group, "one");
    const chunk second = pass(both_, group, "two");
    EXPECT_EQ(2u, group.posted());
    EXPECT_EQ(2u, group.chunks_out());
    EXPECT_GE(std::abs(second.data() - first.data()), 1024);
    EXPECT_TRUE(group.recycle(first));
    EXPECT_EQ(3u, group.posted());
    EXPECT_EQ(1u, group.chunks_out());
    EXPECT_EQ("two", text_of(second)) << "still ours";
    EXPECT_TRUE(group.recycle(second));
    EXPECT_EQ(4u, group.posted());
}

TEST_F(group_test, incremental_buffers_hold_many_chunks_side_by_side) {
    buffer_group group = make({.buffers = 2, .buffer_bytes = 64});
    ASSERT_TRUE(group.incremental()) << group.reason();
    EXPECT_EQ("", group.reason());
    arm(both_, group);
    const chunk first = pass(both_, group, "first ");
    const chunk second = pass(both_, group, "second");
    EXPECT_EQ(first.data() + first.size(), second.data());
    EXPECT_EQ(2u, group.posted()) << "the kernel goes on in it";
    EXPECT_TRUE(group.recycle(first));
    EXPECT_TRUE(group.recycle(second));
    EXPECT_EQ(2u, group.posted()) << "recycled, but with the kernel all the time";

    const chunk third = pass(both_, group, std::string(52, 'x'));  // Fills the first buffer.
    EXPECT_EQ(second.data() + second.size(), third.data());
    EXPECT_EQ(1u, group.posted());
    const chunk fourth = pass(both_, group, "of the second buffer");
    EXPECT_EQ(1u, group.posted());
    EXPECT_TRUE(group.recycle(third));
    EXPECT_EQ(2u, group.posted());
    EXPECT_TRUE(group.recycle(fourth));
}

TEST_F(group_test, a_buffer_goes_back_when_its_last_chunk_does_in_any_order) {
    buffer_group group = make({.buffers = 1, .buffer_bytes = 12});
    arm(both_, group);
    std::array<chunk, 3> chunks{pass(both_, group, "0123"), pass(both_, group, "4567"),
                                pass(both_, group, "89ab")};
    EXPECT_EQ(0u, group.posted());
    EXPECT_EQ(3u, group.chunks_out());
    for (const std::size_t index : {2U, 0U}) {
        EXPECT_TRUE(group.recycle(chunks[index]));
        EXPECT_EQ(0u, group.posted());
    }
    EXPECT_EQ("4567", text_of(chunks[1]));
    EXPECT_TRUE(group.recycle(chunks[1]));
    EXPECT_EQ(1u, group.posted());
}

TEST_F(group_test, refuses_what_is_recycled_twice_or_is_not_its_own) {
    for (const bool incremental : {true, false}) {
        SCOPED_TRACE(incremental);
        ring_ = make_uring();
        tcp_pair both;
        buffer_group group = make({.buffers = 2, .buffer_bytes = 64, .incremental = incremental});
        buffer_group other = make({.buffers = 2, .buffer_bytes = 64, .incremental = incremental});
        arm(both, group);
        const chunk first = pass(both, group, "first");
        const chunk second = pass(both, group, "second");
        std::array<std::byte, 8> local{};
        EXPECT_FALSE(group.recycle(first.subspan(1)));
        EXPECT_FALSE(group.recycle(local));
        EXPECT_FALSE(group.recycle(std::span{first.data() + 128, 1})) << "behind the group";
        EXPECT_FALSE(group.recycle(std::span{first.data() - 1, 1}));
        EXPECT_FALSE(other.recycle(first));
        EXPECT_EQ(2u, group.chunks_out());

        EXPECT_TRUE(group.recycle(first));
        EXPECT_FALSE(group.recycle(first)) << "although another chunk of the buffer is out";
        EXPECT_EQ(1u, group.chunks_out());
        EXPECT_EQ(incremental ? 2u : 1u, group.posted());
        EXPECT_TRUE(group.recycle(second));
        EXPECT_FALSE(group.recycle(second));
        EXPECT_TRUE(group.recycle(chunk{})) << "an empty one is nothing to recycle";
        EXPECT_EQ(0u, group.chunks_out());
        EXPECT_EQ(2u, group.posted());
        EXPECT_EQ(6u, group.refused());
        EXPECT_EQ(1u, other.refused());
    }
}

TEST_F(group_test, refuses_completions_that_cannot_be_its_own) {
    buffer_group group = make({.buffers = 3, .buffer_bytes = 64});
    const auto with_buffer = [](std::uint32_t buffer, std::int32_t res) {
        return cqe{
            .res = res,
            .flags = cqe_flag::buffer | cqe_flag::buffer_more | buffer << cqe_flag::buffer_shift};
    };
    EXPECT_TRUE(group.take(with_buffer(3, 1)).empty());
    EXPECT_TRUE(group.take(with_buffer(0xffff, 1)).empty());
    EXPECT_TRUE(group.take(with_buffer(0, 65)).empty());
    EXPECT_TRUE(group.take(cqe{.res = 5}).empty()) << "bytes without a buffer";
    EXPECT_EQ(4u, group.refused());
    // Those that bring none are no mistake.
    EXPECT_TRUE(group.take(cqe{.res = 0}).empty());
    EXPECT_TRUE(group.take(cqe{.res = -ENOBUFS}).empty());
    EXPECT_TRUE(group.take(with_buffer(1, -ECONNRESET)).empty());
    EXPECT_EQ(4u, group.refused());
    EXPECT_EQ(3u, group.posted());
    EXPECT_EQ(0u, group.chunks_out());
}

TEST_F(group_test, a_buffer_that_an_error_took_goes_back_at_once) {
    buffer_group group = make({.buffers = 2, .buffer_bytes = 64, .incremental = false});
    EXPECT_TRUE(group.take(cqe{.res = -ECONNRESET, .flags = cqe_flag::buffer}).empty());
    EXPECT_EQ(2u, group.posted());
    EXPECT_EQ(0u, group.refused());
}

TEST_F(group_test, when_it_is_empty_nothing_is_lost) {
    for (const bool incremental : {true, false}) {
        SCOPED_TRACE(incremental);
        ring_ = make_uring();
        tcp_pair both;
        buffer_group group = make({.buffers = 3, .buffer_bytes = 16, .incremental = incremental});
        std::string sent(100, ' ');
        write_pattern(std::as_writable_bytes(std::span{sent}), 0);
        send(both, sent);
        arm(both, group);
        std::uint64_t received = 0;
        std::deque<chunk> out;
        int starved = 0;
        while (received < sent.size()) {
            const cqe done = complete_one(ring_);
            if (done.res == -ENOBUFS) {
                ++starved;
                EXPECT_FALSE(done.more());
                EXPECT_EQ(0u, group.posted());
                ASSERT_FALSE(out.empty());
                for (; !out.empty(); out.pop_front()) ASSERT_TRUE(group.recycle_later(out.front()));
                group.publish();
                arm(both, group);
                continue;
            }
            ASSERT_GT(done.res, 0);
            out.push_back(group.take(done));
            ASSERT_EQ(out.back().size(), matching(out.back(), received));
            received += out.back().size();
        }
        EXPECT_GE(starved, 2) << "48 bytes a round";
        EXPECT_EQ(0u, group.refused());
    }
}

TEST_F(group_test, the_kernel_sees_what_is_recycled_later_only_when_it_is_published) {
    buffer_group group = make({.buffers = 4, .buffer_bytes = 16, .incremental = false});
    arm(both_, group);
    // It will be the first record again, which it shares with the tail.
    ASSERT_TRUE(group.recycle_later(pass(both_, group, "first")));
    for (const char* const text : {"second", "third", "fourth"}) (void)pass(both_, group, text);
    send(both_, "fifth");
    EXPECT_EQ(-ENOBUFS, complete_one(ring_).res);
    group.publish();
    arm(both_, group);
    const cqe done = complete_one(ring_);
    EXPECT_EQ("fifth", text_of(group.take(done)));
    EXPECT_EQ(0u, done.buffer_id());
}

TEST_F(group_test, the_next_connection_goes_on_in_a_buffer_that_an_ended_one_left) {
    buffer_group group = make({.buffers = 2, .buffer_bytes = 64});
    const std::byte* expected = nullptr;
    for (const char* const text : {"first connection", "second", "third"}) {
        tcp_pair both;
        arm(both, group);
        const chunk bytes = pass(both, group, text);
        if (expected != nullptr) {
            EXPECT_EQ(expected, bytes.data());
        }
        expected = bytes.data() + bytes.size();
        both.close_theirs();
        const cqe end = complete_one(ring_);
        EXPECT_EQ(0, end.res);
        EXPECT_FALSE(end.more());
        EXPECT_TRUE(group.take(end).empty());
        EXPECT_TRUE(group.recycle(bytes));
        EXPECT_EQ(2u, group.posted());
    }
}

// Sends a long stream and reads it at once; the number of buffers posted passes 65,536.
TEST_F(group_test, goes_on_after_the_tails_sixteen_bits_are_used_up) {
    for (const bool incremental : {true, false}) {
        SCOPED_TRACE(incremental);
        ring_ = make_uring();
        tcp_pair both;
        buffer_group group = make({.buffers = 256, .buffer_bytes = 16, .incremental = incremental});
        constexpr std::uint64_t all = 16 * 70'000;
        std::array<std::byte, 8192> out{};
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        arm(both, group);
        const auto end = std::chrono::steady_clock::now() + patience;
        while (received < all) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            const std::size_t some = std::min<std::uint64_t>(out.size(), all - sent);
            if (some > 0) {
                write_pattern(std::span{out}.first(some), sent);
                const ssize_t now = ::send(both.theirs().value, out.data(), some, MSG_DONTWAIT);
                if (now > 0) sent += static_cast<std::uint64_t>(now);
            }
            ASSERT_GE(ring_.submit_and_wait(1, patience), 0);
            bool ended = false;
            for (const cqe& done : ring_.completions()) {
                ended = ended || !done.more();
                if (done.res == -ENOBUFS) continue;
                ASSERT_GT(done.res, 0);
                const chunk bytes = group.take(done);
                ASSERT_EQ(bytes.size(), matching(bytes, received));
                received += bytes.size();
                ASSERT_TRUE(group.recycle(bytes));
            }
            if (ended) arm(both, group);
        }
        EXPECT_EQ(256u, group.posted());
    }
}

TEST_F(group_test, works_with_sizes_that_are_no_powers_of_two) {
    for (const bool incremental : {true, false}) {
        ring_ = make_uring();
        tcp_pair both;
        buffer_group group = make({.buffers = 5, .buffer_bytes = 1000, .incremental = incremental});
        arm(both, group);
        for (int round = 0; round < 20; ++round) {
            const std::string text(static_cast<std::size_t>(1000 - round % 2), 'a');
            send(both, text);
            for (std::size_t got = 0; got < text.size();) {
                const chunk bytes = group.take(complete_one(ring_));
                got += bytes.size();
                ASSERT_FALSE(bytes.empty());
                ASSERT_TRUE(group.recycle(bytes));
            }
        }
        EXPECT_EQ(0u, group.refused());
    }
}

TEST_F(group_test, works_over_memory_of_the_callers) {
    std::vector<std::byte> memory(4 * 256 + 100);
    buffer_group group;
    std::string why;
    const group_options options{.buffers = 4, .buffer_bytes = 256};
    ASSERT_FALSE(buffer_group::create_over(ring_, memory, options, group, &why)) << why;
    arm(both_, group);
    const chunk bytes = pass(both_, group, "here");
    EXPECT_GE(bytes.data(), memory.data());
    EXPECT_LT(bytes.data(), memory.data() + memory.size());
    buffer_group larger;
    EXPECT_EQ(
        std::errc::invalid_argument,
        buffer_group::create_over(ring_, std::span{memory}.first(1023), options, larger, &why));
    EXPECT_NE(std::string::npos, why.find("do not fit into 1023 bytes")) << why;
}

TEST_F(group_test, ids_are_given_or_asked_for) {
    std::set<std::uint16_t> ids;
    std::vector<buffer_group> groups;
    for (int count = 0; count < 100; ++count) {
        groups.push_back(make({.buffers = 1, .buffer_bytes = 16}));
        ids.insert(groups.back().id());
    }
    EXPECT_EQ(100u, ids.size());
    buffer_group seven = make({.group = 7, .buffers = 1, .buffer_bytes = 16});
    EXPECT_EQ(7u, seven.id());
    buffer_group again;
    std::string why;
    EXPECT_EQ(
        std::errc::file_exists,
        buffer_group::create(ring_, {.group = 7, .buffers = 1, .buffer_bytes = 16}, again, &why));
    EXPECT_NE(std::string::npos, why.find("group 7")) << why;
    EXPECT_FALSE(again.valid());
    seven = buffer_group{};
    EXPECT_EQ(7u, make({.group = 7, .buffers = 1, .buffer_bytes = 16}).id());
    // The one that an automatic id would meet next is taken: it passes over it.
    const auto taken = static_cast<std::int32_t>((groups.back().id() + 1U) % 65'536U);
    const buffer_group obstacle = make({.group = taken, .buffers = 1, .buffer_bytes = 16});
    EXPECT_NE(taken, make({.buffers = 1, .buffer_bytes = 16}).id());
}

// Below 64, Linux 6.1 would go on where an earlier group of that id had stopped.
TEST_F(group_test, ids_that_are_given_go_round_above_the_lowest) {
    using detail::provided_ring;
    std::set<std::uint16_t> ids;
    for (std::uint32_t count = 0; count < 65'536; ++count) {
        ids.insert(provided_ring::automatic_group(count));
    }
    EXPECT_EQ(65'536U - 64U, ids.size());
    EXPECT_EQ(64U, *ids.begin());
    EXPECT_EQ(65'535U, *ids.rbegin());
}

// A group begins with its own first buffer, whatever the last one of its id did.
TEST_F(group_test, an_id_is_used_again_by_another_group) {
    for (const std::int32_t id : {64, 63}) {
        SCOPED_TRACE(id);
        for (int round = 0; round < 3; ++round) {
            tcp_pair both;
            buffer_group group =
                make({.group = id, .buffers = 1, .buffer_bytes = 64, .incremental = false});
            send(both, "some");
            ring_.prepare_recv_select(both.ours(), group.id(), 1);
            const cqe done = complete_one(ring_);
            if (id < 64 && round > 0 && done.res < 0) {
                GTEST_SKIP() << "this kernel goes on where the last group had stopped: "
                             << done.res;
            }
            EXPECT_EQ("some", text_of(group.take(done)));
        }
    }
}

TEST_F(group_test, an_option_out_of_range_is_an_error_that_names_it) {
    struct wrong {
        group_options options;
        const char* names;
    };
    for (const wrong& each :
         std::vector<wrong>{{{.group = -2}, "group_options::group is -2"},
                            {{.group = 65'536}, "group is 65536, must be 0 to 65535"},
                            {{.buffers = 0}, "buffers is 0, must be 1 to 32768"},
                            {{.buffers = 32'769}, "buffers is 32769"},
                            {{.buffer_bytes = 0}, "buffer_bytes is 0"},
                            {{.buffer_bytes = group_options::buffer_bytes_max + 1},
                             "buffer_bytes is 1073741825"}}) {
        buffer_group group;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument,
                  buffer_group::create(ring_, each.options, group, &why));
        EXPECT_NE(std::string::npos, why.find(each.names)) << why;
        EXPECT_FALSE(group.valid());
#if defined(__cpp_exceptions)
        EXPECT_THROW((buffer_group{ring_, each.options}), std::system_error);
#endif
    }
    ring none;
    ring null = make_null_ring();
    buffer_group group;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, buffer_group::create(none, {}, group, &why));
    EXPECT_EQ(std::errc::not_supported, buffer_group::create(null, {}, group, &why));
    EXPECT_NE(std::string::npos, why.find("null")) << why;
    EXPECT_TRUE(group.take(cqe{.res = 1}).empty());
    EXPECT_FALSE(group.recycle(std::span{reinterpret_cast<std::byte*>(&why), 1}));
}

TEST_F(group_test, without_incremental_buffers_it_cuts_the_same_memory_into_smaller_ones) {
    backends::uring::kernel_mask older;
    older.features.set(static_cast<std::size_t>(feature::incremental_buffers));
    backends::chosen_backend chosen;
    chosen.name = "uring";
    std::string why;
    ASSERT_FALSE(backends::uring::set_up_masked({.sq_entries = 16, .cq_entries = 16}, older,
                                                chosen.instance, why))
        << why;
    const auto state = std::make_shared<detail::ring_state>(ring_options{}, std::move(chosen));
    const auto make_on_older = [&](const group_options& options) {
        detail::group_state* group = nullptr;
        EXPECT_FALSE(detail::group_state::create(state, std::nullopt, options, group, &why)) << why;
        return group;
    };
    detail::group_state* group = make_on_older({.buffers = 256, .buffer_bytes = 65'536});
    EXPECT_FALSE(group->incremental());
    EXPECT_NE(std::string_view::npos, group->reason().find("6.12"));
    EXPECT_EQ(16'384u, group->buffer_bytes());
    EXPECT_EQ(1024u, group->buffers());
    EXPECT_EQ(1024u, group->posted());
    group->close();

    group = make_on_older({.buffers = 16, .buffer_bytes = 1024, .plain_buffer_bytes = 0});
    EXPECT_EQ(16u, group->buffers());
    EXPECT_EQ(1024u, group->buffer_bytes());
    group->close();

    group = make_on_older({.buffers = 1000, .buffer_bytes = 65'536, .plain_buffer_bytes = 100});
    EXPECT_EQ(group_options::buffers_max, group->buffers()) << "no more than the kernel takes";
    group->close();
}

TEST_F(group_test, destroyed_while_a_receive_waits_it_ends_that_without_a_loss) {
    {
        buffer_group group = make({.buffers = 2, .buffer_bytes = 64});
        arm(both_, group);
    }
    send(both_, "later");
    EXPECT_EQ(-ENOBUFS, complete_one(ring_).res);
    std::array<char, 8> rest{};
    EXPECT_EQ(5, ::recv(both_.ours().value, rest.data(), rest.size(), MSG_DONTWAIT));
}

TEST_F(group_test, may_go_after_its_ring_and_its_chunks_stay_until_then) {
    buffer_group group = make({.buffers = 2, .buffer_bytes = 64});
    arm(both_, group);
    const chunk bytes = pass(both_, group, "kept");
    const chunk behind{bytes.data() + bytes.size(), 5};
    detail::reclaim(behind);  // The kernel's, which must not use it.
    std::memset(behind.data(), '.', behind.size());
    ring_ = ring{};
    send(both_, "later");
    EXPECT_EQ("kept", text_of(bytes));
    EXPECT_EQ(".....", text_of(behind)) << "nothing is written after the ring's end";
    EXPECT_TRUE(group.recycle(bytes));
    group = buffer_group{};
}

TEST_F(group_test, moves) {
    buffer_group first = make({.buffers = 2, .buffer_bytes = 64});
    const std::uint16_t id = first.id();
    arm(both_, first);
    buffer_group second = std::move(first);
    EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move): that is the question.
    EXPECT_EQ(id, second.id());
    EXPECT_TRUE(second.recycle(pass(both_, second, "moved")));
    second = make({.buffers = 1, .buffer_bytes = 64});
    EXPECT_NE(id, second.id());
    EXPECT_EQ(id, make({.group = id, .buffers = 1, .buffer_bytes = 64}).id()) << "it is free again";
}

TEST_F(group_test, another_thread_is_refused_while_the_ring_lives) {
    // In a child, because what is leaked on purpose is leaked.
    const pid_t child = ::fork();
    if (child == 0) {
        ring owner = make_uring();
        buffer_group group;
        if (owner.submit() != 0 || buffer_group::create(owner, {.buffers = 2}, group)) ::_exit(1);
        int failed = 0;
        std::thread{[&] {
            buffer_group other;
            std::string why;
            const auto error = buffer_group::create(owner, {}, other, &why);
            if (error != std::errc::operation_not_permitted) failed = 2;
            if (why.find("thread") == std::string::npos) failed = 3;
            if (buffer_group::create(owner, {.group = 9}, other) !=
                std::errc::operation_not_permitted) {
                failed = 4;
            }
            group = buffer_group{};  // Leaks, and does not fail.
        }}.join();
        tcp_pair both;
        if (owner.prepare_recv_multishot(both.ours(), 9, 1) == nullptr) failed = 5;
        ::_exit(failed);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
}

TEST_F(group_test, a_forked_child_lets_go_without_touching_the_parents) {
    buffer_group group = make({.buffers = 2, .buffer_bytes = 64});
    arm(both_, group);
    const chunk first = pass(both_, group, "parent");
    const pid_t child = ::fork();
    if (child == 0) {
        group.recycle(first);
        group = buffer_group{};
        ring_ = ring{};
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
    const chunk second = pass(both_, group, "goes on");
    EXPECT_EQ("parent", text_of(first));
    EXPECT_TRUE(group.recycle(first));
    EXPECT_TRUE(group.recycle(second));
}

// Several connections receive random streams through one small group, whose chunks are held back
// for a random while and recycled in a random order.
class shared_streams {
public:
    static constexpr std::uint64_t bytes_a_stream = 200'000;
    static constexpr std::size_t streams_count = 8;

    shared_streams(ring& owner, const group_options& options, std::uint64_t seed)
        : ring_{owner}, random_{seed} {
        std::string why;
        EXPECT_FALSE(buffer_group::create(owner, options, group_, &why)) << why;
    }

    void run() {
        for (std::size_t index = 0; index < streams_count; ++index) arm(index);
        const auto end = std::chrono::steady_clock::now() + patience;
        while (finished_ < streams_count) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            for (stream& each : streams_) feed(each);
            ASSERT_GE(ring_.submit_and_wait(1, std::chrono::milliseconds{1}), 0);
            for (const cqe& done : ring_.completions()) {
                ASSERT_NO_FATAL_FAILURE(receive(done.user_data, done));
            }
            recycle_some();
            rearm();
        }
        while (!held_.empty()) recycle_one();
        EXPECT_EQ(group_.buffers(), group_.posted());
        EXPECT_EQ(0u, group_.chunks_out());
        EXPECT_EQ(0u, group_.refused());
    }

    [[nodiscard]] std::uint64_t starved() const { return starved_; }

private:
    struct stream {
        tcp_pair sockets;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        bool armed = false;
        bool ended = false;
    };

    void arm(std::size_t index) {
        ASSERT_NE(nullptr,
                  ring_.prepare_recv_multishot(streams_[index].sockets.ours(), group_.id(), index));
        streams_[index].armed = true;
    }

    void feed(stream& each) {
        if (each.sent == bytes_a_stream) return;
        const std::uint64_t number = static_cast<std::uint64_t>(&each - streams_.data());
        const std::size_t most = random_() % 4 == 0 ? out_.size() : 100;
        const auto some = std::min<std::uint64_t>(1 + random_() % most, bytes_a_stream - each.sent);
        write_pattern(std::span{out_}.first(some), each.sent, number);
        const ssize_t now =
            ::send(each.sockets.theirs().value, out_.data(), some, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (now > 0) each.sent += static_cast<std::uint64_t>(now);
        if (each.sent == bytes_a_stream) each.sockets.close_theirs();
    }

    void receive(std::uint64_t number, const cqe& done) {
        stream& from = streams_[number];
        if (!done.more()) from.armed = false;
        const chunk bytes = group_.take(done);
        ASSERT_EQ(static_cast<std::size_t>(std::max(done.res, 0)), bytes.size());
        if (done.res > 0) {
            ASSERT_EQ(bytes.size(), matching(bytes, from.received, number));
            held_.push_back({bytes, from.received, number});
            from.received += bytes.size();
        } else if (done.res == 0) {
            ASSERT_EQ(bytes_a_stream, from.received);
            from.ended = true;
            ++finished_;
        } else {
            ASSERT_EQ(-ENOBUFS, done.res);
            ++starved_;
        }
    }

    void recycle_one() {
        std::swap(held_[random_() % held_.size()], held_.back());
        const held last = held_.back();
        held_.pop_back();
        // Nobody has written to it while it was ours.
        ASSERT_EQ(last.bytes.size(), matching(last.bytes, last.position, last.stream));
        if (random_() % 2 == 0) {
            ASSERT_TRUE(group_.recycle(last.bytes));
        } else {
            ASSERT_TRUE(group_.recycle_later(last.bytes));
        }
    }

    void recycle_some() {
        // Now and then all, so that a connection that waits for a buffer gets one.
        std::size_t count = random_() % 8 == 0 ? held_.size() : random_() % (held_.size() + 1);
        for (; count > 0; --count) recycle_one();
        group_.publish();
    }

    void rearm() {
        if (group_.posted() == 0) return;
        for (std::size_t index = 0; index < streams_count; ++index) {
            if (!streams_[index].armed && !streams_[index].ended) arm(index);
        }
    }

    struct held {
        chunk bytes;
        std::uint64_t position;
        std::uint64_t stream;
    };

    ring& ring_;
    std::mt19937_64 random_;
    buffer_group group_;
    std::array<stream, streams_count> streams_;
    std::vector<held> held_;
    std::array<std::byte, 20'000> out_{};
    std::size_t finished_ = 0;
    std::uint64_t starved_ = 0;
};

TEST_F(group_test, carries_random_streams_of_many_connections_byte_for_byte) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const group_options& options :
         {group_options{.buffers = 8, .buffer_bytes = 4096},
          group_options{.buffers = 16, .buffer_bytes = 2048, .incremental = false},
          group_options{.buffers = 3, .buffer_bytes = 777},
          group_options{.buffers = 64, .buffer_bytes = 65'536}}) {
        SCOPED_TRACE(std::to_string(options.buffers) + " x " +
                     std::to_string(options.buffer_bytes));
        shared_streams streams{ring_, options, seed};
        ASSERT_NO_FATAL_FAILURE(streams.run());
        if (options.buffers < 64) {
            EXPECT_GT(streams.starved(), 0u) << "too easy";
        }
    }
}

}  // namespace
}  // namespace ioring::buffer_tests
