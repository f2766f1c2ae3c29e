# SPDX-License-Identifier: MIT
# echo_threads_test.py - several threads serve one port: spread, verified, and stopped together.
import os
import random
import signal
import subprocess
import time
import unittest

import echo_support as support

THREADS = 4
STOP_BOUND_S = 10
# What ends in order must not wait for the bound: it would be noticed.
LONG_DRAIN = ["--drain", "60s"]


class EchoThreads(unittest.TestCase):
    def server(self, *options):
        return support.Server(self, "--threads", str(THREADS), "--connections", "200", *options)

    def test_connections_spread_over_all_threads_and_every_byte_comes_back(self):
        server = self.server()
        seed = support.new_seed()

        def client(index):
            generator = random.Random(seed + index)
            data = generator.randbytes(generator.choice([1, 4096, 65537, 300_000]))
            support.echo_stream(server, data, [37, 4096, 65536], generator)

        support.run_together([lambda index=index: client(index) for index in range(64)])
        report = server.stop()
        self.assertEqual(THREADS, report["threads"])
        accepted = report["connections_accepted_by_thread"]
        self.assertEqual(64, report["connections_accepted"])
        self.assertEqual(64, sum(accepted))
        # That one of four gets none of 64 happens once in 25 million times.
        self.assertEqual(THREADS, len([count for count in accepted if count > 0]), accepted)
        self.assertEqual(report["bytes_received"], report["bytes_sent"])
        self.assertEqual(0, report["connections_reset"])

    def test_one_signal_stops_all_threads_in_order(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            server = self.server(*LONG_DRAIN)
            peers = [server.connect() for _ in range(24)]
            for peer in peers:
                peer.sendall(b"hello")
                self.assertEqual(b"hello", support.read_exactly(peer, 5))
            began = time.monotonic()
            server.process.send_signal(how)
            for peer in peers:
                self.assertEqual(b"", peer.recv(1))  # An end, not a reset.
                peer.close()
            report = server.wait()
            self.assertLess(time.monotonic() - began, STOP_BOUND_S)
            self.assertEqual(24, report["messages"])
            self.assertEqual(0, report["connections_cut_off"])

    def test_the_drain_s_bound_holds_for_all_threads_together(self):
        server = self.server("--drain", "300ms")
        peers = [server.connect() for _ in range(24)]
        for peer in peers:
            peer.sendall(b"hello")
            support.read_exactly(peer, 5)
        began = time.monotonic()
        server.stop()  # The peers stay.
        self.assertLess(time.monotonic() - began, STOP_BOUND_S)

    def test_the_duration_ends_all_threads(self):
        server = self.server("--duration", "500ms")
        peer = server.connect()
        peer.sendall(b"hello")
        self.assertEqual(b"hello", support.read_exactly(peer, 5))
        peer.close()
        self.assertEqual(1, server.wait()["messages"])

    def test_statistics_are_of_all_threads(self):
        server = self.server("--stats")
        peers = [server.connect() for _ in range(16)]
        for peer in peers:
            peer.sendall(b"hello")
            support.read_exactly(peer, 5)
        until = time.monotonic() + support.WAIT_S
        line = ""
        while "  16 connections" not in line and time.monotonic() < until:
            line = support.read_line(server.process.stdout)
        self.assertIn("  16 connections  ", line)
        for peer in peers:
            peer.close()
        server.stop()

    def test_the_text_report_tells_how_they_spread(self):
        server = support.Server(self, "--threads", "2", json_report=False)
        server.process.send_signal(signal.SIGTERM)
        out = server.process.communicate(timeout=support.WAIT_S)[0].decode()
        self.assertIn("threads:     2, which accepted 0, 0\n", out)

    def test_a_thread_that_cannot_begin_ends_all_with_its_reason(self):
        cpus = os.cpu_count()
        done = self.refused("--host", "127.0.0.1", "--port", "0", "--cpu", "0", "--threads",
                            str(cpus + 1), "--backend", support.backend())
        self.assertEqual(1, done.returncode)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        self.assertIn(f"CPU {cpus}", done.stderr)
        self.assertEqual("", done.stdout)  # It has promised nobody to listen.

    def test_a_local_socket_is_not_shared(self):
        done = self.refused("--unix", "@ioring-threads", "--threads", "2")
        self.assertEqual(2, done.returncode)
        self.assertIn("--threads", done.stderr)

    def refused(self, *options):
        return subprocess.run([support.ECHO, *support.STRATEGIES[support.strategy()], *options],
                              capture_output=True, text=True, timeout=support.WAIT_S, check=False)


if __name__ == "__main__":
    support.main()
