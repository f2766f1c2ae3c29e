# SPDX-License-Identifier: MIT
# mutations.py - the bugs that the tests must find: each an exact text of a source and what becomes
# of it.
#
# A text must occur exactly once in its file (the test tidy.mutations); when the source changes, so
# does the mutation. What `found_by` lists must find it: "conformance" the suite on `backends`,
# "differential" random programs on io_uring and the first of them. Only what a program can see is
# for the latter.
import os
from dataclasses import dataclass

KERNEL = "src/backend/emulation/user_kernel.cpp"
CANCEL = "src/backend/emulation/cancel.cpp"
TIMEOUTS = "src/backend/emulation/timeouts.cpp"
QUEUES = "src/backend/emulation/queues.cpp"
GROUPS = "src/backend/emulation/buffer_groups.cpp"
READINESS = "src/backend/readiness/readiness_kernel.cpp"
LIMITS = "src/backend/readiness/readiness_kernel.hpp"
TRANSFERS = "src/backend/readiness/transfers.cpp"
OUTCOME = "src/backend/emulation/outcome.hpp"
SOCKETS = "src/backend/readiness/sockets.cpp"
POLLS = "src/backend/readiness/polls.cpp"
LINUX = "src/backend/readiness/system_linux.cpp"
KQUEUE = "src/backend/readiness/poller_kqueue.cpp"

BOTH = ("conformance", "differential")
SUITE = ("conformance",)


@dataclass
class Mutation:
    name: str
    suites: str  # Of the conformance suite's, those that are to see it: they are run first.
    file: str
    old: str
    new: str
    found_by: tuple = BOTH
    backends: tuple = ("epoll",)

    def read(self, root):
        """The path and the text of its file below `root`; ValueError when it does not apply."""
        path = os.path.join(root, self.file)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"its text occurs {count} times in {self.file}, not once")
        return path, text


