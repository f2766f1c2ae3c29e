// SPDX-License-Identifier: MIT
// trace_posix_test.cpp - a run that was recorded can be played back, and a run that differs is told
// where.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "backend/backend_test_support.hpp"
#include "backend/registry.hpp"
#include "backend/trace/replay_backend.hpp"
#include "ioring/trace.hpp"

namespace ioring::backends::trace {
namespace {

constexpr backend_options queues{.sq_entries = 16, .cq_entries = 32};

// A path of this process and test alone, removed at the end.
class trace_file {
public:
    trace_file()
        : path_{testing::TempDir() + "ioring-trace-" + std::to_string(::getpid()) + "-" +
                std::to_string(++made_)} {}
    trace_file(const trace_file&) = delete;
    trace_file& operator=(const trace_file&) = delete;
    ~trace_file() { std::remove(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::vector<char> bytes() const {
        std::ifstream file{path_, std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }

private:
    static inline int made_ = 0;
    std::string path_;
};

program make(const std::string& name) {
    chosen_backend chosen;
    std::string why;
    EXPECT_FALSE(choose(name, queues, chosen, why)) << why;
    return program{std::move(chosen.instance)};
}

std::vector<format::record> records_in(const std::vector<char>& file) {
    format::reader all;
    std::string why;
    EXPECT_FALSE(format::reader::open(std::as_bytes(std::span{file}), all, why)) << why;
    std::vector<format::record> records;
    format::record each;
    while (all.next(each, why) == format::reader::outcome::record) records.push_back(each);
    return records;
}

// What a program has seen: every completion, and the text that was received.
struct observed {
    std::vector<std::pair<std::uint64_t, std::int32_t>> completions;
    std::string text;
    bool operator==(const observed&) const = default;
};

// An echo of `messages` over a socket whose other end is ours; on a replay nobody is there.
observed run_echo(const std::string& backend_name, const std::vector<std::string>& messages,
                  bool replaying, std::string_view answer = "") {
    std::array<int, 2> ends{};
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()));
    observed seen;
    program ring = make(backend_name);
    std::array<std::byte, 64> buffer{};
    for (const std::string& message : messages) {
        if (!replaying) {
            EXPECT_EQ(static_cast<ssize_t>(message.size()),
                      ::send(ends[1], message.data(), message.size(), 0));
        }
        sqe entry;
        prep_recv(entry, fd{ends[0]}, buffer, 0, 1);
        ring.push(entry);
        const cqe got = ring.complete_one();
        seen.completions.emplace_back(got.user_data, got.res);
        if (got.res <= 0) break;
        const std::string text{reinterpret_cast<const char*>(buffer.data()),
                               static_cast<std::size_t>(got.res)};
        seen.text += text;
        const std::string reply = answer.empty() ? text : std::string{answer};
        prep_send(entry, fd{ends[0]}, std::as_bytes(std::span{reply}), msg_flag::no_signal, 2);
        ring.push(entry);
        const cqe sent = ring.complete_one();
        seen.completions.emplace_back(sent.user_data, sent.res);
    }
    for (const int end : ends) ::close(end);
    return seen;
}

class trace_over : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> backends_with_io() {
    std::vector<std::string> names;
    for (const backend_entry& each : all()) {
        if (each.name != "null") names.emplace_back(each.name);
    }
    return names;
}
INSTANTIATE_TEST_SUITE_P(backend, trace_over, ::testing::ValuesIn(backends_with_io()),
                         [](const auto& each) { return each.param; });

const std::vector<std::string> three_messages{"one", "the second", "and 3"};

TEST_P(trace_over, a_recorded_run_plays_back_without_its_peer) {
    const trace_file file;
    const observed first = run_echo("trace:" + file.path() + ":" + GetParam(), three_messages,
                                    /*replaying=*/false);
    EXPECT_EQ("onethe secondand 3", first.text);
    EXPECT_EQ(6U, first.completions.size());
    EXPECT_EQ(first, run_echo("replay:" + file.path(), three_messages, /*replaying=*/true));
}

TEST_P(trace_over, everything_that_passed_is_in_the_file) {
    const trace_file file;
    (void)run_echo("trace:" + file.path() + ":" + GetParam(), three_messages, /*replaying=*/false);
    const std::vector<char> bytes = file.bytes();
    std::array<int, 16> count{};
    const std::vector<format::record> records = records_in(bytes);
    for (const format::record& each : records) ++count[static_cast<std::size_t>(each.kind)];
    const auto of = [&count](format::kind which) { return count[static_cast<std::size_t>(which)]; };
    EXPECT_EQ(1, of(format::kind::info));
    EXPECT_EQ(6, of(format::kind::sqe));
    EXPECT_EQ(6, of(format::kind::cqe));
    EXPECT_EQ(3, of(format::kind::sent));
    EXPECT_EQ(3, of(format::kind::received));
    EXPECT_EQ(of(format::kind::enter), of(format::kind::result));
    ASSERT_FALSE(records.empty());
    EXPECT_EQ(format::kind::end, records.back().kind);
}

TEST_P(trace_over, other_bytes_than_the_recorded_ones_end_the_replay) {
    const trace_file file;
    (void)run_echo("trace:" + file.path() + ":" + GetParam(), three_messages, /*replaying=*/false);
    const observed other =
        run_echo("replay:" + file.path(), three_messages, /*replaying=*/true, "eno");
    ASSERT_EQ(3U, other.completions.size());  // And no receive after that.
    EXPECT_EQ(-EIO, other.completions[1].second);
    EXPECT_EQ(-EIO, other.completions[2].second);
}

TEST_P(trace_over, an_accepted_connection_is_a_socket_in_the_replay_too) {
    const trace_file file;
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    const std::string path = file.path() + ".socket";
    ASSERT_LT(path.size(), sizeof name.sun_path);
    path.copy(name.sun_path, path.size());
    auto* const address = reinterpret_cast<sockaddr*>(&name);
    std::uint32_t recorded_bytes = 0;
    for (const bool replaying : {false, true}) {
        const int listener = ::socket(AF_UNIX, SOCK_STREAM, 0);
        (void)::unlink(path.c_str());
        ASSERT_EQ(0, ::bind(listener, address, sizeof name));
        ASSERT_EQ(0, ::listen(listener, 1));
        const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
        if (!replaying) {
            ASSERT_EQ(0, ::connect(client, address, sizeof name));
        }
        program ring =
            make(replaying ? "replay:" + file.path() : "trace:" + file.path() + ":" + GetParam());
        sockaddr_storage peer{};
        std::uint32_t peer_bytes = sizeof peer;
        sqe entry;
        prep_accept(entry, fd{listener}, reinterpret_cast<sockaddr*>(&peer), &peer_bytes,
                    socket_flag::cloexec, 1);
        ring.push(entry);
        const cqe accepted = ring.complete_one();
        ASSERT_GE(accepted.res, 0);
        EXPECT_EQ(AF_UNIX, peer.ss_family);
        if (replaying) {
            EXPECT_EQ(recorded_bytes, peer_bytes);
        }
        recorded_bytes = peer_bytes;
        int type = 0;
        socklen_t bytes = sizeof type;
        EXPECT_EQ(0, ::getsockopt(accepted.res, SOL_SOCKET, SO_TYPE, &type, &bytes));
        std::int32_t descriptor = accepted.res;
        EXPECT_EQ(0, ring->register_(register_op::close_now, &descriptor, 0));
        EXPECT_EQ(-1, ::getsockopt(accepted.res, SOL_SOCKET, SO_TYPE, &type, &bytes));
        ::close(listener);
        ::close(client);
        (void)::unlink(path.c_str());
    }
}

// What each enter returned, and which completions could be read after it. As many entries follow as
// have completed, so that another grouping makes another program.
using enters_seen = std::vector<std::pair<int, std::vector<std::uint64_t>>>;

enters_seen run_in_batches(const std::string& backend_name) {
    constexpr std::size_t enters = 200;
    enters_seen seen;
    program ring = make(backend_name);
    std::uint64_t name = 0;
    std::size_t due = 5;
    while (seen.size() < enters) {
        for (; due > 0 && ring.pending() < queues.sq_entries; --due) ring.push_nop(++name);
        const int result = ring.submit_and_wait(1);
        std::vector<std::uint64_t> completed;
        for (const cqe& done : ring.reap()) completed.push_back(done.user_data);
        due += completed.size();
        seen.emplace_back(result, std::move(completed));
    }
    return seen;
}

TEST(replay_backend_test, enters_that_fail_cut_or_hold_back_do_the_same_again) {
    const trace_file file;
    const enters_seen first = run_in_batches("trace:" + file.path() + ":fault:3@2:null");
    const auto refused = [](const auto& enter) { return enter.first == -EAGAIN; };
    EXPECT_TRUE(std::any_of(first.begin(), first.end(), refused));
    EXPECT_EQ(first, run_in_batches("replay:" + file.path()));
}

TEST_P(trace_over, a_completion_comes_no_sooner_than_what_was_submitted_before_it) {
    const trace_file file;
    for (const bool replaying : {false, true}) {
        std::array<int, 2> ends{};
        ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()));
        program ring =
            make(replaying ? "replay:" + file.path() : "trace:" + file.path() + ":" + GetParam());
        std::array<std::byte, 8> buffer{};
        sqe entry;
        prep_recv(entry, fd{ends[0]}, buffer, 0, 1);
        ring.push(entry);
        ASSERT_EQ(1, ring.submit());
        // As one that looks at the clock: it need not look as often again.
        for (int look = 0; look < (replaying ? 5 : 1); ++look) {
            EXPECT_EQ(-ETIME, ring.submit_and_wait(1, 0));
            EXPECT_EQ(0U, ring.ready());
        }
        if (!replaying) {
            ASSERT_EQ(4, ::send(ends[1], "late", 4, 0));
        }
        const kernel_timespec soon{.tv_sec = 0, .tv_nsec = 5'000'000};
        prep_timeout(entry, &soon, 0, 0, 2);
        ring.push(entry);
        EXPECT_EQ(1, ring.submit_and_wait(2));
        EXPECT_EQ(2U, ring.ready());
        for (const int end : ends) ::close(end);
    }
}

TEST(trace_backend_test, the_payload_is_cut_where_it_was_asked_to_be) {
    const trace_file file;
    std::array<int, 2> ends{};
    ASSERT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()));
    program ring = make("trace:" + file.path() + "@4:null");
    std::array<std::byte, 64> buffer{};
    sqe entry;
    prep_send(entry, fd{ends[0]}, buffer, 0, 1);
    ring.push(entry);
    (void)ring.complete_one();
    ring.destroy();
    const std::vector<char> bytes = file.bytes();
    for (const format::record& each : records_in(bytes)) {
        if (each.kind != format::kind::sent) continue;
        EXPECT_EQ(64U, each.as<format::memory_body>().whole_bytes);
        EXPECT_EQ(4U, each.after<format::memory_body>().size());
    }
    for (const int end : ends) ::close(end);
}

