// SPDX-License-Identifier: MIT
// ours_broadcast.cpp - what one connection says is sent to all others, by a socket_manager.
#include <algorithm>
#include <vector>

#include "ours.hpp"

namespace {

constexpr std::uint32_t sockets_max = 12'000;

// Ids, because a member may end while a message is on its way through the list.
class room {
public:
    explicit room(ioring::socket_manager& sockets) : sockets_{sockets} {
        members_.reserve(sockets_max);
    }

    void handle(const ioring::socket_event& event) {
        switch (event.type) {
            case ioring::event_type::accepted: members_.push_back(event.socket->id()); return;
            case ioring::event_type::received: return say(*event.socket);
            case ioring::event_type::closed:
                members_.erase(std::remove(members_.begin(), members_.end(), event.socket->id()),
                               members_.end());
                return;
            default: return;
        }
    }

private:
    void say(ioring::socket& from) {
        for (const ioring::socket_id each : members_) {
            ioring::socket* const member = sockets_.find(each);
            if (member == nullptr || member == &from) continue;
            // Who takes nothing for so long has left its place to others.
            if (member->write(from.readable()) != from.readable().size()) member->abort();
        }
        from.consume(from.readable().size());
    }

    ioring::socket_manager& sockets_;
    std::vector<ioring::socket_id> members_;
};

}  // namespace

int main(int argc, char** argv) {
    const ours::options wanted = ours::parse_options(argc, argv);
    ioring::ring ring = ioring::ring::create({.backend = wanted.backend});
    ours::stop_by_signals(ring);
    ioring::socket_manager sockets{ring, {.sockets_max = sockets_max}};
    const ioring::listener_id listener = sockets.listen(wanted.address);
    room everybody{sockets};
    ours::announce(sockets.local_endpoint(listener), "ours, broadcasting");
    while (ours::stopping == 0 && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) everybody.handle(event);
    }
    ours::report(ring, sockets);
    return sockets.error() ? 1 : 0;
}
