// SPDX-License-Identifier: MIT
// fault_backend.hpp - a backend around another one that does everything a backend may do wrong.
//
// The program fills our queues and the inner backend works on its own. Entries are edited in place
// as they pass: SQEs in intake.cpp, CQEs in outlet.cpp; fault_backend.cpp moves them. What happens
// to which entry is decided by the seed and the entry's number (decisions.hpp).
//
// An injected failure is never passed to the inner backend: its CQE is made here. Members of chains
// are not failed, because only the inner backend can break a chain, but their transfers may be
// short and their CQEs late.
//
// Everything that is held back comes in the end: each enter, and each round of a wait that finds
// nothing else, is a turn, and after a bounded number of turns a CQE is due.
//
// Not for the data path of a product: it allocates, and ends the program when there is no memory.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "backend/backend.hpp"
#include "backend/fault/decisions.hpp"
#include "backend/fault/flights.hpp"
#include "backend/fault/held.hpp"
#include "backend/fault/kinds.hpp"
#include "backend/wrapping/own_queues.hpp"

namespace ioring::backends::fault {

class fault_backend final : public backend {
public:
    // The user_data of the cancels that end a multishot operation early. A program that uses it
    // itself meets no such end.
    static constexpr std::uint64_t own_user_data = 0xfa01'7ca0'ce15'fa01;

    // `inner` has queues of `options`.
    fault_backend(const backend_options& options, std::uint64_t seed, unsigned level,
                  std::unique_ptr<backend>&& inner, std::string_view inner_name);

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

    // What this backend has injected.
    [[nodiscard]] const tally& injected() const noexcept { return tally_; }

private:
    // Enters and waits (fault_backend.cpp).
    [[nodiscard]] int refuse(std::uint32_t to_submit) noexcept;
    [[nodiscard]] int submit(std::uint32_t to_submit) noexcept;
    [[nodiscard]] int hand_over() noexcept;
    [[nodiscard]] int wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept;
    [[nodiscard]] bool wait_ends_early() noexcept;
    bool fetch() noexcept;
    void release() noexcept;
    void submit_own_cancels() noexcept;
    [[nodiscard]] std::uint32_t batch_of(std::uint32_t to_submit) noexcept;

    // On the way in (intake.cpp).
    void admit(sqe entry) noexcept;
    [[nodiscard]] bool completes_here(const sqe& entry, subject about) noexcept;
    [[nodiscard]] std::int32_t error_for_transfer(const sqe& entry, subject about) noexcept;
    [[nodiscard]] std::int32_t error_for_accept(const sqe& entry, subject about) noexcept;
    [[nodiscard]] bool overtakes(const sqe& cancel, subject about) noexcept;
    void shorten(sqe& entry, subject about, flight& operation) noexcept;
    void shorten_pieces(sqe& entry, subject about, flight& operation) noexcept;
    void shorten_bytes(sqe& entry, subject about) noexcept;
    void plan_lost_cancel(const sqe& cancel, subject about, flight& operation) noexcept;
    void follow_update(const sqe& update) noexcept;

    // On the way out (outlet.cpp).
    void completed(cqe done) noexcept;
    void completed_more(flight& operation, cqe done) noexcept;
    void completed_last(flight& operation, cqe done) noexcept;
    [[nodiscard]] bool cancel_really_lost(std::uint64_t target) noexcept;
    void hold(const cqe& done, const flight* operation, subject about,
              bool pinned = false) noexcept;

    [[nodiscard]] bool inject(kind which, subject about) noexcept;
    void count(kind which) noexcept;

    decisions decisions_;
    std::unique_ptr<backend> inner_;
    own_queues queues_;
    owner_check owner_;
    flight_table flights_;
    held_queue held_;
    std::vector<std::uint64_t> cancels_wanted_;  // Targets of our own cancels.
    std::uint32_t cancels_in_flight_ = 0;
    std::uint64_t entries_ = 0;    // SQEs of the program so far.
    std::uint64_t internals_ = 0;  // CQEs so far of which nothing is known.
    std::uint64_t enters_ = 0;
    std::uint64_t turn_ = 0;
    std::uint64_t chains_ = 0;
    bool linked_ = false;       // The entry before links to this one.
    bool refused_ = false;      // The last enter was: the next one is not.
    bool ended_early_ = false;  // The last wait was.
    bool untracked_ = false;    // Some operation may end without a CQE.
    bool counted_ = false;      // A timeout counts completions: none are made up or added.
    bool own_user_data_used_ = false;
    bool lacks_room_ = false;
    tally tally_;
};

}  // namespace ioring::backends::fault
