// SPDX-License-Identifier: MIT
// message_rights_posix_test.cpp - descriptors that travel as ancillary data of messages.
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "messages.hpp"

namespace ioring::conformance {
namespace {

class message_rights_test : public message_suite {
protected:
    // A message with room for one descriptor as ancillary data, in which it carries `number`.
    struct carrier : message {
        explicit carrier(const char* text, int number = -1) : message{{text}} {
            header.msg_control = room_.data();
            header.msg_controllen = static_cast<decltype(header.msg_controllen)>(room_.size());
            if (number >= 0) put(number);
        }
        [[nodiscard]] int carried() const {
            const ::cmsghdr* const first = CMSG_FIRSTHDR(&header);
            if (first == nullptr || first->cmsg_type != SCM_RIGHTS) return -1;
            int number = -1;
            std::memcpy(&number, CMSG_DATA(first), sizeof number);
            return number;
        }

    private:
        void put(int number) {
            ::cmsghdr* const first = CMSG_FIRSTHDR(&header);
            first->cmsg_level = SOL_SOCKET;
            first->cmsg_type = SCM_RIGHTS;
            first->cmsg_len = CMSG_LEN(sizeof(int));
            std::memcpy(CMSG_DATA(first), &number, sizeof number);
        }

        alignas(::cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> room_{};
    };
};
INSTANTIATE_TEST_SUITE_P(backend, message_rights_test, every_backend(), backend_name);

TEST_P(message_rights_test, ancillary_data_goes_through_both_ways) {
    const auto [ours, theirs] = local_pair();
    const socket_pair carried = pipe_pair();
    const carrier sent{"here", carried.ours.number()};
    carrier into{"????"};
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, 0, 2);
    expect_nothing();
    prep_sendmsg(next_sqe(), theirs.fd(), &sent.header, whole, 3);
    for (const cqe& done : complete(2)) EXPECT_EQ(4, done.res);
    const socket_end got{into.carried()};
    ASSERT_LE(0, got.number());
    ASSERT_EQ(1, ::write(carried.theirs.number(), "x", 1));
    char byte = 0;
    EXPECT_EQ(1, ::read(got.number(), &byte, 1));
}

TEST_P(message_rights_test, wait_all_does_not_lose_what_came_with_the_first_bytes) {
    const auto [ours, theirs] = local_pair();
    const socket_pair carried = pipe_pair();
    const carrier sent{"here", carried.ours.number()};
    carrier into{"????????"};
    prep_recvmsg(next_sqe(), ours.fd(), &into.header, msg_flag::wait_all, 1);
    expect_nothing();
    ASSERT_EQ(4, send_message(theirs, sent));
    ASSERT_TRUE(send_all(theirs, "more"));
    EXPECT_EQ(4, complete_one(1).res);
    const socket_end got{into.carried()};
    EXPECT_LE(0, got.number());
}

TEST_P(message_rights_test, cut_ancillary_data_breaks_a_link_only_when_all_was_asked_for) {
    const auto [ours, theirs] = local_pair();
    for (const std::uint32_t flags : {0U, msg_flag::wait_all}) {
        const carrier sent{"here", ours.number()};
        ASSERT_EQ(4, send_message(theirs, sent));
        message into{{"????"}};
        sqe& entry = next_sqe();
        prep_recvmsg(entry, ours.fd(), &into.header, flags, 1);
        entry.flags |= sqe_flag::io_link;
        ring_.prepare_nop(2);
        const auto all = complete(2);
        EXPECT_EQ(4, with_user_data(all, 1).res);
        EXPECT_EQ(flags == 0 ? 0 : -ECANCELED, with_user_data(all, 2).res);
    }
}

TEST_P(message_rights_test, ancillary_data_without_room_is_cut_and_says_so) {
    const auto [ours, theirs] = local_pair();
    const carrier sent{"here", ours.number()};
    ASSERT_EQ(4, send_message(theirs, sent));
    message into{{"????"}};
    EXPECT_EQ(4, recv_message(ours, into));
    EXPECT_EQ(MSG_CTRUNC, into.header.msg_flags & MSG_CTRUNC);
}

}  // namespace
}  // namespace ioring::conformance
