// SPDX-License-Identifier: MIT
// echo.hpp - clients and a server on one ring that survive everything the contract allows.
//
// The clients send a known stream in random pieces and verify what comes back; the server receives
// with multishot operations into shared buffers where there are any, ends some of them by a cancel
// for no reason, and sends without wait_all. Nothing here knows of faults: it is what any correct
// program does.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "ioring/buffer_group.hpp"
#include "ioring/ring.hpp"

namespace ioring::faults {

struct echo_results {
    std::uint32_t finished = 0;  // Clients that got all of their stream back.
    std::uint32_t broken = 0;    // Clients whose connection was reset, or ended early.
    std::string problem;         // What must never be; empty when all is well.
};

class echo {
public:
    static constexpr std::uint32_t clients_count = 4;
    static constexpr std::size_t stream_bytes = 40'000;

    // `seed` is of the pieces and of the server's whims.
    echo(ring& where, std::uint64_t seed);

    // Runs until every connection has ended, at most 10 s without anything completing.
    [[nodiscard]] echo_results run();

private:
    static constexpr std::size_t piece_bytes_max = 3000;

    enum class kind : std::uint8_t {
        accept,
        connect,
        client_send,
        client_recv,
        server_send,
        server_recv,
        cancel,
        close
    };

    // One end of a connection: what it does not send yet, and what is on its way.
    struct end {
        fd socket;
        std::array<std::byte, piece_bytes_max> in{};
        std::array<std::byte, piece_bytes_max> out{};
        std::size_t out_bytes = 0;       // Of `out`, to be sent.
        std::size_t out_done = 0;        // Of those, sent.
        std::vector<std::byte> backlog;  // The server's: received and not in `out`.
        std::size_t sent = 0;            // The client's position in its stream.
        std::size_t received = 0;
        bool ready = false;  // Connected or accepted.
        bool sending = false;
        bool receiving = false;
        bool cancelling = false;
        bool ended = false;  // Nothing more is to be received.
        bool failed = false;
        bool closing = false;
        bool closed = false;
    };

    void start();
    void handle(const cqe& done);
    void accepted(const cqe& done);
    void connected(end& client, const cqe& done);
    void sent(end& at, const cqe& done);
    void client_received(end& client, std::uint32_t slot, const cqe& done);
    void server_received(end& peer, std::uint32_t slot, const cqe& done);
    void note_end(end& at, const cqe& done);
    void settle();
    void settle_client(end& client, std::uint32_t slot);
    void settle_server(end& peer, std::uint32_t slot);
    void settle_send(end& at, kind what, std::uint32_t slot);
    void settle_close(end& at, bool is_done, std::uint32_t slot);
    void arm_accept();
    [[nodiscard]] bool is_over() const;
    [[nodiscard]] std::size_t random_bytes();
    void complain(const std::string& text) {
        if (results_.problem.empty()) results_.problem = text;
    }

    ring& ring_;
    std::minstd_rand random_;
    listener listener_;
    buffer_group group_;  // Not valid where receives take their own buffer.
    std::vector<end> clients_;
    std::vector<end> peers_;
    std::uint32_t accepted_ = 0;
    std::uint32_t closed_ = 0;  // Of both sides.
    bool accepting_ = false;
    echo_results results_;
};

}  // namespace ioring::faults
