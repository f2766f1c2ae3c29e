// SPDX-License-Identifier: MIT
// buffer_pool_linux_test.cpp - pools on the kernel's io_uring: transfers, ends in every order,
// limits, forks.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "buffer/linux_test_support.hpp"
#include "ioring/buffer_pool.hpp"

namespace ioring::buffer_tests {
namespace {

const auto page = static_cast<std::uint32_t>(ring_buffer::granularity());

buffer_pool make_pool(ring& owner, pool_options options) {
    buffer_pool made;
    std::string why;
    EXPECT_FALSE(buffer_pool::create(owner, options, made, &why)) << why;
    return made;
}

int descriptors_open() {
    int count = 0;
    for (int each = 0; each < 1024; ++each) count += ::fcntl(each, F_GETFD) >= 0 ? 1 : 0;
    return count;
}

// What a child says of its check: 0 when it held, else the number of the step that did not.
int run_in_child(const std::function<int()>& check) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(check());
    int status = 0;
    EXPECT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// Lowers the soft limit of address space to what is in use and `more`, for as long as it exists.
class address_space_limit {
public:
    explicit address_space_limit(std::uint64_t more) {
        std::uint64_t pages = 0;
        std::ifstream{"/proc/self/statm"} >> pages;
        EXPECT_EQ(0, ::getrlimit(RLIMIT_AS, &before_));
        const rlimit lowered{pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + more,
                             before_.rlim_max};
        EXPECT_EQ(0, ::setrlimit(RLIMIT_AS, &lowered));
    }
    address_space_limit(const address_space_limit&) = delete;
    address_space_limit& operator=(const address_space_limit&) = delete;
    ~address_space_limit() { EXPECT_EQ(0, ::setrlimit(RLIMIT_AS, &before_)); }

private:
    rlimit before_{};
};

TEST(buffer_memory, ends_with_the_buffer_unless_a_receive_may_write_to_it) {
    // In a child, because what is leaked on purpose is leaked.
    EXPECT_EQ(0, run_in_child([] {
                  {
                      ring_buffer buffer;
                      if (ring_buffer::create(page, {}, buffer)) return 1;
                      if (mirror_mappings() != 2) return 2;
                      ring_buffer other;
                      if (ring_buffer::create(page, {}, other)) return 3;
                      buffer = std::move(other);
                      if (mirror_mappings() != 2) return 4;
                  }
                  if (mirror_mappings() != 0) return 5;
                  {
                      ring_buffer buffer;
                      if (ring_buffer::create(page, {}, buffer)) return 6;
                      if (buffer.begin_write().empty()) return 7;
                  }
                  return mirror_mappings() == 2 ? 0 : 8;
              }));
}

TEST(pool_memory, a_slab_costs_one_mapping_a_buffer_and_no_descriptor) {
    ring owner = make_uring();
    (void)make_pool(owner, {.slabs_initial = 0});
    const int descriptors = descriptors_open();
    const buffer_pool pool = make_pool(owner, {.slab_buffers = 256, .slabs_initial = 4});
    EXPECT_EQ(4u * 257u, mirror_mappings());
    EXPECT_EQ(descriptors, descriptors_open());
}

TEST(pool_memory, a_slab_that_cannot_be_made_leaves_nothing_and_single_buffers) {
    ring owner = make_uring();
    const std::uint32_t bytes = 1U << 20U;
    const int descriptors = descriptors_open();
    const address_space_limit limit{64U << 20U};
    buffer_pool pool;
    std::string why;
    EXPECT_EQ(std::errc::not_enough_memory,
              buffer_pool::create(owner, {.buffer_bytes = bytes, .slabs_max = 1}, pool, &why));
    EXPECT_FALSE(why.empty());
    EXPECT_EQ(0u, mirror_mappings());
    EXPECT_EQ(descriptors, descriptors_open());

    pool = make_pool(owner, {.buffer_bytes = bytes, .slabs_max = 1, .slabs_initial = 0});
    buffer_lease lease = pool.acquire();
    ASSERT_TRUE(lease);
    EXPECT_EQ(1u, pool.stats().fallbacks_total);
    EXPECT_EQ(2u, mirror_mappings());
    EXPECT_EQ(std::errc::not_enough_memory, pool.reserve(1));
    std::vector<buffer_lease> others;
    std::error_code error;
    while (others.size() < 100 && !error) others.push_back(pool.acquire(&error));
    EXPECT_EQ(std::errc::not_enough_memory, error) << "64 MiB hold no hundred of them";
    EXPECT_GT(others.size(), 10u);

    pool = make_pool(
        owner, {.buffer_bytes = bytes, .slabs_max = 1, .slabs_initial = 0, .fallback = false});
    error = {};
    EXPECT_FALSE(pool.acquire(&error));
    EXPECT_EQ(std::errc::not_enough_memory, error);
}

// A ring, a pool on it and a receive in flight into a leased buffer.
class pool_in_flight : public testing::Test {
protected:
    void SetUp() override {
        ring_.emplace(make_uring());
        pool_.emplace(make_pool(*ring_, {.buffer_bytes = page, .slab_buffers = 4}));
        lease_ = pool_->acquire();
        ASSERT_FALSE(ring_->register_socket(both_.ours(), connection_));
        begin_receive(*lease_, 1);
    }

