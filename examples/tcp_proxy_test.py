# SPDX-License-Identifier: MIT
# tcp_proxy_test.py - the proxy in front of bare sockets (both ends of a stream, resets, times,
# pressure), and of nginx, Redis, iperf3, socat and nc where they are.
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server_support import SCALE, WAIT_S, ServerTest

PROGRAM = ""
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
BIG = random.Random(3).randbytes(2_000_000 * SCALE)


def read_all(peer):
    got = bytearray()
    while part := peer.recv(1 << 16):
        got += part
    return bytes(got)


def reset(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


class ProxyTest(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"
    times = ()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.command = [PROGRAM, "127.0.0.1:0", self.upstream(), *self.times]
        super().setUp()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_program(self, *command, **more):
        return subprocess.run(command, capture_output=True, timeout=WAIT_S, check=True, **more)

    def start(self, *command, ready=lambda: True, **more):
        """A program until the test's end, once `ready` does not raise OSError."""
        program = subprocess.Popen(command, **{"stdout": subprocess.DEVNULL,
                                               "stderr": subprocess.DEVNULL, **more})
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        deadline = time.monotonic() + WAIT_S
        while True:
            with contextlib.suppress(OSError):
                ready()
                return program
            self.assertIsNone(program.poll(), command)
            self.assertLess(time.monotonic(), deadline, command)
            time.sleep(0.01)

    def counted(self):
        """Stops the proxy: connections, bytes received, bytes copied."""
        self.server.send_signal(signal.SIGTERM)
        out = self.server.communicate(timeout=WAIT_S)[0].decode()
        self.assertEqual(0, self.server.returncode)
        return [int(number) for number in re.search(
            r"(\d+) connections, (\d+) bytes received, (\d+) of them copied", out).groups()]


class Sockets(ProxyTest):
    """In front of a listener of the test's own."""

    def upstream(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=500)
        self.listener.settimeout(WAIT_S)
        self.addCleanup(self.listener.close)
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def pair(self):
        """Both ends of a connection through the proxy."""
        client = self.connect()
        server, _ = self.listener.accept()
        server.settimeout(WAIT_S)
        self.addCleanup(server.close)
        return client, server

    def send_and_end(self, peer, data):
        def run():
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def test_either_side_may_end_first_and_the_other_goes_on(self):
        for first, last in ((0, 1), (1, 0)):
            for data in (b"", b"x", BIG):
                ends = self.pair()
                self.send_and_end(ends[first], data).join(0 if data is BIG else WAIT_S)
                self.assertTrue(read_all(ends[last]) == data)
                # Only now, and in pieces, what goes the other way.
                for piece in (b"not", b"over", b"yet"):
                    ends[last].sendall(piece)
                    self.assertEqual(piece, ends[first].recv(100))
                self.send_and_end(ends[last], data[::-1])
                self.assertTrue(read_all(ends[first]) == data[::-1])

    def test_both_ways_at_once_byte_for_byte_and_without_a_copy(self):
        ends = self.pair()
        threads = [self.send_and_end(ends[0], BIG), self.send_and_end(ends[1], BIG[::-1])]
        got = []
        threads.append(threading.Thread(target=lambda: got.append(read_all(ends[1])), daemon=True))
        threads[-1].start()
        self.assertTrue(read_all(ends[0]) == BIG[::-1])
        for thread in threads:
            thread.join(WAIT_S)
        self.assertTrue(got[0] == BIG)
        for end in ends:
            end.close()
        connections, received, _ = self.counted()
        self.assertEqual((1, 2 * len(BIG)), (connections, received))

    def test_resets_are_passed_on_both_ways(self):
        for one, other in ((0, 1), (1, 0)):
            for is_half_closed in (False, True):
                ends = self.pair()
                ends[one].sendall(b"x")
                self.assertEqual(b"x", ends[other].recv(1))
                if is_half_closed:
                    ends[other].shutdown(socket.SHUT_WR)
                    self.assertEqual(b"", ends[one].recv(1))
                reset(ends[one])
                with self.assertRaises(ConnectionResetError):
                    ends[other].recv(1)

    def test_an_upstream_that_is_not_there_is_a_reset_and_comes_back(self):
        address = self.listener.getsockname()
        self.listener.close()
        for _ in range(20):
            with self.assertRaises(ConnectionResetError):
                self.connect().recv(1)  # It may come before connect() has returned.
        self.listener = socket.create_server(address)
        self.addCleanup(self.listener.close)
        client, server = self.pair()
        server.sendall(b"back")
        self.assertEqual(b"back", client.recv(4))

    def test_a_side_that_does_not_read_holds_the_other_up_and_nobody_else(self):
        for sender_end, sleeper_end in ((0, 1), (1, 0)):
            ends = self.pair()
            sender, sleeper = ends[sender_end], ends[sleeper_end]
            sender.settimeout(0.5)
            data = BIG * (32_000_000 // len(BIG) + 1)  # More than all buffers on the way.
            sent = 0
            with contextlib.suppress(TimeoutError):
                while sent < len(data):
                    sent += sender.send(data[sent:sent + 100_000])
            self.assertLess(sent, len(data))  # It was held up.
            client, server = self.pair()
            client.sendall(b"meanwhile")
            self.assertEqual(b"meanwhile", server.recv(100))
            sender.settimeout(WAIT_S)
            rest = self.send_and_end(sender, data[sent:])
            self.assertTrue(read_all(sleeper) == data)
            rest.join(WAIT_S)

    def test_hundreds_at_once(self):
        pairs = [self.pair() for _ in range(300)]
        for number, (client, server) in enumerate(pairs):
            client.sendall(b"%d" % number)
            server.sendall(b"-%d" % number)
        for number, (client, server) in enumerate(pairs):
            self.assertEqual(b"%d" % number, server.recv(100))
            self.assertEqual(b"-%d" % number, client.recv(100))
        for client, server in pairs:
            client.close()
            self.assertEqual(b"", server.recv(1))

    def test_a_stop_ends_connections_in_order(self):
        client, server = self.pair()
        self.server.send_signal(signal.SIGTERM)
        for end in (client, server):
            self.assertEqual(b"", end.recv(1))
            end.close()
        self.assertEqual(0, self.server.wait(WAIT_S))


class OnEpoll(Sockets):
    environment = {"IORING_BACKEND": "epoll"}


class Times(Sockets):
    times = ("400", "400")

    def test_who_says_nothing_is_let_go_on_both_sides(self):
        client, server = self.pair()
        for _ in range(10):  # For longer than that: either direction counts for both.
            server.sendall(b"x")
            self.assertEqual(b"x", client.recv(1))
            time.sleep(0.1)
        for end in (client, server):
            self.assertEqual(b"", end.recv(1))

    @contextlib.contextmanager
    def full_upstream(self, connect_ms):
        """A listener that drops handshakes, for there are too many, and what closes those."""
        with socket.create_server(("127.0.0.1", 0), backlog=0) as full, \
                contextlib.ExitStack() as stack:
            for _ in range(3):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)
                filler.connect_ex(full.getsockname())
            self.end()
            self.command[2:] = ["127.0.0.1:%d" % full.getsockname()[1], "60000", connect_ms]
            ServerTest.setUp(self)
            yield full, stack

    def test_an_upstream_that_does_not_answer_is_a_reset(self):
        with self.full_upstream("400"):
            client = self.connect()
            with self.assertRaises(ConnectionResetError):
                client.recv(1)

    def test_an_end_before_the_upstream_answers_is_not_lost(self):
        def answer(full):
            with contextlib.suppress(OSError):
                while True:
                    server, _ = full.accept()
                    with server, contextlib.suppress(OSError):  # The fillers are gone.
                        server.sendall(read_all(server) + b" answer")

        with self.full_upstream("30000") as (full, fillers):
            clients = [self.connect() for _ in range(2)]
            clients[1].sendall(b"early")
            for client in clients:
                client.shutdown(socket.SHUT_WR)
            with self.assertRaises(TimeoutError):
                clients[0].settimeout(0.3)
                clients[0].recv(1)
            clients[0].settimeout(WAIT_S)
            fillers.close()
            threading.Thread(target=answer, args=(full,), daemon=True).start()
            self.assertEqual([b" answer", b"early answer"], [read_all(each) for each in clients])
            full.shutdown(socket.SHUT_RDWR)


for name in [name for name in dir(Sockets) if name.startswith("test_")]:
    setattr(Times, name, None)  # They take longer than its times.


class Programs(ProxyTest):
    """In front of programs at a local socket, or at a port where they know no other."""

    def upstream(self):
        return "unix:" + self.path("upstream")

    def listens(self):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.path("upstream"))

    def exists(self):
        os.stat(self.path("upstream"))

    def big_file(self):
        with open(self.path("big"), "wb") as file:
            file.write(BIG)
        return self.path("big")

    @unittest.skipUnless(shutil.which("nc") and shutil.which("socat"), "no socat or nc")
    def test_half_closes_of_socat_and_nc_byte_for_byte(self):
        big = self.big_file()
        port = str(self.address[1])
        # The upstream answers when it has seen the end.
        self.start("socat", f"UNIX-LISTEN:{self.path('upstream')},fork", "EXEC:sha256sum",
                   ready=self.exists)
        digest = hashlib.sha256(BIG).hexdigest().encode() + b"  -\n"
        for client in (["nc", "-N", "127.0.0.1", port],
                       ["socat", "-t", "20", "-", f"TCP:127.0.0.1:{port}"]):
            with open(big, "rb") as file:
                self.assertEqual(digest, self.run_program(*client, stdin=file).stdout, client)

    @unittest.skipUnless(shutil.which("nc") and shutil.which("socat"), "no socat or nc")
    def test_an_upstream_that_ends_first_still_hears(self):
        with open(self.big_file(), "rb") as file, open(self.path("heard"), "wb") as heard:
            upstream = self.start("nc", "-N", "-l", "-U", self.path("upstream"), stdin=file,
                                  stdout=heard, ready=self.exists)
            client = self.connect()
            self.assertTrue(read_all(client) == BIG)
            client.sendall(BIG[::-1])
            client.close()
            self.assertEqual(0, upstream.wait(WAIT_S))
        with open(self.path("heard"), "rb") as file:
            self.assertTrue(file.read() == BIG[::-1])

    @unittest.skipUnless(NGINX, "nginx is not installed")
    def test_nginx_by_curl_and_wrk(self):
        self.big_file()
        temporary = "\n".join(f"{kind}_temp_path {self.path(kind)};" for kind in
                              ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(self.path("nginx.conf"), "w", encoding="ascii") as file:
            file.write(f"""daemon off; master_process off; pid {self.path("pid")};
                           error_log stderr; events {{}}
                           http {{ access_log off; {temporary}
                           server {{ listen unix:{self.path("upstream")};
                           location / {{ root {self.folder.name}; }}
                           location /small {{ return 200 "small"; }} }} }}""")
        self.start(NGINX, "-p", self.folder.name, "-c", self.path("nginx.conf"),
                   ready=self.listens)
        url = f"http://127.0.0.1:{self.address[1]}"
        got = self.run_program("curl", "-sS", url + "/big", url + "/small").stdout
        self.assertTrue(got == BIG + b"small")
        run = self.run_program("wrk", "-t1", "-c50", "-d1s", "--timeout", "20s", url + "/small")
        self.assertGreater(int(re.search(rb"(\d+) requests in", run.stdout).group(1)), 50)
        self.assertNotRegex(run.stdout, b"Non-2xx|Socket errors")

    @unittest.skipUnless(shutil.which("redis-server"), "Redis is not installed")
    def test_redis_by_its_own_programs(self):
        self.start("redis-server", "--port", "0", "--unixsocket", self.path("upstream"), "--save",
                   "", "--dir", self.folder.name, ready=self.listens)
        port = str(self.address[1])
        cli = self.run_program("redis-cli", "-p", port, "SET", "x", "y")
        self.assertEqual(b"OK\n", cli.stdout)
        run = self.run_program("redis-benchmark", "-p", port, "-n", str(2000 * SCALE), "-c", "50",
                               "-P", "16", "-q", "-t", "set,get,lpush,lrange_100", text=True)
        self.assertEqual(5, run.stdout.count("requests per second"), run.stdout)

    @unittest.skipUnless(shutil.which("iperf3"), "iperf3 is not installed")
    def test_iperf3_both_ways(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]

        server = self.start("iperf3", "-s", "-B", "127.0.0.1", "-p", str(port), "--forceflush",
                            stdout=subprocess.PIPE)
        self.end()
        self.command[2] = f"127.0.0.1:{port}"
        ServerTest.setUp(self)
        for way in ((), ("-R",), ("--bidir",)):
            # Not by connecting: it takes that for a client. And whom it meets before it has done
            # with the one before, it refuses.
            self.assertTrue(any(b"Server listening" in line for line in server.stdout))
            run = self.run_program("iperf3", "-c", "127.0.0.1", "-p", str(self.address[1]), "-J",
                                   "-n", f"{20 * SCALE}M", "-P", "2", *way, text=True)
            end = json.loads(run.stdout)["end"]
            sums = {name: end[name]["bytes"] for name in end if name.startswith("sum")}
            self.assertIn("sum_sent", sums, run.stdout)
            # Of both ways at once, the first that is done ends it. What is under way when the
            # sender has done does not count.
            self.assertGreaterEqual(max(sums.values()), SCALE * 20 << 20, sums)
            self.assertGreater(max(sums["sum_received"],
                                   sums.get("sum_received_bidir_reverse", 0)), 0)
        connections, received, copied = self.counted()
        self.assertEqual(3 * 3 + 2, connections)  # A control connection each, and twice more.
        self.assertLess(copied, received // 2)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
