// SPDX-License-Identifier: MIT
// detect.cpp - the ladder of set-up flags, and one round of all trials.
#include "backend/uring/detect.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <memory>
#include <new>

#include "backend/uring/refusal.hpp"
#include "backend/uring/ring_index.hpp"
#include "backend/uring/trial_ring.hpp"
#include "backend/uring/trials.hpp"
#include "backend/uring/wait_region.hpp"

namespace ioring::backends::uring {
namespace {

constexpr std::uint32_t trial_sq_entries = 8;
constexpr std::uint32_t trial_cq_entries = 64;

constexpr std::uint32_t deferred = setup_flag::submit_all | setup_flag::taskrun_flag |
                                   setup_flag::single_issuer | setup_flag::defer_taskrun;
constexpr std::uint32_t cooperative =
    setup_flag::submit_all | setup_flag::taskrun_flag | setup_flag::coop_taskrun;

constexpr std::array ladder{
    rung{"deferred, no SQ array", deferred | setup_flag::no_sq_array},            // 6.6
    rung{"deferred", deferred},                                                   // 6.1
    rung{"cooperative, single issuer", cooperative | setup_flag::single_issuer},  // 6.0
    rung{"cooperative", cooperative},                                             // 5.19
    rung{"plain", setup_flag::submit_all},
};

void set(probe_result& probe, feature which, bool value = true) noexcept {
    probe.features.set(static_cast<std::size_t>(which), value);
}

void note_setup_flags(std::uint32_t flags, probe_result& probe) noexcept {
    set(probe, feature::single_issuer, (flags & setup_flag::single_issuer) != 0);
    set(probe, feature::deferred_taskrun, (flags & setup_flag::defer_taskrun) != 0);
    set(probe, feature::cooperative_taskrun, (flags & setup_flag::coop_taskrun) != 0);
    set(probe, feature::no_sq_array, (flags & setup_flag::no_sq_array) != 0);
}

// A ring with `flags` that has carried a nop, and what only a ring that is not yet enabled shows.
int try_rung(const kernel& kernel, std::uint32_t flags, std::unique_ptr<trial_ring>& out,
             wait_region& waits) noexcept {
    ring_file file;
    if (const int error =
            ring_file::create(kernel, flags, trial_sq_entries, trial_cq_entries, file);
        error != 0) {
        return error;
    }
    // Refused by kernels before 6.13, and with too little lockable memory: plain waits do as well.
    (void)wait_region::create(kernel, file.get(), waits);
    std::unique_ptr<trial_ring> trial{new (std::nothrow) trial_ring(kernel, std::move(file))};
    if (trial == nullptr) return -ENOMEM;
    if (const int error = trial->start(); error != 0) return error;
    out = std::move(trial);
    return 0;
}

bool try_registered_wait(const trial_ring& trial, wait_region& waits) noexcept {
    if (!waits.registered()) return false;
    waits.set_timeout(0);
    return trial.calls().enter(trial.get(), /*to_submit=*/0, /*min_complete=*/1,
                               enter_bit::getevents | wait_region::flags, wait_region::argument,
                               wait_region::argument_bytes) == -ETIME;
}

bool try_ring_index(const trial_ring& trial) noexcept {
    ring_index index;
    const int error = ring_index::acquire(trial.calls(), trial.get(), index);
    // This thread's table is full, others' need not be.
    if (error == -EBUSY) return true;
    if (error != 0) return false;
    const int result =
        trial.calls().enter(index.get(), /*to_submit=*/0, /*min_complete=*/0,
                            enter_bit::getevents | enter_bit::registered_ring, nullptr, 0);
    index.release(trial.calls(), trial.get());
    return result == 0;
}

int list_opcodes(const trial_ring& trial, probe_result& probe) noexcept {
    probe_answer answer{};
    if (const int error =
            trial.calls().register_(trial.get(), register_code::probe, &answer, probe_operations);
        error < 0) {
        return error;
    }
    for (std::size_t i = 0; i < answer.operations_count; ++i) {
        const probe_operation& operation = answer.operations[i];
        const bool supported = (operation.flags & operation_supported) != 0;
        probe.opcodes.set(operation.code, supported && !trial.calls().hides_opcode(operation.code));
    }
    return 0;
}

int try_all(trial_ring& trial, wait_region& waits, probe_result& probe) noexcept {
    if (const int error = list_opcodes(trial, probe); error != 0) return error;
    set(probe, feature::registered_wait, try_registered_wait(trial, waits));
    set(probe, feature::registered_ring, try_ring_index(trial));
    for (const feature_trial& attempt : feature_trials()) {
        if (trial.calls().hides(attempt.which)) continue;
        const int result = attempt.run(trial);
        trial.cancel_everything();
        if (result < 0) return result;
        set(probe, attempt.which, result > 0);
    }
    return 0;
}

// What the ring does for itself in every program: closing what has operations in flight, its own
// end, and wake(). A ring without these is none; where another backend has them, that one serves.
constexpr std::array indispensable{feature::cancel_any, feature::poll_multishot};

std::error_code accept(const abilities& found, abilities& out, std::string& why) {
    for (const feature which : indispensable) {
        if (!found.probe.has(which)) return explain_missing(which, why);
    }
    out = found;
    return {};
}

}  // namespace

std::span<const rung> rungs() noexcept { return ladder; }

std::error_code detect(const kernel& kernel, abilities& out, std::string& why) noexcept {
    int error = -EINVAL;
    for (const rung& candidate : ladder) {
        wait_region waits;
        std::unique_ptr<trial_ring> trial;
        error = try_rung(kernel, candidate.setup_flags, trial, waits);
        if (error == -EINVAL) continue;
        if (error == 0) {
            abilities found{candidate.setup_flags, {}};
            note_setup_flags(candidate.setup_flags, found.probe);
            error = try_all(*trial, waits, found.probe);
            if (error == 0) return accept(found, out, why);
        }
        return explain_setup_error(error, trial_sq_entries, trial_cq_entries, why);
    }
    return explain_no_rung(error, why);
}

std::error_code detect_once(abilities& out, std::string& why) noexcept {
    // Never freed, and no lock: a fork in the middle of it leaves nothing locked in the child.
    static std::atomic<const abilities*> remembered{nullptr};
    // Acquire: what it points at is complete.
    if (const abilities* const known = remembered.load(std::memory_order_acquire);
        known != nullptr) {
        out = *known;
        return {};
    }
    abilities found;
    if (const std::error_code error = detect(kernel{kernel_mask{}}, found, why); error) {
        return error;
    }
    out = found;
    if (const auto* const fresh = new (std::nothrow) abilities{found}; fresh != nullptr) {
        const abilities* expected = nullptr;
        // Release: pairs with the acquire above. Another thread may have been quicker.
        if (!remembered.compare_exchange_strong(expected, fresh, std::memory_order_release,
                                                std::memory_order_relaxed)) {
            delete fresh;
        }
    }
    return {};
}

}  // namespace ioring::backends::uring
