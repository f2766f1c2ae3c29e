// SPDX-License-Identifier: MIT
// echo.cpp - the state machines.
#include "echo.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "ioring/user_data.hpp"

namespace ioring::faults {
namespace {

constexpr std::chrono::seconds patience{10};
constexpr std::uint32_t cancels_one_in = 8;

std::byte stream_at(std::uint32_t client, std::size_t position) {
    return static_cast<std::byte>((position * 31 + position / 251 + client * 97) & 0xff);
}

// Nothing happened, or it was we who ended it: the same may be asked for again.
bool is_passing(std::int32_t res) {
    return res == -EAGAIN || res == -EINTR || res == -ENOBUFS || res == -ECANCELED;
}

bool is_reset(std::int32_t res) { return res == -ECONNRESET || res == -EPIPE; }

}  // namespace

echo::echo(ring& where, std::uint64_t seed)
    : ring_{where},
      random_{static_cast<std::minstd_rand::result_type>(seed)},
      clients_(clients_count),
      peers_(clients_count) {}

echo_results echo::run() {
    start();
    auto last = std::chrono::steady_clock::now();
    while (!is_over() && results_.problem.empty()) {
        settle();
        const int taken = ring_.submit_and_wait(1, std::chrono::milliseconds{100});
        if (taken < 0 && taken != -EAGAIN && taken != -EBUSY && taken != -EINTR) {
            complain("the ring failed with " + std::to_string(taken));
        }
        for (const cqe& done : ring_.completions()) {
            last = std::chrono::steady_clock::now();
            handle(done);
        }
        if (std::chrono::steady_clock::now() - last > patience) complain("nothing completes");
    }
    listener_.close();
    return results_;
}

void echo::start() {
    std::string why;
    if (ring_.create_listener("127.0.0.1:0", {}, listener_, &why)) return complain(why);
    if (ring_.probe().has(feature::recv_multishot)) {
        const group_options options{.buffers = 8, .buffer_bytes = 4096, .plain_buffer_bytes = 0};
        if (buffer_group::create(ring_, options, group_, &why)) return complain(why);
    }
    for (std::uint32_t slot = 0; slot < clients_count; ++slot) {
        if (ring_.open_socket(address_family::ipv4, clients_[slot].socket)) {
            return complain("no socket");
        }
        (void)ring_.prepare_connect(clients_[slot].socket, listener_.local_endpoint(),
                                    user_data{kind::connect, slot});
    }
}

bool echo::is_over() const { return closed_ == 2 * clients_count; }

std::size_t echo::random_bytes() { return 1 + random_() % piece_bytes_max; }

void echo::handle(const cqe& done) {
    const auto [what, slot, generation] = user_data::decode<kind>(done.user_data);
    switch (what) {
        case kind::accept: return accepted(done);
        case kind::connect: return connected(clients_[slot], done);
        case kind::client_send: return sent(clients_[slot], done);
        case kind::client_recv: return client_received(clients_[slot], slot, done);
        case kind::server_send: return sent(peers_[slot], done);
        case kind::server_recv: return server_received(peers_[slot], slot, done);
        case kind::cancel:
            peers_[slot].cancelling = false;
            if (done.res != 0 && done.res != -ENOENT && done.res != -EALREADY) {
                complain("a cancel said " + std::to_string(done.res));
            }
            return;
        case kind::close:
            // Slots of clients come first, then those of the server.
            (slot < clients_count ? clients_[slot] : peers_[slot - clients_count]).closed = true;
            ++closed_;
            if (done.res != 0) complain("a close said " + std::to_string(done.res));
            return;
    }
    complain("an unknown completion");
}

void echo::accepted(const cqe& done) {
    accepting_ = done.more();
    if (done.res < 0) {
        const bool may_be = is_passing(done.res) || done.res == -EMFILE;
        if (!may_be) complain("an accept said " + std::to_string(done.res));
        return;
    }
    if (accepted_ == clients_count) return complain("one connection too many");
    end& peer = peers_[accepted_++];
    peer.socket = fd{done.res};
    peer.ready = true;
}

void echo::connected(end& client, const cqe& done) {
    client.ready = true;
    if (done.res != 0) complain("a connect said " + std::to_string(done.res));
}

// An error, or the end, of a receive or a send.
void echo::note_end(end& at, const cqe& done) {
    if (is_passing(done.res)) return;
    if (done.res != 0 && !is_reset(done.res)) complain("res " + std::to_string(done.res));
    at.ended = true;
    at.failed = at.failed || done.res != 0;
}

void echo::sent(end& at, const cqe& done) {
    at.sending = false;
    if (done.res <= 0) return note_end(at, done);
    at.out_done += static_cast<std::size_t>(done.res);
    if (at.out_done > at.out_bytes) complain("more was sent than there was");
}

void echo::client_received(end& client, std::uint32_t slot, const cqe& done) {
    client.receiving = false;
    if (done.res <= 0) return note_end(client, done);
    const auto bytes = static_cast<std::size_t>(done.res);
    for (std::size_t i = 0; i < bytes; ++i) {
        if (client.in[i] == stream_at(slot, client.received + i)) continue;
        return complain("client " + std::to_string(slot) + ": byte " +
                        std::to_string(client.received + i) + " is wrong");
    }
    client.received += bytes;
    if (client.received > client.sent) complain("more came back than was sent");
}

void echo::server_received(end& peer, std::uint32_t slot, const cqe& done) {
    peer.receiving = done.more();
    if (done.res > 0) {
        const auto bytes = group_.valid()
                               ? group_.take(done)
                               : std::span{peer.in}.first(static_cast<std::size_t>(done.res));
        if (bytes.empty()) return complain("bytes of no buffer");
        peer.backlog.insert(peer.backlog.end(), bytes.begin(), bytes.end());
        if (group_.valid() && !group_.recycle(bytes)) complain("a chunk that is not out");
    } else {
        note_end(peer, done);
    }
    if (peer.receiving && !peer.cancelling && random_() % cancels_one_in == 0) {
        peer.cancelling = ring_.prepare_cancel(user_data{kind::server_recv, slot},
                                               user_data{kind::cancel, slot}) != nullptr;
    }
}

void echo::arm_accept() {
    if (accepting_ || accepted_ == clients_count) return;
    const std::uint64_t name = user_data{kind::accept};
    accepting_ = (ring_.probe().has(feature::accept_multishot)
                      ? ring_.prepare_accept_multishot(listener_, name)
                      : ring_.prepare_accept(listener_, name)) != nullptr;
}

void echo::settle() {
    arm_accept();
    for (std::uint32_t slot = 0; slot < clients_count; ++slot) {
        settle_client(clients_[slot], slot);
        settle_server(peers_[slot], slot);
    }
}

void echo::settle_client(end& client, std::uint32_t slot) {
    if (!client.ready || client.closing) return;
    const bool has_all = client.received == stream_bytes;
    if (!client.ended && !client.sending && client.out_done == client.out_bytes) {
        client.out_bytes = std::min(random_bytes(), stream_bytes - client.sent);
        client.out_done = 0;
        for (std::size_t i = 0; i < client.out_bytes; ++i) {
            client.out[i] = stream_at(slot, client.sent + i);
        }
        client.sent += client.out_bytes;
    }
    settle_send(client, kind::client_send, slot);
    if (!client.ended && !client.receiving && !has_all) {
        client.receiving =
            ring_.prepare_recv(client.socket, std::span{client.in}.first(random_bytes()),
                               user_data{kind::client_recv, slot}) != nullptr;
    }
    const bool is_done = (has_all || client.ended) && !client.sending && !client.receiving;
    if (is_done) ++(has_all ? results_.finished : results_.broken);
    settle_close(client, is_done, slot);
    // Counted once only: what could not be prepared now is counted when it can.
    if (is_done && !client.closing) --(has_all ? results_.finished : results_.broken);
}

void echo::settle_server(end& peer, std::uint32_t slot) {
    if (!peer.ready || peer.closing) return;
    if (!peer.sending && peer.out_done == peer.out_bytes && !peer.backlog.empty()) {
        peer.out_bytes = std::min(random_bytes(), peer.backlog.size());
        peer.out_done = 0;
        std::copy_n(peer.backlog.begin(), peer.out_bytes, peer.out.begin());
        peer.backlog.erase(peer.backlog.begin(),
                           peer.backlog.begin() + static_cast<std::ptrdiff_t>(peer.out_bytes));
    }
    settle_send(peer, kind::server_send, slot);
    if (!peer.ended && !peer.receiving) {
        const std::uint64_t name = user_data{kind::server_recv, slot};
        peer.receiving =
            (group_.valid() ? ring_.prepare_recv_multishot(peer.socket, group_.id(), name)
                            : ring_.prepare_recv(peer.socket, peer.in, name)) != nullptr;
    }
    // A failed send ends the connection; the receive may not have noticed.
    if (peer.failed && peer.receiving) {
        (void)ring_.shutdown_now(peer.socket, shutdown_how::both);
    }
    const bool flushed = peer.failed || (peer.backlog.empty() && peer.out_done == peer.out_bytes);
    settle_close(peer,
                 peer.ended && flushed && !peer.sending && !peer.receiving && !peer.cancelling,
                 slot + clients_count);
}

void echo::settle_send(end& at, kind what, std::uint32_t slot) {
    if (at.sending || at.failed || at.out_done == at.out_bytes) return;
    const auto rest = std::span{at.out}.subspan(at.out_done, at.out_bytes - at.out_done);
    at.sending =
        ring_.prepare_send(at.socket, rest, user_data{what, slot}, msg_flag::no_signal) != nullptr;
}

void echo::settle_close(end& at, bool is_done, std::uint32_t slot) {
    if (!is_done) return;
    at.closing = ring_.prepare_close(at.socket, user_data{kind::close, slot}) != nullptr;
}

}  // namespace ioring::faults
