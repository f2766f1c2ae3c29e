// SPDX-License-Identifier: MIT
// uring_server.hpp - the loop that the io_uring peers share: accept, stop, one enter per turn.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "peer.hpp"
#include "raw_uring.hpp"
#include "slots.hpp"

namespace peer {

inline constexpr std::uint32_t sq_entries = 4096;
inline constexpr std::uint32_t cq_entries = 8192;

// Whether a recv or send that ended with `res` may simply be made again.
constexpr bool is_transient(std::int32_t res) noexcept { return res == -EAGAIN || res == -EINTR; }

// `Strategy` has open(slot, fd), on_completion(kind, slot, cqe), end_of_batch(), and the public
// member `closed`: how many connections it closed.
template <typename Strategy>
class uring_server {
public:
    uring_server(raw_ring& ring, Strategy& strategy, counters& counted, int listener, int stop)
        : ring_(ring), strategy_(strategy), counted_(counted), listener_(listener), stop_(stop) {}

    // Returns after SIGTERM or SIGINT.
    void run() {
        prepare_accept_multishot(ring_, listener_, tag(kind::accept));
        prepare_poll_in(ring_, stop_, tag(kind::stop));
        while (!stopping_) {
            ring_.submit_and_wait();
            ring_.reap([this](const cqe& done) { dispatch(done); });
            strategy_.end_of_batch();
            if (accept_paused_ && strategy_.closed != closed_at_pause_) resume_accept();
        }
        counted_.enters = ring_.enters();
    }

private:
    void dispatch(const cqe& done) {
        const kind what = kind_of(done.user_data);
        if (what == kind::recv || what == kind::send) [[likely]] {
            strategy_.on_completion(what, slot_of(done.user_data), done);
        } else if (what == kind::accept) {
            on_accept(done);
        } else if (what == kind::stop) {
            stopping_ = true;
        }  // A cancel's own result says nothing that the target's does not.
    }

    void on_accept(const cqe& done) {
        if (done.res >= 0) {
            ++counted_.connections;
            if (!strategy_.open(done.res)) ::close(done.res);
        }
        if ((done.flags & cqe_more) != 0) return;
        if (done.res == -EMFILE || done.res == -ENFILE) {  // Until a descriptor is free.
            accept_paused_ = true;
            closed_at_pause_ = strategy_.closed;
        } else {
            resume_accept();
        }
    }

    void resume_accept() {
        accept_paused_ = false;
        prepare_accept_multishot(ring_, listener_, tag(kind::accept));
    }

    raw_ring& ring_;
    Strategy& strategy_;
    counters& counted_;
    int listener_;
    int stop_;
    bool stopping_ = false;
    bool accept_paused_ = false;
    std::uint64_t closed_at_pause_ = 0;
};

// The whole program of an io_uring peer. `make` builds the strategy from the ring and the counters.
template <typename Strategy, typename... Arguments>
int serve(const options& wanted, const std::string& name, Arguments... arguments) {
    const int stop = open_stop_signal();
    const int listener = open_listener(wanted);
    counters counted;
    raw_ring ring(sq_entries, cq_entries);
    Strategy strategy(ring, counted, arguments...);
    announce(listener, name);
    uring_server<Strategy>(ring, strategy, counted, listener, stop).run();
    report(name, counted);
    return 0;
}

}  // namespace peer
