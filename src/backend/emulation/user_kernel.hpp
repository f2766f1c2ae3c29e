// SPDX-License-Identifier: MIT
// user_kernel.hpp - a backend that is a kernel in user space: all of it but the I/O.
//
// It reads SQEs, checks them, keeps chains in order, runs timers, carries out cancels and messages,
// and posts CQEs. An engine below it (readiness, overlapped I/O) starts and withdraws
// operations on descriptors and waits for the system.
//
// Threads and forks: as backend.hpp says, checked here.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "backend/backend.hpp"
#include "backend/emulation/buffer_groups.hpp"
#include "backend/emulation/buffer_table.hpp"
#include "backend/emulation/messages.hpp"
#include "backend/emulation/operation_pool.hpp"
#include "backend/emulation/outcome.hpp"
#include "backend/emulation/owner.hpp"
#include "backend/emulation/queues.hpp"
#include "backend/emulation/timers.hpp"

namespace ioring::backends::emulation {

// What became of an operation that was to be given up.
enum class withdrawal : std::uint8_t {
    now,      // Its caller ends it.
    later,    // The system has been told; it ends by finish(), cancelled.
    too_late  // It ends by finish() with a result of its own.
};

class user_kernel : public backend {
public:
    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept final;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept final;

protected:
    user_kernel() = default;
    // Makes queues and tables; the engine adds its description. Errors: not_enough_memory.
    [[nodiscard]] std::error_code set_up_queues(const backend_options& options) noexcept;
    // There is no `which` here: it completes with -EINVAL. During set-up.
    void lack(opcode which) noexcept;
    void lack(feature which) noexcept;
    // From now on other rings reach this one by the descriptor `name`. Errors: not_enough_memory.
    [[nodiscard]] std::error_code open_mailbox(int name) noexcept;
    // They do not any more. Before the engine's own descriptors are closed.
    void close_mailbox() noexcept { mailbox_.close(); }

    // --- what an engine provides ---
    // Carries `op` out, or keeps it. It ends by finish(), now or later; true when it is kept.
    [[nodiscard]] virtual bool start(operation& op) noexcept = 0;
    // Gives up an operation that it has kept, which may want the system's consent. A poll is always
    // given up at once.
    [[nodiscard]] virtual withdrawal withdraw(operation& op) noexcept = 0;
    // One of those that it keeps for `fd` and that are not `ending`, or nullptr.
    [[nodiscard]] virtual operation* first_on(std::int32_t fd) noexcept = 0;
    // Closes `fd` now and forgets it; what waits on it has been asked to end. 0 or -errno.
    virtual int close_descriptor(std::int32_t fd) noexcept = 0;
    virtual int shut_down(std::int32_t fd, std::uint32_t how) noexcept = 0;
    [[nodiscard]] virtual bool is_open(std::int32_t fd) noexcept = 0;
    // Looks for what can go on and lets it, waiting for it `timeout_ns` at most (0, no_timeout).
    // Returns 0, or -EINTR. Ends early for interrupt().
    virtual int progress(std::int64_t timeout_ns) noexcept = 0;
    // There is more that can go on at once.
    [[nodiscard]] virtual bool has_more() const noexcept = 0;
    // Ends the present or the next progress(). Any thread, any signal handler.
    virtual void interrupt() noexcept = 0;
    virtual void abandon_descriptors() noexcept = 0;
    // As the register_op of the same name; for an engine that sets keeps_registrations_.
    virtual int attach_socket(std::int32_t /*fd*/) noexcept { return -EOPNOTSUPP; }
    virtual int attach_buffer(std::uint32_t /*slot*/, const kernel_buffer& /*memory*/) noexcept {
        return -EOPNOTSUPP;
    }
    virtual int detach_buffer(std::uint32_t /*slot*/) noexcept { return -EOPNOTSUPP; }
    virtual int abort_attached() noexcept { return -EOPNOTSUPP; }

