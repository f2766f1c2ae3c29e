// SPDX-License-Identifier: MIT
// rio_test_support.hpp - a socket with its queues in one of the worlds, and what tests do with it.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "world.hpp"

namespace ioring::rio_tests {

// The completion queue has a port, and its overlapped is the fixture's own.
class table_test : public testing::TestWithParam<world_kind> {
protected:
    static constexpr abi::dword entries = 16;
    static constexpr abi::dword half = 256;  // Bytes of memory for receives, and for sends.

    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] const abi::function_table& table() const { return world_->system().table; }
    [[nodiscard]] std::int32_t last_error() const { return world_->system().last_error(); }
    void close(abi::socket which) const { (void)world_->system().close_socket(which); }

    [[nodiscard]] abi::completion_queue make_completions(abi::dword size);
    [[nodiscard]] abi::request_queue make_requests(abi::socket socket, abi::dword receives,
                                                   abi::dword sends,
                                                   std::uint64_t socket_context = 0);
    // A connected pair, the first of it with a queue of such limits.
    void open(abi::dword receives = 1, abi::dword sends = 1, std::uint64_t socket_context = 0);

    // Of the fixture's memory, from `offset`.
    [[nodiscard]] bool receive(abi::dword offset, abi::dword bytes, std::uint64_t context = 0,
                               abi::dword flags = 0);
    [[nodiscard]] bool send(std::string_view bytes, std::uint64_t context = 0, abi::dword flags = 0,
                            abi::dword offset = 0);
    [[nodiscard]] bool commit(bool sends);
    // Waits for `count` completions and takes them.
    [[nodiscard]] std::vector<abi::result> take(std::size_t count);
    // Those that are there.
    [[nodiscard]] std::vector<abi::result> take_ready(std::size_t most = entries);
    [[nodiscard]] std::string received(abi::dword offset, abi::dword bytes) const {
        return {memory_.data() + offset, bytes};
    }
    [[nodiscard]] world::packet wait_for_port(unsigned timeout_ms = world::wait_ms_max) {
        return world_->wait_for(port_, timeout_ms);
    }

    std::unique_ptr<world> world_;
    abi::handle port_ = nullptr;
    std::array<std::uint64_t, 8> overlapped_{};  // Room for an OVERLAPPED.
    int key_ = 0;
    abi::completion_queue completions_ = abi::invalid_completion_queue;
    abi::request_queue requests_ = abi::invalid_request_queue;
    world::pair pair_;
    // The first half is received into, the second sent from.
    std::array<char, 2 * half> memory_{};
    abi::buffer_id for_receive_ = nullptr;
    abi::buffer_id for_send_ = nullptr;
};

[[nodiscard]] std::string world_name(const testing::TestParamInfo<world_kind>& info);

}  // namespace ioring::rio_tests
