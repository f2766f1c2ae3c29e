// SPDX-License-Identifier: MIT
// limits.hpp - a process that is short of something for a while.
#pragma once

#include <gtest/gtest.h>

#if __has_include(<sys/resource.h>)
#include <fcntl.h>
#include <sys/resource.h>
#endif

namespace ioring::conformance {

// Where there is such a limit (RLIMIT_NOFILE).
#if defined(RLIMIT_NOFILE)
// While it lives this process can open no descriptor, or `but` of them: the limit is the lowest
// number that is free, above which none must be in use then.
class no_more_descriptors {
public:
    explicit no_more_descriptors(int but = 0) {
        EXPECT_EQ(0, ::getrlimit(RLIMIT_NOFILE, &before_));
        int lowest = 0;
        while (::fcntl(lowest, F_GETFD) >= 0) ++lowest;
        const ::rlimit none{static_cast<::rlim_t>(lowest + but), before_.rlim_max};
        EXPECT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &none));
    }
    no_more_descriptors(const no_more_descriptors&) = delete;
    no_more_descriptors& operator=(const no_more_descriptors&) = delete;
    ~no_more_descriptors() { EXPECT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &before_)); }

private:
    ::rlimit before_{};
};
#endif

}  // namespace ioring::conformance