TEST(trace_backend_test, what_was_submitted_is_in_the_file_when_the_program_dies) {
    const trace_file file;
    const pid_t child = ::fork();
    if (child == 0) {
        program ring = make("trace:" + file.path() + ":null");
        ring.push_nop(77);
        (void)ring.submit();
        ::_exit(0);  // No destructor.
    }
    ASSERT_GT(child, 0);
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    const std::vector<char> bytes = file.bytes();
    bool found = false;
    for (const format::record& each : records_in(bytes)) {
        found = found || (each.kind == format::kind::cqe &&
                          each.as<format::cqe_body>().entry.user_data == 77);
    }
    EXPECT_TRUE(found);
}

TEST(trace_backend_test, one_file_has_one_ring_at_a_time) {
    const trace_file file;
    chosen_backend first;
    chosen_backend second;
    std::string why;
    const std::string name = "trace:" + file.path() + ":null";
    ASSERT_FALSE(choose(name, queues, first, why)) << why;
    EXPECT_EQ(std::errc::device_or_resource_busy, choose(name, queues, second, why));
    EXPECT_NE(std::string::npos, why.find(file.path())) << why;
    first.instance.reset();
    EXPECT_FALSE(choose(name, queues, second, why)) << why;
}

TEST(trace_backend_test, files_that_cannot_be_written_or_read_are_named) {
    chosen_backend chosen;
    std::string why;
    EXPECT_EQ(std::errc::no_such_file_or_directory,
              choose("trace:/nowhere/x:null", queues, chosen, why));
    EXPECT_NE(std::string::npos, why.find("/nowhere/x")) << why;
    EXPECT_EQ(std::errc::no_such_file_or_directory,
              choose("replay:/nowhere/x", queues, chosen, why));
    EXPECT_NE(std::string::npos, why.find("/nowhere/x")) << why;
    EXPECT_EQ(std::errc::invalid_argument, choose("replay:/dev/null", queues, chosen, why));
    EXPECT_NE(std::string::npos, why.find("too short")) << why;
}

