#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# ring_test.py - the Python package: operations, errors, memory, and its echo server under load.
"""Usage: ring_test.py LIBRARY"""
import errno
import gc
import json
import os
import re
import signal
import subprocess
import sys
import threading
import unittest

SOURCE = os.environ["IORING_SOURCE_DIR"]
PACKAGE = os.path.join(SOURCE, "bindings", "python")
WAIT_S = 30
os.environ["IORING_LIBRARY"] = sys.argv.pop(1)
sys.path.insert(0, PACKAGE)

import ioring  # noqa: E402


class RingTest(unittest.TestCase):
    backend = None

    def setUp(self):
        try:
            self.ring = ioring.Ring(sq_entries=64, backend=self.backend)
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EPERM, errno.ENOTSUP):
                self.skipTest(str(error))
            raise
        self.addCleanup(self.ring.close)

    def complete(self, count=1):
        all_done = []
        while len(all_done) < count:
            self.ring.submit_and_wait(1, seconds=WAIT_S)
            got = list(self.ring.completions())
            self.assertTrue(got, "nothing came in time")
            all_done += got
        return {done.user_data: done for done in all_done}

    def connected(self):
        listener = self.ring.listen("127.0.0.1:0")
        self.addCleanup(listener.close)
        theirs = self.ring.open_socket()
        self.ring.accept(listener.fd, user_data=1)
        self.ring.connect(theirs, listener.address, user_data=2)
        done = self.complete(2)
        self.assertEqual(0, done[2].res)
        return done[1].res, theirs

    def test_bytes_go_there_and_back(self):
        ours, theirs = self.connected()
        into = bytearray(16)
        self.ring.recv(ours, into, user_data=3)
        self.ring.send(theirs, b"text", user_data=4)
        done = self.complete(2)
        self.assertEqual((4, 4), (done[3].res, done[4].res))
        self.assertEqual(b"text", into[:4])
        self.ring.shutdown_now(theirs)
        self.ring.recv(ours, into, user_data=5)
        self.assertEqual(0, self.complete()[5].res)
        self.ring.close_socket(ours, user_data=6)
        self.assertEqual(0, self.complete()[6].res)
        self.ring.close_now(theirs)

    def test_a_buffer_in_flight_lives_although_nobody_else_holds_it(self):
        ours, theirs = self.connected()
        self.ring.recv(ours, bytearray(1 << 20), user_data=3)
        self.ring.submit()
        gc.collect()
        with self.assertRaises(ValueError):
            self.ring.recv(ours, bytearray(1), user_data=3)
        self.ring.send(theirs, b"x" * 100_000, user_data=4)
        done = self.complete(2)
        self.assertGreater(done[3].res, 0)
        self.ring.close_now(theirs)
        self.ring.close_now(ours)

    def test_errors_are_oserror_or_results(self):
        with self.assertRaises(OSError) as raised:
            ioring.Ring(backend="no such thing")
        self.assertEqual(errno.EINVAL, raised.exception.errno)
        self.assertIn("no such thing", str(raised.exception))
        with self.assertRaises(OSError):
            self.ring.listen("nonsense")
        self.ring.recv(999_999, bytearray(1), user_data=7)
        self.assertEqual(-errno.EBADF, self.complete()[7].res)

    def test_a_full_queue_is_an_error_and_nothing_is_lost(self):
        prepared = 0
        with self.assertRaises(ioring.RingFull):
            while True:
                self.ring.nop(user_data=100 + prepared)
                prepared += 1
        self.assertGreater(prepared, 8)
        self.assertEqual(prepared, len(self.complete(prepared)))

    def test_time_cancel_wake_and_post(self):
        self.ring.timeout(0.001, user_data=8)
        self.assertEqual(-errno.ETIME, self.complete()[8].res)
        self.ring.timeout(3600, user_data=9)
        self.ring.submit()
        self.ring.cancel(9, user_data=10)
        done = self.complete(2)
        self.assertEqual((-errno.ECANCELED, 0), (done[9].res, done[10].res))
        helper = threading.Thread(target=self.ring.post, args=(11, 42))
        helper.start()
        self.assertEqual(42, self.complete()[11].res)
        helper.join()


class EpollTest(RingTest):
    backend = "epoll"


class EchoTest(unittest.TestCase):
    def test_the_example_serves_the_load_generator(self):
        script = os.path.join(PACKAGE, "examples", "echo.py")
        server = subprocess.Popen([sys.executable, "-B", script, "127.0.0.1:0"],
                                  stdout=subprocess.PIPE, text=True,
                                  env={**os.environ, "PYTHONPATH": PACKAGE})
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.kill)
        line = server.stdout.readline()
        port = re.match(r"listening on 127\.0\.0\.1:(\d+) \(backend ", line).group(1)
        load = os.path.join(os.environ["IORING_BIN_DIR"], "ioring-load")
        done = subprocess.run([load, "--port", port, "--connections", "20", "--size", "1000",
                               "--depth", "4", "--duration", "1", "--json"], check=True,
                              capture_output=True, text=True, timeout=WAIT_S)
        result = json.loads(done.stdout)
        self.assertGreater(result["messages"], 100)
        self.assertEqual((0, 0), (result["errors"], result["mismatches"]))
        server.send_signal(signal.SIGTERM)
        self.assertEqual(0, server.wait(WAIT_S))


if __name__ == "__main__":
    unittest.main()
