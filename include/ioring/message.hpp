// SPDX-License-Identifier: MIT
// message.hpp - ::msghdr and ::iovec where the system has none, which is Windows.
//
// What prep_sendmsg(), prep_recvmsg() and prep_send_vectorized() point at. Where there is a
// <sys/socket.h> it has them, and this header declares nothing: include that one there.
//
// The layout is Linux's. The library was compiled with it: a program that brings structs of these
// names along must bring them with the same members.
#pragma once

#if !__has_include(<sys/socket.h>)

#include <cstddef>
#include <cstdint>

// One piece of memory, the program's.
struct iovec {
    void* iov_base;       // Its first byte.
    std::size_t iov_len;  // Its bytes; 0 is a piece that nothing is in.
};

// Several pieces, and of a datagram whose it is.
struct msghdr {
    // A sockaddr: to whom it goes, or room for who has sent it. nullptr: to the peer, nobody asks.
    void* msg_name;
    std::uint32_t msg_namelen;  // Its bytes; a receive sets it, 0 for streams.
    ::iovec* msg_iov;           // The first of `msg_iovlen` pieces, sent or filled in their order.
    std::size_t msg_iovlen;     // 1024 at most.
    // Of datagrams: Windows' own WSACMSGHDRs, or room for them; nullptr: neither.
    void* msg_control;
    std::size_t msg_controllen;  // Bytes of `msg_control`; a receive sets it to those in use.
    // A receive sets it: msg_flag::trunc, the datagram did not fit; 0x08 (MSG_CTRUNC on Linux), the
    // control data did not.
    std::int32_t msg_flags;
};

#endif