TEST(trace_backend_test, a_full_disk_ends_the_recording_and_not_the_program) {
    testing::internal::CaptureStderr();
    {
        program ring = make("trace:/dev/full:null");
        for (std::uint64_t i = 0; i < 5; ++i) ring.expect_nop_round_trip(i);
    }
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_EQ(0U, told.find("ioring: the trace /dev/full ends here: ")) << told;
    EXPECT_EQ(told.size() - 1, told.find('\n')) << told;
}

TEST(replay_backend_test, a_difference_is_told_in_words_and_ends_everything_with_an_error) {
    const trace_file file;
    {
        program ring = make("trace:" + file.path() + ":null");
        ring.expect_nop_round_trip(1);
        ring.expect_nop_round_trip(2);
    }
    testing::internal::CaptureStderr();
    {
        program ring = make("replay:" + file.path());
        ring.expect_nop_round_trip(1);
        ring.push_nop(3);
        EXPECT_EQ(-EIO, ring.complete_one().res);
        ring.push_nop(2);
        EXPECT_EQ(-EIO, ring.complete_one().res);
        const auto& replay = static_cast<const replay_backend&>(*ring);
        EXPECT_EQ(
            "SQE 2 differs in its user_data: nop user_data 0x3, recorded was nop user_data 0x2",
            replay.problem());
        EXPECT_EQ(-EIO, ring.submit_and_wait(1));  // Nothing can come any more.
    }
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(std::string::npos, told.find("SQE 2 differs in its user_data")) << told;
    EXPECT_EQ(told.size() - 1, told.find('\n')) << told;
}

TEST(replay_backend_test, after_the_end_nothing_completes_with_success) {
    const trace_file file;
    {
        program ring = make("trace:" + file.path() + ":null");
        ring.expect_nop_round_trip(1);
    }
    testing::internal::CaptureStderr();
    program ring = make("replay:" + file.path());
    ring.expect_nop_round_trip(1);
    ring.push_nop(2);
    EXPECT_EQ(-EIO, ring.complete_one().res);
    EXPECT_NE(std::string::npos, testing::internal::GetCapturedStderr().find(
                                     "the recording ends before nop user_data 0x2"));
}

}  // namespace
}  // namespace ioring::backends::trace
