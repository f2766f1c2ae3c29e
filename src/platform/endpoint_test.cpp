// SPDX-License-Identifier: MIT
// endpoint_test.cpp - what is an address, what is none, and that text and value agree.
#include "ioring/endpoint.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "platform/sockaddr.hpp"
#include "platform/test_support.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

using testing::address_of;
using testing::random_numbers;

// The name of some interface: each system calls the loopback one otherwise.
std::string interface_name() {
    char name[IF_NAMESIZE] = "";
    for (unsigned index = 1; index < 1000; ++index) {
        if (::if_indextoname(index, name) != nullptr) return name;
    }
    return "";
}

TEST(endpoint, a_new_one_is_no_address) {
    const endpoint none;
    EXPECT_EQ(address_family::unspecified, none.family());
    EXPECT_EQ(0u, none.size());
    EXPECT_EQ(0, none.port());
    EXPECT_EQ("unspecified", to_string(none));
    EXPECT_EQ(none, endpoint{});
}

TEST(endpoint, ipv4_is_the_systems_structure) {
    const endpoint address = address_of("127.0.0.1:5000");
    EXPECT_EQ(address_family::ipv4, address.family());
    EXPECT_EQ(5000, address.port());
    ASSERT_EQ(sizeof(sockaddr_in), address.size());
    const auto in = load_address<sockaddr_in>(address);
    EXPECT_EQ(AF_INET, in.sin_family);
    EXPECT_EQ(htons(5000), in.sin_port);
    EXPECT_EQ(htonl(INADDR_LOOPBACK), in.sin_addr.s_addr);
}

TEST(endpoint, ipv6_is_the_systems_structure) {
    const endpoint address = address_of("[::1]:65535");
    EXPECT_EQ(address_family::ipv6, address.family());
    EXPECT_EQ(65535, address.port());
    ASSERT_EQ(sizeof(sockaddr_in6), address.size());
    const auto in = load_address<sockaddr_in6>(address);
    EXPECT_EQ(0, std::memcmp(&in.sin6_addr, &in6addr_loopback, sizeof(in.sin6_addr)));
    EXPECT_EQ(0u, in.sin6_scope_id);
}

TEST(endpoint, a_zone_is_an_interface_by_name_or_number) {
    const std::string name = interface_name();
    const unsigned index = ::if_nametoindex(name.c_str());
    ASSERT_NE(0u, index);
    const endpoint named = address_of("[fe80::1%" + name + "]:1");
    const endpoint numbered = address_of("[fe80::1%" + std::to_string(index) + "]:1");
    EXPECT_EQ(index, load_address<sockaddr_in6>(named).sin6_scope_id);
    EXPECT_EQ(named, numbered);
    EXPECT_NE(named, address_of("[fe80::1]:1"));
    EXPECT_EQ("[fe80::1%" + name + "]:1", to_string(numbered));
}

TEST(endpoint, a_zone_without_an_interface_is_written_as_its_number) {
    EXPECT_EQ("[fe80::1%4000000000]:1", to_string(address_of("[fe80::1%4000000000]:1")));
}

TEST(endpoint, a_local_path_is_a_name_that_ends_with_zero) {
    const endpoint address = address_of("unix:/run/echo.sock");
    EXPECT_EQ(address_family::local, address.family());
    EXPECT_EQ(0, address.port());
    EXPECT_EQ("/run/echo.sock", local_name(address));
    EXPECT_EQ(local_name_offset + sizeof("/run/echo.sock"), address.size());
}

#if defined(__linux__)
TEST(endpoint, an_abstract_name_begins_with_zero_and_is_counted) {
    const endpoint address = address_of("unix:@echo");
    EXPECT_EQ(std::string_view("\0echo", 5), local_name(address));
    EXPECT_EQ(local_name_offset + 5, address.size());
    EXPECT_NE(address, address_of("unix:echo"));
    EXPECT_NE(address, address_of("unix:@echo2"));
}

TEST(endpoint, the_longest_abstract_name_is_read_back) {
    const std::string text = "unix:@" + std::string(local_name_bytes_max - 1, 'n');
    EXPECT_EQ(text, to_string(address_of(text)));
}
#endif

