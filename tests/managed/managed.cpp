// SPDX-License-Identifier: MIT
// managed.cpp - waits with a bound, during which the manager runs.
#include "managed.hpp"

#include <algorithm>
#include <chrono>

namespace ioring::managed {

using conformance::patience_left;

std::vector<std::string> managed_backends() { return conformance::names_asked_for(); }

void managed_test::SetUp() {
    descriptors_before_ = conformance::open_descriptors();
    backend_test::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    std::string why;
    ASSERT_FALSE(socket_manager::create(ring_, manager(), sockets_, &why)) << why;
    ASSERT_FALSE(sockets_.listen(address(), {}, listener_, &why)) << why;
    echo(/*forwards=*/true);
}

void managed_test::TearDown() {
    if (!sockets_.valid()) return;
    on_event_ = nullptr;
    sockets_ = socket_manager{};
    EXPECT_EQ(0u, ring_.in_flight());
    ring_ = ring{};
    EXPECT_EQ(descriptors_before_, conformance::open_descriptors());
}

bool managed_test::turn(std::chrono::nanoseconds timeout) {
    const std::span<const socket_event> events = sockets_.poll(timeout);
    for (const socket_event& event : events) {
        events_.push_back({event.type, event.reason, event.listener,
                           event.socket != nullptr ? event.socket->id() : socket_id{}, event.error,
                           event.done});
        if (on_event_) on_event_(event);
    }
    EXPECT_FALSE(sockets_.error()) << sockets_.error().message();
    return !events.empty();
}

bool managed_test::until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + patience_left();
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end || sockets_.error()) {
            ADD_FAILURE() << "it does not come";
            return false;
        }
        (void)turn();
    }
    return true;
}

bool managed_test::until_told(event_type type, std::size_t wanted) {
    const bool told = until([&] { return count(type) >= wanted; });
    EXPECT_TRUE(told) << count(type) << " of " << wanted << " events " << to_string(type);
    return told;
}

std::size_t managed_test::count(event_type type) const {
    return static_cast<std::size_t>(std::count_if(
        events_.begin(), events_.end(), [&](const told& each) { return each.type == type; }));
}

told managed_test::last(event_type type) const {
    const auto found = std::find_if(events_.rbegin(), events_.rend(),
                                    [&](const told& each) { return each.type == type; });
    EXPECT_NE(events_.rend(), found) << to_string(type);
    return found == events_.rend() ? told{} : *found;
}

socket_end managed_test::client() const {
    return conformance::connect_to(sockets_.local_endpoint(listener_));
}

managed_test::pair managed_test::accept_one() {
    const std::size_t before = count(event_type::accepted);
    pair made{client()};
    if (!until_told(event_type::accepted, before + 1)) return made;
    made.ours = sockets_.find(last(event_type::accepted).id);
    EXPECT_NE(nullptr, made.ours);
    return made;
}

listener_id managed_test::listen_narrow() {
    listener_id made;
    EXPECT_FALSE(sockets_.listen("127.0.0.1:0", {.send_buffer_bytes = 4096}, made));
    return made;
}

managed_test::pair managed_test::accept_narrow(listener_id from) {
    pair made{conformance::open_stream(address_family::ipv4)};
    EXPECT_EQ(0, conformance::plain::set_receive_buffer(made.theirs.number(), 4096));
    const endpoint to = sockets_.local_endpoint(from);
    const std::size_t before = count(event_type::accepted);
    EXPECT_EQ(0, conformance::plain::connect(made.theirs.number(), to));
    if (until_told(event_type::accepted, before + 1)) {
        made.ours = sockets_.find(last(event_type::accepted).id);
    }
    return made;
}

std::string managed_test::receive(const socket_end& at, std::size_t bytes) {
    std::string all;
    (void)until([&] {
        all += conformance::receive_some(at);
        return all.size() >= bytes;
    });
    return all;
}

std::string managed_test::receive_to_end(const socket_end& at) {
    std::string all;
    char buffer[4096];
    (void)until([&] {
        for (;;) {
            const std::ptrdiff_t got =
                conformance::plain::receive(at.number(), buffer, sizeof(buffer));
            if (got <= 0) return got != -EAGAIN && got != -EINTR;
            all.append(buffer, static_cast<std::size_t>(got));
        }
    });
    return all;
}

void managed_test::begin_to_receive() {
    if (conformance::plain::has_flaw(conformance::plain::flaw::forgets_resets)) (void)turn(1ms);
}

void managed_test::send(const socket_end& from, std::string_view bytes) {
    (void)until([&] {
        while (!bytes.empty()) {
            const std::ptrdiff_t put =
                conformance::plain::send(from.number(), bytes.data(), bytes.size());
            if (put < 0) return put != -EAGAIN && put != -EINTR;
            bytes.remove_prefix(static_cast<std::size_t>(put));
        }
        return true;
    });
}

std::size_t managed_test::fill(socket& at) {
    const std::string bulk = conformance::pattern(60'000);
    std::size_t total = 0;
    // By time, for a turn may end at once: the systems widen their buffers for a while, and a
    // backend that is late tells late that they have.
    const auto quiet = is_faulty() ? 800ms : 120ms;
    auto last_taken = std::chrono::steady_clock::now();
    // And by turns, for a busy machine may give the time to others.
    constexpr int vain_turns_least = 20;
    int vain_turns = 0;
    while (vain_turns < vain_turns_least || std::chrono::steady_clock::now() - last_taken < quiet) {
        const std::size_t taken = at.write(bytes_of(bulk).subspan(total % bulk.size()));
        total += taken;
        vain_turns = taken > 0 ? 0 : vain_turns + 1;
        if (taken > 0) last_taken = std::chrono::steady_clock::now();
        (void)turn(1ms);
    }
    return total;
}

void managed_test::echo(bool forwards) {
    on_event_ = [forwards](const socket_event& event) {
        if (event.type != event_type::received) return;
        socket& from = *event.socket;
        if (forwards) {
            from.forward(from.readable().size());
        } else {
            from.consume(from.write(from.readable()));
        }
    };
}

}  // namespace ioring::managed
