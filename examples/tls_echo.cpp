// SPDX-License-Identifier: MIT
// tls_echo.cpp - an echo server over TLS: OpenSSL between a managed socket's two spans.
//
// tls_echo CERTIFICATE KEY [ADDRESS [HANDSHAKE_MS [IDLE_MS]]], both in PEM. Who has not ended the
// handshake HANDSHAKE_MS (10 s) after the connect, or a record so long after its first byte,
// however busily it drips, is dropped, and so is who says nothing for IDLE_MS (60 s).
//
// OpenSSL reads what came from one memory BIO and writes what is to go into another, which is
// emptied straight into the send buffer. While that is full nothing more is decrypted, and so
// nothing more received.
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <unordered_map>

#include <ioring/ioring.hpp>

#include "times.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::size_t record_bytes = 16'384;  // What one TLS record holds at most.
constexpr std::uint32_t sockets_max = 1024;

struct context_deleter {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct session_deleter {
    void operator()(SSL* session) const { SSL_free(session); }
};
using context_owner = std::unique_ptr<SSL_CTX, context_deleter>;

class session {
public:
    explicit session(SSL_CTX* context)
        : ssl_{SSL_new(context)}, in_{BIO_new(BIO_s_mem())}, out_{BIO_new(BIO_s_mem())} {
        SSL_set_bio(ssl_.get(), in_, out_);  // Owns both.
        SSL_set_accept_state(ssl_.get());
    }

    // Moves bytes until there is nothing to do or no room. Then an event brings us here again.
    void go_on(ioring::socket& peer) {
        for (bool moves = true; moves;) {
            if (!flush(peer)) return;
            if (over_) return peer.close();  // What is unsent goes first.
            const bool fed = feed(peer);
            moves = echo() || fed;
        }
        if (SSL_is_init_finished(ssl_.get()) != 0) peer.finish_handshake();
    }
    [[nodiscard]] std::uint64_t records() const { return records_; }  // Those that came whole.
    // Of a record there are bytes, and not all. (The handshake has a time of its own.)
    [[nodiscard]] bool is_within_a_record() const {
        return SSL_is_init_finished(ssl_.get()) != 0 && SSL_has_pending(ssl_.get()) != 0;
    }
    // Nothing more is decrypted until there is room for what goes.
    [[nodiscard]] bool waits_for_room() const { return BIO_ctrl_pending(out_) > 0; }

private:
    // What OpenSSL has to send, as far as there is room. False: there is more.
    bool flush(ioring::socket& peer) {
        while (BIO_ctrl_pending(out_) > 0) {
            const auto room = peer.writable();
            if (room.empty()) return false;
            const int count =
                BIO_read(out_, room.data(), static_cast<int>(std::min(room.size(), record_bytes)));
            peer.commit_write(static_cast<std::size_t>(count));
        }
        return true;
    }
    // Bytes that came, a record at a time. False: there are none.
    bool feed(ioring::socket& peer) {
        const auto bytes = peer.readable();
        if (bytes.empty()) return false;
        const int count =
            BIO_write(in_, bytes.data(), static_cast<int>(std::min(bytes.size(), record_bytes)));
        peer.consume(static_cast<std::size_t>(std::max(count, 0)));
        return count > 0;
    }
    // One record, which the handshake comes before. False: it needs more bytes.
    bool echo() {
        const int count = SSL_read(ssl_.get(), text_.data(), static_cast<int>(text_.size()));
        if (count > 0) {
            ++records_;
            return SSL_write(ssl_.get(), text_.data(), count) == count;
        }
        const int reason = SSL_get_error(ssl_.get(), count);
        if (reason == SSL_ERROR_WANT_READ) return BIO_ctrl_pending(out_) > 0;
        if (reason == SSL_ERROR_ZERO_RETURN) SSL_shutdown(ssl_.get());
        ERR_clear_error();
        over_ = true;  // An alert may have to go yet.
        return true;
    }

    std::unique_ptr<SSL, session_deleter> ssl_;
    BIO* in_;
    BIO* out_;
    std::uint64_t records_ = 0;
    bool over_ = false;
    std::array<char, record_bytes> text_{};
};

context_owner load(const char* certificate, const char* key) {
    context_owner context{SSL_CTX_new(TLS_server_method())};
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    const bool loaded = SSL_CTX_use_certificate_chain_file(context.get(), certificate) == 1 &&
                        SSL_CTX_use_PrivateKey_file(context.get(), key, SSL_FILETYPE_PEM) == 1;
    return loaded ? std::move(context) : nullptr;
}

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

class server {
public:
    server(ioring::socket_manager& sockets, SSL_CTX* context, std::chrono::milliseconds patience)
        : context_{context}, with_records_{sockets, sockets_max, patience} {}

    void on_event(const ioring::socket_event& event) {
        switch (event.type) {
            case ioring::event_type::accepted: sessions_.emplace(event.socket, context_); break;
            case ioring::event_type::received:
            case ioring::event_type::writable: serve(*event.socket); break;
            case ioring::event_type::closed:
                with_records_.end(*event.socket);
                sessions_.erase(event.socket);
                break;
            case ioring::event_type::timer:
                if (ioring::socket* const late = with_records_.late(event)) late->close();
                break;
            default: break;
        }
    }

private:
    void serve(ioring::socket& peer) {
        session& its = sessions_.at(&peer);
        const std::uint64_t before = its.records();
        its.go_on(peer);
        // The rest of a record that we do not take is not late.
        const bool waits_for_rest = its.is_within_a_record() && !its.waits_for_room();
        if (!waits_for_rest || its.records() != before) with_records_.end(peer);
        if (waits_for_rest) with_records_.begin(peer);
    }

    SSL_CTX* context_;
    times::patience with_records_;
    std::unordered_map<ioring::socket*, session> sessions_;
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 3) {
        std::fprintf(stderr,
                     "usage: tls_echo CERTIFICATE KEY [ADDRESS [HANDSHAKE_MS [IDLE_MS]]]\n");
        return 2;
    }
    const context_owner context = load(argv[1], argv[2]);
    if (context == nullptr) {
        ERR_print_errors_fp(stderr);
        return 1;
    }
    ioring::ring ring = ioring::ring::create();
    const auto patience = times::argument(argc, argv, 4, 10s);
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = sockets_max,
                                    .handshake_timeout = patience,
                                    .idle_timeout = times::argument(argc, argv, 5, 60s)}};
    const auto listener = sockets.listen(argc > 3 ? argv[3] : "127.0.0.1:4433");
    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s\n", to_string(sockets.local_endpoint(listener)).c_str());
    std::fflush(stdout);
    server of{sockets, context.get(), patience};
    while (running && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) of.on_event(event);
    }
    running = nullptr;  // The handler must not find a ring that is gone.
    sockets.drain(2s);
    return sockets.error() ? 1 : 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
