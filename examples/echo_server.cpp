// SPDX-License-Identifier: MIT
// echo_server.cpp - an echo server: one mirrored buffer for each connection, no callback, no copy.
#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <system_error>
#include <vector>

#include <ioring/ioring.hpp>

namespace {

constexpr std::uint32_t connections_max = 10'000;
constexpr ioring::kernel_timespec accept_pause{.tv_sec = 0, .tv_nsec = 100'000'000};

enum class op : std::uint8_t { accept, accept_again, recv, send };

struct client {
    ioring::fd socket;
    ioring::connection_id id;
    ioring::buffer_lease buffer;  // Returns itself to the pool.
};

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

void serve(const char* address) {
    ioring::ring ring = ioring::ring::create({.connections_max = connections_max});
    ioring::buffer_pool pool{ring, {.buffer_bytes = 65'536, .slab_buffers = 256, .slabs_max = 40}};
    ioring::listener listener = ring.create_listener(address);
    std::vector<client> clients(connections_max);
    std::vector<std::uint32_t> free_slots;
    for (std::uint32_t slot = connections_max; slot-- > 0;) free_slots.push_back(slot);

    // Each connection has one operation in flight: a receive into its empty buffer, or a send of
    // what came. So nothing has to be cancelled, and at the end of the stream all has been sent.
    const auto receive = [&](std::uint32_t slot) {
        const client& at = clients[slot];
        at.buffer->rewind();  // Back to the bytes that are still in the cache.
        ring.prepare_recv_buffer(at.id, at.buffer.id(), at.buffer->write_offset(),
                                 at.buffer->writable_bytes(), ioring::user_data{op::recv, slot});
    };
    const auto send = [&](std::uint32_t slot) {
        const client& at = clients[slot];
        ring.prepare_send_buffer(at.id, at.buffer.id(), at.buffer->read_offset(),
                                 at.buffer->readable_bytes(), ioring::user_data{op::send, slot});
    };
    const auto open = [&](ioring::fd socket) {
        client fresh{.socket = socket, .id = {}, .buffer = pool.acquire()};
        if (free_slots.empty() || !fresh.buffer || ring.register_socket(socket, fresh.id)) {
            ring.close_now(socket);  // More than we serve.
            return;
        }
        const std::uint32_t slot = free_slots.back();
        free_slots.pop_back();
        clients[slot] = std::move(fresh);
        receive(slot);
    };
    const auto close = [&](std::uint32_t slot) {
        ring.unregister_socket(clients[slot].id);
        ring.close_now(clients[slot].socket);
        clients[slot] = {};
        free_slots.push_back(slot);
    };

    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n", to_string(listener.local_endpoint()).c_str(),
                ring.backend_info().name, ring.backend_info().reason);
    std::fflush(stdout);

    ring.prepare_accept_multishot(listener, ioring::user_data{op::accept});
    while (running) {
        const auto error = ioring::error_of(ring.submit_and_wait(1));  // One system call a turn.
        if (error && error != std::errc::interrupted &&
            error != std::errc::device_or_resource_busy &&
            error != std::errc::resource_unavailable_try_again) {
            running = nullptr;  // The handler must not find a ring that is gone.
            throw std::system_error{error, "the ring has failed"};
        }
        for (const ioring::cqe& done : ring.completions()) {
            const auto slot = ioring::user_data::decode<op>(done.user_data).slot;
            switch (ioring::user_data::decode<op>(done.user_data).kind) {
                case op::accept:
                    if (done.res >= 0) open(ioring::fd{done.res});
                    if (done.more()) break;
                    // It has ended, for want of descriptors perhaps: again, but a little later.
                    ring.prepare_timeout(&accept_pause, ioring::user_data{op::accept_again});
                    break;
                case op::accept_again:
                    ring.prepare_accept_multishot(listener, ioring::user_data{op::accept});
                    break;
                case op::recv:
                    if (done.res <= 0) {  // The end of the stream, or a reset.
                        close(slot);
                        break;
                    }
                    clients[slot].buffer->commit_write(static_cast<std::uint32_t>(done.res));
                    send(slot);
                    break;
                case op::send:
                    if (done.res < 0) {
                        close(slot);
                        break;
                    }
                    clients[slot].buffer->commit_read(static_cast<std::uint32_t>(done.res));
                    clients[slot].buffer->empty() ? receive(slot) : send(slot);
                    break;
            }
            // Without room for what the next one may prepare, it waits in the queue for its turn.
            if (ring.submission_queue_space() == 0) break;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        serve(argc > 1 ? argv[1] : "127.0.0.1:5000");
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "echo_server: %s\n", failure.what());
        return 1;
    }
}
