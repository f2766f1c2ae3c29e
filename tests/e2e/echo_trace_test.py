# SPDX-License-Identifier: MIT
# echo_trace_test.py - a run of the server is recorded, printed, and played back without clients.
import json
import os
import subprocess
import tempfile
import unittest

import echo_support as support
import load_support as load

TRACE = os.path.join(support.BIN_DIR, "ioring-trace")


class EchoTrace(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "echo.trace")

    def record(self, backend):
        server = support.Server(self, "--backend", f"trace:{self.path}:{backend}")
        run = load.run("--port", server.port, "--connections", 5, "--size", 3000, "--depth", 4,
                       "--messages", 200, "--quiet")
        self.assertEqual(0, run.status, str(run))
        return server.stop(spins=True)

    def records(self):
        printed = subprocess.run([TRACE, "--json", self.path], capture_output=True, text=True,
                                 timeout=support.WAIT_S, check=True)
        return [json.loads(line) for line in printed.stdout.splitlines()]

    def test_a_recorded_server_does_the_same_without_clients(self):
        for backend in ("uring", "epoll", "fault:3@2:epoll"):
            with self.subTest(backend=backend):
                first = self.record(backend)
                # The clients' end is in the file, the signal that stopped the server is not.
                again = subprocess.run(
                    [support.ECHO, "--port", "0", *support.STRATEGIES[support.strategy()],
                     "--json", "--backend", f"replay:{self.path}"],
                    capture_output=True, text=True, timeout=support.WAIT_S, check=False)
                self.assertIn("is over: the recording ends", again.stderr)
                report = next(json.loads(line) for line in again.stdout.splitlines()
                              if line.startswith("{"))
                for field in ("connections_accepted", "messages", "bytes_received", "bytes_sent",
                              "short_transfers"):
                    self.assertEqual(first[field], report[field], field)

    def test_the_printer_shows_every_entry(self):
        report = self.record("uring")
        records = self.records()
        self.assertEqual("header", records[0]["kind"])
        self.assertEqual("end", records[-1]["kind"])
        sent = [each for each in records
                if each["kind"] == "sqe" and each["op"] in ("send", "sendmsg")]
        done = {each["number"]: each["res"] for each in records if each["kind"] == "cqe"}
        self.assertEqual(report["bytes_sent"], sum(done[each["number"]] for each in sent))
        printed = subprocess.run([TRACE, self.path], capture_output=True, text=True,
                                 timeout=support.WAIT_S, check=True)
        self.assertEqual(len(records), len(printed.stdout.splitlines()))

    def test_a_trace_that_was_cut_off_or_is_none_is_told(self):
        self.record("uring")
        os.truncate(self.path, os.path.getsize(self.path) - 7)
        printed = subprocess.run([TRACE, self.path], capture_output=True, text=True,
                                 timeout=support.WAIT_S, check=False)
        self.assertEqual(1, printed.returncode)
        self.assertIn("the recording was cut off", printed.stderr)
        self.assertGreater(len(printed.stdout.splitlines()), 100)
        with open(self.path, "w", encoding="ascii") as file:
            file.write("This is no trace, but it is long enough to be one.")
        printed = subprocess.run([TRACE, self.path], capture_output=True, text=True,
                                 timeout=support.WAIT_S, check=False)
        self.assertEqual(1, printed.returncode)
        self.assertIn("does not begin as a trace does", printed.stderr)


if __name__ == "__main__":
    support.main()
