# SPDX-License-Identifier: MIT
# echo_syscalls_test.py - under load the server enters the kernel once a turn and calls nothing
# else, seen from outside by strace and compared with the library's own counters. On epoll it calls
# what moves bytes and what waits for them.
#
# Skipped where strace may not trace (some containers forbid ptrace).
import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

import echo_support as support
from echo_load import SteadyLoad

CALL = re.compile(r"^\d+ +(\w+)\(")
CONNECTIONS = 10
MARK = "--- SIGWINCH"  # Ignored by the server, noted by strace.


def may_trace():
    try:
        return subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True,
                              timeout=support.WAIT_S, check=False).returncode == 0
    except FileNotFoundError:
        return False


class EchoSyscalls(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile()
        self.addCleanup(self.file.close)

    def start(self):
        # -D: the server is our child, not strace's.
        return support.Server(
            self, command=["strace", "-D", "-f", "-s", "20", "-o", self.file.name])

    def trace(self):
        with open(self.file.name, encoding="utf-8") as file:
            return file.read().splitlines()

    def finished_trace(self):
        """The trace of a server that has ended; strace writes its last line a little later."""
        support.until(lambda: self.trace() and "+++ exited with" in self.trace()[-1])
        return self.trace()

    def mark(self, server, count):
        server.process.send_signal(signal.SIGWINCH)
        support.until(lambda: sum(MARK in line for line in self.trace()) >= count)

    def test_the_library_counts_every_enter(self):
        if support.backend() == "epoll":
            return  # Its enters are calls of functions.
        server = self.start()
        load = SteadyLoad(server, connections=10)
        load.run(30)
        load.close()
        report = server.stop()
        lines = self.finished_trace()
        begin = next(i for i, line in enumerate(lines) if '"listening on' in line)
        written = next(i for i, line in enumerate(lines) if 'write(1, "{' in line)
        # Counted to the last look at the CPU time; the end of the server comes after it.
        end = max(i for i, line in enumerate(lines[:written]) if "getrusage(" in line)
        enters = sum("io_uring_enter(" in line for line in lines[begin:end])
        self.assertEqual(enters, report["enters_in_all"])
        # There was a load: what a connection sends comes in one receive at least.
        self.assertGreaterEqual(report["messages"], 10)
        self.assertLessEqual(report["enters"], report["turns"] + report["wakes"])

    def test_a_steady_load_makes_no_other_call_than_enter(self):
        server = self.start()
        load = SteadyLoad(server, connections=CONNECTIONS)
        load.run(10)
        self.mark(server, 1)
        load.run(30)
        self.mark(server, 2)
        load.close()
        report = server.stop()
        lines = self.finished_trace()
        marks = [i for i, line in enumerate(lines) if MARK in line]
        calls = [CALL.match(line) for line in lines[marks[0]:marks[1]]]
        names = collections.Counter(call.group(1) for call in calls if call)
        if support.backend() == "epoll":
            self.check_epoll(names, report)
            return
        self.assertEqual({"io_uring_enter"}, set(names))
        # No more than a receive's and a send's turn each: 300 messages.
        self.assertLessEqual(len([call for call in calls if call]), report["turns"])

    def check_epoll(self, names, report):
        waits = names.pop("epoll_pwait2", 0) + names.pop("epoll_wait", 0)
        # One wait a turn: what could be done was done before.
        self.assertLessEqual(waits, report["turns"])
        arms = names.pop("epoll_ctl", 0)
        receives = names.pop("recvfrom", 0) + names.pop("recvmsg", 0)
        sends = names.pop("sendto", 0) + names.pop("sendmsg", 0)
        # A multishot receive whose group has run out asks whether there is anything to receive.
        polls = names.pop("poll", 0)
        # Whether it is TCP is asked once, before the first wait for a connection.
        self.assertLessEqual(names.pop("getsockopt", 0), CONNECTIONS)
        self.assertEqual({}, dict(names), "nothing else")
        self.assertLessEqual(polls, 300)
        # 300 messages, several of which may come in one piece, or one in several; a multishot
        # receive goes on until there is nothing left.
        self.assertLessEqual(sends, 2 * 300)
        self.assertLessEqual(receives, 3 * 300)
        self.assertLessEqual(arms, receives)


if __name__ == "__main__":
    if not may_trace():
        print("strace may not trace here")
        sys.exit(77)
    support.main()