    void begin_receive(ring_buffer& buffer, std::uint64_t user_data) {
        const auto room = buffer.begin_write();
        ASSERT_FALSE(room.empty());
        ASSERT_NE(nullptr,
                  ring_->prepare_recv_buffer(connection_, buffer.id(), buffer.write_offset(),
                                             buffer.writable_bytes(), user_data));
        ASSERT_EQ(1, ring_->submit());
    }

    void send(std::string_view text) { buffer_tests::send(both_, text); }

    // What nobody has received.
    std::string rest() {
        std::array<char, 64> bytes{};
        const ssize_t got = ::recv(both_.ours().value, bytes.data(), bytes.size(), MSG_DONTWAIT);
        return got < 0 ? "" : std::string(bytes.data(), static_cast<std::size_t>(got));
    }

    tcp_pair both_;
    std::optional<ring> ring_;
    std::optional<buffer_pool> pool_;
    buffer_lease lease_;
    connection_id connection_;
};

TEST_F(pool_in_flight, the_pool_goes_first_and_its_memory_stays_until_the_receive_has_ended) {
    lease_.reset();
    pool_.reset();
    EXPECT_EQ(5u, mirror_mappings());
    send("late");
    const cqe done = complete_one(*ring_);
    EXPECT_EQ(4, done.res) << "not -EFAULT: the memory was there";
    ring_->submit();  // Gives up what nothing is in flight on.
    EXPECT_EQ(0u, mirror_mappings());
}

TEST_F(pool_in_flight, the_pool_goes_first_and_the_ring_takes_its_memory_along) {
    lease_.reset();
    pool_.reset();
    ring_.reset();
    EXPECT_EQ(0u, mirror_mappings());
    send("late");
    EXPECT_EQ("late", rest()) << "nobody took it";
}

TEST_F(pool_in_flight, the_ring_goes_first_and_nothing_is_written_after) {
    const auto room = lease_->writable();
    ring_.reset();
    detail::reclaim(room);
    std::memset(room.data(), 'p', room.size());
    send("late");
    EXPECT_EQ("late", rest());
    EXPECT_TRUE(std::all_of(room.begin(), room.end(),
                            [](std::byte each) { return each == std::byte{'p'}; }));
    ASSERT_TRUE(lease_->commit_write(0));
    lease_.reset();
    EXPECT_EQ(0u, pool_->stats().abandoned);
    EXPECT_EQ(5u, mirror_mappings());
    pool_.reset();
    EXPECT_EQ(0u, mirror_mappings());
}

TEST_F(pool_in_flight, the_lease_goes_last_after_pool_and_ring) {
    pool_.reset();
    ring_.reset();
    EXPECT_EQ(5u, mirror_mappings());
    const auto room = lease_->writable();
    detail::reclaim(room);
    std::memset(room.data(), 'p', room.size());
    send("late");
    EXPECT_EQ("late", rest());
    EXPECT_EQ(std::byte{'p'}, room.front());
    lease_.reset();
    EXPECT_EQ(0u, mirror_mappings());
}

TEST_F(pool_in_flight, the_lease_goes_last_while_the_ring_still_receives) {
    pool_.reset();
    lease_.reset();
    EXPECT_EQ(5u, mirror_mappings()) << "the ring has it";
    send("late");
    EXPECT_EQ(4, complete_one(*ring_).res);
    EXPECT_EQ(5u, mirror_mappings());
    ring_.reset();
    EXPECT_EQ(0u, mirror_mappings());
}

TEST_F(pool_in_flight, a_buffer_given_back_during_a_receive_reaches_no_other_connection) {
    lease_.reset();
    EXPECT_EQ(1u, pool_->stats().abandoned);
    std::vector<buffer_lease> others;
    for (int count = 0; count < 4; ++count) {
        others.push_back(pool_->acquire());
        std::memset(others.back()->writable().data(), 'o', page);
    }
    send("late");
    EXPECT_EQ(4, complete_one(*ring_).res);
    for (const buffer_lease& each : others) {
        const auto bytes = each->writable();
        EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(),
                                [](std::byte one) { return one == std::byte{'o'}; }));
    }
}

