# SPDX-License-Identifier: MIT
# echo_stop_test.py - the server ends when it is told to, in order and in time.
import random
import select
import signal
import socket
import threading
import time
import unittest

import echo_support as support

STOP_BOUND_S = 10
# For what must not wait for the bound: it would be noticed.
LONG_DRAIN = ["--drain", "60s"]


class Pump:
    """A client that sends without end and keeps what comes back, until the server ends."""

    def __init__(self, server, seed):
        self.peer = server.connect()
        self.data = random.Random(seed).randbytes(1 << 20)
        self.sent = 0
        self.got = 0
        self.failure = None
        self.busy = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.pump()
        except BaseException as failure:  # pylint: disable=broad-except
            self.failure = failure
        self.peer.close()
        self.busy.set()

    def pump(self):
        self.peer.setblocking(False)
        while True:
            readable, writable, _ = select.select([self.peer], [self.peer], [], support.WAIT_S)
            if not readable and not writable:
                raise AssertionError("the server is silent")
            if readable:
                part = self.peer.recv(65536)
                if not part:
                    return
                self.check(part)
            if writable and self.sent - self.got < 200_000:
                at = self.sent % len(self.data)
                self.sent += self.peer.send(self.data[at:at + 10_000])

    def check(self, part):
        at = self.got % len(self.data)
        expected = (self.data + self.data[:len(part)])[at:at + len(part)]
        support.assert_same(expected, part, f"at {self.got}")
        self.got += len(part)
        if self.got > 500_000:
            self.busy.set()


class EchoStop(unittest.TestCase):
    def test_a_signal_under_load_flushes_reports_and_exits_with_0(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            server = support.Server(self, *LONG_DRAIN)
            pumps = [Pump(server, seed) for seed in range(8)]
            for pump in pumps:
                self.assertTrue(pump.busy.wait(support.WAIT_S))
            began = time.monotonic()
            report = server.stop(how)
            self.assertLess(time.monotonic() - began, STOP_BOUND_S)
            for pump in pumps:
                pump.thread.join(support.WAIT_S)
                # An end of stream, not a reset: nothing that was on its way back is destroyed.
                self.assertIsNone(pump.failure)
            self.assertEqual(report["bytes_received"], report["bytes_sent"])
            self.assertEqual(sum(pump.got for pump in pumps), report["bytes_sent"])
            self.assertEqual(0, report["connections_cut_off"])
            self.assertEqual(8, report["connections_peak"])

    def test_a_client_that_never_reads_delays_the_stop_by_its_bound_only(self):
        server = support.Server(self, "--drain", "700ms")
        stuck = server.connect(receive_buffer=4096)
        stuck.setblocking(False)
        self.fill(stuck)
        began = time.monotonic()
        report = server.stop()
        passed = time.monotonic() - began
        self.assertLess(passed, STOP_BOUND_S)
        self.assertGreater(passed, 0.7)  # It was given its time.
        self.assertEqual(1, report["connections_cut_off"])

    def test_a_second_signal_ends_at_once(self):
        server = support.Server(self, *LONG_DRAIN)
        stuck = server.connect(receive_buffer=4096)
        stuck.setblocking(False)
        self.fill(stuck)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        # The first has been seen when nobody listens any more.
        support.until(lambda: not self.accepts(server), what="it still listens")
        server.stop()
        self.assertLess(time.monotonic() - began, STOP_BOUND_S)

    def test_idle_connections_do_not_delay_the_stop(self):
        server = support.Server(self, *LONG_DRAIN)
        peers = [server.connect() for _ in range(20)]
        for peer in peers:
            peer.sendall(b"hello")
            support.read_exactly(peer, 5)
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        for peer in peers:
            self.assertEqual(b"", peer.recv(1))
            peer.close()
        report = server.wait()
        self.assertLess(time.monotonic() - began, STOP_BOUND_S)
        self.assertEqual(0, report["connections_cut_off"])

    def test_an_idle_client_that_stays_is_cut_off_at_the_bound(self):
        # Its receive is in flight and must be cancelled; Server.wait() wants nothing unfinished.
        server = support.Server(self, "--drain", "200ms")
        peer = server.connect()
        peer.sendall(b"hello")
        self.assertEqual(b"hello", support.read_exactly(peer, 5))
        report = server.stop()
        self.assertEqual(0, report["connections_cut_off"])  # Nothing was lost.

    def test_the_duration_ends_it_too(self):
        server = support.Server(self, "--duration", "300ms")
        peer = server.connect()
        peer.sendall(b"hello")
        self.assertEqual(b"hello", support.read_exactly(peer, 5))
        self.assertEqual(b"", peer.recv(1))
        peer.close()
        report = server.wait()
        self.assertEqual(1, report["messages"])
        self.assertGreaterEqual(report["seconds"], 0.3)

    def test_statistics_come_every_second(self):
        server = support.Server(self, "--stats")
        peer = server.connect()
        peer.sendall(b"hello")
        support.read_exactly(peer, 5)
        line = support.read_line(server.process.stdout)
        self.assertRegex(line, r"^1 s  1 connections  [\d.]+ messages/s  .* enters per message\n$")
        peer.close()
        server.stop()

    def test_the_report_is_text_unless_json_is_asked_for(self):
        server = support.Server(self, json_report=False)
        peer = server.connect()
        peer.sendall(b"hello")
        support.read_exactly(peer, 5)
        peer.close()
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=support.WAIT_S)
        self.assertEqual("", err.decode())
        text = out.decode()
        self.assertIn("connections: 1 accepted, 1 at the peak, 0 refused", text)
        self.assertIn("messages:    1 received (5 B)", text)
        self.assertRegex(text, r"syscalls:    [\d.]+ enters per message, [\d.]+ completions per")
        self.assertRegex(text, r"cpu:         [\d.]+ us per message")
        self.assertRegex(text, r"buffers:     (Slabs: 1/40, Buffers: |Chunks: )")

    def test_quiet_says_nothing_but_the_json_asked_for(self):
        quiet = support.Server(self, "--quiet", "--stats", "--duration", "1.2")
        lines = quiet.process.communicate(timeout=support.WAIT_S)[0].decode().splitlines()
        self.assertEqual(1, len(lines))  # The JSON that was asked for.

    def accepts(self, server):
        try:
            socket.create_connection(server.address, support.WAIT_S).close()
            return True
        except OSError:
            return False

    def fill(self, peer):
        """Sends until nothing has moved for a while: both directions are stuck."""
        idle_since = time.monotonic()
        while time.monotonic() - idle_since < 0.3:
            try:
                peer.send(bytes(65536))
                idle_since = time.monotonic()
            except BlockingIOError:
                select.select([], [peer], [], 0.1)


if __name__ == "__main__":
    support.main()
