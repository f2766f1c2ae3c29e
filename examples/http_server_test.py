# SPDX-License-Identifier: MIT
# http_server_test.py - the HTTP server: its files, bodies and limits, bad and slow requests by bare
# sockets, and curl and wrk where they are.
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from server_support import WAIT_S, ServerTest

PROGRAM = ""
BIG = random.Random(1).randbytes(20_000_000)
HOST = b"Host: test\r\n"


def fnv(data):
    value = 0xcbf29ce484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return b"%d %016x\n" % (len(data), value)


def get(path, fields=HOST, method=b"GET", version=b"1.1"):
    return b"%s %s HTTP/%s\r\n%s\r\n" % (method, path, version, fields)


class Client:
    def __init__(self, address):
        self.socket = socket.create_connection(address, WAIT_S)
        self.input = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def answer(self, has_body=True):
        """Status, fields and body; 0 at the end of the stream."""
        line = self.input.readline()
        if not line:
            return 0, {}, b""
        status = int(re.match(rb"HTTP/1\.1 (\d{3}) .+\r\n$", line).group(1))
        fields = {}
        while (line := self.input.readline()) != b"\r\n":
            name, value = line.decode().rstrip("\r\n").split(": ", 1)
            fields[name.lower()] = value
        if status == 100 or not has_body:
            return status, fields, b""
        if fields.get("transfer-encoding") == "chunked":
            return status, fields, b"".join(iter(self.chunk, b""))
        return status, fields, self.input.read(int(fields["content-length"]))

    def chunk(self):
        data = self.input.read(int(self.input.readline(), 16))
        assert self.input.read(2) == b"\r\n"
        return data

    def ends(self):
        return self.input.read() == b""


