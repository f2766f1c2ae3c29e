# SPDX-License-Identifier: MIT
# demo_test.py - the demonstration shows every strategy, and does not hide what went wrong.
import os
import re
import signal
import stat
import subprocess
import sys
import tempfile
import unittest

import echo_support as support

RUN = os.path.join(support.HERE, "../../tools/demo/run")

# Stands in for ioring-load where a test wants a bad result.
FAKE_LOAD = """#!/bin/sh
echo '{"messages": 10, "bytes": 640, "errors": 0, "mismatches": 3, "messages_per_second": 5,
"latency_us": {"p50": 1, "p90": 1, "p99": 1, "p99_9": 1, "p99_99": 1, "max": 1}}' | tr -d '\\n'
echo "connection 7 got a foreign byte" >&2
exit 1
"""


class Demo(unittest.TestCase):
    def demonstrate(self, folder, *options):
        process = subprocess.Popen([sys.executable, "-B", RUN, "--bin", folder, *options],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   start_new_session=True)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def assert_nothing_left(self, process):
        """Nobody of the demonstration's session is alive."""
        def gone():
            try:
                os.killpg(process.pid, 0)
                return False
            except ProcessLookupError:
                return True
        support.until(gone, what="a process was left behind")

    def test_it_shows_every_strategy_and_verifies_all(self):
        process = self.demonstrate(support.BIN_DIR, "--seconds", "0.1")
        out, err = process.communicate(timeout=3 * support.WAIT_S)
        self.assertEqual(("", 0), (err.decode(), process.returncode))
        text = out.decode()
        self.assertTrue(text.startswith("listening on 127.0.0.1:"), text)
        for strategy in ("own-ring", "own-ring-multishot", "shared-pool"):
            self.assertEqual(5, len(re.findall(rf"^  {strategy} .* yes$", text, re.MULTILINE)))
        self.assertIn("every byte of them was verified", text.splitlines()[-1])
        self.assert_nothing_left(process)

    def test_on_epoll_it_shows_the_same_and_claims_less(self):
        process = self.demonstrate(support.BIN_DIR, "--seconds", "0.1", "--backend", "epoll")
        out, err = process.communicate(timeout=3 * support.WAIT_S)
        self.assertEqual(("", 0), (err.decode(), process.returncode))
        text = out.decode()
        self.assertIn("(backend epoll: asked for by name)", text.splitlines()[0])
        self.assertEqual(15, len(re.findall(r" yes$", text, re.MULTILINE)))
        self.assertIn("every byte of them was verified", text.splitlines()[-1])
        self.assertNotIn("one system call", text)
        self.assert_nothing_left(process)

    def fake_tools(self, load):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        os.symlink(os.path.abspath(support.ECHO), os.path.join(folder.name, "ioring-echo"))
        path = os.path.join(folder.name, "ioring-load")
        with open(path, "w", encoding="ascii") as file:
            file.write(load)
        os.chmod(path, stat.S_IRWXU)
        return folder.name

    def test_a_mismatch_is_told_and_the_status_is_not_0(self):
        process = self.demonstrate(self.fake_tools(FAKE_LOAD))
        out, _ = process.communicate(timeout=3 * support.WAIT_S)
        self.assertEqual(1, process.returncode)
        self.assertIn("NO: connection 7 got a foreign byte", out.decode())
        self.assertTrue(out.decode().splitlines()[-1].startswith("NOT GOOD: "))
        self.assert_nothing_left(process)

    def test_a_tool_that_fails_is_one_sentence(self):
        process = self.demonstrate(self.fake_tools("#!/bin/sh\necho broken >&2\nexit 9\n"))
        err = process.communicate(timeout=3 * support.WAIT_S)[1].decode()
        self.assertEqual(1, process.returncode)
        self.assertEqual("demo: ioring-load ended with status 9: broken\n", err)
        self.assert_nothing_left(process)

    def test_interrupted_it_leaves_nobody_behind(self):
        process = self.demonstrate(support.BIN_DIR, "--seconds", "60")
        # Both tools are under way when the first line is out and a client is connected.
        support.until(lambda: self.children(process) >= 2, what="the tools did not start")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=support.WAIT_S)
        self.assertEqual(130, process.returncode)
        self.assert_nothing_left(process)

    def children(self, process):
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            return len(file.read().split())


if __name__ == "__main__":
    unittest.main(verbosity=2)
