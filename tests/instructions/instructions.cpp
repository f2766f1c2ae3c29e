// SPDX-License-Identifier: MIT
// instructions.cpp - the hot paths, over and over, to be counted: instructions SCENARIO ITERATIONS
//
// instructions_test.py runs it under callgrind with two numbers of iterations; the difference is
// what an iteration costs, without the start and the end of the program.
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "ioring/ioring.hpp"

namespace {

using namespace ioring;

constexpr std::uint32_t message_bytes = 64;

ring ring_on(const char* backend) {
    ring made;
    std::string why;
    if (ring::create({.sq_entries = 64, .backend = backend}, made, &why)) {
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
