// SPDX-License-Identifier: MIT
// manager_state.cpp - how a manager begins, drains and ends.
#include "socket/manager_state.hpp"

#include <algorithm>
#include <new>
#include <utility>

#include "ioring/probe.hpp"
#include "platform/clock.hpp"
#include "platform/text.hpp"

namespace ioring::detail {
namespace {

// For the last completions of what a manager leaves behind at its end.
constexpr std::chrono::seconds end_bound{2};
constexpr std::uint32_t slab_buffers = 256;

std::error_code no_memory(std::string* why) noexcept {
    platform::explain(why, "not enough memory for a socket manager");
    return std::make_error_code(std::errc::not_enough_memory);
}

// Memory that is used only once it is written to.
template <class T>
T* allocate(std::uint32_t count) noexcept {
    return static_cast<T*>(::operator new (std::size_t{count} * sizeof(T),
                                           std::align_val_t{alignof(T)}, std::nothrow));
}

template <class T>
void release(T* memory) noexcept {
    ::operator delete (memory, std::align_val_t{alignof(T)});
}

// With its defaults filled in.
manager_options complete(manager_options options) noexcept {
    if (options.send_high_bytes == 0) options.send_high_bytes = options.buffer_bytes;
    if (options.send_low_bytes == 0) options.send_low_bytes = options.send_high_bytes / 2;
    if (options.buffers_max == 0) options.buffers_max = 2 * options.sockets_max;
    return options;
}

pool_options pool_of(const manager_options& options) noexcept {
    const std::uint32_t slab = std::min(slab_buffers, options.buffers_max);
    return {.buffer_bytes = options.buffer_bytes,
            .slab_buffers = slab,
            .slabs_max = (options.buffers_max + slab - 1) / slab,
            // Another slab costs a descriptor, of which there may be none when it is needed.
            .slabs_initial = 1,
            .fallback = false};
}

}  // namespace

manager_state::manager_state(ring& owner, const manager_options& options) noexcept
    : ring_{owner}, options_{complete(options)}, start_ns_{platform::monotonic_ns()} {
    multishot_receive_ = owner.probe().has(feature::recv_multishot);
    multishot_accept_ = owner.probe().has(feature::accept_multishot);
    read_clock();
}

std::error_code manager_state::create(ring& owner, const manager_options& options,
                                      std::unique_ptr<manager_state>& out,
                                      std::string* why) noexcept {
    if (!owner.valid()) {
        platform::explain(why, "the ring of a socket manager is none");
        return std::make_error_code(std::errc::invalid_argument);
    }
    if (const auto error = validate(options, why)) return error;
    std::unique_ptr<manager_state> made{new (std::nothrow) manager_state{owner, options}};
    if (made == nullptr) return no_memory(why);
    const manager_options& all = made->options_;
    made->sockets_ = allocate<socket>(all.sockets_max);
    made->cold_ = allocate<cold_state>(all.sockets_max);
    made->own_events_.reset(new (std::nothrow) socket_event[all.events_max]);
    made->foreign_.reset(new (std::nothrow) cqe[all.events_max]);
    if (made->sockets_ == nullptr || made->cold_ == nullptr || made->own_events_ == nullptr ||
        made->foreign_ == nullptr) {
        return no_memory(why);
    }
    if (const auto error =
            chunk_source::create(owner, all.chunks, all.chunk_bytes, made->source_, why)) {
        return error;
    }
    if (const auto error = buffer_pool::create(owner, pool_of(all), made->pool_, why)) return error;
    out = std::move(made);
    return {};
}

manager_state::~manager_state() {
    if (sockets_ != nullptr && cold_ != nullptr) {
        stopping_ = true;
        drain(std::chrono::nanoseconds::zero());
        if (reserve_.valid()) (void)ring_.close_now(reserve_);
        // Of a ring that has failed: what is in flight keeps its memory.
        if (in_use_ != 0) source_.abandon();
        for (std::uint32_t slot = 0; slot < slots_used_; ++slot) {
            if (sockets_[slot].fd_.valid()) (void)ring_.close_now(sockets_[slot].fd_);
        }
    }
    release(sockets_);
    release(cold_);
}

manager_usage manager_state::usage() const noexcept {
    const pool_stats buffers = pool_.stats();
    return {.sockets = in_use_,
            .buffers_lent = buffers.buffers_in_use + buffers.fallbacks_in_use,
            .chunks_held = source_.chunks_out(),
            .records = chunks_.in_use() + pieces_.in_use() + rings_.in_use(),
            .timers = timers_.in_use(),
            .owned_bytes = owned_bytes_};
}

drain_report manager_state::drain(std::chrono::nanoseconds timeout) noexcept {
    read_clock();
    report_ = drain_report{};
    stop_listening();
    const std::uint64_t deadline = platform::deadline_ns(timeout);
    drain_deadline_ = now_ + static_cast<std::uint64_t>(
                                 std::chrono::ceil<std::chrono::milliseconds>(timeout).count());
    for (std::uint32_t slot = 0; slot < slots_used_; ++slot) {
        socket& at = sockets_[slot];
        close(at, close_reason::drained);
        // One that was closing already has no longer than the others.
        if (cold_[slot].deadline > drain_deadline_ && phase_of(at) != close_phase::ending) {
            cold_[slot].deadline = drain_deadline_;
            schedule(at);
        }
    }
    // A wake() from before is none of this drain's.
    (void)turn(std::chrono::nanoseconds::zero());
    run_until_empty(deadline, ring_.counters().wakes);
    for (std::uint32_t slot = 0; slot < slots_used_; ++slot) {
        abort(sockets_[slot], close_reason::drain_timeout);
    }
    run_until_empty(platform::deadline_ns(end_bound), ~std::uint64_t{0});
    drain_deadline_ = timer_wheel::never;
    report_.complete = in_use_ == 0;
    return report_;
}

// Until no connection is left and no accept in flight could bring one. Events are not for the
// program any more.
void manager_state::run_until_empty(std::uint64_t deadline_ns, std::uint64_t wakes_max) noexcept {
    for (;;) {
        while (deliver({own_events_.get(), options_.events_max}) != 0) {
        }
        begin_turn();
        const bool waiting =
            cancels_in_flight_ != 0 ||
            std::any_of(listeners_.begin(), listeners_.end(),
                        [](const listener_slot& each) { return each.in_flight != 0; });
        if ((in_use_ == 0 && !waiting) || error_ || now_ns_ >= deadline_ns) return;
        if (ring_.counters().wakes > wakes_max) return;
        (void)turn(wait_time(deadline_ns));
    }
}

}  // namespace ioring::detail
