#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# wine_run_test.py - what runs programs under Wine keeps their status, signals and time, and repeats
# only what ended before it can have begun.
import os
import signal
import subprocess
import sys
import tempfile
import unittest

RUN = os.path.join(os.environ["IORING_SOURCE_DIR"], "cmake", "toolchains", "wine_run.py")
WAIT_S = 30
NEVER_S = 0


def start(script, *arguments, seconds=WAIT_S, soon=NEVER_S):
    return subprocess.Popen([sys.executable, "-B", RUN, str(seconds), str(soon), "sh", "-c", script,
                             "sh", *arguments], stdout=subprocess.PIPE, text=True)


def run(script, *arguments, **times):
    process = start(script, *arguments, **times)
    out, _ = process.communicate(timeout=WAIT_S)
    return process.returncode, out


class WineRun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.mark = os.path.join(folder.name, "mark")

    def test_a_status_is_the_programs(self):
        self.assertEqual((0, "said\n"), run("echo said"))
        self.assertEqual((3, ""), run("exit 3"))
        self.assertEqual((128 + signal.SIGSEGV, ""), run("kill -SEGV $$", seconds=0))

    def test_what_ends_too_soon_is_run_once_more(self):
        script = 'if [ -e "$1" ]; then echo again; else : >"$1"; exit 1; fi'
        self.assertEqual((0, "again\n"), run(script, self.mark, soon=WAIT_S))
        self.assertEqual((5, "no\nno\n"), run("echo no; exit 5", soon=WAIT_S))
        self.assertEqual((0, "well\n"), run("echo well", soon=WAIT_S))

    def test_what_has_run_is_not_repeated(self):
        self.assertEqual((1, "once\n"), run("echo once; sleep 0.2; exit 1", soon=0.1))

    def test_time_that_is_over_ends_it_even_when_it_does_not_listen(self):
        self.assertEqual((124, ""), run("exec sleep 60", seconds=0.2))
        self.assertEqual((124, ""), run("trap '' TERM; exec sleep 60", seconds=0.2))

    def test_a_signal_is_the_programs(self):
        script = ("trap 'exit 7' INT; trap 'exit 8' TERM; echo ready; "
                  "while :; do sleep 0.05; done")
        for number, status in ((signal.SIGINT, 7), (signal.SIGTERM, 8)):
            process = start(script)
            self.assertEqual("ready\n", process.stdout.readline())
            process.send_signal(number)
            process.communicate(timeout=WAIT_S)
            self.assertEqual(status, process.returncode)


if __name__ == "__main__":
    unittest.main(verbosity=2)
