// SPDX-License-Identifier: MIT
// faults_test.cpp - managed sockets over backends that do whatever they may, seed after seed.
//
// Connections within one process: each client is a socket of the manager's too, and its peer
// echoes; some clients end their side before the last bytes are back. Every byte comes back in
// order unless the connection was reset; every connection ends; nothing is left. IORING_TEST_SEEDS
// says how many seeds (of each backend and level), IORING_TEST_SEED where they begin.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>
#include <string>

#include "conformance.hpp"
#include "ioring/ring_buffer.hpp"
#include "ioring/socket_manager.hpp"
#include "support/built_backends.hpp"

namespace ioring::managed {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t clients_count = 4;
constexpr std::uint64_t stream_bytes = 20'000;

std::byte stream_at(std::size_t client, std::uint64_t position) {
    return static_cast<std::byte>((position * 31 + position / 251 + client * 97) & 0xff);
}

std::uint64_t number_from(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

class churn {
public:
    // `breaks`: connections are reset, which the other end may see as an end.
    churn(ring& where, std::uint64_t seed, bool breaks)
        : random_{static_cast<unsigned>(seed)}, breaks_{breaks} {
        const auto buffer_bytes = static_cast<std::uint32_t>(ring_buffer::granularity());
        const manager_options options{.sockets_max = 2 * clients_count,
                                      .buffer_bytes = buffer_bytes,
                                      .chunks = 4,
                                      .chunk_bytes = 2048,
                                      .events_max = 3,
                                      .write_stall_timeout = 5s,
                                      .drain_timeout = 2s};
        EXPECT_FALSE(socket_manager::create(where, options, sockets_));
        EXPECT_FALSE(sockets_.listen("127.0.0.1:0", {}, listener_));
    }

    // Empty when all went well; else what did not.
    std::string run() {
        for (std::size_t i = 0; i < clients_count; ++i) begin(i);
        const auto end = std::chrono::steady_clock::now() + 20s;
        while (problem_.empty() && closed_ < opened_) {
            for (const socket_event& event : sockets_.poll(100ms)) handle(event);
            if (sockets_.error()) return "the ring failed: " + sockets_.error().message();
            if (std::chrono::steady_clock::now() > end) return "it does not end";
        }
        if (!problem_.empty()) return problem_;
        (void)sockets_.poll(0ns);
        if (sockets_.size() != 0) return "connections are left";
        return finished_ + broken_ == clients_count ? "" : "a client is missing";
    }
    [[nodiscard]] std::size_t finished() const { return finished_; }

private:
    struct client {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        bool open = false;
    };

    void begin(std::size_t index) {
        socket* made = nullptr;
        if (sockets_.connect(sockets_.local_endpoint(listener_), made)) {
            problem_ = "no connect";
            return;
        }
        made->set_user(&clients_[index]);
        ++opened_;
    }

    void handle(const socket_event& event) {
        if (event.socket == nullptr) return;
        auto* const of = static_cast<client*>(event.socket->user());
        switch (event.type) {
            case event_type::accepted: ++opened_; return;
            case event_type::closed: return ended(of, event);
            case event_type::received:
                return of == nullptr ? echo(*event.socket) : check(*of, *event.socket);
            case event_type::connected: of->open = true; [[fallthrough]];
            case event_type::writable:
                if (of != nullptr) feed(*of, *event.socket);
                return;
            default: return;
        }
    }

    void echo(socket& at) {
        switch (random_() % 4) {
            case 0: at.consume(at.write(at.readable())); return;
            case 1: at.consume(at.write(at.readable().first(1))); break;
            default: break;
        }
        at.forward(at.readable().size());
    }

    void feed(client& of, socket& at) {
        while (of.sent < stream_bytes) {
            const std::span<std::byte> room = at.writable();
            const std::size_t count =
                std::min<std::size_t>({room.size(), 1 + random_() % 3000,
                                       static_cast<std::size_t>(stream_bytes - of.sent)});
            for (std::size_t i = 0; i < count; ++i) room[i] = stream_at(index_of(of), of.sent + i);
            at.commit_write(count);
            of.sent += count;
            if (count == 0 || random_() % 4 == 0) break;
        }
        if (of.sent == stream_bytes && index_of(of) % 2 == 0) at.shutdown_write();
    }

    void check(client& of, socket& at) {
        const auto come = at.readable();
        for (std::size_t i = 0; i < come.size(); ++i) {
            if (come[i] != stream_at(index_of(of), of.received + i)) problem_ = "a byte is wrong";
        }
        of.received += come.size();
        at.consume(come.size());
        if (of.received > of.sent) problem_ = "more came back than was sent";
        if (of.received == stream_bytes) return index_of(of) % 4 != 0 ? at.close() : void();
        feed(of, at);
    }

    void ended(client* of, const socket_event& event) {
        ++closed_;
        if (of == nullptr) return;
        if (of->received == stream_bytes) {
            ++finished_;
        } else if (breaks_ || event.reason == close_reason::failed ||
                   event.reason == close_reason::connect_failed) {
            ++broken_;
        } else {
            problem_ = "a client ended by " + std::string{to_string(event.reason)} + " after " +
                       std::to_string(of->received) + " bytes";
        }
    }

    [[nodiscard]] std::size_t index_of(const client& of) const {
        return static_cast<std::size_t>(&of - clients_.data());
    }

    std::minstd_rand random_;
    bool breaks_;
    socket_manager sockets_;
    listener_id listener_;
    std::array<client, clients_count> clients_;
    std::size_t opened_ = 0;
    std::size_t closed_ = 0;
    std::size_t finished_ = 0;
    std::size_t broken_ = 0;
    std::string problem_;
};

class managed_faults_test : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(backend, managed_faults_test,
                         testing::ValuesIn(test_support::built_backends()),
                         conformance::backend_name);

TEST_P(managed_faults_test, no_fault_loses_a_byte_or_a_connection) {
    const std::uint64_t first = number_from("IORING_TEST_SEED", 1);
    const std::uint64_t seeds = number_from("IORING_TEST_SEEDS", 40);
    std::size_t finished = 0;
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        for (const int level : {0, 1, 2, 3}) {
            const std::string name =
                "fault:" + std::to_string(seed) + "@" + std::to_string(level) + ":" + GetParam();
            SCOPED_TRACE(name);
            const std::size_t descriptors = conformance::open_descriptors();
            {
                ring over;
                std::string why;
                const ring_options options{.sq_entries = 16, .backend = name};
                const std::error_code error = ring::create(options, over, &why);
                if (error == std::errc::not_supported ||
                    error == std::errc::operation_not_permitted)
                    GTEST_SKIP() << why;
                ASSERT_FALSE(error) << why;
                churn world{over, seed, level == 3};
                ASSERT_EQ("", world.run());
                finished += world.finished();
                // Only level 3 breaks connections.
                ASSERT_LE(level < 3 ? clients_count : 0, world.finished());
            }
            ASSERT_EQ(descriptors, conformance::open_descriptors());
        }
    }
    EXPECT_LT(0u, finished);
}

}  // namespace
}  // namespace ioring::managed
