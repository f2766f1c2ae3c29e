// SPDX-License-Identifier: MIT
// chat_server.cpp - everybody gets what anybody says: one write for each connection.
//
//     chat_server [ADDRESS]        127.0.0.1:0 by default; prints the address it got
//
// A member who does not read is not waited for: with 64 KiB unsent it is disconnected, which is all
// of slow_reader_policy::close.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <string_view>
#include <vector>

#include "ioring/ioring.hpp"

namespace {

using namespace std::chrono_literals;

volatile std::sig_atomic_t stopping = 0;
ioring::ring* ring_to_wake = nullptr;

void stop(int) {
    stopping = 1;
    ring_to_wake->wake();
}

// Ids, because a member may end while a message is on its way through the list.
class room {
public:
    explicit room(ioring::socket_manager& sockets) : sockets_{sockets} {}

    void join(const ioring::socket& member) { members_.push_back(member.id()); }
    void leave(const ioring::socket& member) {
        members_.erase(std::remove(members_.begin(), members_.end(), member.id()), members_.end());
    }
    void say(ioring::socket& from) {
        for (const ioring::socket_id each : members_) {
            ioring::socket* const member = sockets_.find(each);
            if (member != nullptr && member != &from) member->write(from.readable());
        }
        from.consume(from.readable().size());
    }

private:
    ioring::socket_manager& sockets_;
    std::vector<ioring::socket_id> members_;
};

}  // namespace

int main(int argc, char** argv) {
    ioring::ring ring = ioring::ring::create({.sq_entries = 1024});
    ring_to_wake = &ring;
    std::signal(SIGTERM, stop);
    std::signal(SIGINT, stop);
    ioring::socket_manager sockets{
        ring, {.sockets_max = 1000, .slow_reader = ioring::slow_reader_policy::close}};
    const ioring::listener_id listener = sockets.listen(argc > 1 ? argv[1] : "127.0.0.1:0");
    std::printf("listening on %s\n", to_string(sockets.local_endpoint(listener)).c_str());
    std::fflush(stdout);
    room everybody{sockets};
    while (stopping == 0 && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) {
            switch (event.type) {
                case ioring::event_type::accepted: everybody.join(*event.socket); break;
                case ioring::event_type::received: everybody.say(*event.socket); break;
                case ioring::event_type::closed: everybody.leave(*event.socket); break;
                default: break;
            }
        }
    }
    sockets.drain(2s);
}
