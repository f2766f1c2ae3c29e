// SPDX-License-Identifier: MIT
// peer.cpp - options, listener, stop signal and closing report of the benchmark peers.
#include "peer.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

namespace peer {
namespace {

constexpr int listen_backlog = 4096;

[[noreturn]] void end_with(int status, const char* what, int error_number) {
    const std::string reason = std::generic_category().message(error_number);
    std::fprintf(stderr, "%s: %s\n", what, reason.c_str());
    std::exit(status);
}

[[noreturn]] void usage(const char* program, const char* flag) {
    std::fprintf(stderr, "usage: %s [--host ADDRESS] [--port N] [--cpu N] [--upstream N]", program);
    if (flag != nullptr) std::fprintf(stderr, " [%s]", flag);
    std::fputc('\n', stderr);
    std::exit(2);
}

template <typename Number>
bool parse_number(std::string_view text, Number& out) {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && stop == end;
}

bool parse_value(std::string_view name, std::string_view value, options& out) {
    if (name == "--port") return parse_number(value, out.port);
    if (name == "--upstream") return parse_number(value, out.upstream);
    if (name == "--cpu") return parse_number(value, out.cpu) && out.cpu >= 0;
    if (name != "--host" || value.empty()) return false;
    out.host = value;
    return true;
}

void pin_to(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (::sched_setaffinity(0, sizeof set, &set) != 0) fail("cannot pin to that CPU", errno);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

int bound_socket(const addrinfo& where, bool nonblocking) {
    const int kind = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
    const int fd = ::socket(where.ai_family, kind, 0);
    if (fd < 0) fail("cannot make a socket", errno);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::bind(fd, where.ai_addr, where.ai_addrlen) != 0) fail("cannot bind", errno);
    if (::listen(fd, listen_backlog) != 0) fail("cannot listen", errno);
    return fd;
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void fail(const char* what, int error_number) { end_with(1, what, error_number); }

void fail_unsupported(const char* what, int error_number) {
    end_with(exit_unsupported, what, error_number);
}

options parse_options(int argc, char** argv, const char* flag) {
    options parsed;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (flag != nullptr && name == flag) {
            parsed.flag = true;
        } else if (i + 1 == argc || !parse_value(name, argv[++i], parsed)) {
            usage(argv[0], flag);
        }
    }
    if (parsed.cpu >= 0) pin_to(parsed.cpu);
    raise_descriptor_limit();
    return parsed;
}

int open_listener(const options& wanted, bool nonblocking) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(wanted.host.c_str(), std::to_string(wanted.port).c_str(), &hints, &found) !=
        0)
        fail("--host is no numeric address", EINVAL);
    const int fd = bound_socket(*found, nonblocking);
    ::freeaddrinfo(found);
    return fd;
}

int connect_upstream(const options& wanted) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(wanted.upstream);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        ::close(fd);
        return -1;
    }
    return fd;
}

void announce(int listener, const std::string& name) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    char host[NI_MAXHOST] = "";
    char port[NI_MAXSERV] = "";
    auto* const address = reinterpret_cast<sockaddr*>(&bound);
    if (::getsockname(listener, address, &size) != 0) fail("getsockname", errno);
    ::getnameinfo(address, size, host, sizeof host, port, sizeof port,
                  NI_NUMERICHOST | NI_NUMERICSERV);
    const bool v6 = bound.ss_family == AF_INET6;
    std::printf("listening on %s%s%s:%s (peer %s)\n", v6 ? "[" : "", host, v6 ? "]" : "", port,
                name.c_str());
    std::fflush(stdout);
}

int open_stop_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) fail("cannot block signals", errno);
    const int fd = ::signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) fail("cannot make a signalfd", errno);
    return fd;
}

void report(const std::string& name, const counters& counted) {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const std::string enters = counted.enters == 0 ? "null" : std::to_string(counted.enters);
    std::printf(
        "{\"peer\": \"%s\", \"user_seconds\": %.6f, \"system_seconds\": %.6f, "
        "\"enters\": %s, \"messages\": %llu, \"bytes\": %llu, \"connections\": %llu}\n",
        name.c_str(), seconds_of(usage.ru_utime), seconds_of(usage.ru_stime), enters.c_str(),
        static_cast<unsigned long long>(counted.messages),
        static_cast<unsigned long long>(counted.bytes),
        static_cast<unsigned long long>(counted.connections));
    std::fflush(stdout);
}

}  // namespace peer
