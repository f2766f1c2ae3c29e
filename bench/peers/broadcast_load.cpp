// SPDX-License-Identifier: MIT
// broadcast_load.cpp - loads a broadcast server: one connection speaks, all others must hear it.
//
//     broadcast_load --port N --connections LISTENERS --size BYTES --depth N --duration S --warmup
//     S
//
// Keeps `depth` messages on their way: the next one is sent when all listeners have one in full.
// Every byte that a listener gets is compared; a delivery is one message at one listener, and its
// latency counts from the message's sending. Prints `measuring` and `measured` where measuring
// begins and ends, then one JSON object as ioring-load does.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t buffer_bytes = 65'536;
constexpr int events_max = 1024;
constexpr auto stall_max = std::chrono::seconds{10};

struct load {
    std::uint16_t port = 0;
    std::size_t listeners = 1000;
    std::size_t size = 64;
    std::uint64_t depth = 1;
    double seconds = 1;
    double warmup_seconds = 0;
};

load parse(int argc, char** argv) {
    load asked;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--json" || name == "--marks") continue;
        if (i + 1 == argc) fail("an option without its value", EINVAL);
        const char* const value = argv[++i];
        const double number = std::strtod(value, nullptr);
        if (name == "--host") continue;
        if (number < 0) fail("a number below 0", EINVAL);
        if (name == "--port") asked.port = static_cast<std::uint16_t>(number);
        if (name == "--connections") asked.listeners = static_cast<std::size_t>(number);
        if (name == "--size") asked.size = static_cast<std::size_t>(number);
        if (name == "--depth") asked.depth = static_cast<std::uint64_t>(number);
        if (name == "--duration") asked.seconds = number;
        if (name == "--warmup") asked.warmup_seconds = number;
    }
    if (asked.listeners == 0 || asked.size == 0 || asked.depth == 0) fail("nothing to do", EINVAL);
    return asked;
}

// What the stream has at its byte `position`.
std::byte content(std::uint64_t position) {
    const std::uint64_t mixed = (position + 1) * 0x9e37'79b9'7f4a'7c15U;
    return static_cast<std::byte>(mixed >> 56U);
}

int connected(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) fail("socket", errno);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        fail("connect", errno);
    return fd;
}

class broadcast {
public:
    explicit broadcast(const load& asked) : asked_(asked), buffer_(buffer_bytes) {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
            limit.rlim_cur = limit.rlim_max;
            ::setrlimit(RLIMIT_NOFILE, &limit);
        }
        epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
        if (epoll_ < 0) fail("epoll_create1", errno);
        for (std::size_t index = 0; index < asked.listeners; ++index) {
            const int fd = connected(asked.port);
            ::fcntl(fd, F_SETFL, O_NONBLOCK);
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = index;
            if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl", errno);
            listeners_.push_back({fd, 0});
        }
        speaker_ = connected(asked.port);
        sent_at_.resize(asked.depth);
    }

    void run() {
        greet();
        const auto begin = clock::now();
        phase(begin + std::chrono::duration_cast<clock::duration>(
                          std::chrono::duration<double>(asked_.warmup_seconds)));
        mark("measuring");
        deliveries_ = 0;
        latencies_us_.clear();
        const auto measured_from = clock::now();
        phase(measured_from + std::chrono::duration_cast<clock::duration>(
                                  std::chrono::duration<double>(asked_.seconds)));
        seconds_ = std::chrono::duration<double>(clock::now() - measured_from).count();
        mark("measured");
    }

    void print() {
        std::sort(latencies_us_.begin(), latencies_us_.end());
        std::printf(
            "{\"messages\": %llu, \"size\": %zu, \"errors\": 0, \"mismatches\": 0, "
            "\"messages_per_second\": %.1f, \"latency_us\": {\"p50\": %.1f, \"p90\": %.1f, "
            "\"p99\": %.1f, \"p99_9\": %.1f, \"max\": %.1f}}\n",
            static_cast<unsigned long long>(deliveries_), asked_.size,
            static_cast<double>(deliveries_) / seconds_, percentile(50), percentile(90),
            percentile(99), percentile(99.9), percentile(100));
    }

