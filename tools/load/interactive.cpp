// SPDX-License-Identifier: MIT
// interactive.cpp - a conversation with an echo server, line by line.
#include "interactive.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include <fmt/core.h>

#include "clock.hpp"
#include "common/command_line.hpp"
#include "common/error_text.hpp"
#include "common/number_text.hpp"
#include "common/stop_signals.hpp"
#include "common/terminal.hpp"
#include "ioring/error.hpp"
#include "ioring/user_data.hpp"
#include "options.hpp"

namespace load {
namespace {

using namespace ioring::tools;

enum class step : std::uint8_t { send, receive };

// One connection on which one message at a time goes out and comes back.
class conversation {
public:
    conversation(ioring::ring ring, ioring::fd socket, const settings& asked, stop_signals& stop)
        : asked_{asked}, stop_{stop}, ring_{std::move(ring)}, socket_{socket} {
        stop_.attach(ring_);
    }
    conversation(const conversation&) = delete;
    conversation& operator=(const conversation&) = delete;
    ~conversation() {
        stop_.detach(ring_);
        ring_.close_now(socket_);
    }

    // Sends `message` and waits for as many bytes. Empty: they came and were the same.
    std::string exchange(const std::string& message);
    // Shuts our side and waits for the end of the other. Empty: nothing came before it.
    std::string finish();

private:
    // One turn: what it waits for has come, or `problem` is set.
    void turn(std::int64_t deadline_ns);
    void on_receive(std::int32_t res);
    void arm();
    void await_end();

    const settings& asked_;
    stop_signals& stop_;
    std::string message_;
    std::size_t received_ = 0;
    bool sending_ = false;
    bool receiving_ = false;
    bool ended_ = false;  // The server's side.
    std::string problem_;
    std::array<std::byte, 65'536> buffer_{};
    ioring::ring ring_;  // Last: it ends before the memory that its operations use.
    ioring::fd socket_;
};

std::string conversation::exchange(const std::string& message) {
    message_ = message;
    received_ = 0;
    const std::int64_t deadline_ns = now_ns() + asked_.timeout.count();
    ring_.prepare_send(socket_, std::as_bytes(std::span{message_}), ioring::user_data{step::send});
    sending_ = true;
    while (problem_.empty() && (received_ < message_.size() || sending_)) turn(deadline_ns);
    if (!problem_.empty()) await_end();
    return problem_;
}

std::string conversation::finish() {
    message_.clear();
    received_ = 0;
    const std::int64_t deadline_ns = now_ns() + asked_.timeout.count();
    ring_.shutdown_now(socket_, ioring::shutdown_how::write);
    while (problem_.empty() && !ended_) turn(deadline_ns);
    if (!problem_.empty()) await_end();
    return problem_;
}

void conversation::turn(std::int64_t deadline_ns) {
    arm();
    const std::int64_t left_ns = deadline_ns - now_ns();
    if (left_ns <= 0) {
        problem_ = fmt::format("no answer within {}: {} of {} bytes came back",
                               duration_text(asked_.timeout), received_, message_.size());
        return;
    }
    if (stop_.requested()) {
        problem_ = "interrupted";
        return;
    }
    ring_.submit_and_wait(1, std::chrono::nanoseconds{left_ns});
    for (const ioring::cqe& done : ring_.completions()) {
        const auto [kind, slot, generation] = ioring::user_data::decode<step>(done.user_data);
        if (kind == step::receive) {
            receiving_ = false;
            on_receive(done.res);
        } else {
            sending_ = false;
            if (done.res != static_cast<std::int32_t>(message_.size()) && problem_.empty()) {
                problem_ = done.res < 0 ? "send failed: " + error_text(ioring::error_of(done))
                                        : std::string{"the server took a part of the line only"};
            }
        }
    }
}

void conversation::arm() {
    if (receiving_ || ended_) return;
    ring_.prepare_recv(socket_, buffer_, ioring::user_data{step::receive});
    receiving_ = true;
}

void conversation::on_receive(std::int32_t res) {
    if (res < 0) {
        problem_ = "receive failed: " + error_text(ioring::error_of(res));
        return;
    }
    const auto bytes = static_cast<std::size_t>(res);
    if (bytes == 0) {
        ended_ = true;
        if (received_ < message_.size()) problem_ = "the server closed the connection";
        return;
    }
    const std::size_t wanted = std::min(bytes, message_.size() - received_);
    const auto expected = std::as_bytes(std::span{message_}).subspan(received_, wanted);
    if (!std::equal(expected.begin(), expected.end(), buffer_.begin())) {
        problem_ = "what came back is not what was sent";
    } else if (wanted < bytes) {
        problem_ = fmt::format("{} bytes more came back than were sent", bytes - wanted);
    }
    received_ += wanted;
}

// So that nothing is in flight on our memory when it goes.
void conversation::await_end() {
    ring_.shutdown_now(socket_, ioring::shutdown_how::both);
    const std::int64_t deadline_ns = now_ns() + 1'000'000'000;
    while ((sending_ || receiving_) && now_ns() < deadline_ns) {
        ring_.submit_and_wait(1, std::chrono::milliseconds{100});
        for (const ioring::cqe& done : ring_.completions()) {
            const auto kind = ioring::user_data::decode<step>(done.user_data).kind;
            (kind == step::receive ? receiving_ : sending_) = false;
        }
    }
}

// The next line without its end; none at the end of the input or after a signal.
std::optional<std::string> read_line(bool prompts) {
    if (prompts) {
        fmt::print("> ");
        std::fflush(stdout);
    }
    std::string line;
    if (!std::getline(std::cin, line)) {
        if (prompts) fmt::print("\n");
        return std::nullopt;
    }
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}

int talk(conversation& with_server, const stop_signals& stop) {
    const bool prompts = is_terminal(stdin) && is_terminal(stdout);
    while (!stop.requested()) {
        const std::optional<std::string> line = read_line(prompts);
        if (!line || *line == "quit" || stop.requested()) break;
        const std::int64_t start_ns = now_ns();
        const std::string problem = with_server.exchange(*line + "\n");
        const auto took = std::chrono::nanoseconds{now_ns() - start_ns};
        if (!problem.empty()) {
            if (stop.requested()) return exit_done;
            return complain(program_name, problem);
        }
        fmt::print("{}  ({} in {})\n", *line, bytes_text(line->size() + 1), duration_text(took));
        std::fflush(stdout);
    }
    const std::string problem = with_server.finish();
    return problem.empty() || stop.requested() ? exit_done : complain(program_name, problem);
}

}  // namespace

int interact(const settings& asked, ioring::ring ring,
             const std::vector<ioring::endpoint>& addresses) {
    ioring::fd socket;
    ioring::endpoint server;
    std::string why;
    if (ring.connect_now(addresses, asked.timeout, socket, &server, &why)) {
        return complain(program_name, why);
    }
    (void)ring.configure_socket(socket);  // Slower without, that is all.
    if (!asked.quiet) {
        fmt::print("connected to {}; each line is sent and its echo printed, `quit` ends\n",
                   to_string(server));
        std::fflush(stdout);
    }
    stop_signals stop;  // From here on: until then a signal simply ends us.
    conversation with_server{std::move(ring), socket, asked, stop};
    return talk(with_server, stop);
}

}  // namespace load
