// SPDX-License-Identifier: MIT
// tcp_proxy.cpp - connections passed on to another server, without a copy in between.
//
// tcp_proxy LISTEN UPSTREAM [IDLE_MS [CONNECT_MS]], addresses as 127.0.0.1:8080, [::1]:80 or
// unix:/run/server.sock. IDLE_MS (5 minutes) is how long neither side may say anything, CONNECT_MS
// (5 s) how long the upstream may take.
//
// Bytes are sent from where they were received. While one side does not take them, the other is
// not received from. The end of one side's stream ends the stream to the other one, and nothing
// else: the opposite direction goes on until its own end. A reset is passed on as a reset, and so
// are a connection to the upstream that cannot be made and a side that stops taking its bytes.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <vector>

#include <ioring/ioring.hpp>

#include "times.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t pairs_max = 10'000;

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

class proxy {
public:
    proxy(ioring::socket_manager& sockets, const ioring::endpoint& upstream)
        : sockets_{sockets}, upstream_{upstream}, sides_(std::size_t{2} * pairs_max) {}

    void handle(const ioring::socket_event& event) {
        switch (event.type) {
            case ioring::event_type::accepted: accepted(*event.socket); break;
            case ioring::event_type::connected: connected(*event.socket); break;
            case ioring::event_type::received: pass_on(*event.socket); break;
            case ioring::event_type::peer_closed: ended(*event.socket); break;
            case ioring::event_type::closed: closed(event); break;
            default: break;  // After writable, what waited is announced as received again.
        }
    }

private:
    struct side {
        ioring::socket_id other;
        bool has_ended = false;  // It will send no more, and all it sent was passed on.
    };

    side& of(const ioring::socket& at) { return sides_[at.id().slot]; }
    ioring::socket* other(const ioring::socket& at) { return sockets_.find(of(at).other); }

    void accepted(ioring::socket& client) {
        of(client) = {};
        ioring::socket* server = nullptr;
        if (sockets_.connect(upstream_, server)) return client.abort();
        of(*server) = {.other = client.id()};
        of(client).other = server->id();
    }

    // What came from the client meanwhile has waited.
    void connected(ioring::socket& server) {
        ioring::socket* const client = other(server);
        if (client == nullptr) return server.abort();
        pass_on(*client);
        if (of(*client).has_ended) server.shutdown_write();
    }

    void pass_on(ioring::socket& from) {
        ioring::socket* const to = other(from);
        if (to == nullptr) return;
        // Each range in turn. What finds no room waits, and is announced again.
        while (from.forward_to(*to, from.readable().size()) != 0) continue;
    }

    void ended(ioring::socket& from) {
        of(from).has_ended = true;
        // Before the connection stands this does nothing: connected() does.
        if (ioring::socket* const to = other(from)) to->shutdown_write();
    }

    void closed(const ioring::socket_event& event) {
        ioring::socket* const to = other(*event.socket);
        if (to == nullptr) return;
        switch (event.reason) {
            case ioring::close_reason::closed:
                break;  // Both streams have ended; so will the other.
            case ioring::close_reason::idle_timeout: to->close(); break;
            default: to->abort(); break;
        }
    }

    ioring::socket_manager& sockets_;
    ioring::endpoint upstream_;
    std::vector<side> sides_;
};

}  // namespace

int main(int argc, char** argv) try {
    ioring::endpoint upstream;
    std::string why = "usage: tcp_proxy LISTEN UPSTREAM [IDLE_MS [CONNECT_MS]]";
    if (argc < 3 || ioring::endpoint::parse(argv[2], upstream, &why)) {
        std::fprintf(stderr, "%s\n", why.c_str());
        return 2;
    }
    ioring::ring ring = ioring::ring::create({.connections_max = 2 * pairs_max});
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = 2 * pairs_max,
                                    .allow_half_open = true,
                                    .connect_timeout = times::argument(argc, argv, 4, 5s),
                                    .idle_timeout = times::argument(argc, argv, 3, 5min)}};
    const auto listener = sockets.listen(argv[1]);
    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n",
                to_string(sockets.local_endpoint(listener)).c_str(), ring.backend_info().name,
                ring.backend_info().reason);
    std::fflush(stdout);

    proxy of{sockets, upstream};
    while (running && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) of.handle(event);
    }
    running = nullptr;  // The handler must not find a ring that is gone.
    const ioring::drain_report report = sockets.drain(5s);
    const ioring::manager_counters& count = sockets.counters();
    std::printf("drained %u, cut %u; %llu connections, %llu bytes received, %llu of them copied\n",
                report.drained, report.cut, static_cast<unsigned long long>(count.accepted),
                static_cast<unsigned long long>(count.bytes_received),
                static_cast<unsigned long long>(count.bytes_copied));
    return sockets.error() ? 1 : 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
