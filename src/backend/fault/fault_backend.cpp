// SPDX-License-Identifier: MIT
// fault_backend.cpp - set-up, and how entries move between the program and the inner backend.
#include "backend/fault/fault_backend.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "backend/fault/fault.hpp"
#include "backend/wrapping/inner_queues.hpp"
#include "ioring/prep.hpp"
#include "platform/clock.hpp"

namespace ioring::backends::fault {
namespace {

// How soon the inner backend is given again what it did not take.
constexpr std::int64_t retry_ns = 1'000'000;

struct parameters {
    std::uint64_t seed = 0;
    unsigned level = level_default;
};

template <class Number>
bool parse(std::string_view text, Number& out) noexcept {
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out);
    return error == std::errc{} && stop == end && !text.empty();
}

std::optional<parameters> parse_argument(std::string_view text) noexcept {
    parameters wanted;
    const std::size_t at = text.find('@');
    if (!parse(text.substr(0, at), wanted.seed)) return std::nullopt;
    if (at == std::string_view::npos) return wanted;
    if (!parse(text.substr(at + 1), wanted.level) || wanted.level > level_max) return std::nullopt;
    return wanted;
}

}  // namespace

std::error_code set_up(wrapper_request&& request, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    const std::optional<parameters> wanted = parse_argument(request.argument);
    if (!wanted) {
        why = "\"" + std::string{request.argument} +
              "\" is no seed of faults: give a number of 64 bits, and perhaps @0 to @" +
              std::to_string(level_max) + " for how much goes wrong";
        return std::make_error_code(std::errc::invalid_argument);
    }
#if defined(__cpp_exceptions)
    try {
#endif
        out = std::make_unique<fault_backend>(request.queues, wanted->seed, wanted->level,
                                              std::move(request.inner), request.inner_name);
#if defined(__cpp_exceptions)
    } catch (const std::bad_alloc&) {
        why = "no memory for the queues of the fault backend";
        return std::make_error_code(std::errc::not_enough_memory);
    }
#endif
    return {};
}

fault_backend::fault_backend(const backend_options& options, std::uint64_t seed, unsigned level,
                             std::unique_ptr<backend>&& inner, std::string_view inner_name)
    : decisions_{seed, intensity_of(level)}, inner_{std::move(inner)}, queues_{options} {
    view_ = queues_.view();
    probe_ = inner_->probe();
    keeps_registrations_ = inner_->keeps_registrations();
    description_ = "faults of seed " + std::to_string(seed) + " at level " + std::to_string(level) +
                   " around " + std::string{inner_name} + ": " + inner_->description();
}

void fault_backend::count(kind which) noexcept {
    tally_.add(which);
    process_tally().add(which);
}

bool fault_backend::inject(kind which, subject about) noexcept {
    if (!decisions_.happens(which, about)) return false;
    count(which);
    return true;
}

int fault_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                         std::int64_t timeout_ns) noexcept {
    if (const int error = owner_.claim(); error != 0) return error;
    ++enters_;
    ++turn_;
    const int refusal = refuse(to_submit);
    refused_ = refusal != 0;
    if (refused_) return refusal;

    const bool gets_events = (flags & enter_flag::getevents) != 0;
    const int taken = submit(to_submit);
    int result = 0;
    if (!gets_events) {
        fetch();
    } else if (taken < 0 || static_cast<std::uint32_t>(taken) < to_submit) {
        result = wait(/*min_complete=*/0, /*timeout_ns=*/0);
    } else {
        result = wait(min_complete, timeout_ns);
    }
    release();
    if (taken != 0) return taken;
    return queues_.ready() > 0 ? 0 : result;
}

// Whether this enter takes nothing: never two of them in turn.
int fault_backend::refuse(std::uint32_t to_submit) noexcept {
    if (refused_ || to_submit == 0 || queues_.pending() == 0) return 0;
    const subject about{.number = enters_};
    if (!inject(kind::enter_refused, about)) return 0;
    // There must be something to reap for what asks to reap.
    const bool busy = queues_.ready() > 0 && decisions_.pick(kind::enter_refused, about, 2) == 0;
    return busy ? -EBUSY : -EAGAIN;
}

// How many of the waiting SQEs this enter takes.
std::uint32_t fault_backend::batch_of(std::uint32_t to_submit) noexcept {
    const std::uint32_t waiting = std::min(to_submit, queues_.pending());
    const subject about{.number = enters_};
    if (waiting < 2 || !decisions_.happens(kind::submission_cut, about)) return waiting;
    const auto links = [this](std::uint32_t index) {
        return (queues_.at(index).flags & (sqe_flag::io_link | sqe_flag::io_hardlink)) != 0;
    };
    auto batch =
        1 + static_cast<std::uint32_t>(decisions_.pick(kind::submission_cut, about, waiting - 1));
    // A chain ends with its submission, so the cut is never within one.
    while (batch < waiting && links(batch - 1)) ++batch;
    if (batch < waiting) count(kind::submission_cut);
    return batch;
}