TEST(endpoint, a_file_named_with_an_at_sign_is_not_taken_for_an_abstract_name) {
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    std::memcpy(in.sun_path, "@x", 2);
    endpoint address;
    store_address(address, in, local_name_offset + 3);
    EXPECT_EQ("unix:./@x", to_string(address));
}

TEST(endpoint, a_local_socket_without_a_name_is_written_as_one) {
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    endpoint address;
    store_address(address, in, local_name_offset);
    EXPECT_EQ(address_family::local, address.family());
    EXPECT_EQ("unix:", to_string(address));
}

TEST(endpoint, the_longest_path_is_read_and_a_longer_one_refused) {
    const std::string longest = "unix:/" + std::string(local_name_bytes_max - 1, 'p');
    EXPECT_EQ(longest, to_string(address_of(longest)));
    endpoint address;
    EXPECT_EQ(std::errc::invalid_argument, endpoint::parse(longest + 'p', address));
}

TEST(endpoint, text_that_is_written_differently_is_written_one_way) {
    const std::vector<std::pair<const char*, const char*>> spellings = {
        {"[0:0:0:0:0:0:0:1]:80", "[::1]:80"},
        {"[::FFFF:1.2.3.4]:80", "[::ffff:1.2.3.4]:80"},
        {"[2001:DB8::0001]:80", "[2001:db8::1]:80"},
        {"[::]:0", "[::]:0"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"255.255.255.255:65535", "255.255.255.255:65535"},
    };
    for (const auto& [written, canonical] : spellings) {
        EXPECT_EQ(canonical, to_string(address_of(written)));
    }
}

