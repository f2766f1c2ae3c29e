// SPDX-License-Identifier: MIT
// instructions.cpp - the hot paths, over and over, to be counted: instructions SCENARIO ITERATIONS
//
// instructions_test.py runs it under callgrind with two numbers of iterations; the difference is
// what an iteration costs, without the start and the end of the program.
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "ioring/ioring.hpp"
#include "ioring/socket_manager.hpp"

namespace {

using namespace ioring;

constexpr std::uint32_t message_bytes = 64;

ring ring_on(const char* backend, std::uint32_t sq_entries = 64) {
    ring made;
    std::string why;
    if (ring::create({.sq_entries = sq_entries, .backend = backend}, made, &why)) {
        std::fprintf(stderr, "%s\n", why.c_str());
        std::exit(77);
    }
    return made;
}

void complete(ring& on, std::uint32_t count) {
    for (std::uint32_t done = 0; done < count;) {
        on.submit_and_wait(1);
        for (const cqe& each : on.completions()) done += each.user_data == 1 ? 1 : 0;
    }
}

// Prepare, submit, reap: alone, and sixteen in a batch.
void nop(long iterations) {
    ring on = ring_on("null");
    for (long each = 0; each < iterations; ++each) {
        on.prepare_nop(1);
        complete(on, 1);
    }
}
void nop_batch(long iterations) {
    ring on = ring_on("null");
    for (long each = 0; each < iterations; ++each) {
        for (int entry = 0; entry < 16; ++entry) on.prepare_nop(1);
        complete(on, 16);
    }
}

// A message's way through a mirrored buffer of a pool, all but the system's part.
void buffer_message(long iterations) {
    ring on = ring_on("null");
    buffer_pool pool{on, {.slab_buffers = 4, .slabs_max = 1}};
    const buffer_lease buffer = pool.acquire();
    connection_id connection;
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) std::exit(1);
    if (on.register_socket(fd{pair[0]}, connection)) std::exit(1);
    for (long each = 0; each < iterations; ++each) {
        on.prepare_recv_buffer(connection, buffer.id(), buffer->write_offset(),
                               buffer->writable_bytes(), 1);
        complete(on, 1);
        buffer->commit_write(message_bytes);
        on.prepare_send_buffer(connection, buffer.id(), buffer->read_offset(),
                               buffer->readable_bytes(), 1);
        complete(on, 1);
        buffer->commit_read(message_bytes);
    }
}

void pool_cycle(long iterations) {
    ring on = ring_on("null");
    buffer_pool pool{on, {.slab_buffers = 4, .slabs_max = 1}};
    for (long each = 0; each < iterations; ++each) {
        const buffer_lease lease = pool.acquire();
        if (!lease) std::exit(1);
    }
}

// A send and a receive on a kernel in user space, neither of which has to wait.
void epoll_message(long iterations) {
    ring on = ring_on("epoll");
    std::array<int, 2> pair{};
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()) != 0) std::exit(1);
    std::array<std::byte, message_bytes> bytes{};
    for (long each = 0; each < iterations; ++each) {
        on.prepare_send(fd{pair[0]}, bytes, 1);
        on.prepare_recv(fd{pair[1]}, bytes, 1);
        complete(on, 2);
    }
}

// Sixty-four connections, each with a message a turn, so that what a turn costs is shared.
constexpr std::size_t clients_count = 64;

class clients {
public:
    explicit clients(const endpoint& to) {
        for (int& each : ends_) {
            each = ::socket(AF_UNIX, SOCK_STREAM, 0);
            const auto* const address = static_cast<const sockaddr*>(to.data());
            if (::connect(each, address, static_cast<socklen_t>(to.size())) != 0) std::exit(1);
        }
    }
    clients(const clients&) = delete;
    clients& operator=(const clients&) = delete;
    ~clients() {
        for (const int each : ends_) ::close(each);
    }
    void send() const {
        const std::array<std::byte, message_bytes> bytes{};
        for (const int each : ends_) {
            if (::send(each, bytes.data(), bytes.size(), 0) != message_bytes) std::exit(1);
        }
    }
    void receive() const {
        std::array<std::byte, 2 * message_bytes> bytes;
        for (const int each : ends_) {
            if (::recv(each, bytes.data(), bytes.size(), 0) != message_bytes) std::exit(1);
        }
    }

private:
    std::array<int, clients_count> ends_{};
};

