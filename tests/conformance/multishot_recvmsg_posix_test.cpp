// SPDX-License-Identifier: MIT
// multishot_recvmsg_posix_test.cpp - one receive for many datagrams, each with its sender.
#include <sys/socket.h>

#include <cstring>

#include "entries.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/received_message.hpp"

namespace ioring::conformance {
namespace {

class multishot_recvmsg_test : public backend_test {
protected:
    void SetUp() override {
        backend_test::SetUp();
        if (IsSkipped() || HasFatalFailure()) return;
        pattern_.msg_namelen = room.name_bytes;
        ASSERT_FALSE(buffer_group::create(
            ring_, {.buffers = 4, .buffer_bytes = 200, .incremental = false}, group_));
    }
    void arm(const socket_end& at) {
        ring_.prepare_recvmsg_multishot(at.fd(), &pattern_, group_.id(), 1, msg_flag::trunc);
    }
    // Only io_uring itself may be without a doubt expected to do it.
    [[nodiscard]] bool is_refused(const cqe& done) const {
        if (done.res != -EINVAL) return false;
        EXPECT_FALSE(done.more());
        EXPECT_EQ(4U, group_.posted());
        EXPECT_EQ(std::string::npos, std::string{ring_.backend_info().name}.find("uring"));
        return true;
    }
    // What a completion brought; its bytes are the group's again.
    [[nodiscard]] std::string take(const cqe& done, const socket_end& sender, bool is_cut = false) {
        const std::span<std::byte> chunk = group_.take(done);
        received_message message;
        EXPECT_TRUE(received_message::read(chunk, room, message)) << done.res;
        endpoint from;
        std::memcpy(from.data(), message.name.data(), message.name.size());
        from.resize(message.name.size());
        EXPECT_EQ(address_of(sender), from);
        EXPECT_EQ(message.name.size(), message.name_bytes);
        EXPECT_EQ(is_cut, message.is_cut());
        std::string bytes = text(message.payload, message.payload.size());
        EXPECT_EQ(is_cut, message.payload_bytes > bytes.size());
        EXPECT_TRUE(group_.recycle(chunk));
        return bytes;
    }

    static constexpr message_room room{.name_bytes = 28};
    ::msghdr pattern_{};
    buffer_group group_;
};
INSTANTIATE_TEST_SUITE_P(backend, multishot_recvmsg_test,
                         every_backend_with(feature::recv_multishot), backend_name);

TEST_P(multishot_recvmsg_test, brings_each_datagram_with_its_sender_or_is_refused) {
    const auto [ours, theirs] = datagram_pair();
    ASSERT_TRUE(send_all(theirs, "first"));
    arm(ours);
    const cqe first = complete_one(1);
    if (is_refused(first)) return;
    EXPECT_EQ("first", take(first, theirs));
    EXPECT_TRUE(first.more());
    for (const std::string& each : {std::string{}, std::string{"x"}, pattern(156), pattern(100)}) {
        ASSERT_EQ(static_cast<ssize_t>(each.size()),
                  ::send(theirs.number(), each.data(), each.size(), 0));
        const cqe done = complete_one(1);
        EXPECT_EQ(!each.empty(), done.more());
        EXPECT_EQ(each, take(done, theirs));
        if (!done.more()) arm(ours);
    }
    ASSERT_TRUE(send_all(theirs, pattern(157)));
    EXPECT_EQ(pattern(156), take(complete_one(1), theirs, /*is_cut=*/true));
}

TEST_P(multishot_recvmsg_test, out_of_buffers_ends_and_loses_nothing) {
    const auto [ours, theirs] = datagram_pair();
    for (int each = 0; each < 6; ++each) ASSERT_TRUE(send_all(theirs, std::to_string(each)));
    arm(ours);
    std::vector<cqe> all{complete_one(1)};
    if (is_refused(all[0])) return;
    while (all.back().more()) all.push_back(complete_one(1));
    ASSERT_EQ(5U, all.size());
    EXPECT_EQ(-ENOBUFS, all[4].res);
    for (std::size_t each = 0; each < 4; ++each) {
        EXPECT_EQ(std::to_string(each), take(all[each], theirs));
    }
    arm(ours);
    for (const char* const each : {"4", "5"}) EXPECT_EQ(each, take(complete_one(1), theirs));
}

}  // namespace
}  // namespace ioring::conformance
