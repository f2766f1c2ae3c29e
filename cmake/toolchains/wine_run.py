#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# wine_run.py - what wine.sh becomes: wine_run.py SECONDS SOON COMMAND...
#
# Runs the command, passes SIGINT and SIGTERM on to it, ends it after so many seconds (0: never)
# with status 124, and has its status otherwise.
#
# Wine 8 itself now and then ends before the program has begun: one of some thousand tests failed
# after 0.03 s, without a word, of programs that take 0.13 s to start. What ends within SOON s,
# and not well, is run once more; a program that does so by itself does it again.
import signal
import subprocess
import sys
import time

KILL_AFTER_S = 5


class Run:
    def __init__(self, seconds):
        self.seconds = seconds
        self.child = None
        self.asked = []  # Signals that came, of which none is lost before there is a child.
        self.is_late = False
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, self.pass_on)
        signal.signal(signal.SIGALRM, self.end_it)

    def pass_on(self, number, _):
        self.asked.append(number)
        if self.child is not None:
            self.child.send_signal(number)

    def end_it(self, *_):
        if self.child is None:
            return
        self.child.send_signal(signal.SIGKILL if self.is_late else signal.SIGTERM)
        self.is_late = True
        signal.setitimer(signal.ITIMER_REAL, KILL_AFTER_S)

    def once(self, command):
        """The command's status as a shell has it, and how long it took."""
        began = time.monotonic()
        self.child = subprocess.Popen(command)
        for each in self.asked:
            self.child.send_signal(each)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)
        status = self.child.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        return status if status >= 0 else 128 - status, time.monotonic() - began


def main():
    run = Run(float(sys.argv[1]))
    soon_s = float(sys.argv[2])
    command = sys.argv[3:]
    status, took = run.once(command)
    if status != 0 and took < soon_s and not run.asked:
        status, _ = run.once(command)
    sys.exit(124 if run.is_late else status)


if __name__ == "__main__":
    main()
