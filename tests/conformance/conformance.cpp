// SPDX-License-Identifier: MIT
// conformance.cpp - a ring for each test, and waits with a bound.
#include "conformance.hpp"

#include <algorithm>

namespace ioring::conformance {

std::vector<std::string> names_asked_for() {
    std::vector<std::string> names = names_under_test();
    // One skip says so (rio_double.real_rio_test.works_here), not one for each test.
    if (plain::has_flaw(plain::flaw::lacks_rio)) std::erase(names, "rio");
    const std::string filter = GTEST_FLAG_GET(filter);
    const auto only = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
        return filter.ends_with("/" + name);
    });
    return only == names.end() ? names : std::vector<std::string>{*only};
}
namespace {

// A user_data that no test uses.
constexpr std::uint64_t nop_user_data = 0x6e6f'7020'6e6f'7020;

bool is_refusal(std::error_code error) {
    return error == std::errc::not_supported || error == std::errc::operation_not_permitted ||
           error == std::errc::function_not_supported;
}

}  // namespace

void backend_test::SetUp() {
    ring_options wanted = options();
    wanted.backend = GetParam();
    std::string why;
    const std::error_code error = ring::create(wanted, ring_, &why);
    if (is_refusal(error)) GTEST_SKIP() << why;
    ASSERT_FALSE(error) << why;
}

ring backend_test::another_ring() const {
    ring_options wanted = options();
    wanted.backend = GetParam();
    ring made;
    std::string why;
    const std::error_code error = ring::create(wanted, made, &why);
    EXPECT_FALSE(error) << why;
    return made;
}

sqe& backend_test::next_sqe() {
    sqe* entry = ring_.get_sqe();
    if (entry == nullptr) {
        EXPECT_LT(0, ring_.submit());
        entry = ring_.get_sqe();
    }
    if (entry != nullptr) return *entry;
    ADD_FAILURE() << "the submission queue stays full";
    static sqe nowhere;
    return nowhere;
}

std::vector<cqe> backend_test::complete(std::size_t count) {
    std::vector<cqe> all;
    const auto end = std::chrono::steady_clock::now() + patience_left();
    while (all.size() < count && std::chrono::steady_clock::now() < end) {
        const int taken = ring_.submit_and_wait(1, 100ms);
        // -EBUSY: completions must be read first, and then the rest is taken.
        if (taken < 0 && taken != -EINTR && taken != -EBUSY) {
            ADD_FAILURE() << "submit_and_wait: " << error_of(taken).message();
            break;
        }
        for (const cqe& done : ring_.completions()) {
            all.push_back(done);
            if (all.size() == count) break;
        }
    }
    EXPECT_EQ(count, all.size()) << "completions";
    return all;
}

cqe backend_test::complete_one() {
    const std::vector<cqe> all = complete(1);
    return all.empty() ? cqe{.res = -ETIMEDOUT} : all.front();
}

cqe backend_test::complete_one(std::uint64_t user_data) {
    const cqe done = complete_one();
    EXPECT_EQ(user_data, done.user_data);
    return done;
}

void backend_test::expect_nothing() {
    for (int round = 0; round < 2; ++round) {
        prep_nop(next_sqe(), nop_user_data);
        const cqe done = complete_one();
        EXPECT_EQ(nop_user_data, done.user_data) << "completed with " << done.res;
    }
    for (const cqe& done : take_ready()) {
        ADD_FAILURE() << "user_data " << done.user_data << " completed with " << done.res;
    }
}

std::vector<cqe> backend_test::take_ready() {
    std::vector<cqe> all;
    std::array<cqe, 16> some;
    while (const std::size_t count = ring_.peek_completions(some)) {
        all.insert(all.end(), some.begin(), some.begin() + static_cast<std::ptrdiff_t>(count));
        ring_.advance_completion_queue(count);
    }
    return all;
}

cqe backend_test::run(const sqe& entry) {
    next_sqe() = entry;
    return complete_one(entry.user_data);
}

int backend_test::recv(const socket_end& at, std::span<std::byte> buffer, std::uint32_t msg_flags) {
    sqe entry;
    prep_recv(entry, at.fd(), buffer, msg_flags, nop_user_data);
    return run(entry).res;
}

int backend_test::send(const socket_end& from, std::string_view bytes, std::uint32_t msg_flags) {
    sqe entry;
    prep_send(entry, from.fd(), bytes_of(bytes), msg_flags, nop_user_data);
    return run(entry).res;
}

cqe with_user_data(const std::vector<cqe>& all, std::uint64_t user_data) {
    cqe found{.res = -ENODATA};
    int count = 0;
    for (const cqe& each : all) {
        if (each.user_data != user_data) continue;
        found = each;
        ++count;
    }
    EXPECT_EQ(1, count) << "completions with user_data " << user_data;
    return found;
}

}  // namespace ioring::conformance
