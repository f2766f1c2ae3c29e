// SPDX-License-Identifier: MIT
// line_server.cpp - a line protocol on managed sockets: parse what came, answer in place.
//
//     line_server [ADDRESS [LINE_MS [IDLE_MS]]]    127.0.0.1:0 by default; prints the address it
//     got
//
// Commands, one a line: `add A B` answers their sum, `upper TEXT` the text in capitals, `quit` ends
// the connection, anything else an error. A line may come in pieces or many at once, and the
// answers of a client that does not read wait with its questions. Who says nothing for IDLE_MS (60
// s) is let go, and so is who has not ended a line LINE_MS (10 s) after its first byte.
#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "ioring/ioring.hpp"
#include "times.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t line_bytes_max = 4096;
constexpr std::uint32_t sockets_max = 1000;

volatile std::sig_atomic_t stopping = 0;
ioring::ring* ring_to_wake = nullptr;

void stop(int) {
    stopping = 1;
    ring_to_wake->wake();
}

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string answer_to(std::string_view line) {
    const std::size_t blank = std::min(line.find(' '), line.size());
    const std::string_view command = line.substr(0, blank);
    std::string_view rest = line.substr(std::min(blank + 1, line.size()));
    if (command == "upper") {
        std::string capitals{rest};
        for (char& each : capitals) {
            each = static_cast<char>(std::toupper(static_cast<unsigned char>(each)));
        }
        return capitals + "\n";
    }
    long first = 0;
    long second = 0;
    const auto [middle, error] = std::from_chars(rest.data(), rest.data() + rest.size(), first);
    if (command == "add" && error == std::errc{} && middle != rest.data() + rest.size()) {
        const auto tail = std::from_chars(middle + 1, rest.data() + rest.size(), second);
        if (tail.ec == std::errc{}) return std::to_string(first + second) + "\n";
    }
    return "error: no such command\n";
}

// Answers the whole lines that are there. What has no room stays unread, and is announced again.
void serve(ioring::socket& client, times::patience& with_lines) {
    for (;;) {
        const std::string_view come = text_of(client.readable());
        const std::size_t end = come.find('\n');
        if (end == std::string_view::npos) {
            if (come.size() > line_bytes_max) return client.abort();
            if (!come.empty()) with_lines.begin(client);
            if (client.peer_has_ended() && come.size() == client.unread_bytes()) client.close();
            return;
        }
        with_lines.end(client);
        const std::string_view line = come.substr(0, end);
        if (line == "quit") return client.close();
        const std::string answer = answer_to(line);
        const std::span<std::byte> room = client.writable(answer.size());
        if (room.empty()) return;
        std::memcpy(room.data(), answer.data(), answer.size());
        client.commit_write(answer.size());
        client.consume(end + 1);
    }
}

}  // namespace

int main(int argc, char** argv) {
    ioring::ring ring = ioring::ring::create({.sq_entries = 1024});
    ring_to_wake = &ring;
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    ioring::socket_manager sockets{
        ring, {.sockets_max = sockets_max, .idle_timeout = times::argument(argc, argv, 3, 60s)}};
    times::patience with_lines{sockets, sockets_max, times::argument(argc, argv, 2, 10s)};
    const ioring::listener_id listener = sockets.listen(argc > 1 ? argv[1] : "127.0.0.1:0");
    std::printf("listening on %s\n", to_string(sockets.local_endpoint(listener)).c_str());
    std::fflush(stdout);
    while (stopping == 0 && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) {
            switch (event.type) {
                case ioring::event_type::received: serve(*event.socket, with_lines); break;
                case ioring::event_type::closed: with_lines.end(*event.socket); break;
                case ioring::event_type::timer:
                    if (ioring::socket* const late = with_lines.late(event)) late->close();
                    break;
                default: break;
            }
        }
    }
    const ioring::drain_report report = sockets.drain(2s);
    std::printf("%u ended in order, %u cut\n", report.drained, report.cut);
    return report.complete ? 0 : 1;
}
