// SPDX-License-Identifier: MIT
// peer_libevent.cpp - echo on libevent's bufferevents, as its book teaches them.
//
// What was read moves to the output without a copy. A connection whose output has grown over a
// limit is not read from until the output is empty.
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <string>

#include "peer.hpp"

namespace peer {
namespace {

constexpr std::size_t read_bytes_max = 65'536;  // Its default, 16 KiB, makes more calls.
constexpr std::size_t output_bytes_max = 262'144;

struct server {
    event_base* base = nullptr;
    counters* counted = nullptr;
};

void on_readable(bufferevent* at, void* context) {
    evbuffer* const input = bufferevent_get_input(at);
    evbuffer* const output = bufferevent_get_output(at);
    counters& counted = *static_cast<server*>(context)->counted;
    ++counted.messages;
    counted.bytes += evbuffer_get_length(input);
    evbuffer_add_buffer(output, input);
    if (evbuffer_get_length(output) > output_bytes_max) bufferevent_disable(at, EV_READ);
}

void on_drained(bufferevent* at, void*) {
    if ((bufferevent_get_enabled(at) & EV_READ) == 0) bufferevent_enable(at, EV_READ);
}

void free_when_drained(bufferevent* at, void*) { bufferevent_free(at); }

void on_event(bufferevent* at, short events, void*) {
    const bool unsent = evbuffer_get_length(bufferevent_get_output(at)) > 0;
    if ((events & BEV_EVENT_EOF) != 0 && (events & BEV_EVENT_ERROR) == 0 && unsent) {
        bufferevent_disable(at, EV_READ);
        const auto on_error = [](bufferevent* failed, short, void*) { bufferevent_free(failed); };
        bufferevent_setcb(at, nullptr, free_when_drained, on_error, nullptr);
        return;
    }
    bufferevent_free(at);
}

void on_connection(evconnlistener*, evutil_socket_t fd, sockaddr*, int, void* context) {
    server& of = *static_cast<server*>(context);
    bufferevent* const at = bufferevent_socket_new(of.base, fd, BEV_OPT_CLOSE_ON_FREE);
    if (at == nullptr) fail("bufferevent_socket_new", ENOMEM);
    ++of.counted->connections;
    bufferevent_set_max_single_read(at, read_bytes_max);
    bufferevent_set_max_single_write(at, read_bytes_max);
    bufferevent_setcb(at, on_readable, on_drained, on_event, context);
    bufferevent_enable(at, EV_READ | EV_WRITE);
}

void run(const options& wanted, counters& counted) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    server of{.base = event_base_new(), .counted = &counted};
    if (of.base == nullptr) fail("event_base_new", ENOMEM);
    // The socket listens already: a backlog of 0 says so.
    evconnlistener* const accepting =
        evconnlistener_new(of.base, on_connection, &of, LEV_OPT_CLOSE_ON_EXEC, 0, listener);
    const auto end = [](evutil_socket_t, short, void* base) {
        event_base_loopbreak(static_cast<event_base*>(base));
    };
    event* const stopping = event_new(of.base, stop, EV_READ, end, of.base);
    if (accepting == nullptr || stopping == nullptr) fail("libevent", ENOMEM);
    event_add(stopping, nullptr);
    announce(listener, std::string{"libevent "} + event_get_version());
    event_base_dispatch(of.base);
    event_free(stopping);
    evconnlistener_free(accepting);
}

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    peer::counters counted;
    peer::run(wanted, counted);
    peer::report("libevent", counted);
    return 0;  // What is still open ends with the process.
}
