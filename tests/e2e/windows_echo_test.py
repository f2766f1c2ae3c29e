# SPDX-License-Identifier: MIT
# windows_echo_test.py - Windows' echo server under Wine serves clients of Linux: this one's and the
# native load generator's.
#
# ctest gives IORING_EMULATOR (wine.sh), IORING_NATIVE_BIN_DIR (where the tools of Linux are, if
# they have been built), and as arguments strategy and backend: iocp, or rio_double, the server
# linked to the double of Registered I/O.
import json
import os
import random
import socket
import struct
import subprocess
import time
import unittest

import echo_support as support

LOAD = os.path.join(os.environ.get("IORING_NATIVE_BIN_DIR", ""), "ioring-load")
RIO_ECHO = os.path.join(os.environ.get("IORING_BUILD_DIR", ""), "tests/bin",
                        "ioring-echo-rio-double.exe")
RESET = struct.pack("ii", 1, 0)


def start(test, *options, **popen):
    program = RIO_ECHO if support.backend() == "rio_double" else support.ECHO
    return support.Server(test, *options, program=program, **popen)


class WindowsEcho(unittest.TestCase):
    def test_random_chunks_of_many_connections_come_back_exactly(self):
        server = start(self)
        seed = support.new_seed()

        def client(index):
            generator = random.Random(seed + index)
            data = generator.randbytes(generator.choice([1, 4096, 65536, 65537, 1_000_000]))
            support.echo_stream(server, data, [1, 37, 1000, 4096, 65536, 200_000], generator)

        support.run_together([lambda index=index: client(index) for index in range(24)])
        report = server.stop()
        self.assertEqual(24, report["connections_accepted"])
        self.assertEqual(report["bytes_received"], report["bytes_sent"])
        self.assertEqual(0, report["connections_reset"])

    def test_a_half_close_is_an_end_and_what_was_sent_before_comes_back(self):
        server = start(self)
        for size in (0, 1, 65535, 65536, 65537, 2_000_000):
            # Nothing is read until all is sent and the sending side closed, if there is room.
            support.echo_stream(server, random.Random(size).randbytes(size), [1 << 20],
                                random.Random(size))
        self.assertEqual(0, server.stop()["connections_reset"])

    def test_a_reset_in_the_middle_harms_only_its_connection(self):
        server = start(self)
        seed = support.new_seed()

        def resetting(index):
            generator = random.Random(seed + index)
            for _ in range(4):
                peer = server.connect()
                peer.sendall(generator.randbytes(generator.randrange(1, 300_000)) if index % 2
                             else b"x")
                if index % 3 == 0:
                    self.assertNotEqual(b"", peer.recv(10))
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                peer.close()

        def honest(index):
            generator = random.Random(seed + 1000 + index)
            support.echo_stream(server, generator.randbytes(300_000), [10_000, 60_000], generator)

        support.run_together([lambda index=index: resetting(index) for index in range(6)] +
                             [lambda index=index: honest(index) for index in range(6)])
        peer = server.connect()
        peer.sendall(b"alive")
        self.assertEqual(b"alive", support.read_exactly(peer, 5))
        peer.close()
        # Not those that were reset before the server came to accept them; but the honest ones, this
        # one, and those that were answered.
        accepted = server.stop()["connections_accepted"]
        self.assertTrue(6 + 1 + 2 * 4 <= accepted <= 31, accepted)

    def test_a_storm_of_connects_is_accepted_without_a_second_syn(self):
        # With one accept pending and a short backlog, Linux would send some SYNs again, a second
        # later.
        # The double looks at each of its sockets at each call.
        count = 100 if support.backend() == "rio_double" else 300
        server = start(self, "--connections", str(count))
        slowest = 0.0
        peers = []
        for _ in range(count):
            began = time.monotonic()
            peers.append(server.connect())
            slowest = max(slowest, time.monotonic() - began)
        for index, peer in enumerate(peers):
            peer.sendall(struct.pack("!I", index))
        for index, peer in enumerate(peers):
            self.assertEqual(struct.pack("!I", index), support.read_exactly(peer, 4))
        self.assertEqual(count, server.stop()["connections_peak"])
        self.assertLess(slowest, 0.9)

    def test_a_stop_drains_what_is_on_its_way(self):
        server = start(self)
        peer = server.connect()
        data = random.Random(9).randbytes(500_000)
        peer.sendall(data[:1000])
        self.assertEqual(data[:1000], support.read_exactly(peer, 1000))
        report = server.stop()
        self.assertEqual(1000, report["bytes_sent"])
        self.assertEqual(b"", support.read_to_end(peer))

    def test_the_load_generator_of_linux_verifies_every_byte(self):
        if not os.access(LOAD, os.X_OK):
            self.skipTest("there is no native ioring-load")
        server = start(self)
        for shape in (["--connections", "50", "--size", "3000", "--depth", "4",
                       "--messages", "3000"],
                      ["--connections", "2", "--size", "1000000", "--messages", "12"]):
            done = subprocess.run(
                [LOAD, "--port", str(server.port), *shape, "--json", "--quiet"],
                capture_output=True, timeout=2 * support.WAIT_S, check=False)
            self.assertEqual((0, b""), (done.returncode, done.stderr), done.stdout)
            report = json.loads(done.stdout)
            self.assertEqual((0, 0), (report["errors"], report["mismatches"]), report)
            self.assertEqual(int(shape[shape.index("--messages") + 1]), report["messages"])
        self.assertEqual(52, server.stop()["connections_accepted"])


if __name__ == "__main__":
    support.main()