// One iteration is one message of a managed echo.
void managed_echo(long iterations, bool writes) {
    ring on = ring_on("epoll", 4 * clients_count);
    socket_manager sockets{
        on, {.sockets_max = 2 * clients_count, .idle_timeout = std::chrono::hours{1}}};
    const clients ends{sockets.local_endpoint(sockets.listen("unix:@ioring-instructions"))};
    const auto turn = [&] {
        for (const socket_event& event : sockets.poll(std::chrono::nanoseconds{0})) {
            if (event.type != event_type::received) continue;
            ioring::socket& from = *event.socket;
            if (writes) {
                from.consume(from.write(from.readable()));
            } else {
                from.forward(from.readable().size());
            }
        }
    };
    while (sockets.size() < clients_count) turn();
    for (long sent = 0; sent < iterations; sent += long{clients_count}) {
        ends.send();
        const auto all = static_cast<std::uint64_t>(sent + long{clients_count}) * message_bytes;
        while (sockets.counters().bytes_sent < all) turn();
        ends.receive();
    }
}
void managed_forward(long iterations) { managed_echo(iterations, /*writes=*/false); }
void managed_write(long iterations) { managed_echo(iterations, /*writes=*/true); }

// The same by hand, for comparison: as little as a program can do without a manager.
void shared_forward(long iterations) {
    ring on = ring_on("epoll", 4 * clients_count);
    buffer_group group{on, {.buffers = 256, .buffer_bytes = 65'536}};
    const listener where = on.create_listener("unix:@ioring-instructions");
    const clients ends{where.local_endpoint()};
    struct link {
        fd socket;
        std::span<std::byte> bytes;
    };
    std::array<link, clients_count> links;
    constexpr std::uint64_t sending = 1U << 20U;
    constexpr std::uint64_t accepting = 1U << 21U;
    on.prepare_accept_multishot(where, accepting);
    std::size_t accepted = 0;
    long answered = 0;
    const auto turn = [&] {
        on.submit_and_wait(1);
        for (const cqe& done : on.completions()) {
            if (done.user_data == accepting) {
                links[accepted].socket = fd{done.res};
                on.prepare_recv_multishot(links[accepted].socket, group.id(), accepted);
                ++accepted;
            } else if ((done.user_data & sending) != 0) {
                group.recycle_later(links[done.user_data - sending].bytes);
                ++answered;
            } else {
                link& of = links[done.user_data];
                of.bytes = group.take(done);
                on.prepare_send(of.socket, of.bytes, sending + done.user_data);
            }
        }
        group.publish();
    };
    while (accepted < clients_count) turn();
    for (long sent = 0; sent < iterations; sent += long{clients_count}) {
        ends.send();
        while (answered < sent + long{clients_count}) turn();
        ends.receive();
    }
}

struct scenario {
    std::string_view name;
    void (*run)(long iterations);
};
constexpr std::array scenarios{
    scenario{"nop", nop},
    scenario{"nop_batch", nop_batch},
    scenario{"buffer_message", buffer_message},
    scenario{"pool_cycle", pool_cycle},
    scenario{"epoll_message", epoll_message},
    scenario{"shared_forward", shared_forward},
    scenario{"managed_forward", managed_forward},
    scenario{"managed_write", managed_write},
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    for (const scenario& each : scenarios) {
        if (each.name != argv[1]) continue;
        each.run(std::strtol(argv[2], nullptr, 10));
        return 0;
    }
    return 2;
}