TEST_F(pool_in_flight, a_ring_that_cannot_be_drained_keeps_the_memory_for_ever) {
    // In a child, because what is leaked on purpose is leaked.
    EXPECT_EQ(0, run_in_child([] {
                  tcp_pair both;
                  ring owner = make_uring({.drain_timeout = std::chrono::nanoseconds{0}});
                  buffer_pool pool;
                  if (buffer_pool::create(owner, {.buffer_bytes = page, .slab_buffers = 4}, pool)) {
                      return 1;
                  }
                  buffer_lease lease = pool.acquire();
                  if (owner.prepare_recv(both.ours(), lease->begin_write(), 1) == nullptr) return 2;
                  if (owner.submit() != 1) return 3;
                  owner = ring{};
                  lease.reset();
                  pool = buffer_pool{};
                  return mirror_mappings() == 5 ? 0 : 4;
              }));
}

TEST_F(pool_in_flight, a_forked_child_lets_go_without_touching_the_parents) {
    EXPECT_EQ(0, run_in_child([this] {
                  pool_.reset();
                  lease_.reset();
                  ring_.reset();
                  return 0;
              }));
    send("late");
    const cqe done = complete_one(*ring_);
    EXPECT_EQ(4, done.res);
    ASSERT_TRUE(lease_->commit_write(static_cast<std::uint32_t>(done.res)));
    EXPECT_EQ(0, std::memcmp("late", lease_->readable().data(), 4));
}

TEST(pool_threads, a_pool_made_in_one_thread_is_used_by_the_rings_thread) {
    ring owner = make_uring();
    buffer_pool pool = make_pool(owner, {.buffer_bytes = page, .slab_buffers = 4});
    tcp_pair both;
    std::thread{[&] {
        buffer_lease lease = pool.acquire();
        ASSERT_NE(nullptr, owner.prepare_recv(both.ours(), lease->begin_write(), 1));
        ASSERT_EQ(1, owner.submit());
        ASSERT_EQ(1, ::send(both.theirs().value, "x", 1, 0));
        ASSERT_EQ(1, complete_one(owner).res);
        ASSERT_TRUE(lease->commit_write(1));
        lease.reset();
        pool = buffer_pool{};
        owner = ring{};
    }}.join();
    EXPECT_EQ(0u, mirror_mappings());
}

