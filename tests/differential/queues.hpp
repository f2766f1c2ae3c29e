// SPDX-License-Identifier: MIT
// queues.hpp - a program's side of a backend's two queues, without the ring's comforts.
//
// The ring has an entry of its own in flight (the wake's poll), which a cancel of everything and a
// count of completions would see on one backend and not on another. So programs talk to backends.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backend/backend.hpp"

namespace ioring::differential {

// Sets up the backend called `name`: those of the registry, and "uring_6_1" and "uring_5_19", which
// are io_uring as older kernels have it. On failure returns nullptr and says `why`.
[[nodiscard]] std::unique_ptr<backends::backend> set_up_by_name(
    std::string_view name, const backends::backend_options& options, std::string& why);

class queues {
public:
    queues() = default;
    explicit queues(std::unique_ptr<backends::backend> over) : backend_{std::move(over)} {}

    [[nodiscard]] bool valid() const { return backend_ != nullptr; }
    [[nodiscard]] backends::backend& operator*() const { return *backend_; }
    [[nodiscard]] backends::backend* operator->() const { return backend_.get(); }
    void destroy() { backend_.reset(); }

    // Entries that were pushed and not taken.
    [[nodiscard]] std::uint32_t pending() const {
        const ring_view& view = backend_->view();
        return view.sq_tail->load(std::memory_order_relaxed) -
               view.sq_head->load(std::memory_order_acquire);
    }
    [[nodiscard]] std::uint32_t space() const { return backend_->view().sq_entries - pending(); }

    // Precondition: space().
    void push(const sqe& entry) {
        const ring_view& view = backend_->view();
        const std::uint32_t tail = view.sq_tail->load(std::memory_order_relaxed);
        view.sqes[tail & (view.sq_entries - 1)] = entry;
        view.sq_tail->store(tail + 1, std::memory_order_release);
    }

    // Hands over what is pushed, without a look at completions. What enter() said, 0 when nothing
    // is pushed.
    int submit() {
        const std::uint32_t count = pending();
        return count == 0 ? 0 : backend_->enter(count, 0, 0, backends::no_timeout);
    }
    // Makes progress; waits for a completion when `timeout_ns` is not 0.
    int turn(std::int64_t timeout_ns = 0) {
        return backend_->enter(0, timeout_ns == 0 ? 0 : 1, backends::enter_flag::getevents,
                               timeout_ns);
    }

    // Moves the completions that are there to the end of `out`. Returns how many.
    std::uint32_t reap(std::vector<cqe>& out) {
        const ring_view& view = backend_->view();
        std::uint32_t head = view.cq_head->load(std::memory_order_relaxed);
        const std::uint32_t ready = view.cq_tail->load(std::memory_order_acquire) - head;
        for (std::uint32_t left = ready; left > 0; --left) {
            out.push_back(view.cqes[head++ & (view.cq_entries - 1)]);
        }
        view.cq_head->store(head, std::memory_order_release);
        return ready;
    }

private:
    std::unique_ptr<backends::backend> backend_;
};

}  // namespace ioring::differential
