// SPDX-License-Identifier: MIT
// vectored_send.cpp - the trial that chooses between SEND_VECTORIZED and SENDMSG.
#include "vectored_send.hpp"

#include <unistd.h>

#include <cerrno>

#include "peer.hpp"
#include "uring_server.hpp"

namespace peer {

vectored_sender::vectored_sender(raw_ring& ring, bool sendmsg)
    : ring_(ring), headers_(sq_entries), vectorized_(!sendmsg && takes_vectorized()) {}

bool vectored_sender::takes_vectorized() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) fail("socketpair", errno);
    char byte = 0;
    iovec piece{&byte, 1};
    prepare_send(ring_, pair[0], &piece, 1, 0).ioprio = send_vectorized;
    std::int32_t res = -EINTR;
    while (res == -EINTR) {
        ring_.submit_and_wait();
        ring_.reap([&res](const cqe& done) { res = done.res; });
    }
    ::close(pair[0]);
    ::close(pair[1]);
    return res == 1;
}

void vectored_sender::send_message(int fd, iovec* pieces, std::size_t count,
                                   std::uint64_t user_data) {
    msghdr& header = headers_[next_header_++ % headers_.size()];
    header = msghdr{};
    header.msg_iov = pieces;
    header.msg_iovlen = count;
    prepare_send(ring_, fd, &header, 1, user_data).code = opcode::sendmsg;
}

}  // namespace peer
