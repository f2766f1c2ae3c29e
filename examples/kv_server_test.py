# SPDX-License-Identifier: MIT
# kv_server_test.py - the key-value server, spoken to byte by byte, in pipelines, wrongly, and by
# Redis's own programs where they are.
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

from server_support import WAIT_S, ServerTest


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), WAIT_S)
        self.input = self.socket.makefile("rb")

    @staticmethod
    def request(*words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(words)]
        parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
        return b"".join(parts)

    def answer(self):
        line = self.input.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Exception(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"*":
            return [self.answer() for _ in range(int(rest))]
        if kind == b"$" and int(rest) >= 0:
            return self.input.read(int(rest) + 2)[:-2]
        return None

    def __call__(self, *words):
        self.socket.sendall(self.request(*words))
        return self.answer()


class KvServer(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"

    def setUp(self):
        super().setUp()
        self.port = self.address[1]
        self.client = self.connect()

    def connect(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        self.addCleanup(client.input.close)
        return client

    def test_commands(self):
        ask = self.client
        self.assertEqual("PONG", ask("ping"))
        self.assertEqual((b"hi", b"hi"), (ask("PING", "hi"), ask("echo", "hi")))
        self.assertEqual((None, "OK", b"1"), (ask("GET", "a"), ask("SET", "a", 1), ask("GET", "a")))
        self.assertEqual((2, 1, 11), (ask("INCR", "a"), ask("DECR", "a"), ask("INCRBY", "a", 10)))
        self.assertEqual((4, 4), (ask("APPEND", "a", "xy"), ask("STRLEN", "a")))
        self.assertIsInstance(ask("INCR", "a"), Exception)
        self.assertEqual("OK", ask("MSET", "b", 2, "c", 3))
        self.assertEqual([b"2", None, b"3"], ask("MGET", "b", "none", "c"))
        self.assertEqual((3, 2, 1), (ask("DBSIZE"), ask("DEL", "a", "b", "none"), ask("DBSIZE")))
        self.assertEqual((None, "OK"), (ask("SET", "c", 4, "NX"), ask("SET", "c", 5, "XX")))
        self.assertEqual(("OK", 0), (ask("FLUSHALL"), ask("EXISTS", "c")))
        self.assertIsInstance(ask("NO-SUCH"), Exception)
        self.assertIsInstance(ask("GET"), Exception)

    def test_time_ends_values(self):
        ask = self.client
        self.assertEqual("OK", ask("SET", "a", 1, "PX", 30))
        self.assertEqual("OK", ask("SET", "b", 1))
        self.assertEqual((1, 100, 1, -1),
                         (ask("EXPIRE", "b", 100), ask("TTL", "b"), ask("PERSIST", "b"),
                          ask("TTL", "b")))
        deadline = time.monotonic() + WAIT_S
        while ask("GET", "a") is not None:
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual((-2, -1), (ask("TTL", "a"), ask("TTL", "b")))

    def test_a_request_may_come_byte_by_byte(self):
        for byte in self.client.request("SET", "k", b"\r\n$*\0"):
            self.client.socket.sendall(bytes([byte]))
        self.assertEqual("OK", self.client.answer())
        self.assertEqual(b"\r\n$*\0", self.client("GET", "k"))
        self.client.socket.sendall(b"get k\r\nPING\r\n\r\n")
        self.assertEqual((b"\r\n$*\0", "PONG"), (self.client.answer(), self.client.answer()))

    def test_a_pipeline_is_answered_in_order(self):
        count = 20_000
        self.client.socket.sendall(b"".join(self.client.request("INCR", "n") for _ in range(count)))
        self.assertEqual(list(range(1, count + 1)), [self.client.answer() for _ in range(count)])

    def test_a_client_that_reads_late_gets_all_of_it_and_stops_nobody(self):
        long = b"v" * (1 << 18)
        self.assertEqual("OK", self.client("SET", "long", long))
        count = 200
        for _ in range(count):
            self.client.socket.sendall(self.client.request("GET", "long"))
        self.assertEqual("PONG", self.connect()("PING"))
        for _ in range(count):
            self.assertEqual(long, self.client.answer())

    def test_nonsense_is_told_and_ends_the_connection(self):
        for nonsense in (b"*1\r\n:1\r\n", b"*-1\r\n", b"*2\r\n$99999999\r\n",
                         b"*1\r\n$1\r\nab\r\n"):
            client = self.connect()
            client.socket.sendall(nonsense)
            self.assertIsInstance(client.answer(), Exception)
            self.assertEqual(b"", client.input.read())
        self.assertEqual("PONG", self.client("PING"))

    def test_quit_is_answered_and_a_stop_drains(self):
        other = self.connect()
        self.assertEqual("OK", other("QUIT"))
        self.assertEqual(b"", other.input.read())
        self.assertEqual("OK", self.client("SET", "a", 1))
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(b"", self.client.input.read())
        self.client.socket.close()
        self.assertEqual(0, self.server.wait(WAIT_S))

    @unittest.skipUnless(shutil.which("redis-benchmark"), "Redis's programs are not installed")
    def test_redis_s_own_programs_are_content(self):
        cli = subprocess.run(["redis-cli", "-p", str(self.port), "SET", "x", "y"],
                             capture_output=True, text=True, timeout=WAIT_S, check=True)
        self.assertEqual("OK\n", cli.stdout)
        run = subprocess.run(["redis-benchmark", "-p", str(self.port), "-n", "20000", "-c", "50",
                              "-P", "16", "-q", "-t", "set,get,incr,mset"],
                             capture_output=True, text=True, timeout=WAIT_S, check=True)
        self.assertEqual(4, run.stdout.count("requests per second"), run.stdout)


if __name__ == "__main__":
    KvServer.command = [sys.argv.pop(1), "127.0.0.1:0"]
    unittest.main()
