// SPDX-License-Identifier: MIT
// rio_test_support.cpp - setting up, posting, waiting for completions.
#include "rio_test_support.hpp"

#include <cstring>

namespace ioring::rio_tests {
namespace {

void* as_context(std::uint64_t value) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(value));
}

}  // namespace

std::string world_name(const testing::TestParamInfo<world_kind>& info) { return info.param.name; }

void table_test::SetUp() {
    std::string why;
    world_ = GetParam().make(why);
    if (world_ == nullptr) GTEST_SKIP() << why;
    port_ = world_->make_port();
    completions_ = make_completions(entries);
    ASSERT_NE(abi::invalid_completion_queue, completions_);
    for_receive_ = table().register_buffer(memory_.data(), half);
    for_send_ = table().register_buffer(memory_.data() + half, half);
    ASSERT_NE(abi::invalid_buffer_id(), for_receive_);
    ASSERT_NE(abi::invalid_buffer_id(), for_send_);
}

void table_test::TearDown() {
    if (world_ == nullptr) return;
    if (pair_.rio != abi::invalid_socket) close(pair_.rio);
    if (pair_.peer != abi::invalid_socket) close(pair_.peer);
    for (int rounds = 0; rounds < 3; ++rounds) (void)take_ready();
    table().close_completion_queue(completions_);
    table().deregister_buffer(for_receive_);
    table().deregister_buffer(for_send_);
    world_->close_port(port_);
    if (rio_double* const ours = world_->the_double(); ours != nullptr) {
        EXPECT_EQ(std::vector<std::string>{}, ours->violations());
        EXPECT_EQ("", ours->leftovers());
    }
}

abi::completion_queue table_test::make_completions(abi::dword size) {
    abi::notification how{};
    how.type = abi::notification_type::completion_port;
    how.port = {.port = port_, .key = &key_, .overlapped = overlapped_.data()};
    return table().create_completion_queue(size, &how);
}

abi::request_queue table_test::make_requests(abi::socket socket, abi::dword receives,
                                             abi::dword sends, std::uint64_t socket_context) {
    return table().create_request_queue(socket, receives, 1, sends, 1, completions_, completions_,
                                        as_context(socket_context));
}

void table_test::open(abi::dword receives, abi::dword sends, std::uint64_t socket_context) {
    pair_ = world_->connect(true);
    ASSERT_NE(abi::invalid_socket, pair_.rio);
    requests_ = make_requests(pair_.rio, receives, sends, socket_context);
    ASSERT_NE(abi::invalid_request_queue, requests_) << last_error();
}

bool table_test::receive(abi::dword offset, abi::dword bytes, std::uint64_t context,
                         abi::dword flags) {
    abi::buffer part{.id = for_receive_, .offset = offset, .length = bytes};
    return table().receive(requests_, &part, 1, flags, as_context(context)) != 0;
}

bool table_test::send(std::string_view bytes, std::uint64_t context, abi::dword flags,
                      abi::dword offset) {
    std::memcpy(memory_.data() + half + offset, bytes.data(), bytes.size());
    abi::buffer part{
        .id = for_send_, .offset = offset, .length = static_cast<abi::dword>(bytes.size())};
    return table().send(requests_, &part, 1, flags, as_context(context)) != 0;
}

bool table_test::commit(bool sends) {
    const auto call = sends ? table().send : table().receive;
    return call(requests_, nullptr, 0, abi::message_flag::commit_only, nullptr) != 0;
}

std::vector<abi::result> table_test::take_ready(std::size_t most) {
    std::vector<abi::result> results(most);
    const abi::dword count =
        table().dequeue_completion(completions_, results.data(), static_cast<abi::dword>(most));
    EXPECT_LE(count, most);
    results.resize(count <= most ? count : 0);
    return results;
}

std::vector<abi::result> table_test::take(std::size_t count) {
    std::vector<abi::result> all = take_ready(count);
    while (all.size() < count) {
        const std::int32_t code = table().notify(completions_);
        EXPECT_TRUE(code == 0 || code == abi::code::already) << code;
        if (!wait_for_port().came) {
            ADD_FAILURE() << "no more than " << all.size() << " completions of " << count;
            break;
        }
        for (const abi::result& each : take_ready(count - all.size())) all.push_back(each);
    }
    return all;
}

}  // namespace ioring::rio_tests