private:
    struct listener {
        int fd;
        std::uint64_t position;  // Bytes it has got.
    };

    static void mark(const char* text) {
        std::puts(text);
        std::fflush(stdout);
    }

    double percentile(double percent) const {
        if (latencies_us_.empty()) return 0;
        const double last = static_cast<double>(latencies_us_.size() - 1);
        const auto rank = static_cast<std::size_t>(std::lround(percent / 100 * last));
        return static_cast<double>(latencies_us_[rank]);
    }

    // What the server sends before it has accepted everybody, some miss. The speaker came last, so
    // when it hears a listener, all are there: the first listener calls until its newest call is
    // heard, so that none is on its way. Then the speaker tells all where the messages begin.
    void greet() {
        for (unsigned call = 0; call != beginning; ++call) {
            const auto word = static_cast<std::byte>(call);
            if (::send(listeners_[0].fd, &word, 1, MSG_NOSIGNAL) != 1) fail("send", errno);
            if (hears(call)) break;
        }
        const auto word = static_cast<std::byte>(beginning);
        if (::send(speaker_, &word, 1, MSG_NOSIGNAL) != 1) fail("send", errno);
        std::size_t missing = listeners_.size();
        while (missing != 0) {
            for (const epoll_event& event : wait()) {
                std::byte heard{};
                const ssize_t got = ::recv(listeners_[event.data.u64].fd, &heard, 1, 0);
                if (got == 0) fail("a listener was cut off", ECONNRESET);
                if (got == 1 && heard == word) --missing;
            }
        }
    }

    // Whether the speaker hears `call` within a while.
    bool hears(unsigned call) const {
        pollfd waiting{speaker_, POLLIN, 0};
        while (::poll(&waiting, 1, call_wait_ms) == 1) {
            std::byte heard{};
            if (::recv(speaker_, &heard, 1, 0) != 1) fail("the speaker was cut off", ECONNRESET);
            if (heard == static_cast<std::byte>(call)) return true;
        }
        return false;
    }

    std::vector<epoll_event> wait() {
        std::vector<epoll_event> events(events_max);
        const int ready = ::epoll_wait(epoll_, events.data(), events_max,
                                       static_cast<int>(stall_max.count()) * 1000);
        if (ready < 0 && errno != EINTR) fail("epoll_wait", errno);
        if (ready == 0) fail("nothing came", ETIMEDOUT);
        events.resize(static_cast<std::size_t>(std::max(ready, 0)));
        return events;
    }

    // Speaks until `end`, then waits until everybody has heard everything.
    void phase(clock::time_point end) {
        bool over = false;
        while (!over || heard_by_all_ != spoken_) {
            over = over || clock::now() >= end;
            while (!over && spoken_ - heard_by_all_ < asked_.depth) speak();
            if (heard_by_all_ != spoken_) listen();
        }
    }

    void speak() {
        std::vector<std::byte> message(asked_.size);
        const std::uint64_t first = spoken_ * asked_.size;
        for (std::size_t i = 0; i < message.size(); ++i) message[i] = content(first + i);
        sent_at_[spoken_ % asked_.depth] = clock::now();
        if (::send(speaker_, message.data(), message.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(message.size()))
            fail("send", errno);
        ++spoken_;
    }

    void listen() {
        for (const epoll_event& event : wait()) hear(listeners_[event.data.u64]);
        while (counts_[heard_by_all_ % counts_max] == listeners_.size()) {
            counts_[heard_by_all_ % counts_max] = 0;
            ++heard_by_all_;
        }
    }

    void hear(listener& at) {
        const ssize_t got = ::recv(at.fd, buffer_.data(), buffer_bytes, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) fail("a listener was cut off", got == 0 ? ECONNRESET : errno);
        const auto now = clock::now();
        for (std::size_t i = 0; i < static_cast<std::size_t>(got); ++i) {
            if (buffer_[i] != content(at.position + i)) fail("a wrong byte came", EBADMSG);
        }
        const std::uint64_t before = at.position / asked_.size;
        at.position += static_cast<std::uint64_t>(got);
        for (std::uint64_t each = before; each < at.position / asked_.size; ++each) {
            if (each >= spoken_) fail("more came than was said", EBADMSG);
            ++counts_[each % counts_max];
            ++deliveries_;
            const auto late = now - sent_at_[each % asked_.depth];
            latencies_us_.push_back(
                std::chrono::duration_cast<std::chrono::microseconds>(late).count());
        }
    }

    static constexpr std::size_t counts_max = 65'536;
    static constexpr unsigned beginning = 0xfe;
    static constexpr int call_wait_ms = 200;

    const load asked_;
    int epoll_ = -1;
    int speaker_ = -1;
    std::vector<listener> listeners_;
    std::vector<std::byte> buffer_;
    std::vector<clock::time_point> sent_at_;  // Of those on their way.
    std::vector<std::size_t> counts_ = std::vector<std::size_t>(counts_max);  // Who heard each.
    std::vector<std::int64_t> latencies_us_;
    std::uint64_t spoken_ = 0;
    std::uint64_t heard_by_all_ = 0;
    std::uint64_t deliveries_ = 0;
    double seconds_ = 0;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::load asked = peer::parse(argc, argv);
    peer::broadcast loading(asked);
    loading.run();
    loading.print();
    return 0;
}