class HttpTest(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"
    times = ("30000", "60000")

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        root = os.path.join(cls.folder.name, "root")
        os.makedirs(os.path.join(root, "sub", "empty"))
        cls.root = root
        for name, data in (("root/index.html", b"<p>index</p>\n"), ("root/a b.txt", b"blank\n"),
                           ("root/none.css", b""), ("root/big.bin", BIG), ("secret", b"secret"),
                           ("root/sub/index.html", b"sub\n")):
            with open(os.path.join(cls.folder.name, name), "wb") as file:
                file.write(data)
        os.symlink("../secret", os.path.join(root, "link"))
        os.symlink("..", os.path.join(root, "up"))
        os.mkfifo(os.path.join(root, "pipe"))

    def setUp(self):
        self.command = [PROGRAM, self.root, "127.0.0.1:0", *self.times]
        super().setUp()
        self.url = f"http://127.0.0.1:{self.address[1]}"

    def connect(self):
        client = Client(self.address)
        self.addCleanup(client.socket.close)
        self.addCleanup(client.input.close)
        return client

    def ask(self, request, has_body=True):
        client = self.connect()
        client.send(request)
        return client.answer(has_body)

    def assert_alive(self):
        self.assertEqual(b"<p>index</p>\n", self.ask(get(b"/"))[2])

    def resident_kib(self):
        with open(f"/proc/{self.server.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))


class Requests(HttpTest):
    def test_files_have_their_bytes_and_types(self):
        for path, body, kind in ((b"/", b"<p>index</p>\n", "text/html; charset=utf-8"),
                                 (b"/index.html?x=/../y", b"<p>index</p>\n",
                                  "text/html; charset=utf-8"),
                                 (b"/a%20b.txt", b"blank\n", "text/plain; charset=utf-8"),
                                 (b"/none.css", b"", "text/css"),
                                 (b"/sub/", b"sub\n", "text/html; charset=utf-8"),
                                 (b"//./sub//index.html", b"sub\n", "text/html; charset=utf-8"),
                                 (b"http://any/big.bin", BIG, "application/octet-stream")):
            status, fields, got = self.ask(get(path))
            self.assertEqual((200, kind), (status, fields["content-type"]), path)
            self.assertTrue(body == got, path)
            status, of_head, got = self.ask(get(path, method=b"HEAD"), has_body=False)
            fields.pop("date")
            of_head.pop("date")
            self.assertEqual((200, fields), (status, of_head))

    def test_head_has_no_body_and_the_next_request_follows(self):
        client = self.connect()
        for path, status in ((b"/big.bin", 200), (b"/none", 404), (b"/sub", 301)):
            client.send(get(path, method=b"HEAD"))
            self.assertEqual(status, client.answer(has_body=False)[0])
        client.send(get(b"/"))
        self.assertEqual(200, client.answer()[0])

    def test_nothing_outside_of_the_folder_can_be_had(self):
        for path in (b"/../secret", b"/%2e%2e/secret", b"/sub/../../secret",
                     b"/sub/..%2f..%2fsecret", b"/link", b"/up/secret",
                     b"/up/root/index.html", b"/pipe", b"/sub/empty/",
                     b"/index.html/", b"/index.html%00.css", b"/%zz", b"/%", b"/none",
                     b"/" + b"x" * 4000):
            status, _, body = self.ask(get(path))
            self.assertEqual((404, b"404 Not Found\n"), (status, body), path)
        self.assertEqual("/sub/", self.ask(get(b"/sub"))[1]["location"])
        self.assert_alive()

    def test_a_connection_serves_many_and_a_pipeline_is_answered_in_order(self):
        client = self.connect()
        paths = [random.Random(n).choice((b"/", b"/sub/", b"/none", b"/a%20b.txt"))
                 for n in range(2000)]
        client.send(b"".join(get(path) for path in paths) + get(b"/big.bin") +
                    b"\r\n" + get(b"/sub/"))
        bodies = {b"/": b"<p>index</p>\n", b"/sub/": b"sub\n", b"/none": b"404 Not Found\n",
                  b"/a%20b.txt": b"blank\n"}
        for path in paths:
            self.assertEqual(bodies[path], client.answer()[2])
        self.assertTrue(client.answer()[2] == BIG)
        self.assertEqual(b"sub\n", client.answer()[2])

    def test_who_wants_to_go_is_let_go(self):
        for request, word in ((get(b"/", HOST + b"Connection: close\r\n"), "close"),
                              (get(b"/", b"", version=b"1.0"), "close")):
            client = self.connect()
            client.send(request + get(b"/sub/"))
            self.assertEqual(word, client.answer()[1]["connection"])
            self.assertTrue(client.ends())
        client = self.connect()
        client.send(2 * get(b"/", b"Connection: keep-alive\r\n", version=b"1.0"))
        self.assertEqual(["keep-alive"] * 2, [client.answer()[1]["connection"] for _ in range(2)])

    def test_requests_before_the_end_of_the_stream_are_answered(self):
        client = self.connect()
        client.send(get(b"/big.bin") + get(b"/"))
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.answer()[2] == BIG)
        self.assertEqual(200, client.answer()[0])
        self.assertTrue(client.ends())

    def test_who_ends_within_a_request_is_let_go_at_once(self):
        post = b"POST /digest HTTP/1.1\r\nHost: a\r\n"
        for part in (b"G", b"GET / HTTP/1.1\r\nHost: a\r", post + b"Content-Length: 9\r\n\r\nabc",
                     post + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc"):
            for before in (b"", get(b"/sub/")):
                client = self.connect()
                client.socket.settimeout(9)  # And not when its time is over.
                client.send(before + part)
                client.socket.shutdown(socket.SHUT_WR)
                if before:
                    self.assertEqual(b"sub\n", client.answer()[2])
                self.assertTrue(client.ends(), part)

    def test_a_pipeline_up_to_a_bad_request_is_answered(self):
        client = self.connect()
        client.send(get(b"/sub/") + get(b"/none") + get(b"/", method=b"DELETE") +
                    get(b"/none.css", method=b"HEAD") + get(b"/big.bin") + get(b"/", b"") +
                    get(b"/"))
        for status in (200, 404, 405):
            self.assertEqual(status, client.answer()[0])
        self.assertEqual(200, client.answer(has_body=False)[0])
        self.assertTrue(client.answer()[2] == BIG)
        self.assertEqual((400, "close"), (lambda status, fields, _: (
            status, fields["connection"]))(*client.answer()))
        self.assertTrue(client.ends())

    def test_a_part_of_a_file_can_be_had(self):
        client = self.connect()
        size = len(BIG)
        tag = self.ask(get(b"/big.bin", method=b"HEAD"), has_body=False)[1]["etag"].encode()
        for fields, first, end in (
                (b"Range: bytes=0-0", 0, 1), (b"Range: bytes=100-199", 100, 200),
                (b"Range: bytes=%d-" % (size - 5), size - 5, size),
                (b"range:BYTES=-7", size - 7, size), (b"Range: bytes=-%d" % (2 * size), 0, size),
                (b"Range: bytes=1000000-99999999999999999999999", 1_000_000, size),
                (b"Range: bytes=5-9\r\nIf-Range: " + tag, 5, 10)):
            client.send(get(b"/big.bin", HOST + fields + b"\r\n"))
            status, told, body = client.answer()
            self.assertEqual((206, f"bytes {first}-{end - 1}/{size}"),
                             (status, told["content-range"]), fields)
            self.assertTrue(body == BIG[first:end], fields)
        for fields in (b"Range: bytes=%d-" % size, b"Range: bytes=99999999999999999999999-",
                       b"Range: bytes=-0"):
            client.send(get(b"/big.bin", HOST + fields + b"\r\n"))
            status, told, _ = client.answer()
            self.assertEqual((416, f"bytes */{size}"), (status, told["content-range"]), fields)

    def test_what_is_no_range_gets_all_of_the_file(self):
        client = self.connect()
        for path, fields in ((b"/", b"Range: bytes=2-1"), (b"/", b"Range: lines=1-2"),
                             (b"/", b"Range: bytes=0-1,3-4"), (b"/", b"Range: bytes=-"),
                             (b"/", b"Range: bytes=a-b"), (b"/", b"Range: bytes=0x0-1"),
                             (b"/", b"Range: bytes"), (b"/", b"Range:"),
                             (b"/", b"Range: bytes=0-1\r\nRange: bytes=0-1"),
                             (b"/", b'Range: bytes=0-1\r\nIf-Range: "other"'),
                             (b"/none.css", b"Range: bytes=-5")):
            client.send(get(path, HOST + fields + b"\r\n"))
            status, told, body = client.answer()
            self.assertEqual((200, "bytes"), (status, told["accept-ranges"]), fields)
            self.assertEqual(b"" if path == b"/none.css" else b"<p>index</p>\n", body, fields)
        client.send(get(b"/", HOST + b"Range: bytes=0-1\r\n", method=b"HEAD"))
        self.assertEqual((200, "13"), (lambda status, fields, _: (
            status, fields["content-length"]))(*client.answer(has_body=False)))
        client.send(get(b"/none.css", HOST + b"Range: bytes=0-\r\n"))
        self.assertEqual(416, client.answer()[0])

    def test_a_file_that_the_client_has_is_not_sent_again(self):
        path = os.path.join(self.root, "news.txt")
        with open(path, "wb") as file:
            file.write(b"old\n")
        self.addCleanup(os.unlink, path)
        client = self.connect()
        client.send(get(b"/news.txt"))
        tag = client.answer()[1]["etag"].encode()
        self.assertRegex(tag, b'^"[0-9a-f-]+"$')
        for method in (b"GET", b"HEAD"):
            for list_of in (tag, b"*", b'"x", W/' + tag, b'W/"",' + tag + b' , "y"'):
                # Goes before a range.
                client.send(get(b"/news.txt", HOST + b"If-None-Match: " + list_of +
                                b"\r\nRange: bytes=0-0\r\n", method=method))
                status, told, _ = client.answer(has_body=False)
                self.assertEqual((304, tag.decode()), (status, told["etag"]), list_of)
        for list_of in (b'"x"', tag.strip(b'"'), b'"x" y ' + tag, b""):
            client.send(get(b"/news.txt", HOST + b"If-None-Match: " + list_of + b"\r\n"))
            self.assertEqual((200, b"old\n"), client.answer()[::2], list_of)
        with open(path, "wb") as file:
            file.write(b"new\n")
        os.utime(path, ns=(0, os.stat(path).st_mtime_ns + 1))  # A clock may be coarse.
        client.send(get(b"/news.txt", HOST + b"If-None-Match: " + tag + b"\r\n"))
        self.assertEqual((200, b"new\n"), client.answer()[::2])
        client.send(get(b"/news.txt", HOST + b"Range: bytes=1-2\r\nIf-Range: " + tag + b"\r\n"))
        self.assertEqual((200, b"new\n"), client.answer()[::2])

    def test_a_request_may_come_byte_by_byte(self):
        client = self.connect()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = (b"\r\nPOST /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                   b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\n")
        for byte in request:
            client.send(bytes([byte]))
        self.assertEqual(fnv(b"abcde"), client.answer()[2])

    def test_bodies_are_taken_in_both_framings(self):
        data = random.Random(2).randbytes(100_000)
        client = self.connect()
        for size in (0, 1, 65_536, 100_000):
            client.send(b"PUT /digest HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s"
                        % (size, data[:size]))
            self.assertEqual(fnv(data[:size]), client.answer()[2])
            step = 1 + size // 7
            chunks = [data[at:min(at + step, size)] for at in range(0, size, step)]
            client.send(b"PUT /digest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
                        b"".join(b"%X\r\n%s\r\n" % (len(each), each) for each in chunks) +
                        b"0\r\n\r\n")
            self.assertEqual(fnv(data[:size]), client.answer()[2])

    def test_an_echo_comes_while_it_is_sent(self):
        for framing in (b"Content-Length: %d\r\n" % len(BIG), b"Transfer-Encoding: chunked\r\n"):
            client = self.connect()
            parts = [BIG[at:at + 50_000] for at in range(0, len(BIG), 50_000)]
            if framing[:1] == b"T":
                parts = [b"%x\r\n%s\r\n" % (len(part), part) for part in parts] + [b"0\r\n\r\n"]

            def send(client=client, framing=framing, parts=parts):
                client.send(b"POST /echo HTTP/1.1\r\n" + HOST + framing + b"\r\n")
                for part in parts:
                    client.send(part)
                client.send(get(b"/sub/"))

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            self.assertTrue(client.answer()[2] == BIG)
            self.assertEqual(b"sub\n", client.answer()[2])
            sender.join(WAIT_S)

    def test_a_client_that_waits_for_leave_gets_it(self):
        client = self.connect()
        head = b"POST /digest HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\n"
        client.send(head + b"Content-Length: 3\r\n\r\n")
        self.assertEqual(100, client.answer()[0])
        client.send(b"abc")
        self.assertEqual((200, fnv(b"abc")), client.answer()[::2])
        client.send(head + b"Content-Length: 3\r\n\r\nabc")  # It did not wait.
        self.assertEqual(200, client.answer()[0])
        client.send(head + b"Content-Length: 9999999999\r\n\r\n")
        self.assertEqual(413, client.answer()[0])
        self.assertTrue(client.ends())

    def test_bad_requests_get_the_protocol_s_answer_and_the_end(self):
        post = b"POST /digest HTTP/1.1\r\nHost: a\r\n"
        chunked = post + b"Transfer-Encoding: chunked\r\n\r\n"
        for request, status in (
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400), (b"GARBAGE\r\n\r\n", 400),
                (get(b"/", b""), 400), (get(b"/", HOST + HOST), 400),
                (b"GET / HTTP/1.1\nHost: a\n\n", 400), (get(b"/", HOST + b"X: a\r\n b\r\n"), 400),
                (get(b"/", HOST + b"X Y: a\r\n"), 400),
                (post + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                (post + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                (post + b"Content-Length: -1\r\n\r\n", 400), (chunked + b"x\r\n", 400),
                (chunked + b"1\r\nab\r\n0\r\n\r\n", 400),
                (chunked + b"ffffffffff\r\n", 413),
                (post + b"Content-Length: 99999999999\r\n\r\n", 413),
                (get(b"/" + b"x" * 9000), 414), (get(b"/", HOST + b"X: " + b"x" * 9000), 431),
                (get(b"/", HOST + b"X: y\r\n" * 100), 431),
                (get(b"/", HOST + b"Expect: tea\r\n"), 417), (get(b"/", method=b"BREW"), 501),
                (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 501),
                (post + b"Transfer-Encoding: gzip\r\n\r\n", 501),
                (get(b"/", version=b"2.0"), 505), (b"GET /\r\n\r\n", 505)):
            client = self.connect()
            # What follows must be read by nobody.
            client.send(request + get(b"/"))
            self.assertEqual(status, client.answer()[0], request)
            self.assertTrue(client.ends(), request)
        self.assert_alive()

    def test_a_method_that_does_not_fit_leaves_the_connection(self):
        client = self.connect()
        for path, method, allowed in ((b"/", b"DELETE", "GET, HEAD"),
                                      (b"/echo", b"GET", "POST, PUT"),
                                      (b"*", b"OPTIONS", "GET, HEAD")):
            client.send(get(path, method=method))
            status, fields, _ = client.answer()
            self.assertEqual((405, allowed), (status, fields["allow"]))
        client.send(get(b"/"))
        self.assertEqual(200, client.answer()[0])
        # Behind a body that was not read nothing can follow.
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
        self.assertEqual("close", client.answer()[1]["connection"])
        self.assertTrue(client.ends())

    def test_clients_that_do_not_read_cost_no_memory_and_stop_nobody(self):
        self.assert_alive()
        before = self.resident_kib()
        sleepers = [self.connect() for _ in range(20)]
        for sleeper in sleepers:
            sleeper.send(50 * get(b"/big.bin"))
        for _ in range(20):
            self.assert_alive()
        self.assertLess(self.resident_kib() - before, 40_000)  # Of 20 GB asked for.
        for _ in range(3):
            self.assertTrue(sleepers[0].answer()[2] == BIG)

    def test_a_stop_ends_it(self):
        client = self.connect()
        client.send(get(b"/"))
        self.assertEqual(200, client.answer()[0])
        self.server.send_signal(signal.SIGTERM)
        self.assertTrue(client.ends())
        client.socket.close()
        self.assertEqual(0, self.server.wait(WAIT_S))


class OnEpoll(Requests):
    environment = {"IORING_BACKEND": "epoll"}


class Programs(HttpTest):
    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_curl_is_content(self):
        def curl(*words):
            return subprocess.run(["curl", "-sS", "--http1.1", *words], capture_output=True,
                                  timeout=WAIT_S, check=True)

        big = f"{self.root}/big.bin"
        self.assertTrue(curl(self.url + "/big.bin").stdout == BIG)
        two = curl("-v", self.url + "/sub/", self.url + "/")
        self.assertEqual(b"sub\n<p>index</p>\n", two.stdout)
        self.assertIn(b"Re-using existing connection", two.stderr)
        self.assertEqual(b"sub\n", curl("-L", self.url + "/sub").stdout)
        self.assertIn(b"Content-Length: 20000000", curl("-I", self.url + "/big.bin").stdout)
        self.assertEqual(b"<p>index</p>\n", curl("--http1.0", self.url).stdout)
        told = curl("-v", "-H", "Expect: 100-continue", "-T", big, self.url + "/echo")
        self.assertIn(b"HTTP/1.1 100 Continue", told.stderr)
        self.assertTrue(told.stdout == BIG)
        self.assertTrue(curl("-H", "Transfer-Encoding: chunked", "-T", big,
                             self.url + "/echo").stdout == BIG)
        code = ("-o", "/dev/null", "-w", "%{http_code}")
        self.assertEqual(b"404", curl(*code, "--path-as-is", self.url + "/../secret").stdout)
        self.assertEqual(b"405", curl(*code, "-X", "DELETE", self.url).stdout)
        self.assertTrue(curl("-r", "1000-99999", self.url + "/big.bin").stdout == BIG[1000:100000])
        part, tag = (os.path.join(self.folder.name, name) for name in ("part", "tag"))
        with open(part, "wb") as file:
            file.write(BIG[:5_000_000])
        curl("-C", "-", "-o", part, self.url + "/big.bin")
        with open(part, "rb") as file:
            self.assertTrue(file.read() == BIG)
        curl("--etag-save", tag, self.url)
        self.assertEqual(b"304", curl(*code, "--etag-compare", tag, self.url).stdout)

    @unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
    def test_wrk_is_content(self):
        for path in ("/", "/none.css"):
            run = subprocess.run(["wrk", "-t1", "-c50", "-d1s", "--timeout", "20s",
                                  self.url + path],
                                 capture_output=True, text=True, timeout=WAIT_S, check=True)
            self.assertGreater(int(re.search(r"(\d+) requests in", run.stdout).group(1)), 50)
            self.assertNotRegex(run.stdout, "Non-2xx|Socket errors")


class Times(HttpTest):
    times = ("400", "60000")

    def test_who_is_slow_is_told_and_dropped(self):
        slow = [self.connect() for _ in range(50)]
        for client in slow:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        self.assert_alive()
        body = self.connect()
        body.send(b"PUT /digest HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n")
        echo = self.connect()
        echo.send(b"PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        # A byte now and then helps none of them.
        deadline = time.monotonic() + WAIT_S
        waiting = [body, *slow]
        while waiting and time.monotonic() < deadline:
            for client in list(waiting):
                client.socket.settimeout(0.005)
                try:
                    client.socket.recv(1, socket.MSG_PEEK)
                    waiting.remove(client)
                except TimeoutError:
                    client.send(b"x")
        for client in (body, *slow):
            client.socket.settimeout(WAIT_S)
            self.assertEqual(408, client.answer()[0])
            self.assertTrue(client.ends())
        self.assertEqual(b"HTTP/1.1 200 OK\r\n", echo.input.readline())
        with self.assertRaises(ConnectionResetError):  # It must not look whole.
            echo.input.read()
        self.assert_alive()

    def test_empty_lines_for_ever_are_no_request(self):
        client = self.connect()
        client.socket.settimeout(0.02)
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            client.send(b"\r\n")
            try:
                client.socket.recv(1, socket.MSG_PEEK)
                break
            except TimeoutError:
                pass
        client.socket.settimeout(WAIT_S)
        self.assertEqual(408, client.answer()[0])


class Idle(HttpTest):
    times = ("30000", "300")

    def test_who_says_nothing_is_let_go_in_silence(self):
        silent, done = self.connect(), self.connect()
        done.send(get(b"/"))
        self.assertEqual(200, done.answer()[0])
        self.assertTrue(silent.ends() and done.ends())


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