// Takes SQEs; returns how many, or the inner backend's error when it takes none.
int fault_backend::submit(std::uint32_t to_submit) noexcept {
    // What the inner backend did not take the last time comes first, and on its own: behind it a
    // new chain would be taken for a part of an old one.
    if (const int error = hand_over(); error < 0) return to_submit > 0 ? error : 0;
    if (sqes_pending(inner_->view()) != 0) return to_submit > 0 ? -EAGAIN : 0;
    const std::uint32_t batch = batch_of(to_submit);
    std::uint32_t taken = 0;
    linked_ = false;
    for (; taken < batch; ++taken) {
        const sqe& entry = queues_.at(taken);
        // Its CQE could be taken for one of ours.
        if (entry.user_data == own_user_data && cancels_in_flight_ > 0) break;
        admit(entry);
    }
    queues_.take(taken);
    if (taken == 0 && batch > 0) return -EAGAIN;
    const int error = hand_over();
    return error == -EEXIST || error == -EOWNERDEAD ? error : static_cast<int>(taken);
}

// Gives the inner backend what is in its queue. An error when it takes none of it.
int fault_backend::hand_over() noexcept {
    const std::uint32_t pending = sqes_pending(inner_->view());
    return pending == 0 ? 0 : inner_->enter(pending, 0, 0, no_timeout);
}

int fault_backend::wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept {
    const bool bounded = timeout_ns >= 0;
    const std::uint64_t deadline =
        bounded ? platform::deadline_ns(std::chrono::nanoseconds{timeout_ns}) : 0;
    bool may_end_early = true;
    for (;;) {
        (void)hand_over();
        const int error = inner_->enter(0, 0, enter_flag::getevents, no_timeout);
        if (error == -EEXIST || error == -EOWNERDEAD) return error;
        fetch();
        release();
        if (queues_.ready() >= min_complete || queues_.room() == 0) return 0;
        if (std::exchange(may_end_early, false) && wait_ends_early()) return -EINTR;
        if (held_.ripens()) {
            ++turn_;
            continue;
        }
        std::int64_t left = bounded ? platform::time_left(deadline).count() : no_timeout;
        // What the inner backend has not taken yet may be what is waited for.
        const bool behind = sqes_pending(inner_->view()) != 0 && left != 0;
        if (behind) left = bounded ? std::min(left, retry_ns) : retry_ns;
        const int result = inner_->enter(0, 1, enter_flag::getevents, left);
        const bool any = fetch();
        if (behind && result == -ETIME) continue;
        // A wait that ends well and brings nothing was ended by a wake.
        if (!any || result < 0) return result;
    }
}

// As a signal ends it; never two in turn.
bool fault_backend::wait_ends_early() noexcept {
    ended_early_ = !ended_early_ && inject(kind::wait_ended, {.number = enters_});
    return ended_early_;
}

// Reads the inner backend's completions; returns whether there were any. What we hold is bounded:
// beyond that they wait where they are.
bool fault_backend::fetch() noexcept {
    bool any = false;
    cqe done;
    while (held_.size() < view_.cq_entries && pop_cqe(inner_->view(), done)) {
        any = true;
        completed(done);
    }
    submit_own_cancels();
    return any;
}

void fault_backend::submit_own_cancels() noexcept {
    const ring_view& inner = inner_->view();
    if (cancels_wanted_.empty() || sqes_pending(inner) != 0) return;
    while (!cancels_wanted_.empty() && sqes_pending(inner) < inner.sq_entries) {
        sqe entry;
        prep_cancel(entry, cancels_wanted_.back(), /*cancel_flags=*/0, own_user_data);
        cancels_wanted_.pop_back();
        push_sqe(inner, entry);
        ++cancels_in_flight_;
    }
    (void)hand_over();
}

// Shows the program what is due, and says in its flags whether there is more.
void fault_backend::release() noexcept {
    lacks_room_ = held_.release(queues_, turn_);
    const std::uint32_t inner_flags = inner_->view().sq_flags->load(std::memory_order_acquire);
    std::uint32_t flags = inner_flags & (sq_flag::cq_overflow | sq_flag::taskrun);
    if (held_.size() > 0 || flights_.count() > 0 || untracked_) flags |= sq_flag::taskrun;
    if (lacks_room_) flags |= sq_flag::cq_overflow;
    queues_.set_flags(flags);
}

int fault_backend::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    switch (operation) {
        case register_op::wake:
        case register_op::message_descriptor:
        case register_op::abandon_after_fork: return inner_->register_(operation, argument, count);
        default: break;
    }
    if (const int error = owner_.check(); error != 0) return error;
    return inner_->register_(operation, argument, count);
}

}  // namespace ioring::backends::fault