MUTATIONS = [
    # Those that a trial has taught.
    Mutation("a second receive replaces the first", "recv_test order_test", READINESS,
             """            of->queue(which).push(op);
            return true;
""", """            while (of->queue(which).first != nullptr) {
                of->queue(which).remove(*of->queue(which).first);
            }
            of->queue(which).push(op);
            return true;
"""),
    Mutation("close does not cancel", "close_test", READINESS,
             """            (void)cancel_descriptor(asked.fd);
            finish(op, close_descriptor(asked.fd));
""", """            finish(op, close_descriptor(asked.fd));
"""),
    Mutation("reads are tried while a connect is pending", "connect_test", READINESS,
             "if (of->queue(which).first != nullptr || of->connecting != nullptr) {",
             "if (of->queue(which).first != nullptr) {", SUITE),
    Mutation("a send to a dead peer raises SIGPIPE", "send_test",
             "src/backend/readiness/system.hpp",
             "constexpr std::uint32_t always = msg_flag::dont_wait | msg_flag::no_signal;",
             "constexpr std::uint32_t always = msg_flag::dont_wait;"),
    Mutation("EV_DISPATCH re-arms without EV_ENABLE", "recv_test poll_test", KQUEUE,
             "(state.clear & of.direction) != 0 ? EV_CLEAR : EV_ONESHOT;",
             "(state.clear & of.direction) != 0 ? EV_CLEAR : EV_DISPATCH;",
             backends=("kqueue",)),
    Mutation("a connect is judged by SO_ERROR alone", "connect_test", LINUX,
             "    if (::connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0) "
             "return 0;\n    if (errno == EISCONN) return 0;\n",
             "    int error = 0;\n    bytes = sizeof error;\n"
             "    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);\n    return -error;\n",
             SUITE, ("epoll", "epoll_faulty")),
    Mutation("the cap on one receive's turn is removed", "multishot_recv_test order_test", LIMITS,
             "static constexpr int shots_turn_max = 32;",
             "static constexpr int shots_turn_max = 1'000'000;", SUITE),
    Mutation("the cap on one descriptor's turn is removed", "order_test odd_corners_test", LIMITS,
             "static constexpr int operations_turn_max = 16;",
             "static constexpr int operations_turn_max = 1'000'000;", SUITE),
    Mutation("EV_ERROR in the event list is ignored", "refusal_test fd_reuse_test", KQUEUE,
             "if ((told.flags & EV_ERROR) != 0) return take_refusal(from, index, event);",
             "if ((told.flags & EV_ERROR) != 0) return false;", SUITE, ("kqueue",)),

    # Cancelling.
    Mutation("a cancel loses its target's completion", "cancel_test", CANCEL,
             "    finish(target, moved > 0 ? moved : -ECANCELED, target.kept_buffer, ",
             "    if (moved > 0) finish(target, moved, target.kept_buffer, "),
    Mutation("a cancelled transfer does not tell what has moved", "cancel_test", CANCEL,
             "finish(target, moved > 0 ? moved : -ECANCELED,",
             "finish(target, moved > 0 ? -ECANCELED : -ECANCELED,"),
    Mutation("a cancel by descriptor hits others", "cancel_test", CANCEL,
             "if ((flags & cancel_flag::by_fd) != 0 && (op.timer || op.entry.fd != asked.fd)) "
             "return false;",
             "if ((flags & cancel_flag::by_fd) != 0 && op.timer) return false;"),
    Mutation("a poll's update keeps the old events", "poll_test", CANCEL,
             "target.entry.op_flags = asked.op_flags;", "{}"),

    # Links.
    Mutation("followers run after a failure", "link_test", KERNEL,
             "if (failed && (op.early_result != 0 || !op.has_flag(sqe_flag::io_hardlink))) {",
             "if (failed && op.early_result != 0) {"),
    Mutation("a hard link is treated as a soft one", "link_test", KERNEL,
             "if (failed && (op.early_result != 0 || !op.has_flag(sqe_flag::io_hardlink))) {",
             "if (failed) {"),
    Mutation("a chain with an invalid member starts", "link_test", KERNEL,
             "            chain_.head->early_result = -ECANCELED;\n", ""),
    Mutation("an error is silent where a success was to be", "flags_test link_test", KERNEL,
             "if (!failed && op.has_flag(sqe_flag::cqe_skip_success)) return;",
             "if (op.has_flag(sqe_flag::cqe_skip_success)) return;"),
    Mutation("a link timeout does not end what it bounds", "link_timeout_test", TIMEOUTS,
             "        end_cancelled(target);\n"
             "        finish(timer, -ETIME, 0, /*failed=*/false);\n",
             "        finish(timer, -ETIME, 0, /*failed=*/false);\n"),

    # Timers and waiting.
    Mutation("a timer does not fire in an idle wait", "timeout_test", KERNEL,
             "sleep_ns = until_ns(std::min(deadline, timers_.earliest_ns()));",
             "sleep_ns = until_ns(deadline);", SUITE),
    Mutation("a count of completions is one too many", "timeout_test", TIMEOUTS,
             "posted_count_ + static_cast<std::uint32_t>(op.entry.off);",
             "posted_count_ + 1 + static_cast<std::uint32_t>(op.entry.off);"),
    Mutation("what finds the completion queue full is dropped", "queue_test", QUEUES,
             "    overflow_[overflow_tail_++ & (overflow_.size() - 1)] = done;\n", ""),

    # Transfers.
    Mutation("a receive of all stops at the first part", "recv_test", OUTCOME,
             "if (is_short && res > 0 && may_wait && is_stream()) {",
             "if (is_short && res > 0 && may_wait && op.entry.op != opcode::recv) {"),
    Mutation("a multishot receive drops the end of the stream", "multishot_recv_test", TRANSFERS,
             "if (res == 0) return {.failed = wants_all(op), .res = 0};",
             "if (res == 0) return {.what = kind::blocks};"),
    Mutation("a multishot receive ends after one", "multishot_recv_test", TRANSFERS,
             "if (!multishot || !post_more(op, res, flags)) {",
             "if (multishot || !post_more(op, res, flags)) {"),
    Mutation("a multishot accept ends after one", "multishot_accept_test", SOCKETS,
             "if (!multishot || !post_more(op, made, 0)) return {.res = made};",
             "return {.res = made};"),
    Mutation("a receive without a buffer drops bytes", "buffer_group_test last_buffer_test",
             TRANSFERS,
             "            return {.failed = true, .res = -ENOBUFS};\n",
             "            std::byte lost{};\n"
             "            (void)system::receive(asked.fd, &lost, 1, 0);\n"
             "            return {.failed = true, .res = -ENOBUFS};\n"),
    Mutation("a receive of all into a group's buffer stops at the first part", "buffer_group_test",
             OUTCOME, "return bytes < room && wants_all(op) &&",
             "return false && bytes < room && wants_all(op) &&"),
    Mutation("a cancelled receive forgets the buffer that it keeps", "buffer_group_test", CANCEL,
             "moved > 0 ? moved : -ECANCELED, target.kept_buffer,",
             "moved > 0 ? moved : -ECANCELED, 0,"),
    Mutation("a second call loses the descriptors of the first", "message_rights_test", TRANSFERS,
             "message.msg_controllen != 0 ? 0 : into.bytes;", "into.bytes;"),
    Mutation("a half-used buffer is called used up", "incremental_group_test", GROUPS,
             "return flags | cqe_flag::buffer_more;", "return flags;"),
    Mutation("what may not wait waits", "recv_test send_test", READINESS,
             "            if (!dont_wait) return park(op, which);\n",
             "            if (!dont_wait || op.bytes_done == 0) return park(op, which);\n"),
    Mutation("an error after a part hides the part", "recv_test send_test", OUTCOME,
             ".res = moved > 0 ? moved : res,", ".res = moved > 0 ? res : res,"),
    Mutation("a poll tells of what nobody asked for", "poll_test", POLLS,
             "(op.entry.op_flags | always));", "(op.entry.op_flags | always | poll_event::out));"),
    Mutation("a poll looks for room where it should look for bytes", "poll_test", POLLS,
             "if ((events & poll_event::in) != 0) directions |= direction::read;",
             "if ((events & poll_event::in) != 0) directions |= direction::write;",
             SUITE, ("poll", "kqueue")),
]
