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

from server_support import SCALE, WAIT_S, ServerTest


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


PROGRAM = ""


class KvServer(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"
    times = ()

    def setUp(self):
        self.command = [PROGRAM, "127.0.0.1:0", *self.times]
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

    def test_nonsense_gets_redis_s_error_and_ends_the_connection(self):
        long = b"x" * (1 << 17)
        for nonsense, error in (
                (b"*1\r\n:1\r\n", "expected '$'"),
                (b"*1025\r\n", "invalid multibulk length"),
                (b"*99999999999999999999\r\n", "invalid multibulk length"),
                (b"*x\r\n", "invalid multibulk length"), (b"*\r\n", "invalid multibulk length"),
                (b"*2\r\n$262145\r\n", "invalid bulk length"),
                (b"*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n", "invalid bulk length"),
                (b"*1\r\n$-1\r\n", "invalid bulk length"),
                (b"*1\r\n$4 \r\n", "invalid bulk length"),
                (b"*1\r\n$1\r\nab\r\n", "expected the end of a bulk"),
                (long, "too big inline request"), (b"*" + long, "too big mbulk count string"),
                (b"*1\r\n$" + long, "too big bulk count string"),
                (self.client.request(*5 * [b"x" * 250_000]), "too big request")):
            client = self.connect()
            client.socket.sendall(nonsense)
            client.socket.shutdown(socket.SHUT_WR)
            told = client.answer()
            self.assertIsInstance(told, Exception, nonsense[:20])
            self.assertEqual("ERR Protocol error: " + error, str(told))
            self.assertEqual(b"", client.input.read())
        self.assertEqual("PONG", self.client("PING"))

    def test_requests_of_nothing_have_no_answer(self):
        self.client.socket.sendall(b"*0\r\n*-1\r\n\r\n   \r\nPING\r\n")
        self.assertEqual("PONG", self.client.answer())

    def test_the_largest_word_and_the_most_words_are_taken(self):
        longest = b"v" * (1 << 18)
        self.assertEqual("OK", self.client("SET", "long", longest))
        self.assertEqual(longest, self.client("GET", "long"))
        self.assertEqual(1023, len(self.client("MGET", *1023 * ["none"])))

    def test_who_ends_within_a_request_is_let_go_at_once(self):
        for part in (b"*2\r\n$3\r\nGET\r\n$1", b"PIN", b"*"):
            client = self.connect()
            began = time.monotonic()
            client.socket.sendall(self.client.request("SET", "a", part) + part)
            client.socket.shutdown(socket.SHUT_WR)
            self.assertEqual("OK", client.answer())
            self.assertEqual(b"", client.input.read())
            self.assertLess(time.monotonic() - began, 9)  # And not when its time is over.

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
        for line, answer in (("NONSENSE", "ERR unknown command"), ("GET", "ERR wrong number")):
            told = subprocess.run(["redis-cli", "-p", str(self.port), line], capture_output=True,
                                  text=True, timeout=WAIT_S, check=False)
            self.assertIn(answer, told.stdout)
        self.assertIn("invalid bulk length", subprocess.run(
            ["redis-cli", "-p", str(self.port), "-x", "SET", "x"], input="z" * 300_000, text=True,
            capture_output=True, timeout=WAIT_S, check=False).stdout)
        run = subprocess.run(["redis-benchmark", "-p", str(self.port), "-n", str(20_000 * SCALE),
                              "-c", "50", "-P", "16", "-q", "-t", "set,get,incr,mset"],
                             capture_output=True, text=True, timeout=WAIT_S, check=True)
        self.assertEqual(4, run.stdout.count("requests per second"), run.stdout)


class OnEpoll(KvServer):
    environment = {"IORING_BACKEND": "epoll"}


class Times(KvServer):
    times = ("1000", "60000")

    def test_who_begins_a_request_must_end_it(self):
        heads = (b"*2\r\n$3\r\nGET\r\n$100\r\n", b"PI", b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$99999\r\n")
        slow = [self.connect() for _ in range(60)]
        for number, client in enumerate(slow):
            client.socket.sendall(heads[number % len(heads)])
        self.assertEqual("PONG", self.client("PING"))
        # Half of them stop, the others drip: that helps none of them.
        deadline = time.monotonic() + WAIT_S
        waiting = list(enumerate(slow))
        while waiting and time.monotonic() < deadline:
            for number, client in list(waiting):
                client.socket.settimeout(0.005)
                try:
                    self.assertEqual(b"", client.socket.recv(1))
                    waiting.remove((number, client))
                except TimeoutError:
                    if number % 2 == 0:
                        client.socket.sendall(b"x")
        self.assertEqual([], waiting)
        # Who says nothing meanwhile stays, and who is late within his time, again and again, too.
        self.assertEqual("PONG", self.client("PING"))
        for byte in 6 * b"PING\r\n":
            self.client.socket.sendall(bytes([byte]))
            time.sleep(0.03)
        self.assertEqual(["PONG"] * 6, [self.client.answer() for _ in range(6)])

    @unittest.skipUnless(shutil.which("redis-cli"), "Redis's programs are not installed")
    def test_redis_cli_that_thinks_for_longer_is_served(self):
        with subprocess.Popen(["redis-cli", "-p", str(self.port)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as cli:
            for _ in range(2):
                cli.stdin.write("ECHO still\n")
                cli.stdin.flush()
                self.assertEqual("still\n", cli.stdout.readline())
                time.sleep(1.2)


class Idle(KvServer):
    times = ("30000", "300")

    def test_who_says_nothing_is_let_go_in_silence(self):
        self.assertEqual("PONG", self.client("PING"))
        self.assertEqual(b"", self.connect().input.read())
        self.assertEqual(b"", self.client.input.read())


for name in [name for name in dir(KvServer) if name.startswith("test_")]:
    for of in (Times, Idle):
        setattr(of, name, None)  # They take longer than its times.


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
