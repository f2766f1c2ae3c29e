// SPDX-License-Identifier: MIT
// chat_server.cpp - everybody gets the lines that anybody says: one write for each connection.
//
//     chat_server [ADDRESS [LINE_MS [IDLE_MS]]]    127.0.0.1:0 by default; prints the address it
//     got
//
// A member who does not read is not waited for: with 64 KiB unsent it is disconnected, which is all
// of slow_reader_policy::close. Who says nothing for IDLE_MS (10 minutes), whatever it hears, is
// let go, and so is who has not ended a line LINE_MS (10 s) after its first byte.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <vector>

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

// Ids, because a member may end while a message is on its way through the list.
class room {
public:
    room(ioring::socket_manager& sockets, std::chrono::milliseconds patience)
        : sockets_{sockets}, with_lines_{sockets, sockets_max, patience} {}

    void join(const ioring::socket& member) { members_.push_back(member.id()); }
    void leave(const ioring::socket& member) {
        members_.erase(std::remove(members_.begin(), members_.end(), member.id()), members_.end());
        with_lines_.end(member);
    }
    // The whole lines that are there, so that nobody's words come between another's.
    void say(ioring::socket& from) {
        for (std::size_t bytes = bytes_of_lines(from); bytes != 0; bytes = bytes_of_lines(from)) {
            for (const ioring::socket_id each : members_) {
                ioring::socket* const member = sockets_.find(each);
                if (member != nullptr && member != &from) {
                    member->write(from.readable().first(bytes));
                }
            }
            from.consume(bytes);
            with_lines_.end(from);
        }
        const std::size_t rest = from.readable().size();
        if (rest > line_bytes_max) return from.abort();
        if (rest != 0) with_lines_.begin(from);
        if (from.peer_has_ended() && rest == from.unread_bytes()) from.close();
    }
    void part_with_the_late(const ioring::socket_event& event) {
        if (ioring::socket* const late = with_lines_.late(event)) late->close();
    }

private:
    static std::size_t bytes_of_lines(const ioring::socket& from) {
        const auto come = from.readable();
        const auto end = std::find(come.rbegin(), come.rend(), std::byte{'\n'});
        return static_cast<std::size_t>(come.rend() - end);
    }

    ioring::socket_manager& sockets_;
    times::patience with_lines_;
    std::vector<ioring::socket_id> members_;
};

}  // namespace

int main(int argc, char** argv) {
    ioring::ring ring = ioring::ring::create({.sq_entries = 1024});
    ring_to_wake = &ring;
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = sockets_max,
                                    .slow_reader = ioring::slow_reader_policy::close,
                                    .read_timeout = times::argument(argc, argv, 3, 10min)}};
    const ioring::listener_id listener = sockets.listen(argc > 1 ? argv[1] : "127.0.0.1:0");
    std::printf("listening on %s\n", to_string(sockets.local_endpoint(listener)).c_str());
    std::fflush(stdout);
    room everybody{sockets, times::argument(argc, argv, 2, 10s)};
    while (stopping == 0 && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) {
            switch (event.type) {
                case ioring::event_type::accepted: everybody.join(*event.socket); break;
                case ioring::event_type::received: everybody.say(*event.socket); break;
                case ioring::event_type::closed: everybody.leave(*event.socket); break;
                case ioring::event_type::timer: everybody.part_with_the_late(event); break;
                default: break;
            }
        }
    }
    sockets.drain(2s);
}