    // --- what an engine uses ---
    // Ends `op` with its last CQE and decides about the rest of its chain. `failed`: the chain is
    // to be cut, as by an error. `op` is gone afterwards.
    void finish(operation& op, std::int32_t res, std::uint32_t cqe_flags, bool failed) noexcept {
        const bool is_odd =
            op.linked || op.has_flag(sqe_flag::cqe_skip_success) || op.entry.op == opcode::timeout;
        if (is_odd) [[unlikely]]
            return finish_odd(op, res, cqe_flags, failed);
        if (op.in_flight) pool_.remove(op);
        queues_.post({.user_data = op.entry.user_data, .res = res, .flags = cqe_flags});
        ++posted_count_;
        pool_.give_back(op);
    }
    void finish(operation& op, std::int32_t res) noexcept { finish(op, res, 0, res < 0); }
    // The same with an outcome that has ended; a send_zc's notification follows its result.
    void end(operation& op, const outcome& how) noexcept {
        if (op.entry.op == opcode::send_zc && how.res >= 0) [[unlikely]]
            return end_zero_copy(op, how);
        finish(op, how.res, how.flags, how.failed);
    }
    // Posts a CQE of an operation that goes on. False, and nothing was posted, when there is no
    // room: then it must end, with that completion as its last one.
    [[nodiscard]] bool post_more(const operation& op, std::int32_t res,
                                 std::uint32_t cqe_flags) noexcept;
    // Starts what finish() has made ready to start.
    void run_started() noexcept;
    // Ends everything that waits on `fd` with -ECANCELED. Returns how many that were.
    std::int32_t cancel_descriptor(std::int32_t fd) noexcept;
    [[nodiscard]] buffer_groups& groups() noexcept { return groups_; }
    [[nodiscard]] const buffer_table& buffers() const noexcept { return buffers_; }

private:
    struct chain {
        operation* head = nullptr;
        operation* last = nullptr;
    };

    [[nodiscard]] std::uint32_t submit(std::uint32_t to_submit, int& error) noexcept;
    [[nodiscard]] operation* take_operation() noexcept;
    [[nodiscard]] std::uint32_t overflow_room() const noexcept;
    void accept(operation& op) noexcept;
    [[nodiscard]] bool is_lacking(const sqe& entry) const noexcept;
    void add_to_chain(operation& op) noexcept;
    void push_startable(operation& op) noexcept;
    void run(operation& op) noexcept;
    void finish_odd(operation& op, std::int32_t res, std::uint32_t cqe_flags, bool failed) noexcept;
    void end_zero_copy(operation& op, const outcome& how) noexcept;
    void post(operation& op, std::int32_t res, std::uint32_t cqe_flags, bool failed) noexcept;
    void post_first(const operation& op, std::int32_t res) noexcept;
    void cut_chain(operation* rest, bool silently) noexcept;
    void bound(operation& op) noexcept;
    int wait(std::uint32_t min_complete, std::int64_t timeout_ns) noexcept;
    void collect_messages() noexcept;
    void update_taskrun() noexcept;
    void tell() noexcept;

    // Timeouts (timeouts.cpp).
    static void set_deadline(operation& timer, std::uint64_t time_address,
                             std::uint32_t timeout_flags) noexcept;
    void start_timeout(operation& op) noexcept;
    void remove_timeout(operation& op) noexcept;
    [[nodiscard]] std::int32_t update_timeout(const sqe& asked) noexcept;
    void fire(operation& timer) noexcept;
    void expire_due() noexcept;
    void expire_counted() noexcept;
    void stop_timer(operation& op) noexcept;

    // Cancelling (cancel.cpp).
    [[nodiscard]] std::int32_t cancel(const sqe& asked) noexcept;
    withdrawal end_cancelled(operation& target) noexcept;
    void remove_poll(operation& op) noexcept;
    void update_poll(operation& target, const sqe& asked) noexcept;
    void send_message(operation& op) noexcept;

    int register_owned(register_op operation, void* argument, std::uint32_t count) noexcept;

    owner_check owner_;
    queues queues_;
    operation_pool pool_;
    timers timers_;
    buffer_groups groups_;
    buffer_table buffers_;
    mailbox mailbox_{[](void* self) noexcept { static_cast<user_kernel*>(self)->tell(); }, this};
    chain chain_;                     // Being read.
    operation* startable_ = nullptr;  // A queue by `next`, its end at startable_last_.
    operation* startable_last_ = nullptr;
    operation* counted_ = nullptr;  // Timeouts that wait for completions too, by next and previous.
    std::uint64_t posted_count_ = 0;  // CQEs but for those of timeouts.
    std::atomic<bool> wake_pending_{false};
    bool lacks_ = false;  // Something that emulation::probe() has.
    int name_ = -1;
};

}  // namespace ioring::backends::emulation
