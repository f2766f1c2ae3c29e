# SPDX-License-Identifier: MIT
# server_support.py - an example's server while a test runs, and connections to it.
import contextlib
import os
import re
import signal
import socket
import subprocess
import time
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

    def assert_all_are_dropped(self, peers, drip, meanwhile):
        """The server ends each of these connections, although each sends `drip` (if it is not
        empty) now and then, while `meanwhile()` goes well. Returns how long that took."""
        began = time.monotonic()
        waiting = list(peers)
        while waiting and time.monotonic() < began + WAIT_S:
            meanwhile()
            for peer in list(waiting):
                peer.settimeout(0.005)
                try:
                    while peer.recv(65536):
                        pass
                    waiting.remove(peer)
                except TimeoutError:
                    with contextlib.suppress(ConnectionError):  # The next recv() tells.
                        peer.sendall(drip)
                except ConnectionError:
                    waiting.remove(peer)
        self.assertEqual([], waiting)
        return time.monotonic() - began
