// SPDX-License-Identifier: MIT
// vectored_send.hpp - one send of several pieces: SEND_VECTORIZED, or SENDMSG on older kernels.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <vector>

#include "raw_uring.hpp"

namespace peer {

class vectored_sender {
public:
    // Finds out by one send of its own which of the two the kernel takes, unless `sendmsg` says so.
    // The ring must be idle.
    vectored_sender(raw_ring& ring, bool sendmsg);

    // `pieces` may be changed once the entry has been submitted: the kernel has copied it.
    void send(int fd, iovec* pieces, std::size_t count, std::uint64_t user_data) {
        if (count == 1) {
            prepare_send(ring_, fd, pieces->iov_base, static_cast<std::uint32_t>(pieces->iov_len),
                         user_data);
        } else if (vectorized_) {
            prepare_send(ring_, fd, pieces, static_cast<std::uint32_t>(count), user_data).ioprio =
                send_vectorized;
        } else {
            send_message(fd, pieces, count, user_data);
        }
    }

private:
    void send_message(int fd, iovec* pieces, std::size_t count, std::uint64_t user_data);
    bool takes_vectorized();

    raw_ring& ring_;
    std::vector<msghdr> headers_;  // one for each entry that can be waiting for its submission
    std::size_t next_header_ = 0;
    bool vectorized_;
};

}  // namespace peer
