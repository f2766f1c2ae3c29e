// SPDX-License-Identifier: MIT
// fixed_test.cpp - transfers by the ids of registered sockets and buffers, and by kernel slots.
#include "conformance.hpp"

namespace ioring::conformance {
namespace {

class fixed_test : public backend_test {
protected:
    void SetUp() override {
        backend_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        ASSERT_FALSE(ring_.register_socket(pair_.ours.fd(), connection_));
        ASSERT_FALSE(ring_.register_buffer(bytes_of(memory_), buffer_));
    }

    socket_pair pair_ = connected_pair();
    connection_id connection_;
    buffer_id buffer_;
    std::string memory_ = std::string(64, '.');
};
INSTANTIATE_TEST_SUITE_P(backend, fixed_test, every_backend(), backend_name);

TEST_P(fixed_test, a_registered_buffer_receives_at_its_offset) {
    ring_.prepare_recv_buffer(connection_, buffer_, /*offset=*/8, /*bytes=*/16, 1);
    expect_nothing();
    ASSERT_TRUE(send_all(pair_.theirs, "hello"));
    EXPECT_EQ(5, complete_one(1).res);
    EXPECT_EQ("........hello...", memory_.substr(0, 16));
}

TEST_P(fixed_test, a_registered_buffer_sends_from_its_offset) {
    memory_.replace(8, 5, "hello");
    ring_.prepare_send_buffer(connection_, buffer_, /*offset=*/8, /*bytes=*/5, 1);
    EXPECT_EQ(5, complete_one(1).res);
    EXPECT_EQ("hello", receive(pair_.theirs, 5));
}

TEST_P(fixed_test, a_send_without_copy_delivers_and_ends) {
    memory_.replace(0, 5, "hello");
    ring_.prepare_send_buffer_zc(connection_, buffer_, 0, 5, 1);
    const cqe result = complete_one(1);
    EXPECT_EQ(5, result.res);
    EXPECT_EQ("hello", receive(pair_.theirs, 5));
    if (result.more()) {
        const cqe notification = complete_one(1);
        EXPECT_EQ(cqe_flag::notification, notification.flags);
    }
    expect_nothing();
}

TEST_P(fixed_test, a_send_to_a_peer_that_is_gone_is_an_error_and_no_signal) {
    pair_.theirs.reset();
    int result = 1;
    for (int i = 0; i < 100 && result > 0; ++i) {
        ring_.prepare_send_buffer(connection_, buffer_, 0, 1, 1);
        result = complete_one(1).res;
    }
    EXPECT_TRUE(result == -EPIPE || result == -ECONNRESET) << result;
}

TEST_P(fixed_test, a_stale_socket_is_a_bad_descriptor) {
    ASSERT_FALSE(ring_.unregister_socket(connection_));
    ring_.prepare_recv_buffer(connection_, buffer_, 0, 16, 1);
    EXPECT_EQ(-EBADF, complete_one(1).res);
    ring_.prepare_send_buffer(connection_, buffer_, 0, 16, 2);
    EXPECT_EQ(-EBADF, complete_one(2).res);
    ring_.prepare_send_buffer_zc(connection_, buffer_, 0, 16, 3);
    EXPECT_EQ(-EBADF, complete_one(3).res);
}

TEST_P(fixed_test, a_stale_buffer_is_a_bad_address) {
    ASSERT_TRUE(send_all(pair_.theirs, "abc"));
    ASSERT_FALSE(ring_.unregister_buffer(buffer_));
    ring_.prepare_recv_buffer(connection_, buffer_, 0, 16, 1);
    EXPECT_EQ(-EFAULT, complete_one(1).res);
    ring_.prepare_send_buffer(connection_, buffer_, 0, 16, 2);
    EXPECT_EQ(-EFAULT, complete_one(2).res);
    ring_.prepare_send_buffer_zc(connection_, buffer_, 0, 16, 3);
    EXPECT_EQ(-EFAULT, complete_one(3).res);
    EXPECT_EQ("abc", receive(pair_.ours, 3));  // No byte was touched.
    EXPECT_EQ(std::string(64, '.'), memory_);
}

TEST_P(fixed_test, a_range_beyond_the_buffer_is_a_bad_address) {
    ring_.prepare_recv_buffer(connection_, buffer_, 60, 5, 1);
    EXPECT_EQ(-EFAULT, complete_one(1).res);
    ring_.prepare_send_buffer(connection_, buffer_, 65, 1, 2);
    EXPECT_EQ(-EFAULT, complete_one(2).res);
    ring_.prepare_send_buffer(connection_, buffer_, ~std::uint64_t{0}, 2, 3);
    EXPECT_EQ(-EFAULT, complete_one(3).res);
    ring_.prepare_recv_buffer(connection_, buffer_, 0, 0, 4);
    EXPECT_EQ(-EFAULT, complete_one(4).res);
}

TEST_P(fixed_test, a_slot_that_nobody_pinned_is_a_bad_address) {
    sqe entry;
    prep_read_fixed(entry, pair_.ours.fd(), bytes_of(memory_), 0, /*buffer_slot=*/77, 1);
    EXPECT_EQ(-EFAULT, run(entry).res);
    prep_write_fixed(entry, pair_.ours.fd(), bytes_of(memory_), 0, /*buffer_slot=*/77, 2);
    EXPECT_EQ(-EFAULT, run(entry).res);
}

TEST_P(fixed_test, a_bad_descriptor_is_told_before_a_bad_slot) {
    const auto told = [this](int error) {
        return error == -EBADF || (is_older_uring() && error == -EFAULT);  // D24
    };
    sqe entry;
    prep_read_fixed(entry, fd{}, bytes_of(memory_), 0, /*buffer_slot=*/77, 1);
    EXPECT_PRED1(told, run(entry).res);
    prep_write_fixed(entry, fd{}, bytes_of(memory_), 0, /*buffer_slot=*/77, 2);
    EXPECT_PRED1(told, run(entry).res);
}

}  // namespace
}  // namespace ioring::conformance
