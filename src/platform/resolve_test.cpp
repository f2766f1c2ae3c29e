// SPDX-License-Identifier: MIT
// resolve_test.cpp - numeric hosts, the names that need no server, and what errors mean.
#include "platform/resolve.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "platform/sockaddr.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::address_of;

std::vector<endpoint> resolved(std::string_view host, std::uint16_t port) {
    std::vector<endpoint> found;
    std::string why;
    EXPECT_FALSE(resolve(host, port, found, &why)) << why;
    return found;
}

TEST(resolve, a_numeric_host_is_one_address_with_the_port) {
    EXPECT_EQ(std::vector{address_of("127.0.0.1:80")}, resolved("127.0.0.1", 80));
    EXPECT_EQ(std::vector{address_of("[::1]:0")}, resolved("::1", 0));
    EXPECT_EQ(std::vector{address_of("[::1]:65535")}, resolved("[::1]", 65535));
    EXPECT_EQ(std::vector{address_of("[fe80::1%1]:7")}, resolved("fe80::1%1", 7));
}

TEST(resolve, localhost_is_loopback_and_nothing_twice) {
    const std::vector<endpoint> found = resolved("localhost", 5000);
    ASSERT_FALSE(found.empty());
    for (const endpoint& address : found) {
        EXPECT_EQ(5000, address.port());
        EXPECT_EQ(1, std::count(found.begin(), found.end(), address)) << to_string(address);
        const std::string text = to_string(address);
        EXPECT_TRUE(text.rfind("127.", 0) == 0 || text == "[::1]:5000") << text;
    }
}

TEST(resolve, replaces_what_was_there_and_only_on_success) {
    std::vector<endpoint> found = {address_of("1.2.3.4:5")};
    EXPECT_TRUE(resolve("no such host", 1, found));
    EXPECT_EQ(std::vector{address_of("1.2.3.4:5")}, found);
    EXPECT_FALSE(resolve("::1", 1, found));
    EXPECT_EQ(std::vector{address_of("[::1]:1")}, found);
}

TEST(resolve, what_is_neither_name_nor_address_is_an_error_that_quotes_it) {
    const std::vector<std::string> malformed = {"",
                                                " ",
                                                "*",
                                                "a b",
                                                "host:80",
                                                "127.0.0.1:80",
                                                "[::1]:80",
                                                "[::1",
                                                "::1]",
                                                "[]",
                                                "[127.0.0.1]",
                                                "127.1",
                                                "127.0.0.01",
                                                "0177.0.0.1",
                                                "2130706433",
                                                "0x7f.1",
                                                "0x7f000001",
                                                "1.2.3.4.5",
                                                "1.2.3.256",
                                                "256",
                                                "1.2.3.4.",
                                                "host.1",
                                                ":::",
                                                "::g",
                                                "fe80::1%",
                                                ".",
                                                "..",
                                                ".host",
                                                "a..b",
                                                "host/",
                                                "user@host",
                                                "h\xc3\xb6st",
                                                std::string("lo\0cal", 6),
                                                std::string("localhost\0", 10),
                                                std::string(254, 'a'),
                                                std::string(10'000, '1')};
    for (const std::string& host : malformed) {
        std::vector<endpoint> found;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, resolve(host, 1, found, &why)) << host;
        EXPECT_EQ(0u, why.find("bad host \"")) << why;
        EXPECT_TRUE(found.empty());
    }
}

TEST(resolve, a_name_that_cannot_exist_is_an_error_that_quotes_it) {
    // A label may have 63 bytes: no resolver asks a server for this one.
    const std::string host = std::string(64, 'a') + ".invalid";
    std::vector<endpoint> found;
    std::string why;
    const std::error_code error = resolve(host, 80, found, &why);
    EXPECT_TRUE(error);
    EXPECT_EQ(0u, why.find("cannot resolve \"" + host + "\": ")) << why;
    EXPECT_TRUE(found.empty());
}

TEST(resolve, the_systems_errors_have_the_same_meaning_everywhere) {
    EXPECT_FALSE(resolver_code(0, EIO));
    EXPECT_EQ(resolve_errc::host_not_found, resolver_code(EAI_NONAME, 0));
    EXPECT_EQ(resolve_errc::try_again, resolver_code(EAI_AGAIN, 0));
    EXPECT_EQ(resolve_errc::server_failure, resolver_code(EAI_FAIL, 0));
    EXPECT_EQ(resolve_errc::no_address_of_family, resolver_code(EAI_FAMILY, 0));
    EXPECT_EQ(resolve_errc::failed, resolver_code(EAI_BADFLAGS, 0));
#if defined(EAI_SYSTEM)
    EXPECT_EQ(resolve_errc::failed, resolver_code(EAI_SYSTEM, 0));
    EXPECT_EQ(std::errc::io_error, resolver_code(EAI_SYSTEM, EIO));
#endif
    EXPECT_EQ(std::errc::not_enough_memory, resolver_code(EAI_MEMORY, 0));
#if defined(EAI_NODATA)
    EXPECT_EQ(resolve_errc::host_not_found, resolver_code(EAI_NODATA, 0));
#endif
}

TEST(resolve, errors_compare_with_std_errc_where_there_is_one) {
    EXPECT_EQ(std::errc::resource_unavailable_try_again, make_error_code(resolve_errc::try_again));
    EXPECT_EQ(std::errc::address_family_not_supported,
              make_error_code(resolve_errc::no_address_of_family));
    const std::error_code missing = resolve_errc::host_not_found;
    EXPECT_EQ("host not found", missing.message());
    EXPECT_STREQ("ioring.resolve", missing.category().name());
    EXPECT_NE(std::error_condition(std::errc::invalid_argument), missing);
}

}  // namespace
}  // namespace ioring::platform
