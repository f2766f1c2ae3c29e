// SPDX-License-Identifier: MIT
// choice.cpp - goes through the plan until a ring could be set up and has completed a nop.
#include "backend/choice.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/error_words.hpp"
#include "ioring/prep.hpp"

namespace ioring::backends {
namespace {

constexpr backend_options trial_queues{.sq_entries = 8, .cq_entries = 16};
constexpr std::int64_t trial_patience_ns = 1'000'000'000;
constexpr int interruptions_max = 100;

// The set-up functions whose rings have carried a nop in this process. No lock, nothing to free: a
// fork in the middle of it harms nobody. One that finds no room is tried out each time.
std::array<std::atomic<setup_function>, 16> proven{};

bool is_proven(setup_function setup) noexcept {
    for (const auto& each : proven) {
        if (each.load(std::memory_order_relaxed) == setup) return true;
    }
    return false;
}

void remember(setup_function setup) noexcept {
    for (auto& each : proven) {
        setup_function expected = nullptr;
        if (each.compare_exchange_strong(expected, setup, std::memory_order_relaxed)) return;
        if (expected == setup) return;
    }
}

// One nop there and back: 0, or -errno; -EIO when it did not come back as it should.
int carry_nop(backend& under_trial) noexcept {
    constexpr std::uint64_t user_data = 42;
    const ring_view& view = under_trial.view();
    const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
    prep_nop(view.sqes[tail & (view.sq_entries - 1)], user_data);
    // Release: the entry is complete (pairs with the backend's acquire).
    view.sq_tail->store(tail + 1, std::memory_order_release);

    const std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    for (int turn = 0; turn < interruptions_max; ++turn) {
        // Acquire: the backend is done with the entry (pairs with its release).
        const std::uint32_t pending = tail + 1 - view.sq_head->load(std::memory_order_acquire);
        const int result = under_trial.enter(pending, 1, enter_flag::getevents, trial_patience_ns);
        // Acquire: the completion is complete (pairs with the backend's release).
        if (view.cq_tail->load(std::memory_order_acquire) != head) {
            const cqe& done = view.cqes[head & (view.cq_entries - 1)];
            return done.user_data == user_data && done.res == 0 ? 0 : -EIO;
        }
        if (result < 0 && result != -EINTR) return result == -ETIME ? -EIO : result;
    }
    return -EIO;
}

// Without what can be done about it, which follows a "; ".
std::string cause_of(const std::string& sentence) {
    return sentence.substr(0, sentence.find("; "));
}

void append_clause(std::string& text, std::string_view clause) {
    if (clause.empty()) return;
    if (!text.empty()) text += "; ";
    text += clause;
}

std::error_code set_up(const candidate& which, bool demand, const backend_options& options,
                       std::unique_ptr<backend>& out, std::string& why) {
    const setup_function setup = which.entry->setup;
    if (!demand && !is_proven(setup)) {
        trial first = try_out(*which.entry);
        if (first.error) {
            why = std::move(first.why);
            return first.error;
        }
        remember(setup);
    }
    return setup(options, out, why);
}

std::string reason_of(const candidate& which, bool demand, const std::string& others) {
    if (demand) return std::string{which.claim};
    std::string reason;
    if (!which.claim.empty()) reason = std::string{which.claim} + ", and ";
    reason += "a ring could be set up and completed a nop";
    if (!others.empty()) reason += ", while " + others;
    return reason;
}

}  // namespace

bool is_refusal(std::error_code error) noexcept {
    return error == std::errc::not_supported || error == std::errc::operation_not_supported ||
           error == std::errc::function_not_supported ||
           error == std::errc::operation_not_permitted || error == std::errc::permission_denied;
}

trial try_out(const backend_entry& entry) {
    trial result;
    std::unique_ptr<backend> throwaway;
    result.error = entry.setup(trial_queues, throwaway, result.why);
    if (result.error) return result;
    result.description = throwaway->description();
    result.probe = throwaway->probe();
    const int error = carry_nop(*throwaway);
    if (error == -EIO) {
        result.error = std::make_error_code(std::errc::not_supported);
        result.why = "a ring could be set up, but did not complete a nop";
    } else if (error != 0) {
        result.error = {-error, std::generic_category()};
        result.why =
            "a ring could be set up, but not complete a nop (" + detail::error_words(-error) + ")";
    }
    return result;
}

std::error_code choose_among(std::span<const backend_entry> rows, const wishes& program,
                             std::string_view environment, const backend_options& options,
                             chosen_backend& out, std::string& why) {
    plan order;
    if (const std::error_code error = make_plan(rows, program, environment, order, why)) {
        return error;
    }
    std::string causes = order.forbidden;
    std::string sentences = order.forbidden;
    std::error_code error;
    for (const candidate& each : order.candidates) {
        std::unique_ptr<backend> made;
        std::string sentence;
        error = set_up(each, order.demand, options, made, sentence);
        if (!error) {
            out = {std::move(made), each.entry->name, reason_of(each, order.demand, causes)};
            return {};
        }
        const std::string name = order.demand ? "" : std::string{each.entry->name} + ": ";
        append_clause(causes, name + cause_of(sentence));
        append_clause(sentences, name + sentence);
        if (!is_refusal(error)) break;
    }
    why = sentences;
    return error;
}

}  // namespace ioring::backends
