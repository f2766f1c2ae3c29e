// SPDX-License-Identifier: MIT
// ours_proxy.cpp - a TCP proxy on a socket_manager: what comes on one side is forwarded to the
// other from where it was received.
#include <vector>

#include "ours.hpp"

namespace {

constexpr std::uint32_t sockets_max = 24'000;

class proxy {
public:
    proxy(ioring::socket_manager& sockets, const ioring::endpoint& upstream)
        : sockets_{sockets}, upstream_{upstream}, partners_(sockets_max) {}

    void handle(const ioring::socket_event& event) {
        ioring::socket& at = *event.socket;
        switch (event.type) {
            case ioring::event_type::accepted: return pair_up(at);
            case ioring::event_type::received: return pass_on(&at, partner_of(at));
            // There is room for what waits on the other side.
            case ioring::event_type::connected:
            case ioring::event_type::writable: return pass_on(partner_of(at), &at);
            case ioring::event_type::peer_closed: return pass_end(partner_of(at));
            case ioring::event_type::closed: return end(event.reason, partner_of(at));
            default: return;
        }
    }

private:
    ioring::socket* partner_of(const ioring::socket& of) {
        return sockets_.find(partners_[of.id().slot]);
    }

    void pair_up(ioring::socket& near) {
        ioring::socket* far = nullptr;
        if (sockets_.connect(upstream_, far)) return near.abort();
        partners_[near.id().slot] = far->id();
        partners_[far->id().slot] = near.id();
    }

    static void pass_on(ioring::socket* from, ioring::socket* to) {
        if (from != nullptr && to != nullptr) from->forward_to(*to, from->readable().size());
    }

    static void pass_end(ioring::socket* to) {
        if (to != nullptr) to->shutdown_write();
    }

    static void end(ioring::close_reason reason, ioring::socket* other) {
        if (other == nullptr) return;
        if (reason == ioring::close_reason::closed || reason == ioring::close_reason::peer_closed) {
            other->close();
        } else {
            other->abort();
        }
    }

    ioring::socket_manager& sockets_;
    ioring::endpoint upstream_;
    std::vector<ioring::socket_id> partners_;  // Of each slot.
};

}  // namespace

int main(int argc, char** argv) {
    const ours::options wanted = ours::parse_options(argc, argv);
    ioring::ring ring = ioring::ring::create({.backend = wanted.backend});
    ours::stop_by_signals(ring);
    // As the others: a client may take nothing for as long as it likes.
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = sockets_max,
                                    .allow_half_open = true,
                                    .write_stall_timeout = std::chrono::milliseconds{0}}};
    const ioring::listener_id listener = sockets.listen(wanted.address);
    ioring::endpoint upstream;
    if (ioring::endpoint::parse(wanted.upstream, upstream)) return 2;
    proxy serving{sockets, upstream};
    ours::announce(sockets.local_endpoint(listener), "ours, forwarding");
    while (ours::stopping == 0 && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) serving.handle(event);
    }
    ours::report(ring, sockets);
    return sockets.error() ? 1 : 0;
}
