// SPDX-License-Identifier: MIT
// reuse_posix_test.cpp - numbers closed behind the ring's back: what comes after is not mixed up.
#include <fcntl.h>

#include "entries.hpp"

namespace ioring::conformance {
namespace {

class reuse_test : public backend_test {
protected:
    // Makes `of` the number of `instead`, which is closed by it, as a program that reuses it would.
    static socket_end take_over(socket_end& of, socket_end& instead) {
        const int number = instead.release();
        EXPECT_EQ(number, ::dup2(of.number(), number));
        of.close();
        return socket_end{number};
    }
    // D4: the old operation may end in any way; `user_data` is of the new one.
    cqe complete_new(std::uint64_t user_data) {
        for (;;) {
            const cqe done = complete_one();
            if (done.user_data == user_data || HasFailure()) return done;
        }
    }

    std::array<std::byte, 16> buffer_{};
    std::array<std::byte, 16> old_buffer_{};
};
INSTANTIATE_TEST_SUITE_P(backend, reuse_test, every_backend(), backend_name);

TEST_P(reuse_test, a_recv_on_what_the_ring_has_accepted_is_of_the_new_connection) {
    const plain_listener listener = listen_on("127.0.0.1:0");
    socket_pair before = connected_pair();
    const socket_end client = connect_to(listener.address);
    ring_.prepare_recv(before.ours.fd(), old_buffer_, 1);
    expect_nothing();
    const int number = before.ours.number();
    before.ours.close();
    ring_.prepare_accept(listener.socket.fd(), 2);
    const socket_end accepted{complete_new(2).res};
    ASSERT_EQ(number, accepted.number());
    ring_.prepare_recv(accepted.fd(), buffer_, 3);
    ASSERT_LE(0, ring_.submit());
    ASSERT_TRUE(send_all(client, "new"));
    EXPECT_EQ(3, complete_new(3).res);
    EXPECT_EQ("new", text(buffer_, 3));
    EXPECT_EQ(std::string(16, '\0'), text(old_buffer_, 16));
}

TEST_P(reuse_test, a_poll_on_the_reused_number_is_of_the_new_connection) {
    socket_pair before = connected_pair();
    socket_pair after = connected_pair();
    ring_.prepare_poll_add(before.ours.fd(), poll_event::in, 1);
    expect_nothing();
    const socket_end reused = take_over(after.ours, before.ours);
    ring_.prepare_poll_add(reused.fd(), poll_event::in, 2);
    ASSERT_LE(0, ring_.submit());
    ASSERT_TRUE(send_all(after.theirs, "new"));
    EXPECT_LT(0, complete_new(2).res);
}

}  // namespace
}  // namespace ioring::conformance
