// SPDX-License-Identifier: MIT
// ring.hpp - one submission queue and one completion queue, and the calls that move them.
//
// The words are io_uring's. The program prepares submission queue entries (SQEs), submits them,
// reads completion queue entries (CQEs) and advances past them. Preparing and reading are plain
// memory accesses; only create, submit, a wait, a peek at an empty queue and the calls that say so
// reach the backend.
//
// Threads: a ring belongs to the thread of its first submit or wait, until it is destroyed there;
// it may be made in another. Only wake() and post() may be called from elsewhere. Rings share
// nothing. Fork: in a child process the ring is empty and full at once and every call is
// -EOWNERDEAD; the parent's ring goes on unharmed. Buffers: what an SQE points at belongs to the
// operation until its CQE has been read. Errors: results are -errno of the host (error_of() makes
// them std::error_code). A misused id, offset or length is the error of that operation's
// completion, -EBADF for sockets and -EFAULT for buffers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "ioring/completions.hpp"
#include "ioring/detail/ring_core.hpp"
#include "ioring/endpoint.hpp"
#include "ioring/fd.hpp"
#include "ioring/ids.hpp"
#include "ioring/listener.hpp"
#include "ioring/prep.hpp"
#include "ioring/probe.hpp"
#include "ioring/ring_options.hpp"

namespace ioring {

namespace detail {
class ring_state;
struct ring_access;
}  // namespace detail

// The backends built into this library, best first. Being listed is no promise that one works here.
[[nodiscard]] std::span<const std::string_view> backend_names() noexcept;

// A pair of queues and the backend that serves them. Move-only; see above.
class ring {
public:
    // For waits without a bound.
    static constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();

    // A ring that is none: every prepare is nullptr. Assign one from create().
    ring() noexcept;
    // `other` is then none; the assigned one ends as its destructor says. What is in flight goes
    // on.
    ring(ring&& other) noexcept;
    ring& operator=(ring&& other) noexcept;
    // Cancels what is in flight and waits for its end, options.drain_timeout at most; then leaks
    // what the kernel may still write to. Call it on the owner's thread: from another one nothing
    // can be cancelled, and registered memory is leaked if anything is in flight.
    ~ring();