TEST(endpoint, malformed_text_is_an_error_that_quotes_it_and_changes_nothing) {
    const std::vector<std::string> malformed = {"",
                                                " ",
                                                ":",
                                                ":5000",
                                                "5000",
                                                "*:5000",
                                                "*",
                                                "localhost:5000",
                                                "localhost",
                                                "127.0.0.1",
                                                "127.0.0.1:",
                                                "127.0.0.1: 80",
                                                " 127.0.0.1:80",
                                                "127.0.0.1 :80",
                                                "127.0.0.1:80 ",
                                                "127.0.0.1:80x",
                                                "127.0.0.1:-1",
                                                "127.0.0.1:+80",
                                                "127.0.0.1:65536",
                                                "127.0.0.1:99999999999",
                                                "127.0.0.1:080",
                                                "127.0.0.1:00",
                                                "127.0.0.1:0x50",
                                                "127.0.0.1:8e1",
                                                "127.0.0.1:http",
                                                "127.0.0.1:80:81",
                                                "127.0.0.1\t:80",
                                                "127.0.0.1:80\n",
                                                "127.0.0:80",
                                                "127.1:80",
                                                "2130706433:80",
                                                "127.0.0.0.1:80",
                                                "127.0.0.01:80",
                                                "0177.0.0.1:80",
                                                "0x7f.0.0.1:80",
                                                "256.0.0.1:80",
                                                "1.2.3.4.:80",
                                                ".1.2.3.4:80",
                                                "1..2.3:80",
                                                "-1.2.3.4:80",
                                                "1.2.3.4/8:80",
                                                "0:80",
                                                "::1:5000",
                                                "::1",
                                                "[::1]",
                                                "[::1]5000",
                                                "[::1]:",
                                                "[::1]:65536",
                                                "[::1]:080",
                                                "[::1]x:80",
                                                "[::1:80",
                                                "::1]:80",
                                                "[]:80",
                                                "[",
                                                "]",
                                                "[]",
                                                "[:]:80",
                                                "[:::1]:80",
                                                "[1::2::3]:80",
                                                "[::12345]:80",
                                                "[::g]:80",
                                                "[1:2:3:4:5:6:7]:80",
                                                "[1:2:3:4:5:6:7:8:9]:80",
                                                "[127.0.0.1]:80",
                                                "[::ffff:1.2.3.04]:80",
                                                "[::ffff:256.0.0.1]:80",
                                                "[[::1]]:80",
                                                "[ ::1]:80",
                                                "[::1 ]:80",
                                                "[localhost]:80",
                                                "[*]:80",
                                                "[fe80::1%]:80",
                                                "[fe80::1%no-such-if]:80",
                                                "[fe80::1%0]:80",
                                                "[fe80::1%01]:80",
                                                "[fe80::1%4294967296]:80",
                                                "[fe80::1%an-interface-name-too-long]:80",
                                                "[::1%1]:80",
                                                "[2001:db8::1%1]:80",
                                                "[%1]:80",
                                                "unix:",
                                                "unix",
                                                "UNIX:/run/x",
                                                "tcp://1.2.3.4:5",
                                                "unix:@",
                                                std::string("127.0.0.1:80\0", 13),
                                                std::string("127.0.0.1\0:80", 13),
                                                std::string("\0", 1),
                                                std::string("unix:/a\0b", 9),
                                                std::string("[::1\0]:80", 9),
                                                std::string(100'000, '1'),
                                                std::string(100'000, ':'),
                                                "1.2.3.4:" + std::string(5000, '0'),
                                                "[" + std::string(5000, ':') + "]:80",
                                                "unix:/" + std::string(5000, 'p'),
                                                "\xff\xfe:80"};
    ASSERT_LE(40u, malformed.size());
    const endpoint before = address_of("1.2.3.4:5");
    for (const std::string& text : malformed) {
        endpoint address = before;
        std::string why;
        const std::error_code error = endpoint::parse(text, address, &why);
        EXPECT_EQ(std::errc::invalid_argument, error) << "taken for an address: " << text;
        EXPECT_EQ(before, address);
        EXPECT_EQ(0u, why.find("bad address " + in_quotes(text) + ": ")) << why;
        EXPECT_GT(400u, why.size());
        EXPECT_EQ(error, endpoint::parse(text, address));  // Without a text.
    }
}

TEST(endpoint, the_text_of_an_error_says_what_to_write) {
    const std::vector<std::pair<const char*, const char*>> advice = {
        {":5000", "0.0.0.0 or [::]"},        {"*:5000", "0.0.0.0 or [::]"},
        {"::1:5000", "in brackets"},         {"127.0.0.1", "write host:port"},
        {"localhost:80", "resolved first"},  {"127.0.0.1:65536", "from 0 to 65535"},
        {"[::1%1]:80", "link-local"},        {"[fe80::1%nope]:1", "no interface"},
        {"[fe80::1%]:1", "zone after % is"}, {"[::1]5", "a colon and the port"},
    };
    for (const auto& [text, words] : advice) {
        endpoint address;
        std::string why;
        EXPECT_TRUE(endpoint::parse(text, address, &why));
        EXPECT_NE(std::string::npos, why.find(words)) << why;
    }
}

TEST(endpoint, equality_looks_at_the_place_and_not_at_padding) {
    const endpoint address = address_of("127.0.0.1:5000");
    endpoint padded = address;
    std::memset(static_cast<char*>(padded.data()) + offsetof(sockaddr_in, sin_zero), 1, 8);
    EXPECT_EQ(address, padded);
    EXPECT_NE(address, address_of("127.0.0.1:5001"));
    EXPECT_NE(address, address_of("127.0.0.2:5000"));
    EXPECT_NE(address, address_of("[::ffff:127.0.0.1]:5000"));
    EXPECT_NE(address_of("unix:/a"), address_of("unix:/b"));
    EXPECT_NE(address_of("unix:/a"), endpoint{});
}

TEST(endpoint, a_path_is_equal_whether_or_not_its_end_is_counted) {
    endpoint counted = address_of("unix:/a");
    endpoint not_counted = counted;
    not_counted.resize(counted.size() - 1);
    EXPECT_EQ(counted, not_counted);
    EXPECT_EQ(to_string(counted), to_string(not_counted));
}

TEST(endpoint, an_address_that_is_cut_short_is_unspecified) {
    endpoint address = address_of("[::1]:80");
    address.resize(address.size() - 1);
    EXPECT_EQ(address_family::unspecified, address.family());
    EXPECT_EQ(0, address.port());
}

TEST(endpoint, resizing_beyond_the_capacity_keeps_within_it) {
    endpoint address;
    address.resize(endpoint::capacity + 1);
    EXPECT_EQ(endpoint::capacity, address.size());
}

endpoint random_ipv4(random_numbers& random) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = static_cast<std::uint16_t>(random.below(65536));
    in.sin_addr.s_addr = static_cast<std::uint32_t>(random.below(1ULL << 32U));
    endpoint address;
    store_address(address, in, sizeof(in));
    return address;
}

endpoint random_ipv6(random_numbers& random) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = static_cast<std::uint16_t>(random.below(65536));
    auto* const bytes = reinterpret_cast<unsigned char*>(&in.sin6_addr);
    const std::uint64_t sparse = random.below(4);
    for (int index = 0; index < 16; ++index) {
        // Runs of zeros are where the short spelling has its rules.
        if (random.below(4) >= sparse) bytes[index] = static_cast<unsigned char>(random.below(256));
    }
    if (random.below(3) == 0) {
        bytes[0] = 0xfe;
        bytes[1] = static_cast<unsigned char>(0x80U | (bytes[1] & 0x3fU));
        in.sin6_scope_id = static_cast<std::uint32_t>(random.below(5));
    }
    endpoint address;
    store_address(address, in, sizeof(in));
    return address;
}

