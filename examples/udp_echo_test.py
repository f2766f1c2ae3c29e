# SPDX-License-Identifier: MIT
# udp_echo_test.py - datagrams of all sizes come back to each sender, on every backend, in bursts
# too; socat and nc are among the senders.
#
# udp_echo_test.py PROGRAM [BACKEND]: without one on what is chosen, which has the receive of many,
# on epoll and on poll.
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import unittest

from server_support import EMULATOR, STOP, WAIT_S, ServerTest

PROGRAM = ""
BACKEND = ""


def answerer(host):
    """Who answers what was sent to `host`: Wine 8 passes over the address to send from."""
    return "127.0.0.1" if EMULATOR and ":" not in host else host


class UdpEcho(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"
    mode = "many for each receive"
    arguments = ("127.0.0.1:0",)

    def setUp(self):
        self.command = [PROGRAM, *self.arguments]
        super().setUp()

    def peer(self):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.settimeout(WAIT_S)
        self.addCleanup(made.close)
        return made

    def stop(self):
        """What it counted: datagrams, bytes, cut, failed, turns."""
        self.server.send_signal(STOP)
        out, err = self.server.communicate(timeout=WAIT_S)
        self.assertEqual((b"", 0), (err, self.server.returncode))
        self.assertTrue(out.decode().rstrip().endswith(self.mode), out)
        return [int(number) for number in re.findall(r"(\d+) \w+", out.decode())]

    def test_datagrams_of_all_sizes_keep_their_bounds(self):
        peer = self.peer()
        sizes = (1, 0, 1472, 0, 9000, 65_506, 65_507, 2)
        for size in sizes:
            data = random.Random(size).randbytes(size)
            peer.sendto(data, self.address)
            self.assertEqual((data, self.address), peer.recvfrom(70_000))
        self.assertEqual([len(sizes), sum(sizes), 0, 0], self.stop()[:4])

    def test_each_sender_gets_its_own(self):
        peers = [self.peer() for _ in range(50)]
        for _ in range(20):
            for number, peer in enumerate(peers):
                peer.sendto(b"%d" % number, self.address)
            for number, peer in enumerate(peers):
                self.assertEqual(b"%d" % number, peer.recv(100))

    def test_a_burst_is_taken_in_few_turns(self):
        peer = self.peer()
        peer.sendto(b"begin", self.address)
        peer.recv(100)
        if not EMULATOR:
            self.server.send_signal(signal.SIGSTOP)
        sent = [b"%d" % number for number in range(100)]
        for data in sent:
            peer.sendto(data, self.address)
        if not EMULATOR:
            self.server.send_signal(signal.SIGCONT)
        self.assertEqual(sorted(sent), sorted(peer.recv(100) for _ in sent))
        counted = self.stop()
        self.assertEqual(101, counted[0])
        if not EMULATOR:
            self.assertLess(counted[4], 50)

    def test_a_flood_beyond_all_buffers_is_survived(self):
        peer = self.peer()
        data = b"x" * 20_000
        for _ in range(3000):
            peer.sendto(data, self.address)
        # Some came back, the rest was dropped by somebody; nothing stands still.
        while select.select([peer], [], [], 0.2)[0]:
            self.assertEqual(data, peer.recv(70_000))
        peer.sendto(b"after", self.address)
        self.assertEqual(b"after", peer.recv(100))
        self.stop()

    def test_senders_that_are_gone_harm_nobody(self):
        for _ in range(100):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone:
                gone.sendto(b"bye", self.address)
        peer = self.peer()
        peer.sendto(b"still there", self.address)
        self.assertEqual(b"still there", peer.recv(100))
        self.stop()

    def test_socat_and_nc_are_content(self):
        where = f"127.0.0.1:{self.address[1]}"
        for command in (["socat", "-t", "20", "-", f"UDP4:{where}"],
                        ["nc", "-u", "-w", "20", *where.split(":")]):
            if not shutil.which(command[0]):
                continue
            client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for line in (b"one\n", b"two\n"):
                client.stdin.write(line)
                client.stdin.flush()
                self.assertEqual(line, client.stdout.readline())
            client.kill()
            client.communicate(timeout=WAIT_S)


class Small(UdpEcho):
    arguments = ("127.0.0.1:0", "100")

    def test_datagrams_of_all_sizes_keep_their_bounds(self):
        """What is longer than there is room for is dropped whole, and counted."""
        peer = self.peer()
        for size in (100, 101, 5000, 99):
            peer.sendto(b"x" * size, self.address)
        self.assertEqual({99, 100}, {len(peer.recv(70_000)) for _ in range(2)})
        self.assertEqual([2, 199, 2, 0], self.stop()[:4])

    def test_a_flood_beyond_all_buffers_is_survived(self):
        peer = self.peer()
        for _ in range(20_000):
            peer.sendto(b"x" * 50, self.address)
        while select.select([peer], [], [], 0.2)[0]:
            peer.recv(100)
        peer.sendto(b"after", self.address)
        self.assertEqual(b"after", peer.recv(100))
        self.stop()


class Every(UdpEcho):
    """At every address of the machine: the answer comes from the one that was asked."""
    arguments = ("0.0.0.0:0",)

    def setUp(self):
        self.listens_on = r"0\.0\.0\.0"
        super().setUp()

    def test_the_answer_comes_from_the_address_that_was_asked(self):
        peer = self.peer()
        for host in ("127.0.0.1", "127.0.0.2", "127.1.2.3"):
            peer.sendto(b"who", (host, self.address[1]))
            self.assertEqual((b"who", (answerer(host), self.address[1])), peer.recvfrom(100))


class Ipv6(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"
    listens_on = r"\[::\]"

    def setUp(self):
        self.command = [PROGRAM, "[::]:0"]
        super().setUp()

    def test_both_families_are_answered(self):
        for family, host in ((socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.3")):
            with socket.socket(family, socket.SOCK_DGRAM) as peer:
                peer.settimeout(WAIT_S)
                for data in (b"six", b"", b"x" * 60_000):
                    peer.sendto(data, (host, self.address[1]))
                    got, sender = peer.recvfrom(70_000)
                    self.assertEqual((data, (answerer(host), self.address[1])), (got, sender[:2]))


ALL = (UdpEcho, Small, Every, Ipv6)


def on(backend, kinds):
    """These tests on a backend that has no receive of many."""
    return [type(f"{kind.__name__}On{backend.capitalize()}", (kind,),
                 {"environment": {"IORING_BACKEND": backend}, "mode": "one for each receive",
                  "rest_of_line": rf" \(backend {backend}: .*\n"})
            for kind in kinds]


def load_tests(loader, _tests, _pattern):
    if BACKEND:
        classes = on(BACKEND, ALL)
    else:
        classes = [*ALL, *on("epoll", ALL), *on("poll", [UdpEcho])]
    return unittest.TestSuite(map(loader.loadTestsFromTestCase, classes))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        BACKEND = sys.argv.pop(1)
    unittest.main()
