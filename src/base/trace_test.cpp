// SPDX-License-Identifier: MIT
// trace_test.cpp - a file is read to its end or refused with a sentence that says where.
#include "ioring/trace.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "ioring/prep.hpp"

namespace ioring::trace {
namespace {

class file_maker {
public:
    explicit file_maker(const file_header& header = {}) { append(header); }
    template <class Body>
    void add(kind which, const Body& body, std::string_view after = {}) {
        record_header head;
        head.kind = which;
        head.body_bytes = static_cast<std::uint32_t>(sizeof body + after.size());
        head.time_ns = 7;
        append(head);
        append(body);
        const auto bytes = std::as_bytes(std::span{after});
        file_.insert(file_.end(), bytes.begin(), bytes.end());
    }
    [[nodiscard]] std::span<const std::byte> bytes() const { return file_; }
    void cut(std::size_t bytes) { file_.resize(file_.size() - bytes); }
    [[nodiscard]] std::byte& at(std::size_t offset) { return file_[offset]; }

private:
    template <class Struct>
    void append(const Struct& from) {
        const auto bytes = std::as_bytes(std::span{&from, 1});
        file_.insert(file_.end(), bytes.begin(), bytes.end());
    }

    std::vector<std::byte> file_;
};

reader opened(const file_maker& file) {
    reader made;
    std::string why;
    EXPECT_FALSE(reader::open(file.bytes(), made, why)) << why;
    return made;
}

TEST(trace_test, records_come_back_as_they_were_written) {
    file_maker file{{.sq_entries = 8, .cq_entries = 16}};
    sqe entry;
    prep_nop(entry, /*user_data=*/5);
    file.add(kind::sqe, entry);
    file.add(kind::sent, memory_body{.number = 1, .role = role::payload, .whole_bytes = 9}, "abc");
    prep_nop(entry, /*user_data=*/6);
    file.add(kind::sqe, entry);
    file.add(kind::cqe, cqe_body{.entry = {.user_data = 5, .res = 3}, .number = 1});

    reader all = opened(file);
    EXPECT_EQ(8U, all.header().sq_entries);
    record each;
    std::string why;
    ASSERT_EQ(reader::outcome::record, all.next(each, why));
    EXPECT_EQ(kind::sqe, each.kind);
    EXPECT_EQ(1U, each.number);
    EXPECT_EQ(7U, each.time_ns);
    EXPECT_EQ(sizeof(file_header), each.offset);
    EXPECT_EQ(5U, each.as<sqe>().user_data);
    ASSERT_EQ(reader::outcome::record, all.next(each, why));
    EXPECT_EQ(9U, each.as<memory_body>().whole_bytes);
    EXPECT_EQ(3U, each.after<memory_body>().size());
    EXPECT_EQ(std::byte{'a'}, each.after<memory_body>()[0]);
    ASSERT_EQ(reader::outcome::record, all.next(each, why));
    EXPECT_EQ(2U, each.number);
    ASSERT_EQ(reader::outcome::record, all.next(each, why));
    EXPECT_EQ(3, each.as<cqe_body>().entry.res);
    EXPECT_EQ(reader::outcome::end, all.next(each, why));
    EXPECT_EQ(reader::outcome::end, all.next(each, why));
}

TEST(trace_test, what_is_no_trace_is_refused_and_said_why) {
    reader untouched;
    std::string why;
    EXPECT_EQ(std::errc::invalid_argument, reader::open({}, untouched, why));
    EXPECT_EQ("it is too short for a trace", why);
    file_maker file;
    file.at(0) = std::byte{'X'};
    EXPECT_EQ(std::errc::invalid_argument, reader::open(file.bytes(), untouched, why));
    EXPECT_EQ("it does not begin as a trace does", why);
    file = file_maker{{.byte_order = 0x0403'0201}};
    EXPECT_EQ(std::errc::not_supported, reader::open(file.bytes(), untouched, why));
    EXPECT_NE(std::string::npos, why.find("byte order"));
    file = file_maker{{.version = 2}};
    EXPECT_EQ(std::errc::not_supported, reader::open(file.bytes(), untouched, why));
    EXPECT_NE(std::string::npos, why.find("version 2"));
    file = file_maker{{.header_bytes = 33}};
    EXPECT_EQ(std::errc::invalid_argument, reader::open(file.bytes(), untouched, why));
}

TEST(trace_test, a_recording_that_was_cut_off_is_read_up_to_there) {
    for (const std::size_t cut : {std::size_t{1}, sizeof(cqe_body), sizeof(cqe_body) + 1}) {
        file_maker file;
        file.add(kind::result, result_body{});
        file.add(kind::cqe, cqe_body{});
        file.cut(cut);
        reader all = opened(file);
        record each;
        std::string why;
        ASSERT_EQ(reader::outcome::record, all.next(each, why));
        EXPECT_EQ(reader::outcome::truncated, all.next(each, why));
        EXPECT_NE(std::string::npos, why.find(" at byte 56")) << why;
        EXPECT_EQ(reader::outcome::truncated, all.next(each, why));
    }
}

TEST(trace_test, an_unknown_kind_or_a_wrong_size_is_broken) {
    record each;
    std::string why;
    file_maker file;
    file.add(static_cast<kind>(77), result_body{});
    reader unknown = opened(file);
    EXPECT_EQ(reader::outcome::broken, unknown.next(each, why));
    EXPECT_EQ("there is no kind of record 77 at byte 32", why);
    file = file_maker{};
    file.add(kind::sqe, sqe{}, "x");
    reader too_long = opened(file);
    EXPECT_EQ(reader::outcome::broken, too_long.next(each, why));
    EXPECT_EQ("a record of the kind sqe is never 65 bytes long at byte 32", why);
    file = file_maker{};
    file.add(kind::sqe, result_body{});
    reader too_short = opened(file);
    EXPECT_EQ(reader::outcome::broken, too_short.next(each, why));
}

}  // namespace
}  // namespace ioring::trace