TEST(pool_limits, nothing_is_pinned_where_little_may_be_locked) {
    EXPECT_EQ(0, run_in_child([] {
                  const rlimit small{8U << 20U, 8U << 20U};
                  if (::setrlimit(RLIMIT_MEMLOCK, &small) != 0) return 1;
                  // Root is exempt from the limit.
                  if (::geteuid() == 0 && (::setgid(65533) != 0 || ::setuid(65533) != 0)) return 2;
                  ring owner = make_uring();
                  buffer_pool pool;
                  // 1.25 GiB, twice that in addresses.
                  if (buffer_pool::create(owner, {.slabs_max = 80, .slabs_initial = 79}, pool)) {
                      return 3;
                  }
                  std::vector<buffer_lease> leases;
                  leases.reserve(20'000);
                  for (int count = 0; count < 20'000; ++count) leases.push_back(pool.acquire());
                  if (!leases.back() || pool.stats().fallbacks_total != 0) return 4;

                  tcp_pair both;
                  connection_id ours;
                  if (owner.register_socket(both.ours(), ours)) return 5;
                  ring_buffer& last = *leases.back();
                  owner.prepare_recv_buffer(ours, last.id(), 0, last.capacity(), 1);
                  if (owner.submit() != 1 || ::send(both.theirs().value, "abc", 3, 0) != 3)
                      return 6;
                  const cqe received = complete_one(owner);
                  if (received.res != 3 || !last.commit_write(3)) return 7;
                  // This one would pin the slab, may not, and is a plain send then.
                  owner.prepare_send_buffer_zc(ours, last.id(), last.read_offset(), 3, 2);
                  const cqe sent = complete_one(owner);
                  if (sent.res != 3 || sent.more()) return 8;
                  const std::string reason = owner.backend_info().registration;
                  if (reason.find("RLIMIT_MEMLOCK") == std::string::npos) return 9;
                  std::array<char, 4> echoed{};
                  if (::recv(both.theirs().value, echoed.data(), 4, 0) != 3) return 10;
                  return std::string_view{echoed.data(), 3} == "abc" ? 0 : 11;
              }));
}

// Echoes random streams through pooled buffers, both ends on one ring, byte for byte.
class echo_line {
public:
    static constexpr std::uint64_t bytes_in_all = 300'000;
    enum class op : std::uint8_t { send, echo_recv, echo_send, recv };

    echo_line(ring& owner, buffer_pool& pool, std::uint32_t slot, std::uint64_t seed)
        : ring_{owner}, buffer_{pool.acquire()}, slot_{slot}, random_{seed} {
        EXPECT_FALSE(ring_.register_socket(both_.ours(), connection_));
        send();
        receive_echo();
        arm();
    }

    [[nodiscard]] bool finished() const { return verified_ == bytes_in_all; }

    void complete(op kind, std::int32_t res) {
        ASSERT_GT(res, 0) << static_cast<int>(kind) << ' ' << error_of(res).message();
        const auto bytes = static_cast<std::uint32_t>(res);
        switch (kind) {
            case op::send: sent_ += bytes; return send();
            case op::echo_recv:
                ASSERT_TRUE(buffer_->commit_write(bytes));
                receiving_ = false;
                return arm();
            case op::echo_send:
                ASSERT_TRUE(buffer_->commit_read(bytes));
                sending_ = false;
                if (random_() % 2 == 0) buffer_->rewind();
                return arm();
            case op::recv:
                ASSERT_EQ(bytes, matching(std::span{in_}.first(bytes), verified_, slot_));
                verified_ += bytes;
                return receive_echo();
        }
    }

private:
    [[nodiscard]] user_data tag(op kind) const { return user_data{kind, slot_}; }

    void send() {
        const auto left = bytes_in_all - sent_;
        if (left == 0) return;
        const auto bytes =
            std::span{out_}.first(std::min<std::uint64_t>(left, 1 + random_() % out_.size()));
        write_pattern(bytes, sent_, slot_);
        ASSERT_NE(nullptr, ring_.prepare_send(both_.theirs(), bytes, tag(op::send)));
    }
    void receive_echo() {
        if (finished()) return;
        const auto room = std::span{in_}.first(1 + random_() % in_.size());
        ASSERT_NE(nullptr, ring_.prepare_recv(both_.theirs(), room, tag(op::recv)));
    }
    // The echo server: receives and sends at the same time, from one buffer.
    void arm() {
        if (!receiving_ && !buffer_->begin_write().empty()) {
            receiving_ = true;
            ASSERT_NE(nullptr,
                      ring_.prepare_recv_buffer(connection_, buffer_.id(), buffer_->write_offset(),
                                                buffer_->writable_bytes(), tag(op::echo_recv)));
        }
        if (!sending_ && !buffer_->empty()) {
            sending_ = true;
            ASSERT_NE(nullptr,
                      ring_.prepare_send_buffer(connection_, buffer_.id(), buffer_->read_offset(),
                                                buffer_->readable_bytes(), tag(op::echo_send)));
        }
    }

    ring& ring_;
    buffer_lease buffer_;
    tcp_pair both_;
    connection_id connection_;
    std::uint32_t slot_;
    std::mt19937_64 random_;
    bool receiving_ = false;
    bool sending_ = false;
    std::uint64_t sent_ = 0;
    std::uint64_t verified_ = 0;
    std::array<std::byte, 9000> out_{};
    std::array<std::byte, 9000> in_{};
};

TEST(pool_transfers, echoes_random_streams_byte_for_byte) {
    const auto seed = std::random_device{}();
    SCOPED_TRACE("seed " + std::to_string(seed));
    ring owner = make_uring();
    buffer_pool pool = make_pool(owner, {.buffer_bytes = 2 * page, .slab_buffers = 4});
    std::vector<std::unique_ptr<echo_line>> lines;
    for (std::uint32_t slot = 0; slot < 6; ++slot) {
        lines.push_back(std::make_unique<echo_line>(owner, pool, slot, seed + slot));
    }
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!std::all_of(lines.begin(), lines.end(), [](auto& each) { return each->finished(); })) {
        ASSERT_LT(std::chrono::steady_clock::now(), end);
        ASSERT_GE(owner.submit_and_wait(1, std::chrono::milliseconds{100}), 0);
        for (const cqe& done : owner.completions()) {
            const auto [kind, slot, unused] = user_data::decode<echo_line::op>(done.user_data);
            ASSERT_NO_FATAL_FAILURE(lines[slot]->complete(kind, done.res));
        }
    }
}

}  // namespace
}  // namespace ioring::buffer_tests
