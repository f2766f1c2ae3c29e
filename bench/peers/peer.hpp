// SPDX-License-Identifier: MIT
// peer.hpp - what every benchmark peer shares: options, listener, stop signal, closing report.
//
// A peer is a small echo server that ours is compared with, and so shares no code with the library:
// written by hand against the bare system interface, or as usual on a library of others.
#pragma once

#include <cstdint>
#include <string>

namespace peer {

// Exit status of a peer that cannot run on this kernel (CTest's SKIP_RETURN_CODE).
inline constexpr int exit_unsupported = 77;

// Print one sentence with the system's reason to stderr and end the program.
[[noreturn]] void fail(const char* what, int error_number);
[[noreturn]] void fail_unsupported(const char* what, int error_number);

struct options {
    std::string host = "127.0.0.1";  // a numeric address
    std::uint16_t port = 0;          // 0 picks a free one
    int cpu = -1;                    // -1 leaves the thread where it is
    std::uint16_t upstream = 0;      // a proxy's: the port of loopback that it connects to
    bool flag = false;               // the peer's own flag was given
};

// What a peer counts while it runs.
struct counters {
    // Calls that wait or poll: enter, epoll_wait, passes; 0 where a library does not tell.
    std::uint64_t enters = 0;
    std::uint64_t messages = 0;     // recvs that brought bytes
    std::uint64_t bytes = 0;        // bytes received
    std::uint64_t connections = 0;  // accepted
};

// Reads `--host --port --cpu --upstream` and the peer's own `flag` if it has one; ends the program
// with status 2 on anything else. Applies `--cpu` and raises the descriptor limit.
options parse_options(int argc, char** argv, const char* flag = nullptr);

// A listening socket with TCP_NODELAY, which accepted sockets inherit.
int open_listener(const options& wanted, bool nonblocking = false);

// A proxy's connection to its upstream, connected, non-blocking and with TCP_NODELAY; -1 when there
// is none to be had. It waits for that, which on loopback is one system call.
int connect_upstream(const options& wanted);

// Prints the first line: `listening on HOST:PORT (peer NAME)`.
void announce(int listener, const std::string& name);

// A descriptor that is readable once SIGTERM or SIGINT came. Both are blocked from now on.
int open_stop_signal();

// Prints the closing line, one JSON object with the process's CPU seconds.
void report(const std::string& name, const counters& counted);

// All of main() for a server on a non-blocking listener, made of that, the stop signal's descriptor
// and what it counts in: run() returns at the signal.
template <class Server>
int serve_nonblocking(const options& wanted, const std::string& name) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted, /*nonblocking=*/true);
    counters counted;
    Server server(listener, stop, counted);
    announce(listener, name);
    server.run();
    report(name, counted);
    return 0;
}
template <class Server>
int serve_nonblocking(int argc, char** argv, const std::string& name) {
    return serve_nonblocking<Server>(parse_options(argc, argv), name);
}

}  // namespace peer
