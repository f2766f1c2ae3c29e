// SPDX-License-Identifier: MIT
// allocation_linux_alone_test.cpp - a manager that has had its load allocates
// no more.
#include <sys/socket.h>
#include <unistd.h>

#include "managed.hpp"
#include "support/allocation_counter.hpp"

namespace ioring::managed {
namespace {

constexpr std::size_t connections = 8;
constexpr int rounds = 30;

class managed_allocation_test : public managed_test {
protected:
    [[nodiscard]] manager_options manager() const override {
        return {.sockets_max = 64, .idle_timeout = 1h, .read_timeout = 1h};
    }
    void SetUp() override {
        managed_test::SetUp();
        events_.reserve(100'000);  // The test's own.
    }
    // A plain client without anything that allocates.
    [[nodiscard]] int connect_plain() const {
        const int made = ::socket(AF_INET, SOCK_STREAM, 0);
        const endpoint to = sockets_.local_endpoint(listener_);
        EXPECT_EQ(0, ::connect(made, static_cast<const sockaddr*>(to.data()),
                               static_cast<socklen_t>(to.size())));
        return made;
    }
    template <class Holds>
    void poll_until(Holds&& holds) {
        for (int i = 0; i < 10'000 && !holds(); ++i) (void)turn(1ms);
        EXPECT_TRUE(holds());
    }
    void exchange(int client, std::size_t bytes) {
        EXPECT_EQ(static_cast<ssize_t>(bytes), ::send(client, bytes_.data(), bytes, MSG_NOSIGNAL));
        std::size_t back = 0;
        poll_until([&] {
            const ssize_t got = ::recv(client, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
            if (got > 0) back += static_cast<std::size_t>(got);
            return back >= bytes;
        });
        EXPECT_EQ(bytes, back);
    }
    void exchange_all(const std::array<int, connections>& clients) {
        for (const int each : clients) exchange(each, 64);
    }
    // One connection from its beginning to its end.
    void come_and_go() {
        const std::size_t closed = closed_;
        const int client = connect_plain();
        exchange(client, 64);
        ::close(client);
        poll_until([&] { return closed_ == closed + 1; });
    }
    // As echo(), and counts.
    void echo_and_count(bool forwards, bool leaves = false) {
        on_event_ = [this, forwards, leaves](const socket_event& event) {
            if (event.type == event_type::closed) ++closed_;
            if (event.type != event_type::received) return;
            socket& from = *event.socket;
            // Half of it is left, and so moves to a buffer of the connection's own.
            if (leaves && from.unread_bytes() < 64) return;
            if (forwards) {
                from.forward(from.readable().size());
            } else {
                from.consume(from.write(from.readable()));
            }
        };
    }
    template <class Work>
    void expect_no_allocations(Work&& work) {
        for (int i = 0; i < rounds; ++i) work();
        const test_support::allocation_count count;
        for (int i = 0; i < rounds; ++i) work();
        EXPECT_EQ(0u, count.get());
    }

    std::array<std::byte, 4096> bytes_{};
    std::size_t closed_ = 0;
};
INSTANTIATE_TEST_SUITE_P(backend, managed_allocation_test,
                         testing::Values("uring", "epoll", "poll", "uring_plain", "epoll_plain"),
                         conformance::backend_name);

TEST_P(managed_allocation_test, a_message_allocates_nothing) {
    std::array<int, connections> clients{};
    for (int& each : clients) each = connect_plain();
    for (const bool forwards : {true, false}) {
        echo_and_count(forwards);
        expect_no_allocations([&] { exchange_all(clients); });
    }
    for (const int each : clients) ::close(each);
}

TEST_P(managed_allocation_test, a_message_in_two_parts_allocates_nothing) {
    const int client = connect_plain();
    echo_and_count(/*forwards=*/true, /*leaves=*/true);
    expect_no_allocations([&] {
        EXPECT_EQ(32, ::send(client, bytes_.data(), 32, MSG_NOSIGNAL));
        const std::size_t before = events_.size();
        poll_until([&] { return events_.size() > before; });
        EXPECT_EQ(32, ::send(client, bytes_.data(), 32, MSG_NOSIGNAL));
        std::size_t back = 0;
        poll_until([&] {
            const ssize_t got = ::recv(client, bytes_.data(), bytes_.size(), MSG_DONTWAIT);
            if (got > 0) back += static_cast<std::size_t>(got);
            return back == 64;
        });
    });
    ::close(client);
}

TEST_P(managed_allocation_test, a_connection_that_comes_and_goes_allocates_nothing) {
    echo_and_count(/*forwards=*/true);
    expect_no_allocations([&] { come_and_go(); });
}

}  // namespace
}  // namespace ioring::managed