endpoint random_local(random_numbers& random) {
    sockaddr_un in{};
    in.sun_family = AF_UNIX;
    const std::size_t bytes = 1 + random.below(local_name_bytes_max);
    for (std::size_t index = 0; index < bytes; ++index) {
        in.sun_path[index] = static_cast<char>(1 + random.below(255));
    }
    if (in.sun_path[0] == '@') in.sun_path[0] = '/';
    endpoint address;
    store_address(address, in, local_name_offset + bytes + 1);
    return address;
}

TEST(endpoint, every_address_is_read_back_from_its_text) {
    random_numbers random;
    SCOPED_TRACE("IORING_TEST_SEED=" + std::to_string(random.seed()));
    for (int round = 0; round < 30'000; ++round) {
        const std::uint64_t kind = random.below(3);
        const endpoint address = kind == 0   ? random_ipv4(random)
                                 : kind == 1 ? random_ipv6(random)
                                             : random_local(random);
        const std::string text = to_string(address);
        endpoint read;
        std::string why;
        ASSERT_FALSE(endpoint::parse(text, read, &why)) << why;
        ASSERT_EQ(address, read) << text;
        ASSERT_EQ(text, to_string(read));
    }
}

TEST(endpoint, what_is_read_from_damaged_text_is_read_back_from_its_own) {
    random_numbers random;
    SCOPED_TRACE("IORING_TEST_SEED=" + std::to_string(random.seed()));
    static constexpr char characters[] = "0123456789abcdefx.:[]%@/-+ *unixlo\xff";
    constexpr std::string_view alphabet{characters, sizeof(characters)};  // With the 0.
    const std::string bases[] = {"127.0.0.1:5000", "[fe80::1%1]:80", "[::ffff:1.2.3.4]:1",
                                 "unix:/a/b", "unix:@name"};
    for (int round = 0; round < 50'000; ++round) {
        std::string text = bases[random.below(std::size(bases))];
        for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
            const std::size_t at = random.below(text.size() + 1);
            const char c = alphabet[random.below(alphabet.size())];
            switch (random.below(3)) {
                case 0: text.insert(at, 1, c); break;
                case 1: text.erase(at, 1); break;
                default:
                    if (at < text.size()) text[at] = c;
            }
        }
        endpoint address;
        endpoint again;
        if (endpoint::parse(text, address)) continue;
        ASSERT_NE(address_family::unspecified, address.family()) << text;
        ASSERT_FALSE(endpoint::parse(to_string(address), again)) << text;
        ASSERT_EQ(address, again) << text;
    }
}

}  // namespace
}  // namespace ioring::platform
