// SPDX-License-Identifier: MIT
// private_group_linux_test.cpp - a connection's own mirrored buffer as a group, on the kernel's
// io_uring.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/uring/uring.hpp"
#include "buffer/linux_test_support.hpp"
#include "buffer/private_group_state.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::buffer_tests {
namespace {

const auto page = static_cast<std::uint32_t>(ring_buffer::granularity());

class private_group_test : public testing::Test {
protected:
    void SetUp() override { ASSERT_FALSE(ring_buffer::create(page, {}, buffer_)); }

    private_group make(ring_buffer& over, const private_group_options& options = {}) {
        private_group made;
        std::string why;
        EXPECT_FALSE(private_group::create(ring_, over, options, made, &why)) << why;
        return made;
    }

    void arm(const tcp_pair& from, const private_group& group, std::uint64_t user_data = 1) {
        ASSERT_NE(nullptr, ring_.prepare_recv_multishot(from.ours(), group.id(), user_data));
        ASSERT_GE(ring_.submit(), 1);
    }

    std::string pass(const tcp_pair& over, private_group& group, std::string_view text) {
        send(over, text);
        return text_of(group.take(complete_one(ring_)));
    }

    ring ring_ = make_uring();
    ring_buffer buffer_;
    tcp_pair both_;
};

TEST_F(private_group_test, bytes_arrive_as_the_buffers_last_ones) {
    private_group group = make(buffer_);
    EXPECT_EQ(&buffer_, &group.buffer());
    EXPECT_EQ(page, group.posted_bytes());
    arm(both_, group);
    EXPECT_EQ("one", pass(both_, group, "one"));
    EXPECT_EQ("two", pass(both_, group, "two"));
    EXPECT_EQ("onetwo", text_of(buffer_.readable()));
    EXPECT_EQ(page - 6, group.posted_bytes());
    ASSERT_TRUE(buffer_.commit_read(6));
    EXPECT_EQ(0u, group.recycle()) << "no piece has been read in full";
    EXPECT_EQ(page - 6, group.posted_bytes());
}

TEST_F(private_group_test, a_full_buffer_loses_nothing_and_a_piece_read_makes_room) {
    private_group group = make(buffer_);
    std::string sent(page + page / 4, ' ');
    write_pattern(std::as_writable_bytes(std::span{sent}), 0);
    send(both_, sent);
    arm(both_, group);
    bool full = false;
    while (!full) {
        const cqe done = complete_one(ring_);
        (void)group.take(done);
        full = done.res == -ENOBUFS;
    }
    EXPECT_TRUE(buffer_.full());
    EXPECT_EQ(0u, group.posted_bytes());
    ASSERT_EQ(page, matching(buffer_.readable(), 0));
    ASSERT_TRUE(buffer_.commit_read(page / 4 - 1));
    EXPECT_EQ(0u, group.recycle());
    ASSERT_TRUE(buffer_.commit_read(1));
    EXPECT_EQ(1u, group.recycle());
    EXPECT_EQ(0u, group.recycle()) << "only once";
    EXPECT_EQ(page / 4, group.posted_bytes());
    arm(both_, group);
    EXPECT_EQ(page / 4, group.take(complete_one(ring_)).size());
    EXPECT_TRUE(buffer_.full());
    ASSERT_EQ(page, matching(buffer_.readable(), page / 4)) << "one range, across the seam";
}

TEST_F(private_group_test, the_next_connection_of_a_slot_begins_where_the_kernel_is) {
    private_group group = make(buffer_, {.pieces = 2});
    for (int connection = 0; connection < 50; ++connection) {
        tcp_pair both;
        arm(both, group);
        const std::string text = "connection " + std::to_string(connection) + ' ' +
                                 std::string(static_cast<std::size_t>(connection) * 7, 'x');
        send(both, text);
        // In two parts where a piece ends.
        while (buffer_.readable_bytes() < text.size()) {
            ASSERT_FALSE(group.take(complete_one(ring_)).empty());
        }
        ASSERT_EQ(text, text_of(buffer_.readable())) << "nothing of the one before";
        both.close_theirs();
        const cqe end = complete_one(ring_);
        EXPECT_EQ(0, end.res);
        EXPECT_TRUE(group.take(end).empty());
        group.reset();
        EXPECT_TRUE(buffer_.empty());
        EXPECT_GT(group.posted_bytes(), page / 2 - 1);
    }
    EXPECT_EQ(0u, group.refused());
}

TEST_F(private_group_test, the_buffer_is_lent_while_it_exists) {
    {
        const private_group group = make(buffer_);
        EXPECT_TRUE(buffer_.lent());
        EXPECT_FALSE(buffer_.rewind());
        EXPECT_TRUE(buffer_.begin_write().empty());
        EXPECT_FALSE(buffer_.commit_write(1));
        EXPECT_FALSE(buffer_.commit_write(0));
        ring_buffer stolen = std::move(buffer_);
        EXPECT_EQ(0u, stolen.capacity());
        stolen = std::move(buffer_);
        EXPECT_EQ(page, buffer_.capacity());  // NOLINT(bugprone-use-after-move)
        buffer_ = ring_buffer{};
        EXPECT_EQ(page, buffer_.capacity());
    }
    EXPECT_FALSE(buffer_.lent());
    EXPECT_EQ(page, buffer_.begin_write().size());
    EXPECT_TRUE(buffer_.commit_write(0));
}

TEST_F(private_group_test, works_in_a_buffer_of_a_pool_which_takes_it_back) {
    buffer_pool pool;
    ASSERT_FALSE(buffer_pool::create(ring_, {.buffer_bytes = page, .slab_buffers = 2}, pool));
    buffer_lease lease = pool.acquire();
    ASSERT_TRUE(lease->commit_write(100));
    ASSERT_TRUE(lease->commit_read(100));  // The group begins at the buffer's base all the same.
    private_group group = make(*lease);
    EXPECT_EQ(0u, lease->write_offset());
    arm(both_, group);
    EXPECT_EQ("pooled", pass(both_, group, "pooled"));
    group = private_group{};
    EXPECT_EQ("pooled", text_of(lease->readable())) << "what is unread stays";
    lease.reset();
    EXPECT_EQ(0u, pool.stats().abandoned);
    EXPECT_EQ(0u, pool.stats().buffers_in_use);
    send(both_, "later");
    EXPECT_EQ(-ENOBUFS, complete_one(ring_).res) << "the receive that was still armed";

    lease = pool.acquire();
    const private_group second = make(*lease);
    lease.reset();  // In the wrong order: the buffer is set aside.
    EXPECT_EQ(1u, pool.stats().abandoned);
}

TEST_F(private_group_test, refuses_completions_that_are_out_of_order) {
    private_group group = make(buffer_);
    const auto with_buffer = [](std::uint32_t buffer, std::int32_t res) {
        return cqe{
            .res = res,
            .flags = cqe_flag::buffer | cqe_flag::buffer_more | buffer << cqe_flag::buffer_shift};
    };
    EXPECT_TRUE(group.take(with_buffer(1, 10)).empty()) << "the kernel is at piece 0";
    EXPECT_TRUE(group.take(with_buffer(4, 10)).empty());
    EXPECT_TRUE(group.take(cqe{.res = 10}).empty());
    EXPECT_TRUE(group.take(with_buffer(0, static_cast<std::int32_t>(page / 4 + 1))).empty());
    EXPECT_EQ(4u, group.refused());
    EXPECT_TRUE(buffer_.empty());
    EXPECT_TRUE(group.take(cqe{.res = -ENOBUFS}).empty());
    EXPECT_TRUE(group.take(cqe{.res = 0}).empty());
    EXPECT_EQ(4u, group.refused());
}

TEST_F(private_group_test, what_it_cannot_be_made_of_is_an_error_with_a_reason) {
    private_group group;
    std::string why;
    const auto create = [&](ring_buffer& over, const private_group_options& options) {
        return private_group::create(ring_, over, options, group, &why);
    };
    EXPECT_EQ(std::errc::invalid_argument, create(buffer_, {.pieces = 1}));
    EXPECT_NE(std::string::npos, why.find("pieces is 1, must be 2 to 1024")) << why;
    EXPECT_EQ(std::errc::invalid_argument, create(buffer_, {.pieces = 1025}));
    EXPECT_EQ(std::errc::invalid_argument, create(buffer_, {.pieces = 3}));
    EXPECT_NE(std::string::npos, why.find("cannot be cut into 3 equal pieces")) << why;
    EXPECT_EQ(std::errc::invalid_argument, create(buffer_, {.group = 65'536}));
    ring_buffer none;
    EXPECT_EQ(std::errc::invalid_argument, create(none, {}));

    ASSERT_TRUE(buffer_.commit_write(1));
    EXPECT_EQ(std::errc::invalid_argument, create(buffer_, {}));
    EXPECT_NE(std::string::npos, why.find("1 unread bytes")) << why;
    ASSERT_TRUE(buffer_.commit_read(1));
    ASSERT_FALSE(buffer_.begin_write().empty());
    EXPECT_EQ(std::errc::device_or_resource_busy, create(buffer_, {}));
    ASSERT_TRUE(buffer_.commit_write(0));

    const private_group first = make(buffer_, {.group = 5});
    EXPECT_EQ(5u, first.id());
    EXPECT_EQ(std::errc::device_or_resource_busy, create(buffer_, {})) << "one group a buffer";
    ring_buffer other;
    ASSERT_FALSE(ring_buffer::create(page, {}, other));
    EXPECT_EQ(std::errc::file_exists, create(other, {.group = 5}));
    EXPECT_FALSE(other.lent());

    ring null = make_null_ring();
    EXPECT_EQ(std::errc::not_supported, private_group::create(null, other, {}, group, &why));
    ring no_ring;
    EXPECT_EQ(std::errc::invalid_argument, private_group::create(no_ring, other, {}, group, &why));
    EXPECT_FALSE(group.valid());
    EXPECT_EQ(0u, group.recycle());
    EXPECT_TRUE(group.take(cqe{.res = 1}).empty());
    group.reset();
}

TEST_F(private_group_test, needs_incremental_buffers) {
    backends::uring::kernel_mask older;
    older.features.set(static_cast<std::size_t>(feature::incremental_buffers));
    backends::chosen_backend chosen;
    std::string why;
    ASSERT_FALSE(backends::uring::set_up_masked({.sq_entries = 16, .cq_entries = 16}, older,
                                                chosen.instance, why))
        << why;
    const auto state = std::make_shared<detail::ring_state>(ring_options{}, std::move(chosen));
    detail::private_group_state* group = nullptr;
    EXPECT_EQ(std::errc::not_supported,
              detail::private_group_state::create(state, buffer_, {}, group, &why));
    EXPECT_NE(std::string::npos, why.find("6.12")) << why;
}

TEST_F(private_group_test, may_go_after_its_ring_and_gives_the_buffer_back) {
    private_group group = make(buffer_);
    arm(both_, group);
    EXPECT_EQ("kept", pass(both_, group, "kept"));
    ring_ = ring{};
    const std::byte* const behind = buffer_.readable().data() + 4;
    detail::reclaim({behind, 1});  // The kernel's, which must not use it.
    const std::byte before = *behind;
    send(both_, "later");
    EXPECT_EQ(before, *behind);
    group = private_group{};
    EXPECT_FALSE(buffer_.lent());
    EXPECT_EQ("kept", text_of(buffer_.readable()));
}

TEST_F(private_group_test, a_ring_that_cannot_be_drained_keeps_the_buffer) {
    // In a child, because what is leaked on purpose is leaked.
    const pid_t child = ::fork();
    if (child == 0) {
        ring owner = make_uring({.drain_timeout = std::chrono::nanoseconds{0}});
        ring_buffer buffer;
        private_group group;
        if (ring_buffer::create(page, {}, buffer)) ::_exit(1);
        if (private_group::create(owner, buffer, {}, group)) ::_exit(2);
        tcp_pair both;
        if (owner.prepare_recv_multishot(both.ours(), group.id(), 1) == nullptr) ::_exit(3);
        if (owner.submit() != 1) ::_exit(4);
        owner = ring{};
        group = private_group{};
        if (!buffer.lent()) ::_exit(5);
        buffer = ring_buffer{};
        ::_exit(mirror_mappings() == 2 ? 0 : 6);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, WEXITSTATUS(status));
}

// Thousands of groups, as own-ring-multishot has them, under the limit of an ordinary user: each
// takes what the kernel pins of it, and the one that is too many is refused with a reason.
TEST_F(private_group_test, too_little_locked_memory_is_an_error_that_says_so) {
    const pid_t child = ::fork();
    if (child == 0) {
        const rlimit small{1U << 20U, 1U << 20U};
        if (::setrlimit(RLIMIT_MEMLOCK, &small) != 0) ::_exit(1);
        if (::geteuid() == 0 && (::setgid(65532) != 0 || ::setuid(65532) != 0)) ::_exit(2);
        ring owner = make_uring();
        std::vector<std::unique_ptr<ring_buffer>> buffers;
        std::vector<private_group> groups;
        std::string why;
        std::error_code error;
        while (!error && groups.size() < 1000) {
            buffers.push_back(std::make_unique<ring_buffer>());
            if (ring_buffer::create(page, {}, *buffers.back())) ::_exit(3);
            groups.emplace_back();
            error = private_group::create(owner, *buffers.back(), {}, groups.back(), &why);
        }
        if (error != std::errc::not_enough_memory) ::_exit(4);
        if (why.find("RLIMIT_MEMLOCK") == std::string::npos) ::_exit(5);
        if (buffers.back()->lent()) ::_exit(6);
        ::_exit(groups.size() > 100 ? 0 : 7);
    }
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_EQ(0, WEXITSTATUS(status));
}

// Receives a random stream, reading and recycling at random, through `generations` connections that
// use the same group one after the other and break off anywhere.
TEST_F(private_group_test, carries_random_streams_byte_for_byte_and_survives_their_ends) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random{seed};
    ring_buffer buffer;
    ASSERT_FALSE(ring_buffer::create(3 * page, {}, buffer));
    private_group group = make(buffer, {.pieces = 6});
    std::array<std::byte, 20'000> out{};
    const auto end = std::chrono::steady_clock::now() + patience;
    std::uint64_t starved = 0;
    for (std::uint64_t connection = 0; connection < 20; ++connection) {
        tcp_pair both;
        const std::uint64_t all = random() % 300'000;
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        std::uint64_t read = 0;
        bool armed = false;
        bool ended = false;
        while (!ended) {
            ASSERT_LT(std::chrono::steady_clock::now(), end);
            const auto some = std::min<std::uint64_t>(
                1 + random() % (random() % 4 == 0 ? out.size() : 50), all - sent);
            write_pattern(std::span{out}.first(some), sent, connection);
            if (some > 0) {
                const ssize_t now = ::send(both.theirs().value, out.data(), some, MSG_DONTWAIT);
                if (now > 0) sent += static_cast<std::uint64_t>(now);
            } else if (sent == all) {
                ::shutdown(both.theirs().value, SHUT_WR);
            }
            if (!armed && group.posted_bytes() > 0) {
                arm(both, group);
                armed = true;
            }
            ASSERT_GE(ring_.submit_and_wait(1, std::chrono::microseconds{100}), 0);
            for (const cqe& done : ring_.completions()) {
                armed = armed && done.more();
                const auto bytes = group.take(done);
                ASSERT_EQ(static_cast<std::size_t>(std::max(done.res, 0)), bytes.size());
                ASSERT_EQ(bytes.size(), matching(bytes, received, connection));
                received += bytes.size();
                starved += done.res == -ENOBUFS ? 1U : 0U;
                ended = done.res == 0;
            }
            const auto readable = buffer.readable();
            ASSERT_EQ(received - read, readable.size());
            const std::size_t now =
                random() % 3 == 0 ? readable.size() : random() % (readable.size() + 1);
            ASSERT_EQ(now, matching(readable.first(now), read, connection));
            ASSERT_TRUE(buffer.commit_read(now));
            read += now;
            group.recycle();
        }
        ASSERT_EQ(all, received);
        group.reset();  // Perhaps with bytes unread.
    }
    EXPECT_GT(starved, 0u) << "too easy";
    EXPECT_EQ(0u, group.refused());
}

}  // namespace
}  // namespace ioring::buffer_tests
