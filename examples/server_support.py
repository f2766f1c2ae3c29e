# SPDX-License-Identifier: MIT
# server_support.py - an example's server while a test runs, and connections to it.
import contextlib
import os
import re
import signal
import socket
import subprocess
import unittest

WAIT_S = 30
# Tests of much data have so many times as much: a busy machine must be done with it in time.
SCALE = int(os.environ.get("IORING_EXAMPLES_SCALE", "1"))
# What runs another system's programs: wine.sh. Windows has no SIGTERM; Wine makes a Ctrl+C of
# SIGINT.
EMULATOR = os.environ.get("IORING_EMULATOR", "").split()
STOP = signal.SIGINT if EMULATOR else signal.SIGTERM


class ServerTest(unittest.TestCase):
    """Starts `command` before each test, which must print the port that it listens on, and behind
    it `rest_of_line`."""

    command = []
    environment = {}  # Beside what there is.
    listens_on = r"127\.0\.0\.1"
    rest_of_line = r"\n"

    def setUp(self):
        self.server = subprocess.Popen([*EMULATOR, *self.command], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE,
                                       env={**os.environ, **self.environment})
        self.addCleanup(self.end)
        line = self.server.stdout.readline().decode()
        match = re.match(f"^listening on {self.listens_on}:(\\d+){self.rest_of_line}$", line)
        self.assertTrue(match, line)
        self.address = ("127.0.0.1", int(match.group(1)))

    def end(self):
        if self.server.poll() is None and EMULATOR:
            # It passes this one on; killed, it would leave the server behind.
            self.server.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.server.wait(WAIT_S)
        if self.server.poll() is None:
            self.server.kill()
        self.server.communicate(timeout=WAIT_S)

    def connect(self):
        peer = socket.create_connection(self.address, WAIT_S)
        self.addCleanup(peer.close)
        return peer