    // Makes `out` a ring of `options`. On error `out` is unchanged and `why`, when given, says in
    // one sentence what was refused and what can be done.
    //
    // Errors: invalid_argument    an option is out of range, names a backend that there is not, or
    //                             contradicts another; or IORING_BACKEND does
    //         not_supported, operation_not_permitted
    //                             this machine refuses the backend that was demanded, or every one
    //                             that may be chosen
    //         not_enough_memory, too_many_files_open
    //                             a limit; no other backend is tried
    [[nodiscard]] static std::error_code create(const ring_options& options, ring& out,
                                                std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As above; throws std::system_error whose what() carries the sentence.
    [[nodiscard]] static ring create(const ring_options& options = {});
#endif

    // There is a ring.
    [[nodiscard]] bool valid() const noexcept { return state_ != nullptr; }

    // --- preparing ---------------------------------------------------------------------------

    // The next free SQE, zeroed, or nullptr when the queue is full: submit(), then ask again. The
    // ring owns it; write to it until the next submit. The same holds for what every prepare_*
    // returns.
    [[nodiscard]] sqe* get_sqe() noexcept {
        sqe* const entry = next_sqe();
        if (entry != nullptr) *entry = sqe{};
        return entry;
    }

    // SQEs that can be prepared before the next submit.
    [[nodiscard]] std::uint32_t submission_queue_space() const noexcept {
        return core_->sq_usable - std::min(core_->sq_usable, core_->sq_used());
    }

    // Guarantees `count` free SQEs, and submits if it must, so that a chain is not split. False
    // when that cannot be: count is over the queue's size, or the backend takes nothing until
    // completions are read.
    [[nodiscard]] bool reserve(std::uint32_t count) noexcept {
        if (submission_queue_space() >= count) return true;
        if (count > core_->sq_usable) return false;
        submit();
        return submission_queue_space() >= count;
    }

    // Each fills an SQE as the prep_* function of its name does (prep.hpp) and returns it, or
    // nullptr when the queue is full; nothing has happened then. What probe() does not list
    // completes with -EINVAL.
    sqe* prepare_nop(std::uint64_t user_data) noexcept { return fill<prep_nop>(user_data); }
    // Accepts one connection, close-on-exec: the result is its descriptor.
    sqe* prepare_accept(fd listener, std::uint64_t user_data) noexcept {
        return fill<prep_accept>(listener, nullptr, nullptr, socket_flag::cloexec, user_data);
    }
    sqe* prepare_accept(fd listener, ::sockaddr* address, std::uint32_t* address_bytes,
                        std::uint64_t user_data) noexcept {
        return fill<prep_accept>(listener, address, address_bytes, socket_flag::cloexec, user_data);
    }
    // Accepts until a CQE comes without `more`: then prepare it again.
    sqe* prepare_accept_multishot(fd listener, std::uint64_t user_data) noexcept {
        return fill<prep_accept_multishot>(listener, socket_flag::cloexec, user_data);
    }
    // Connects a socket of open_socket(). `peer` must stay until the completion.
    sqe* prepare_connect(fd socket, const endpoint& peer, std::uint64_t user_data) noexcept {
        return fill<prep_connect>(socket, static_cast<const ::sockaddr*>(peer.data()),
                                  static_cast<std::uint32_t>(peer.size()), user_data);
    }
    // Receives into `buffer`; the result is the bytes, 0 at the end of the stream.
    sqe* prepare_recv(fd socket, std::span<std::byte> buffer, std::uint64_t user_data,
                      std::uint32_t msg_flags = 0) noexcept {
        return fill<prep_recv>(socket, buffer, msg_flags, user_data);
    }
    // Receives into a buffer of `group` (buffer_group::id()).
    sqe* prepare_recv_select(fd socket, std::uint16_t group, std::uint64_t user_data) noexcept {
        return fill<prep_recv_select>(socket, group, 0U, 0U, user_data);
    }
    // Likewise, one CQE a chunk until one comes without `more`.
    sqe* prepare_recv_multishot(fd socket, std::uint16_t group, std::uint64_t user_data) noexcept {
        return fill<prep_recv_multishot>(socket, group, 0U, user_data);
    }
    // All of `bytes` unless an error or a shutdown comes between; never SIGPIPE.
    sqe* prepare_send(fd socket, std::span<const std::byte> bytes, std::uint64_t user_data,
                      std::uint32_t msg_flags = send_flags) noexcept {
        return fill<prep_send>(socket, bytes, msg_flags, user_data);
    }
    // As prepare_send(), of `count` pieces; where probe() has feature::send_vectorized.
    sqe* prepare_send_vectorized(fd socket, const ::iovec* pieces, std::uint32_t count,
                                 std::uint64_t user_data) noexcept {
        return fill<prep_send_vectorized>(socket, pieces, count, send_flags, user_data);
    }
    // Where the backend has no feature::send_zero_copy, a plain send: its one CQE has no `more`,
    // and so no notification follows, which programs meet with errors too.
    sqe* prepare_send_zc(fd socket, std::span<const std::byte> bytes,
                         std::uint64_t user_data) noexcept;
    // As prepare_send(), of what `*message` says.
    sqe* prepare_sendmsg(fd socket, const ::msghdr* message, std::uint64_t user_data,
                         std::uint32_t msg_flags = send_flags) noexcept {
        return fill<prep_sendmsg>(socket, message, msg_flags, user_data);
    }
    // As prepare_recv(), into what `*message` says.
    sqe* prepare_recvmsg(fd socket, ::msghdr* message, std::uint64_t user_data,
                         std::uint32_t msg_flags = 0) noexcept {
        return fill<prep_recvmsg>(socket, message, msg_flags, user_data);
    }
    // One CQE a datagram, in buffers of `group`: prep_recvmsg_multishot().
    sqe* prepare_recvmsg_multishot(fd socket, const ::msghdr* pattern, std::uint16_t group,
                                   std::uint64_t user_data, std::uint32_t msg_flags = 0) noexcept {
        return fill<prep_recvmsg_multishot>(socket, pattern, group, msg_flags, user_data);
    }
    // As shutdown_now(), as an operation: in a chain, for example.
    sqe* prepare_shutdown(fd socket, shutdown_how how, std::uint64_t user_data) noexcept {
        return fill<prep_shutdown>(socket, how, user_data);
    }
    // Cancels the operation whose user_data is `target`; it posts its own CQE too.
    sqe* prepare_cancel(std::uint64_t target, std::uint64_t user_data,
                        std::uint32_t cancel_flags = 0) noexcept {
        return fill_cancel<prep_cancel>(target, cancel_flags, user_data);
    }
    // Cancels what is in flight on `socket`; the result is how many.
    sqe* prepare_cancel_fd(fd socket, std::uint64_t user_data,
                           std::uint32_t cancel_flags = cancel_flag::all) noexcept {
        return fill_cancel<prep_cancel_fd>(socket, cancel_flags, user_data);
    }
    // Cancels all that is in flight on the ring; the result is how many.
    sqe* prepare_cancel_everything(std::uint64_t user_data) noexcept {
        return fill_cancel<prep_cancel_everything>(user_data);
    }
    // Completes with the poll_event bits that are there, once.
    sqe* prepare_poll_add(fd file, std::uint32_t events, std::uint64_t user_data) noexcept {
        return fill<prep_poll_add>(file, events, user_data);
    }
    // Likewise, each time, until one comes without `more`.
    sqe* prepare_poll_multishot(fd file, std::uint32_t events, std::uint64_t user_data) noexcept {
        return fill<prep_poll_multishot>(file, events, user_data);
    }
    // Changes the poll whose user_data is `target`.
    sqe* prepare_poll_update(std::uint64_t target, std::uint64_t new_user_data,
                             std::uint32_t events, std::uint32_t poll_flags,
                             std::uint64_t user_data) noexcept {
        return fill<prep_poll_update>(target, new_user_data, events, poll_flags, user_data);
    }
    // Ends the poll whose user_data is `target`.
    sqe* prepare_poll_remove(std::uint64_t target, std::uint64_t user_data) noexcept {
        return fill_cancel<prep_poll_remove>(target, user_data);
    }
    // -ETIME after `*time`, or 0 after `completions` others (0: time alone).
    sqe* prepare_timeout(const kernel_timespec* time, std::uint64_t user_data,
                         std::uint32_t completions = 0, std::uint32_t flags = 0) noexcept {
        return fill<prep_timeout>(time, completions, flags, user_data);
    }
    // Gives the timeout whose user_data is `target` another time.
    sqe* prepare_timeout_update(const kernel_timespec* time, std::uint64_t target,
                                std::uint64_t user_data, std::uint32_t flags = 0) noexcept {
        return fill<prep_timeout_update>(time, target, flags, user_data);
    }
    // Ends the timeout whose user_data is `target`.
    sqe* prepare_timeout_remove(std::uint64_t target, std::uint64_t user_data) noexcept {
        return fill_cancel<prep_timeout_remove>(target, user_data);
    }
    // Bounds the operation before it, which must carry sqe_flag::io_link.
    sqe* prepare_link_timeout(const kernel_timespec* time, std::uint64_t user_data,
                              std::uint32_t flags = 0) noexcept {
        return fill<prep_link_timeout>(time, flags, user_data);
    }
    // Between rings of one backend that has it; else -EINVAL or -EBADF. target.post() reaches any
    // ring, from any thread.
    sqe* prepare_msg_ring(const ring& target, std::int32_t res, std::uint64_t target_user_data,
                          std::uint64_t user_data) noexcept;
    // These three are not everywhere (Linux 5.19 and 6.11), and then -EINVAL: ask
    // probe().supports(). The ring does not turn them into something else behind the program's
    // back: open_socket() and create_listener() do the same at once, on every backend.
    sqe* prepare_socket(std::int32_t domain, std::uint32_t type, std::uint32_t protocol,
                        std::uint64_t user_data) noexcept {
        return fill<prep_socket>(domain, type, protocol, user_data);
    }
    // As prepare_socket(), of bind(). `address` must stay until the completion.
    sqe* prepare_bind(fd socket, const endpoint& address, std::uint64_t user_data) noexcept {
        return fill<prep_bind>(socket, static_cast<const ::sockaddr*>(address.data()),
                               static_cast<std::uint32_t>(address.size()), user_data);
    }
    // As prepare_socket(), of listen().
    sqe* prepare_listen(fd socket, std::uint32_t backlog, std::uint64_t user_data) noexcept {
        return fill<prep_listen>(socket, backlog, user_data);
    }

    // Cancels what is in flight on `socket`, then closes it: two SQEs or none. Each operation posts
    // its own CQE, and `user_data` comes with the close's result. The managed layer's way (cancel
    // by user_data, then close_now) is cheaper when very much is in flight on the ring.
    sqe* prepare_close(fd socket, std::uint64_t user_data) noexcept;

    // --- registered sockets and buffers ------------------------------------------------------

    // Receives into `bytes` bytes at `offset` of a registered buffer. A plain RECV on Linux; what
    // registration is for on Windows. A stale
    // connection completes with -EBADF; a stale buffer, or a range of 0 bytes or past its end, with
    // -EFAULT.
    sqe* prepare_recv_buffer(connection_id connection, buffer_id buffer, std::uint64_t offset,
                             std::uint32_t bytes, std::uint64_t user_data) noexcept {
        sqe* const entry = next_sqe();
        if (entry == nullptr) return nullptr;
        const fd socket = core_->find_socket(connection);
        std::byte* const data = core_->find_bytes(buffer, offset, bytes);
        if (data == nullptr) return refuse(entry, socket, user_data);
        prep_recv(*entry, socket, {data, bytes}, /*msg_flags=*/0, user_data);
        core_->name_buffer(*entry, buffer);
        return entry;
    }
    // As prepare_recv_buffer(), the other way: all bytes, no SIGPIPE.
    sqe* prepare_send_buffer(connection_id connection, buffer_id buffer, std::uint64_t offset,
                             std::uint32_t bytes, std::uint64_t user_data) noexcept {
        sqe* const entry = next_sqe();
        if (entry == nullptr) return nullptr;
        const fd socket = core_->find_socket(connection);
        std::byte* const data = core_->find_bytes(buffer, offset, bytes);
        if (data == nullptr) return refuse(entry, socket, user_data);
        prep_send(*entry, socket, {data, bytes}, send_flags, user_data);
        core_->name_buffer(*entry, buffer);
        return entry;
    }
    // As prepare_send_buffer, without a copy where the system can: SEND_ZC from memory that the
    // kernel has pinned (at the first such call on it, which costs one system call; see
    // backend_info().registration). Posts two CQEs, as prep_send_zc says, or one where it fell back
    // to a plain send. Never pays on loopback.
    sqe* prepare_send_buffer_zc(connection_id connection, buffer_id buffer, std::uint64_t offset,
                                std::uint32_t bytes, std::uint64_t user_data) noexcept;

    // Makes `memory` known under `out` until unregister_buffer(). The ring does not own it: it must
    // stay until then and until nothing is in flight on it. At most 4 GiB - 1. Errors:
    // invalid_argument (empty or too long), no_buffer_space (registered_buffers_max),
    // not_enough_memory.
    [[nodiscard]] std::error_code register_buffer(std::span<std::byte> memory,
                                                  buffer_id& out) noexcept;
    // Cuts `memory` into out.size() pieces of equal size (which must come out even) under an id
    // each: one registration with the kernel where there is one.
    [[nodiscard]] std::error_code register_buffers(std::span<std::byte> memory,
                                                   std::span<buffer_id> out) noexcept;
    // The id is stale from now on. Errors: invalid_argument when it already was.
    std::error_code unregister_buffer(buffer_id buffer) noexcept;

    // Gives `socket` an id for the buffer operations. Errors: bad_file_descriptor, no_buffer_space
    // when options.connections_max sockets are registered.
    //
    // Windows, backend rio: `socket` must be connected, and from now on until it is closed only
    // prepare_recv_buffer() and prepare_send_buffer() move its bytes; every other receive, send or
    // poll on it is -EOPNOTSUPP. A buffer can be sent by one socket at a time: -EBUSY. What is in
    // flight cannot be cancelled (-EALREADY): close the socket, by the ring. It is closed when the
    // ring ends; its number stays until you close it. Errors, too: wrong_protocol_type (no stream,
    // or made before the first such ring), device_or_resource_busy (operations are in flight on it,
    // or another ring has it), not_enough_memory.
    [[nodiscard]] std::error_code register_socket(fd socket, connection_id& out) noexcept;
    // The id is stale from now on; the descriptor stays open. Errors: invalid_argument when it
    // already was.
    std::error_code unregister_socket(connection_id connection) noexcept;
    // The descriptor of a registered socket, or an invalid one when the id is stale.
    [[nodiscard]] fd socket_of(connection_id connection) const noexcept {
        return core_->find_socket(connection);
    }

    // --- moving ------------------------------------------------------------------------------

    // Hands what is prepared to the backend without blocking. Returns how many SQEs it took, or
    // -EBUSY or -EAGAIN when completions must be read first: what it did not take stays prepared.
    // It does not fetch completions: a loop that only submits and iterates, and never waits or
    // peeks, may see none.
    int submit() noexcept { return submit_and_wait(0, std::chrono::nanoseconds::zero()); }

    // As submit(), then waits until `min_complete` completions can be read (at most the queue's
    // size), `timeout` has passed, wake() was called, or a signal came; one system call for both
    // where the backend can. Waits even with nothing in flight. Returns how many SQEs it took; the
    // end of the time and a wake are no errors. -EINTR only when it took none.
    int submit_and_wait(std::uint32_t min_complete,
                        std::chrono::nanoseconds timeout = forever) noexcept;

    // What is ready now, to iterate over once; never enters. See completion_range.
    [[nodiscard]] completion_range completions() noexcept { return completion_range{*core_}; }

    // Copies ready completions, oldest first, without consuming them: advance_completion_queue()
    // does. When there are none and the backend says that it holds some back, enters once without
    // waiting. Returns how many.
    [[nodiscard]] std::size_t peek_completions(std::span<cqe> out) noexcept;

    // Submits, waits as submit_and_wait() for `min_complete`, and copies as peek_completions().
    // Returns how many it copied, or -errno.
    [[nodiscard]] int wait_completions(std::span<cqe> out, std::uint32_t min_complete,
                                       std::chrono::nanoseconds timeout = forever) noexcept;

    // Consumes the `count` oldest completions, which the last peek or wait has shown; more than are
    // there is cut.
    void advance_completion_queue(std::size_t count) noexcept;

    // Completions that can be read without entering.
    [[nodiscard]] std::size_t completion_queue_count() noexcept;

    // Any thread and any signal handler, while the ring exists: ends the owner's current or next
    // wait. Many calls before that wait are one.
    void wake() noexcept;
    // Any thread and any signal handler, while the ring exists: adds a completion {user_data, res}
    // and wakes the owner. False, and nothing happened, when options.posts_max posts wait to be
    // read.
    [[nodiscard]] bool post(std::uint64_t user_data, std::int32_t res) noexcept;

    // --- sockets -----------------------------------------------------------------------------

    // Binds and listens. `address` is "127.0.0.1:5000", "[::]:5000", "unix:/path" (no names:
    // resolve()). On error `out` is unchanged and `why` names the address.
    [[nodiscard]] std::error_code create_listener(std::string_view address,
                                                  const listen_options& options, listener& out,
                                                  std::string* why = nullptr) noexcept;
    [[nodiscard]] std::error_code create_listener(const endpoint& address,
                                                  const listen_options& options, listener& out,
                                                  std::string* why = nullptr) noexcept;
#if defined(__cpp_exceptions)
    // As above; throws std::system_error.
    [[nodiscard]] listener create_listener(std::string_view address,
                                           const listen_options& options = {});
#endif
    // Cancels the accepts in flight (their CQEs still come) and closes.
    void close_listener(listener& which) noexcept { which.close(); }

    // Makes `out` an unconnected stream socket for prepare_connect(), owned by the caller
    // (close_now). Errors: address_family_not_supported, too_many_files_open.
    [[nodiscard]] std::error_code open_socket(address_family family, fd& out) noexcept;
    // Blocks: connects to the first of `peers` (resolve() gives them) that answers, within
    // `timeout` for all of them, and makes `out` the socket, owned by the caller, and `which` its
    // address. Error: that of the last peer; `why` tells of each.
    [[nodiscard]] std::error_code connect_now(std::span<const endpoint> peers,
                                              std::chrono::nanoseconds timeout, fd& out,
                                              endpoint* which = nullptr,
                                              std::string* why = nullptr) noexcept;
    // Options of an accepted or connected stream socket. Errors: what setsockopt gives.
    std::error_code configure_socket(fd socket, const stream_options& options = {}) noexcept;
    // Ends a direction at once, without an SQE: 0 or -errno.
    int shutdown_now(fd socket, shutdown_how how) noexcept;
    // Closes at once, without an SQE, and does not cancel: see prepare_close(). 0 or -errno.
    int close_now(fd socket) noexcept;
    // The system's own descriptor, -1: there is none. POSIX: the same number. Windows: the SOCKET.
    [[nodiscard]] static std::intptr_t native(fd socket) noexcept;
    // The library's name for a descriptor of the system's. Windows: once for each SOCKET, and from
    // then on close it by the ring.
    [[nodiscard]] static fd adopt(std::intptr_t native) noexcept;

    // --- what it is --------------------------------------------------------------------------

    // Which backend it has, and why. Good for as long as the ring.
    [[nodiscard]] const ioring::backend_info& backend_info() const noexcept;
    // What that backend honours. Good for as long as the ring.
    [[nodiscard]] const probe_result& probe() const noexcept;
    // What has happened so far. The reference stays good; the numbers go on.
    [[nodiscard]] const ring_counters& counters() const noexcept { return core_->counters; }
    // Operations that have not posted their last CQE, or posted it unread.
    [[nodiscard]] std::uint64_t in_flight() const noexcept;
    // True when `done` moved `expected_bytes`; a shorter transfer is counted, an error is not.
    bool transferred_all(const cqe& done, std::uint32_t expected_bytes) noexcept {
        if (done.res < 0) return false;
        if (static_cast<std::uint32_t>(done.res) >= expected_bytes) return true;
        ++core_->counters.short_transfers;
        return false;
    }

private:
    friend struct detail::ring_access;

    static constexpr std::uint32_t send_flags = msg_flag::no_signal | msg_flag::wait_all;

    [[nodiscard]] sqe* next_sqe() noexcept { return core_->take_sqe(core_->sq_usable); }

    template <auto Prep, class... Arguments>
    sqe* fill(Arguments... arguments) noexcept {
        sqe* const entry = next_sqe();
        if (entry != nullptr) Prep(*entry, arguments...);
        return entry;
    }

    // Cancels may also use the entries that are kept for them.
    template <auto Prep, class... Arguments>
    sqe* fill_cancel(Arguments... arguments) noexcept {
        sqe* const entry = core_->take_sqe(core_->sq_cancel_limit);
        if (entry != nullptr) Prep(*entry, arguments...);
        return entry;
    }

    // An entry that every backend completes with -EBADF for a bad descriptor and with -EFAULT
    // otherwise: no backend pins a buffer in the last slot.
    static sqe* refuse(sqe* entry, fd socket, std::uint64_t user_data) noexcept {
        prep_read_fixed(*entry, socket, {}, /*offset=*/0, /*buffer_slot=*/0xffff, user_data);
        return entry;
    }

    std::shared_ptr<detail::ring_state> state_;
    detail::ring_core* core_;  // Never null: of no ring at all when there is no state.
};

}  // namespace ioring
