// SPDX-License-Identifier: MIT
// print_test.cpp - each kind of record as a person and as a program read it.
#include "trace/print.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include <nlohmann/json.hpp>

#include "ioring/prep.hpp"

namespace trace_tool {
namespace {

namespace format = ioring::trace;

class made {
public:
    template <class Body>
    made(format::kind which, const Body& body, std::string_view after = {}) {
        bytes_.resize(sizeof body + after.size());
        std::memcpy(bytes_.data(), &body, sizeof body);
        if (!after.empty()) {
            std::memcpy(bytes_.data() + sizeof body, after.data(), after.size());
        }
        record_ = {.kind = which, .time_ns = 1'500'000, .number = 4, .offset = 0, .body = bytes_};
    }
    [[nodiscard]] std::string text() const { return text_of(record_); }
    [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(json_of(record_)); }

private:
    std::vector<std::byte> bytes_;
    format::record record_;
};

TEST(trace_print_test, a_submission_says_its_number_and_itself) {
    ioring::sqe entry;
    ioring::prep_cancel(entry, /*target=*/0x10, /*cancel_flags=*/0, /*user_data=*/2);
    const made record{format::kind::sqe, entry};
    EXPECT_EQ("+0.001500 sqe 4: async_cancel target 0x10 user_data 0x2", record.text());
    EXPECT_EQ("async_cancel", record.json()["op"]);
    EXPECT_EQ("0x10", record.json()["addr"]);
    EXPECT_EQ(1'500'000, record.json()["time_ns"]);
}

TEST(trace_print_test, a_completion_says_whose_it_is) {
    const made record{format::kind::cqe,
                      format::cqe_body{.entry = {.user_data = 5, .res = 3}, .number = 4}};
    EXPECT_EQ("+0.001500 cqe of sqe 4: user_data 0x5 res 3", record.text());
    EXPECT_EQ(3, record.json()["res"]);
    const made unknown{format::kind::cqe, format::cqe_body{.entry = {.user_data = 5}}};
    EXPECT_EQ("+0.001500 cqe of no known sqe: user_data 0x5 res 0", unknown.text());
}

TEST(trace_print_test, memory_is_shown_up_to_a_bound_and_given_whole_in_json) {
    const made record{format::kind::received, format::memory_body{.number = 4, .whole_bytes = 30},
                      "abcdefghijklmnopqrst"};
    EXPECT_EQ(
        "+0.001500 received of sqe 4: payload, 30 bytes: "
        "61 62 63 64 65 66 67 68 69 6a 6b 6c 6d 6e 6f 70 ...",
        record.text());
    EXPECT_EQ(40U, record.json()["bytes"].get<std::string>().size());
    const ioring::kernel_timespec time{.tv_sec = 2, .tv_nsec = 5};
    const made timed{
        format::kind::sent,
        format::memory_body{.number = 4, .role = format::role::time, .whole_bytes = sizeof time},
        {reinterpret_cast<const char*>(&time), sizeof time}};
    EXPECT_EQ("+0.001500 sent of sqe 4: time, 16 bytes: 2 s 5 ns", timed.text());
}

TEST(trace_print_test, enters_calls_and_the_rest_are_one_line_each) {
    EXPECT_EQ("+0.001500 enter submit 3, wait for 1, flags 0x1, at most 9 ns, after 2 wakes",
              made(format::kind::enter,
                   format::enter_body{
                       .to_submit = 3, .min_complete = 1, .flags = 1, .wakes = 2, .timeout_ns = 9})
                  .text());
    EXPECT_EQ("+0.001500 result 3, sq_flags 0x4",
              made(format::kind::result, format::result_body{.result = 3, .sq_flags = 4}).text());
    EXPECT_EQ("+0.001500 call close_now, count 0: 0",
              made(format::kind::call, format::call_body{.operation = 3}).text());
    EXPECT_EQ("+0.001500 call operation 99, count 0: 0",
              made(format::kind::call, format::call_body{.operation = 99}).text());
    EXPECT_EQ("+0.001500 info a b c",
              made(format::kind::info, format::info_body{}, "a b\nc").text());
    EXPECT_EQ("+0.001500 gap 7 completions unseen",
              made(format::kind::gap, std::uint32_t{7}).text());
}

TEST(trace_print_test, text_that_is_no_text_does_not_end_the_program) {
    EXPECT_EQ("info", made(format::kind::info, format::info_body{}, "\xff\xfe").json()["kind"]);
}

}  // namespace
}  // namespace trace_tool
