# SPDX-License-Identifier: MIT
# echo_pressure_test.py - clients that take too much do not harm the others.
import os
import random
import resource
import select
import socket
import time
import unittest

import echo_support as support

MIB = 1 << 20


class NeverReads:
    """A client that sends as much as the server takes and reads nothing, until drain()."""

    def __init__(self, server, seed, pieces):
        self.peer = server.connect(receive_buffer=4096, send_buffer=16384)
        self.generator = random.Random(seed)
        self.pieces = pieces
        self.sent = bytearray()

    def push(self):
        """One piece, or nothing when the connection is full; returns whether it sent."""
        piece = self.generator.randbytes(self.generator.choice(self.pieces))
        self.peer.setblocking(False)
        try:
            count = self.peer.send(piece)
        except BlockingIOError:
            return False
        self.sent += piece[:count]
        return True

    def drain(self):
        self.peer.settimeout(support.WAIT_S)
        self.peer.shutdown(socket.SHUT_WR)
        support.assert_same(bytes(self.sent), support.read_to_end(self.peer), "a late reader")
        self.peer.close()


def fill(clients):
    """Lets all send in turn, so that their bytes lie mixed, until none of them has moved."""
    last_moved = time.monotonic()
    while time.monotonic() - last_moved < 0.3:
        if any([client.push() for client in clients]):
            last_moved = time.monotonic()
        else:
            select.select([], [client.peer for client in clients], [], 0.1)


class EchoPressure(unittest.TestCase):
    def test_clients_that_never_read_stop_nobody_and_get_all_in_the_end(self):
        # Small chunks: the few that there are in all are soon with those who never read.
        shared = support.strategy() == "shared-pool"
        server = support.Server(self, *(["--buffer-size", "4k"] if shared else []))
        seed = support.new_seed()
        before = server.memory_bytes()
        stuck = [NeverReads(server, seed + index, [100, 5000, 60_000]) for index in range(40)]
        fill(stuck)

        def other(index):
            generator = random.Random(seed + 1000 + index)
            support.echo_stream(server, generator.randbytes(400_000), [1000, 50_000], generator)

        began = time.monotonic()
        support.run_together([lambda index=index: other(index) for index in range(10)])
        self.assertLess(time.monotonic() - began, 15)
        # What the server itself holds for 40 of them: not what they would like to send.
        if not support.SANITIZED:
            self.assertLess(server.memory_bytes() - before, 100 * MIB)
        support.run_together([client.drain for client in stuck])
        report = server.stop()
        self.assertEqual(report["bytes_received"], report["bytes_sent"])
        self.assertEqual(0, report["connections_reset"])
        if shared:
            self.assertRegex(report["buffers"], "Evicted: [1-9].*, Disconnected: 0")

    def test_a_client_that_never_reads_is_received_from_up_to_a_bound(self):
        server = support.Server(self, "--drain", "0")
        fill([NeverReads(server, 1, [60_000])])
        report = server.stop()
        held = report["bytes_received"] - report["bytes_sent"]
        # One buffer; the shared chunks end a receive that is beyond 1 MiB, and what was under way.
        bound = 4 * MIB if support.strategy() == "shared-pool" else 65536
        self.assertGreater(held, 0)
        self.assertLessEqual(held, bound)

    def test_a_waiting_client_that_never_reads_costs_no_cpu(self):
        server = support.Server(self)
        stuck = NeverReads(server, 1, [60_000])
        fill([stuck])
        before = server.cpu_s()
        time.sleep(0.5)  # Measured, not waited for.
        self.assertLess(server.cpu_s() - before, 0.1)
        # The stop sends it what the server has received: no more, and no less.
        server.process.terminate()
        stuck.peer.settimeout(support.WAIT_S)
        got = support.read_to_end(stuck.peer)
        stuck.peer.close()
        report = server.wait()
        support.assert_same(bytes(stuck.sent[:report["bytes_received"]]), got, "the rest")

    def test_connections_over_the_number_are_closed_and_counted(self):
        if support.is_managed():
            self.skipTest("they wait: ..._wait_for_a_place")
        server = support.Server(self, "--connections", "3")
        served = [server.connect() for _ in range(3)]
        for peer in served:
            peer.sendall(b"in")
            self.assertEqual(b"in", support.read_exactly(peer, 2))
        refused = [server.connect() for _ in range(5)]
        for peer in refused:
            self.assertEqual(b"", peer.recv(1))
        served[0].close()
        # Its slot serves the next one.
        support.until(lambda: self.is_served(server), what="the free slot was not used")
        report = server.stop()
        self.assertGreaterEqual(report["connections_refused"], 5)
        self.assertEqual(3, report["connections_peak"])

    def test_connections_over_the_number_wait_for_a_place(self):
        if not support.is_managed():
            self.skipTest("they are closed: ..._are_closed_and_counted")
        server = support.Server(self, "--connections", "3")
        peers = [server.connect() for _ in range(8)]
        for peer in peers:
            peer.sendall(b"in")
        for peer in peers:
            self.assertEqual(b"in", support.read_exactly(peer, 2))
            peer.close()
        report = server.stop()
        self.assertEqual(0, report["connections_refused"])
        self.assertEqual(8, report["connections_accepted"])
        self.assertEqual(3, report["connections_peak"])

    def is_served(self, server):
        with server.connect() as peer:
            try:
                peer.sendall(b"?")
                return peer.recv(1) == b"?"
            except OSError:
                return False

    def test_want_of_descriptors_pauses_accepting_and_does_not_spin(self):
        # Inherited descriptors eat what the server has reckoned with.
        limit = 100
        extra = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
        for descriptor in extra:
            self.addCleanup(os.close, descriptor)
        highest = max(extra) + 1
        limit += highest
        server = support.Server(
            self, "--connections", str(limit - 32), pass_fds=extra,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit)))
        room = limit - server.descriptors()
        peers, unconnected = self.crowd(server, room + 20)  # The backlog takes the last ones.
        for peer in peers:
            try:
                peer.sendall(b"x")
            except ConnectionError:
                if not support.is_managed():
                    raise  # The managed server has turned it away, which select() will tell, too.
        support.until(lambda: server.descriptors() >= limit, what="the limit was not reached")
        support.until(lambda: sum(map(self.has_echo, peers)) >= room - 2,
                      what="those whom it accepted had no answer")
        before = server.cpu_s()
        time.sleep(0.5)  # Measured, not waited for.
        self.assertLess(server.cpu_s() - before, 0.1)
        served = [peer for peer in peers if self.has_echo(peer)]
        self.assertGreaterEqual(len(served), room - 2)
        self.assertLess(len(served), len(peers))
        for peer in served:
            peer.close()
        for peer in peers:
            if peer not in served:
                try:
                    self.assertEqual(b"x", support.read_exactly(peer, 1))
                except ConnectionError:
                    if not support.is_managed():
                        raise
                peer.close()
        report = server.stop()
        self.assertGreater(report["accept_pauses"], 0)
        # The managed server turns a few away, so that they may try elsewhere.
        turned_away = report["connections_refused"] if support.is_managed() else 0
        self.assertEqual(len(peers) + unconnected, report["connections_accepted"] + turned_away)

    def crowd(self, server, count):
        """The connected ones of that many clients, and how many were reset in their connect()."""
        peers = []
        for _ in range(count):
            try:
                peers.append(server.connect())
            except ConnectionResetError:
                if not support.is_managed():
                    raise  # The managed server turns one away as soon as it is there.
        return peers, count - len(peers)

    def has_echo(self, peer):
        return bool(select.select([peer], [], [], 0)[0])


if __name__ == "__main__":
    support.main()
