// SPDX-License-Identifier: MIT
// messages.hpp - messages of texts, and the operations on them.
#pragma once

#if __has_include(<sys/socket.h>)
#include <sys/socket.h>
#include <sys/uio.h>
#else
#include "ioring/message.hpp"
#endif

#include <string>
#include <utility>
#include <vector>

#include "conformance.hpp"

namespace ioring::conformance {

inline constexpr std::uint32_t whole = msg_flag::no_signal | msg_flag::wait_all;

// In msg_flags: the datagram did not fit.
#if defined(MSG_TRUNC)
inline constexpr int message_cut = MSG_TRUNC;
#else
inline constexpr int message_cut = msg_flag::trunc;
#endif

class message_suite : public backend_test {
protected:
    // A message of texts, which stays valid as long as this object.
    struct message {
        explicit message(std::vector<std::string> all) : texts{std::move(all)} {
            for (std::string& each : texts) pieces.push_back({each.data(), each.size()});
            header.msg_iov = pieces.data();
            // Systems differ in the widths of both lengths.
            header.msg_iovlen = static_cast<decltype(header.msg_iovlen)>(pieces.size());
        }
        [[nodiscard]] std::string joined() const {
            std::string all;
            for (const std::string& each : texts) all += each;
            return all;
        }

        std::vector<std::string> texts;
        std::vector<::iovec> pieces;
        ::msghdr header{};
    };

    int send_message(const socket_end& from, const message& of, std::uint32_t flags = whole) {
        sqe entry;
        prep_sendmsg(entry, from.fd(), &of.header, flags, 1);
        return run(entry).res;
    }
    int recv_message(const socket_end& at, message& into, std::uint32_t flags = 0) {
        sqe entry;
        prep_recvmsg(entry, at.fd(), &into.header, flags, 1);
        return run(entry).res;
    }
};

}  // namespace ioring::conformance
