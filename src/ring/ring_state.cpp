// SPDX-License-Identifier: MIT
// ring_state.cpp - making a ring, submitting, waiting, waking, posting.
#include "ring/ring_state.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "platform/clock.hpp"

namespace ioring::detail {
namespace {

using backends::enter_flag::getevents;

// Entries at the end of the submission queue that only cancels may use, and the one that only the
// library may, for its own poll or cancel.
constexpr std::uint32_t sq_kept_for_cancels = 2;
constexpr std::uint32_t sq_kept_for_library = 1;
static_assert(sq_kept_for_cancels + sq_kept_for_library < ring_options::sq_entries_min);

constexpr std::uint32_t cq_entries_automatic_min = 8192;
constexpr std::uint64_t never = ~std::uint64_t{0};

// Some ring of this process has sent completions to another: counts of completions prove nothing
// then.
std::atomic<bool> msg_ring_used{false};

std::uint32_t cq_entries_for(const ring_options& options, std::uint32_t sq_entries) noexcept {
    std::uint32_t wanted = options.cq_entries;
    if (wanted == 0) {
        wanted = std::max(cq_entries_automatic_min, 4 * std::min(options.connections_max, 16'384U));
    }
    return std::min(std::bit_ceil(std::max(wanted, sq_entries)), ring_options::cq_entries_max);
}

std::int64_t time_left_ns(std::uint64_t deadline) noexcept {
    if (deadline == never) return backends::no_timeout;
    const std::uint64_t now = platform::monotonic_ns();
    return now < deadline ? static_cast<std::int64_t>(deadline - now) : 0;
}

}  // namespace

std::error_code ring_state::create(const ring_options& options, std::shared_ptr<ring_state>& out,
                                   std::string& why) {
    if (const std::error_code error = validate(options, &why)) return error;
    backends::backend_options wanted;
    wanted.sq_entries = std::bit_ceil(options.sq_entries);
    wanted.cq_entries = cq_entries_for(options, wanted.sq_entries);
    backends::chosen_backend chosen;
    if (const auto error = backends::choose(wishes_of(options), wanted, chosen, why)) return error;
    out = std::make_shared<ring_state>(options, std::move(chosen));
    return {};
}

ring_state::ring_state(const ring_options& options, backends::chosen_backend&& chosen)
    : backend_{std::move(chosen.instance)},
      spin_{options.spin},
      drain_timeout_{options.drain_timeout},
      post_cells_(std::bit_ceil(options.posts_max)),
      connection_table_(options.connections_max),
      free_connections_(options.connections_max),
      probe_{backend_->probe()},
      reason_{std::move(chosen.reason)},
      description_{backend_->description()},
      registration_{"nothing is pinned: plain transfers need no registration"},
      name_{chosen.name} {
    view = backend_->view();
    names_buffers = backend_->keeps_registrations();
    sqe_tail = published_tail_ = view.sq_tail->load(std::memory_order_relaxed);
    sq_cancel_limit = view.sq_entries - sq_kept_for_library;
    sq_usable = sq_cancel_limit - sq_kept_for_cancels;

    for (std::uint32_t index = 0; index < post_cells_.size(); ++index) {
        post_cells_[index].turn.store(index, std::memory_order_relaxed);
    }
    posts = post_cells_.data();
    posts_mask = static_cast<std::uint32_t>(post_cells_.size()) - 1;
    connections = connection_table_.data();
    connections_count = static_cast<std::uint32_t>(connection_table_.size());
    for (std::uint32_t slot = 0; slot < connections_count; ++slot) {
        free_connections_[slot] = connections_count - 1 - slot;
    }
    info_ = {name_.data(), reason_.c_str(), description_.c_str(), registration_.c_str()};

    wake_descriptor_ = backend_->register_(backends::register_op::wake_descriptor, nullptr, 0);
    wake_needs_arming_ = wake_descriptor_ >= 0;
    fork_hook_.link();
}

// The first submit or wait makes its thread the owner.
int ring_state::claim() noexcept {
    if (is_this_thread(owner_)) return 0;
    if (forked_) return -EOWNERDEAD;
    if (backend_ == nullptr) return -EBADF;
    if (owner_ != no_thread) return -EEXIST;
    owner_ = thread_token();
    return 0;
}

sqe* ring_state::take_internal_sqe() noexcept {
    sqe* const entry = take_sqe(view.sq_entries);
    if (entry != nullptr) ++internal_prepared_;
    return entry;
}

// wake() makes a descriptor readable; this poll turns that into a completion that ends the wait. It
// is multishot and edge-triggered: it is armed once, and the descriptor is never read.
bool ring_state::arm_wake() noexcept {
    sqe* const entry = take_internal_sqe();
    if (entry == nullptr) return false;  // Tried again at the next submit.
    prep_poll_multishot(*entry, fd{wake_descriptor_}, poll_event::in, reserved_user_data);
    wake_armed_ = true;
    wake_needs_arming_ = false;
    return true;
}

// Shows the backend what has been prepared, and returns how much it has not taken yet.
std::uint32_t ring_state::publish() noexcept {
    for (std::uint32_t at = published_tail_; at != sqe_tail; ++at) {
        const sqe& entry = view.sqes[at & (view.sq_entries - 1)];
        const bool silent = (entry.flags & sqe_flag::cqe_skip_success) != 0;
        if (silent || entry.op == opcode::msg_ring) [[unlikely]] {
            untracked_ = untracked_ || silent;
            if (!silent) msg_ring_used.store(true, std::memory_order_relaxed);
        }
    }
    published_ += sqe_tail - published_tail_;
    published_tail_ = sqe_tail;
    // Release: the entries are complete before the backend may read them (pairs with its acquire).
    view.sq_tail->store(sqe_tail, std::memory_order_release);
    return sq_used();
}

int ring_state::enter(std::uint32_t pending, std::uint32_t min_complete, std::uint32_t flags,
                      std::int64_t timeout_ns) noexcept {
    ++counters.enters;
    const int taken = backend_->enter(pending, min_complete, flags, timeout_ns);
    if (taken > 0) counters.submitted += static_cast<std::uint32_t>(taken);
    const bool overflowing =
        (view.sq_flags->load(std::memory_order_relaxed) & sq_flag::cq_overflow) != 0;
    if (overflowing && !overflowing_) ++counters.overflows;
    overflowing_ = overflowing;
    return taken;
}

inline bool ring_state::flush_wanted() const noexcept {
    // Acquire: what the backend held back is there when its flag is seen (pairs with its release).
    const std::uint32_t flags = view.sq_flags->load(std::memory_order_acquire);
    return (flags & (sq_flag::cq_overflow | sq_flag::taskrun)) != 0;
}

inline std::uint32_t ring_state::unread() const noexcept {
    // Acquire: the entries before the tail are complete (pairs with the backend's release).
    return view.cq_tail->load(std::memory_order_acquire) -
           view.cq_head->load(std::memory_order_relaxed);
}

// Whether `count` completions can be read. Consumes the library's own at the front: left there,
// they would keep the kernel from sleeping.
bool ring_state::ready(std::uint32_t count) noexcept {
    std::uint32_t seen = posts_ready_end - posts_head;
    std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    const std::uint32_t tail = head + unread();
    bool at_front = true;
    for (; seen < count && head != tail; ++head) {
        const cqe& entry = view.cqes[head & (view.cq_entries - 1)];
        if (entry.user_data != reserved_user_data) {
            at_front = false;
            ++seen;
        } else if (at_front) {
            absorb(entry);
            consume_cqe(head, entry);
        }
    }
    return seen >= count;
}

bool ring_state::take_wake() noexcept {
    if (!wake_pending_.load(std::memory_order_relaxed)) return false;
    // Acquire: what the waker did before it woke us is visible now (pairs with wake()).
    const bool woken = wake_pending_.exchange(false, std::memory_order_acq_rel);
    if (woken) ++counters.wakes;
    return woken;
}

// What seldom precedes a turn. `own` becomes how many entries of its own it prepared, last of all.
int ring_state::begin_turn(int& own) noexcept {
    if (const int error = claim(); error != 0) return error;
    own = wake_needs_arming_ && arm_wake() ? 1 : 0;
    if (retired_ != nullptr) release_retired();
    return 0;
}

int ring_state::submit_and_wait(std::uint32_t min_complete,
                                std::chrono::nanoseconds timeout) noexcept {
    int own = 0;
    if (!is_this_thread(owner_) || wake_needs_arming_ || retired_ != nullptr) [[unlikely]] {
        if (const int error = begin_turn(own); error != 0) return error;
    }
    const std::uint32_t pending = publish();
    int taken = 0;
    if (min_complete == 0) {
        if (pending != 0) taken = enter(pending, 0, 0, backends::no_timeout);
    } else if (min_complete == 1 && timeout == ring::forever && is_idle()) {
        taken = enter(pending, 1, getevents, backends::no_timeout);
        // Nearly always it ends because something has come.
        if (!has_come(static_cast<std::uint32_t>(taken), pending)) [[unlikely]] {
            taken = wait_on(taken, pending, 1, never);
        }
    } else {
        taken = wait(pending, min_complete,
                     timeout == ring::forever ? never : platform::deadline_ns(timeout));
    }
    // The library's own poll is not the program's.
    if (own != 0 && taken > 0 && static_cast<std::uint32_t>(taken) == pending) taken -= own;
    return taken;
}

// Nothing has completed, nobody posted or woke, and waiting means sleeping.
inline bool ring_state::is_idle() const noexcept {
    return unread() == 0 && posts_ready_end == posts_head &&
           !posts_hint.load(std::memory_order_relaxed) &&
           !wake_pending_.load(std::memory_order_relaxed) && spin_.count() == 0;
}

// Everything was taken, and the oldest completion is one that the program sees.
inline bool ring_state::has_come(std::uint32_t taken, std::uint32_t pending) const noexcept {
    const std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    return taken == pending && unread() != 0 &&
           view.cqes[head & (view.cq_entries - 1)].user_data != reserved_user_data;
}

// Goes on with a wait whose first enter gave `taken`.
int ring_state::wait_on(int taken, std::uint32_t pending, std::uint32_t min_complete,
                        std::uint64_t deadline) noexcept {
    if (taken < 0) return taken == -ETIME ? 0 : taken;
    // It took some and brought nothing: the kernel then hides that time or a signal ended the wait.
    if (taken > 0 && unread() == 0 && !wake_pending_.load(std::memory_order_relaxed)) return taken;
    const std::uint32_t left = pending - std::min(pending, static_cast<std::uint32_t>(taken));
    const int more = wait(left, min_complete, deadline);
    return more < 0 && taken > 0 ? taken : taken + more;
}

// Submits, then waits. Enters once, unless a wait ends for a reason that the program does not see.
int ring_state::wait(std::uint32_t pending, std::uint32_t min_complete,
                     std::uint64_t deadline) noexcept {
    min_complete = std::min(min_complete, view.cq_entries);
    int taken_in_all = 0;
    int own = 0;
    bool may_spin = spin_.count() > 0;
    // The library's own entries are the last ones, and not the program's.
    const auto of_program = [&] { return pending == 0 ? taken_in_all - own : taken_in_all; };
    for (;;) {
        const bool woken = take_wake();
        if (posts_hint.load(std::memory_order_relaxed)) collect_posts(*this);
        const bool complete = woken || ready(min_complete);
        const std::uint32_t before = unread();
        // Last: the completion of a wake that came since the first look may have been read away or
        // counted by now, and would not end a sleep.
        const bool enough = complete || take_wake();
        if (enough && pending == 0 && (before != 0 || !flush_wanted())) return of_program();
        // ready() may have read that the poll for wakes has ended, for want of room in the queue.
        if (!enough && wake_needs_arming_ && arm_wake()) {
            ++own;
            pending = publish();
        }

        const std::int64_t timeout_ns = time_left_ns(deadline);
        const bool sleeps = !enough && timeout_ns != 0 && before < view.cq_entries;
        const bool spins = sleeps && std::exchange(may_spin, false);
        if (!spins || pending != 0) {
            // The queue may hold some that are too few: sleep until there is one more.
            const bool waits = sleeps && !spins;
            const int taken = enter(pending, waits ? before + 1 : 0, getevents, timeout_ns);
            if (taken < 0) return taken_in_all > 0 || taken == -ETIME ? of_program() : taken;
            taken_in_all += taken;
            pending -= std::min(pending, static_cast<std::uint32_t>(taken));
            if (!sleeps) return of_program();
            // It took some and brought nothing: the kernel then hides that time or a signal ended
            // the wait.
            const bool hidden_end = taken > 0 && unread() == before;
            if (waits && hidden_end && !wake_pending_.load(std::memory_order_relaxed)) {
                return of_program();
            }
        }
        if (spins) spin(min_complete, deadline);
    }
}

// Looks for completions without sleeping until there are enough, or the spin time is over.
void ring_state::spin(std::uint32_t min_complete, std::uint64_t deadline) noexcept {
    const std::uint64_t end = std::min(deadline, platform::deadline_ns(spin_));
    do {
        if (flush_wanted() && enter(0, 0, getevents, backends::no_timeout) < 0) return;
        if (posts_hint.load(std::memory_order_relaxed)) collect_posts(*this);
        if (wake_pending_.load(std::memory_order_relaxed)) return;
        if ((unread() != 0 || posts_ready_end != posts_head) && ready(min_complete)) return;
    } while (platform::monotonic_ns() < end);
}

std::size_t ring_state::peek(std::span<cqe> out) noexcept {
    if (posts_hint.load(std::memory_order_relaxed)) collect_posts(*this);
    if (!ready(1) && flush_wanted() && claim() == 0) {
        (void)enter(0, 0, getevents, backends::no_timeout);
        if (posts_hint.load(std::memory_order_relaxed)) collect_posts(*this);
    }
    std::size_t copied = 0;
    for (std::uint32_t at = posts_head; at != posts_ready_end && copied < out.size(); ++at) {
        out[copied++] = posts[at & posts_mask].entry;
    }
    std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    const std::uint32_t tail = head + unread();
    for (; head != tail && copied < out.size(); ++head) {
        const cqe& entry = view.cqes[head & (view.cq_entries - 1)];
        if (entry.user_data != reserved_user_data) out[copied++] = entry;
    }
    return copied;
}

void ring_state::advance(std::size_t count) noexcept {
    completion_range all{*this};
    for (auto entry = all.begin(); count > 0 && !all.empty(); --count) ++entry;
}

std::size_t ring_state::completions_ready() noexcept {
    if (posts_hint.load(std::memory_order_relaxed)) collect_posts(*this);
    std::size_t count = posts_ready_end - posts_head;
    std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
    const std::uint32_t tail = head + unread();
    for (; head != tail; ++head) {
        if (view.cqes[head & (view.cq_entries - 1)].user_data != reserved_user_data) ++count;
    }
    return count;
}

void ring_state::wake() noexcept {
    // Release: what we did before is visible to the owner that takes the flag (pairs with
    // take_wake()).
    if (forked_ || wake_pending_.exchange(true, std::memory_order_acq_rel)) return;
    backend_->register_(backends::register_op::wake, nullptr, 0);
}

bool ring_state::post(std::uint64_t user_data, std::int32_t res) noexcept {
    if (user_data == reserved_user_data || forked_) return false;
    std::uint32_t position = posts_tail_.load(std::memory_order_relaxed);
    for (;;) {
        post_cell& cell = posts[position & posts_mask];
        // Acquire: the owner has read what the cell held before (pairs with consume_post()).
        const std::uint32_t turn = cell.turn.load(std::memory_order_acquire);
        const auto distance = static_cast<std::int32_t>(turn - position);
        if (distance < 0) return false;  // A whole round behind: full.
        if (distance > 0) {              // Somebody else has taken it.
            position = posts_tail_.load(std::memory_order_relaxed);
            continue;
        }
        if (posts_tail_.compare_exchange_weak(position, position + 1, std::memory_order_relaxed)) {
            cell.entry = cqe{.user_data = user_data, .res = res};
            // Release: the entry is complete (pairs with collect_posts()).
            cell.turn.store(position + 1, std::memory_order_release);
            break;
        }
    }
    posts_hint.store(true, std::memory_order_release);
    wake();
    return true;
}

void collect_posts(ring_core& core) noexcept {
    // Cleared before the cells are looked at: a post that comes later sets it again.
    core.posts_hint.exchange(false, std::memory_order_acq_rel);
    for (;; ++core.posts_ready_end) {
        const post_cell& cell = core.posts[core.posts_ready_end & core.posts_mask];
        // Acquire: the entry is complete (pairs with post()).
        if (cell.turn.load(std::memory_order_acquire) != core.posts_ready_end + 1) return;
    }
}

sqe* ring_state::prepare_close(fd socket, std::uint64_t user_data) noexcept {
    if (sq_used() + 2 > sq_usable) return nullptr;
    sqe* const cancel = take_internal_sqe();
    sqe* const close = take_sqe(view.sq_entries);
    assert(cancel != nullptr && close != nullptr);
    ++cancels_outstanding_;
    prep_cancel_fd(*cancel, socket, cancel_flag::all, reserved_user_data);
    // Hard: the close runs whatever the cancel found.
    cancel->flags = sqe_flag::io_hardlink;
    prep_close(*close, socket, user_data);
    return close;
}

void absorb_internal(ring_core& core, const cqe& entry) noexcept {
    static_cast<ring_state&>(core).absorb(entry);
}

void ring_state::absorb(const cqe& entry) noexcept {
    if (entry.more()) return;  // wake() was called; its flag says so.
    ++internal_completed_;
    // A cancel and the poll look alike. If the poll ended before a cancel came, the cancel's own
    // entry makes up for it.
    if (cancels_outstanding_ > 0) {
        --cancels_outstanding_;
    } else if (wake_armed_) {
        wake_armed_ = false;
        wake_needs_arming_ = true;
    }
}

std::uint64_t ring_state::in_flight() const noexcept {
    const std::uint64_t prepared = published_ + (sqe_tail - published_tail_);
    return prepared - terminal - (internal_prepared_ - internal_completed_);
}

// Whether in_flight() is the truth.
bool ring_state::counts_are_exact() const noexcept {
    return !untracked_ && !msg_ring_used.load(std::memory_order_relaxed);
}

}  // namespace ioring::detail
