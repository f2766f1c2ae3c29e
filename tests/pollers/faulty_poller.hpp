// SPDX-License-Identifier: MIT
// faulty_poller.hpp - a poller that does all that one may do and no system does on demand.
//
// Around another poller: events that are not true, of what is armed, is not armed, or is forgotten
// and perhaps somebody else's now; events that come late, twice, in pieces, in another order or one
// by one; waits that end for nothing or by EINTR; arming that the system refuses. The readiness
// kernel must not notice. Each ring's faults follow from a seed: IORING_TEST_SEED, by default 1,
// and how many rings were made before.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "backend/readiness/poller.hpp"

namespace ioring::backends::readiness {

template <poller Inner>
class faulty_poller {
public:
    static constexpr const char* name = "a faulty poller";
    static constexpr bool hears_changes = Inner::hears_changes;

    [[nodiscard]] std::error_code set_up(std::string& why) {
        random_.seed(static_cast<std::minstd_rand::result_type>(next_seed()));
        return inner_.set_up(why);
    }

    [[nodiscard]] bool reserve(std::int32_t fd) noexcept { return inner_.reserve(fd); }
    void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept {
        if (std::find(seen_.begin(), seen_.end(), fd) == seen_.end()) seen_.push_back(fd);
        // Refused, so that an event follows. One that hears changes was to have heard of this.
        const bool refuses = !hears_changes && how == arming::once && one_in(8);
        if (!refuses) inner_.arm(fd, directions, how);
        if (refuses || one_in(4)) owe(fd, directions, 0);
    }
    // Its number stays among those that events are made up for.
    void forget(std::int32_t fd) noexcept { inner_.forget(fd); }

    [[nodiscard]] int wait(std::span<ready_event> events, std::int64_t timeout_ns) noexcept {
        if (!owed_.empty()) return pay(events);
        if (timeout_ns != 0 && one_in(8)) return 0;  // A wake, for all that the owner knows.
        if (timeout_ns != 0 && one_in(16)) return -EINTR;
        const std::size_t room = one_in(4) ? 1 : events.size();
        const int count = inner_.wait(events.first(room), timeout_ns);
        if (count < 0) return count;
        for (const ready_event& each : events.first(static_cast<std::size_t>(count))) {
            owe_in_pieces(each);
            if (one_in(4)) owe_in_pieces(each);
        }
        if (!seen_.empty() && one_in(2)) {
            owe(seen_[below(seen_.size())], static_cast<std::uint8_t>(1 + below(direction::all)),
                0);
        }
        std::shuffle(owed_.begin(), owed_.end(), random_);
        return one_in(8) ? 0 : pay(events);
    }

    void wake() noexcept { inner_.wake(); }
    [[nodiscard]] int native() const noexcept { return inner_.native(); }
    void abandon() noexcept { inner_.abandon(); }

private:
    static std::uint64_t next_seed() {
        static std::atomic<std::uint64_t> made{0};
        const char* const asked = std::getenv("IORING_TEST_SEED");
        const std::uint64_t base = asked != nullptr ? std::strtoull(asked, nullptr, 0) : 1;
        return base * 1'000'003 + made++;
    }
    std::size_t below(std::size_t limit) { return random_() % limit; }
    bool one_in(std::size_t times) { return below(times) == 0; }

    void owe(std::int32_t fd, std::uint8_t directions, std::int32_t error_hint) {
        owed_.push_back({.fd = fd, .directions = directions, .error_hint = error_hint});
    }
    void owe_in_pieces(const ready_event& event) {
        if (!one_in(2)) {
            owed_.push_back(event);
            return;
        }
        for (std::uint8_t one = 1; one <= direction::all;
             one = static_cast<std::uint8_t>(one * 2)) {
            if ((event.directions & one) != 0) owe(event.fd, one, event.error_hint);
        }
    }
    // Not always all of them.
    int pay(std::span<ready_event> events) {
        const std::size_t due = std::min(owed_.size(), events.size());
        const std::size_t count = one_in(2) ? due : below(due + 1);
        std::copy_n(owed_.begin(), count, events.begin());
        owed_.erase(owed_.begin(), owed_.begin() + static_cast<std::ptrdiff_t>(count));
        return static_cast<int>(count);
    }

    Inner inner_;
    std::minstd_rand random_;
    std::vector<std::int32_t> seen_;  // Every number that was ever armed.
    std::vector<ready_event> owed_;   // To be told by the next waits.
};

}  // namespace ioring::backends::readiness
