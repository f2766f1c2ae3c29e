// SPDX-License-Identifier: MIT
// loop_fixture.hpp - an event loop on each backend, and coroutines that tests share.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "ioring/event_loop.hpp"
#include "support/built_backends.hpp"

namespace ioring {

constexpr std::chrono::seconds patience{10};

inline std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}
inline std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class loop_fixture : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        std::string why;
        const auto error = ring::create({.sq_entries = 16, .backend = GetParam()}, ring_, &why);
        if (error == std::errc::not_supported || error == std::errc::operation_not_permitted ||
            error == std::errc::function_not_supported) {
            GTEST_SKIP() << why;
        }
        ASSERT_FALSE(error) << why;
        loop_ = std::make_unique<event_loop>(ring_);
    }

    async_listener listening() {
        async_listener made;
        EXPECT_FALSE(async_listener::create(*loop_, "127.0.0.1:0", {}, made));
        return made;
    }
    task<async_socket> connected(const async_listener& to) {
        return connect(*loop_, to.local_endpoint(), patience);
    }

    static task<> echo(async_socket peer) {
        for (auto bytes = co_await peer.read(); !bytes.empty(); bytes = co_await peer.read()) {
            if (!co_await peer.write_all(bytes)) break;
        }
    }
    // Serves `count` connections.
    task<> serve(async_listener& at, int count) {
        for (int each = 0; each < count; ++each) {
            async_socket peer = co_await at.accept();
            EXPECT_TRUE(peer.valid()) << at.error().message();
            loop_->spawn(echo(std::move(peer)));
        }
    }

    ring ring_;
    std::unique_ptr<event_loop> loop_;
};

inline std::string backend_name(const ::testing::TestParamInfo<std::string>& of) {
    return of.param;
}
#define IORING_ON_EVERY_BACKEND(suite)                                                            \
    INSTANTIATE_TEST_SUITE_P(backend, suite, ::testing::ValuesIn(test_support::built_backends()), \
                             backend_name)

}  // namespace ioring
