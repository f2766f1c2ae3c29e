// SPDX-License-Identifier: MIT
// crowd.cpp - begins clients at the churn's pace, waits for any of them, and counts their ends.
#include "soak/crowd.hpp"

#include <algorithm>

namespace ioring::soak {
namespace {

constexpr milliseconds look_every{20};

// Bytes of a stream, by its manner: enough for what it is about.
std::uint32_t bytes_for(manner how, std::uint32_t chance) noexcept {
    switch (how) {
        case manner::silent: return 0;
        case manner::slow_writer: return header_bytes + chance % 400;
        case manner::slow_reader: return 200'000 + chance % 800'000;
        case manner::never_reads: return 64U << 20U;  // More than all buffers between the ends.
        case manner::idle: return header_bytes + chance % 2000;
        default: return header_bytes + (chance % 4 == 0 ? chance % 300'000 : chance % 3000);
    }
}

}  // namespace

talk crowd::next_talk() {
    // In turn, so that all manners are there; those that take no time are more often.
    const bool quick = begun_ % 2 != 0;
    const std::uint32_t which = quick ? chance() % 3 : begun_ / 2 % manners_of_clients;
    ++begun_;
    const auto how = static_cast<manner>(which);
    return {how, chance(), bytes_for(how, chance())};
}

void crowd::begin() { clients_.emplace_back(next_talk(), server_, chance()); }

void crowd::run(std::chrono::nanoseconds length, std::size_t together, std::atomic<bool>& over) {
    const clock::time_point end = clock::now() + length;
    while (result_.problem.empty()) {
        const bool begins = clock::now() < end;
        if (!begins && clients_.empty()) break;
        for (int burst = 0; burst < 8 && begins && clients_.size() < together; ++burst) {
            if (!pace_.allows_more()) break;
            begin();
        }
        wait(clock::now() + look_every);
        step_all();
        lag_.mark(lag_meter::of_clients);
    }
    lag_.leave(lag_meter::of_clients);
    clients_.clear();
    over = true;
}

void crowd::wait(clock::time_point until) {
    const clock::time_point now = clock::now();
    polled_.clear();
    for (const client& each : clients_) {
        polled_.push_back({.fd = each.descriptor(), .events = each.wanted(now), .revents = 0});
        until = std::min(until, each.wake_at() > now ? each.wake_at() : until);
    }
    const auto left = std::chrono::ceil<milliseconds>(std::max(until - now, clock::duration{}));
    (void)::poll(polled_.data(), static_cast<::nfds_t>(polled_.size()),
                 static_cast<int>(left.count()));
}

void crowd::step_all() {
    const clock::time_point now = clock::now();
    auto found = polled_.begin();
    for (auto each = clients_.begin(); each != clients_.end(); ++found) {
        each->step(found->revents, now);
        if (!each->is_over()) {
            ++each;
            continue;
        }
        note_end(*each);
        each = clients_.erase(each);
    }
}

void crowd::note_end(const client& which) {
    const auto how = static_cast<std::size_t>(which.what().how);
    ++result_.ended[how];
    result_.bytes += which.received();
    if (which.problem().empty()) {
        ++result_.clean[how];
    } else if (which.is_early_end() && lag_.excuses()) {
        ++result_.excused;
    } else if (result_.problem.empty()) {
        result_.problem = "client " + which.problem();
    }
}

}  // namespace ioring::soak
