// SPDX-License-Identifier: MIT
// error_words_test.cpp - the errors that results are made of have words.
#include "base/error_words.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

namespace ioring::detail {
namespace {

TEST(error_words, every_error_of_a_socket_has_words_of_its_own) {
    EXPECT_EQ("Connection reset by peer", error_words(ECONNRESET));
    for (const int error :
         {EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN,    EALREADY,       EBADF,
          EBUSY,      ECANCELED,     ECONNABORTED, EDOM,      ECONNREFUSED,   EDESTADDRREQ,
          EFAULT,     EHOSTUNREACH,  EINPROGRESS,  EINTR,     EINVAL,         EISCONN,
          EMFILE,     EMSGSIZE,      ENETDOWN,     ENFILE,    ENETRESET,      ENETUNREACH,
          ENOBUFS,    ENOENT,        ENOMEM,       ENOSPC,    ENOPROTOOPT,    ENOTCONN,
          ENOTSOCK,   ENOTSUP,       EOPNOTSUPP,   EPERM,     EOVERFLOW,      EPIPE,
          EPROTOTYPE, EPROTO,        ETIME,        ETIMEDOUT, EPROTONOSUPPORT}) {
        const std::string words = error_words(error);
        EXPECT_FALSE(words.empty()) << error;
        EXPECT_EQ(std::string::npos, words.find("nknown")) << error << ": " << words;
    }
}

}  // namespace
}  // namespace ioring::detail
