// SPDX-License-Identifier: MIT
// coroutine_echo.cpp - an echo server of coroutines, one a connection.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>

#include <ioring/event_loop.hpp>

namespace {

using namespace std::chrono_literals;

std::atomic<ioring::event_loop*> running{nullptr};

void stop(int) {
    if (ioring::event_loop* const loop = running.exchange(nullptr)) loop->stop();
}

// A peer that says nothing for a minute is dropped.
ioring::task<> serve(ioring::async_socket peer) {
    for (auto bytes = co_await peer.read(60s); !bytes.empty(); bytes = co_await peer.read(60s)) {
        if (!co_await peer.write_all(bytes)) break;
    }
}

ioring::task<> accept_all(ioring::event_loop& loop, ioring::async_listener& listener) {
    while (!loop.stopping()) {
        ioring::async_socket peer = co_await listener.accept();
        if (peer.valid()) {
            loop.spawn(serve(std::move(peer)));
        } else {
            (void)co_await loop.sleep(100ms);  // Out of descriptors, perhaps.
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    ioring::ring ring;
    ioring::async_listener listener;
    std::string why;
    if (ioring::ring::create({}, ring, &why)) {
        std::fprintf(stderr, "%s\n", why.c_str());
        return 1;
    }
    ioring::event_loop loop{ring};
    const char* const address = argc > 1 ? argv[1] : "127.0.0.1:5000";
    if (ioring::async_listener::create(loop, address, {}, listener, &why)) {
        std::fprintf(stderr, "%s\n", why.c_str());
        return 1;
    }
    running = &loop;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n", to_string(listener.local_endpoint()).c_str(),
                ring.backend_info().name, ring.backend_info().reason);
    std::fflush(stdout);
    loop.spawn(accept_all(loop, listener));
    const int result = loop.run();
    running = nullptr;
    return result == 0 ? 0 : 1;
}
