// SPDX-License-Identifier: MIT
// turn_share_test.cpp - a turn receives so much that the program can send it while it is in the
// cache, and what is left over comes next.
#include <vector>

#include "entries.hpp"
#include "ioring/buffer_group.hpp"

namespace ioring::conformance {
namespace {

// Of a user-space kernel (readiness_kernel::turn_bytes_max); io_uring and IOCP have none.
constexpr std::size_t share_bytes = 65'536;
constexpr std::size_t each_bytes = 60'000;
constexpr std::size_t streams = 6;
static_assert(streams * each_bytes > share_bytes + each_bytes);

class turn_share_test : public backend_test {
protected:
    struct stream {
        socket_pair ends;
        std::string received;
    };

    // Each has much to receive.
    void open_streams() {
        for (std::size_t index = 0; index < streams; ++index) {
            streams_.push_back({connected_pair(), {}});
            ASSERT_TRUE(send_all(streams_.back().ends.theirs, sent_));
        }
    }
    // Enters until all has come, and calls take(completion) for each.
    template <class Take>
    void receive_all(std::uint32_t chunk_bytes, Take&& take) {
        std::size_t turns = 0;
        for (std::size_t all = 0; all < streams * each_bytes; ++turns) {
            ASSERT_LT(turns, 1'000U);
            ASSERT_LE(0, wait_through(ring_, 1, patience));
            std::size_t now = 0;
            for (const cqe& done : ring_.completions()) {
                ASSERT_LT(0, done.res);
                now += static_cast<std::size_t>(done.res);
                take(done);
            }
            all += now;
            EXPECT_TRUE(!has_share() || now < share_bytes + chunk_bytes) << now;
        }
        // Nobody's rest waits for more than one turn of the others.
        EXPECT_TRUE(!has_share() || turns <= 8) << turns;
        for (const stream& each : streams_) EXPECT_TRUE(sent_ == each.received);
    }
    [[nodiscard]] static bool has_share() {
        const std::string name = GetParam();
        return name.starts_with("epoll") || name.starts_with("poll") || name.starts_with("kqueue");
    }

    const std::string sent_ = pattern(each_bytes);
    std::vector<stream> streams_;
    buffer_group group_;
};
INSTANTIATE_TEST_SUITE_P(backend, turn_share_test, every_prompt_backend(), backend_name);

TEST_P(turn_share_test, of_receives_into_buffers_comes_whole_in_few_turns) {
    open_streams();
    std::vector<std::string> buffers(streams, std::string(each_bytes, '\0'));
    for (std::size_t index = 0; index < streams; ++index) {
        prep_recv(next_sqe(), streams_[index].ends.ours.fd(), bytes_of(buffers[index]),
                  msg_flag::wait_all, index);
    }
    receive_all(each_bytes, [&](const cqe& done) {
        streams_[done.user_data].received = buffers[done.user_data];
    });
}

TEST_P(turn_share_test, of_multishot_receives_comes_whole_in_few_turns) {
    if (!ring_.probe().has(feature::recv_multishot)) return;  // No shares to divide.
    std::string why;
    ASSERT_FALSE(buffer_group::create(ring_, {.buffers = 64, .buffer_bytes = 16'384}, group_, &why))
        << why;
    open_streams();
    for (std::size_t index = 0; index < streams; ++index) {
        prep_recv_multishot(next_sqe(), streams_[index].ends.ours.fd(), group_.id(), 0, index);
    }
    receive_all(16'384, [&](const cqe& done) {
        const std::span<std::byte> bytes = group_.take(done);
        streams_[done.user_data].received += text(bytes, bytes.size());
        ASSERT_TRUE(group_.recycle(bytes));
        if (!done.more()) {
            prep_recv_multishot(next_sqe(), streams_[done.user_data].ends.ours.fd(), group_.id(), 0,
                                done.user_data);
        }
    });
}

}  // namespace
}  // namespace ioring::conformance
