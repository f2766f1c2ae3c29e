// SPDX-License-Identifier: MIT
// core_test_support.hpp - the rio core on a double, and a record of what it tells.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "backend/rio/rio_core.hpp"
#include "world.hpp"

namespace ioring::rio_tests {

using backends::rio::core;
using backends::rio::core_options;
using backends::rio::direction;
using backends::rio::reference;
using backends::rio::transfer;

struct ending {
    std::uint64_t cookie;
    std::int32_t res;
    friend bool operator==(const ending&, const ending&) = default;
};
using endings = std::vector<ending>;

class recorder final : public backends::rio::observer {
public:
    void ended(std::uint64_t cookie, std::int32_t res) noexcept override {
        all.push_back({cookie, res});
        ++times[cookie];
    }
    void closed(std::uint64_t cookie) noexcept override { gone.push_back(cookie); }

    endings all;
    std::map<std::uint64_t, int> times;
    std::vector<std::uint64_t> gone;
};

class core_test : public testing::TestWithParam<world_kind> {
protected:
    static constexpr std::uint32_t buffers_count = 8;
    static constexpr std::uint32_t buffer_bytes = 64;
    static constexpr std::uint32_t rounds_max = 10'000;

    struct socket {
        reference id;
        abi::socket peer = abi::invalid_socket;
    };

    void SetUp() override;
    // Shuts down, and nothing may be left or have been violated.
    void TearDown() override;
    // With these limits, and the fixture's memory registered as buffers 0 to 7.
    void start(std::uint32_t receives_max = 1, std::uint32_t sends_max = 1);
    [[nodiscard]] rio_double& ours() { return *world_->the_double(); }

    [[nodiscard]] socket attach(std::uint64_t cookie = 0);
    [[nodiscard]] std::byte* at(std::uint32_t buffer, std::uint32_t offset = 0) {
        return memory_.data() + buffer * buffer_bytes + offset;
    }
    [[nodiscard]] std::string text_at(std::uint32_t buffer, std::uint32_t offset,
                                      std::uint32_t bytes) {
        return {reinterpret_cast<const char*>(at(buffer, offset)), bytes};
    }
    // What submit() says.
    std::int32_t receive(const socket& on, std::uint32_t buffer, std::uint32_t offset,
                         std::uint32_t bytes, std::uint64_t cookie, bool wait_all = false);
    std::int32_t send(const socket& on, std::uint32_t buffer, std::string_view text,
                      std::uint64_t cookie);
    // Flushes, then sleeps and reaps until `count` requests have ended since the last call.
    endings finish(std::size_t count);
    // Reaps what is there.
    endings reap();
    [[nodiscard]] bool close(const socket& which) {
        std::int32_t error = 0;
        const bool over = core_->close(which.id, error);
        EXPECT_EQ(0, error);
        return over;
    }
    void sleep_once();

    std::unique_ptr<world> world_;
    abi::handle port_ = nullptr;
    std::array<std::uint64_t, 8> overlapped_{};
    recorder told_;
    std::unique_ptr<core> core_;
    std::array<std::byte, buffers_count * buffer_bytes> memory_{};
    std::vector<abi::socket> peers_;
    reference last_;  // Of the last request that was submitted.
    bool may_be_left_ = false;
};

}  // namespace ioring::rio_tests
