# SPDX-License-Identifier: MIT
# tls_echo_test.py - the TLS server, spoken to by Python's ssl and by OpenSSL's own client.
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

from server_support import WAIT_S, ServerTest

PROGRAM = ""


class TlsTest(ServerTest):
    times = ()

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.certificate = os.path.join(cls.folder.name, "certificate.pem")
        cls.key = os.path.join(cls.folder.name, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        cls.key, "-out", cls.certificate],
                       check=True, capture_output=True, timeout=WAIT_S)

    def setUp(self):
        self.command = [PROGRAM, self.certificate, self.key, "127.0.0.1:0", *self.times]
        super().setUp()
        self.port = self.address[1]

    def connect(self):
        context = ssl.create_default_context(cafile=self.certificate)
        raw = socket.create_connection(("127.0.0.1", self.port), WAIT_S)
        made = context.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(made.close)
        return made


class TlsEcho(TlsTest):
    def test_megabytes_come_back(self):
        # One after the other: Python's TLS sockets are not for two threads.
        client = self.connect()
        for size in (1, 16_384, 16_385, 400_000, 399_999, 400_001):
            sent = os.urandom(size)
            client.sendall(sent)
            got = b""
            while len(got) < len(sent):
                piece = client.recv(65536)
                self.assertTrue(piece)
                got += piece
            self.assertEqual(sent, got)

    def test_a_client_that_reads_late_stops_nobody(self):
        late = self.connect()
        late.settimeout(1)
        sent = 0
        try:
            while sent < 50_000_000:
                sent += late.send(b"x" * 16384)
        except (TimeoutError, ssl.SSLWantWriteError):
            pass
        self.assertGreater(sent, 0)
        other = self.connect()
        other.sendall(b"hello")
        self.assertEqual(b"hello", other.recv(5))

    def test_an_orderly_end_is_answered(self):
        client = self.connect()
        client.sendall(b"bye")
        self.assertEqual(b"bye", client.recv(3))
        raw = client.unwrap()  # Waits for the server's close_notify.
        self.assertEqual(b"", raw.recv(1))
        raw.close()

    def test_what_is_no_tls_ends(self):
        raw = socket.create_connection(("127.0.0.1", self.port), WAIT_S)
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        while raw.recv(1000):
            pass
        raw.close()
        self.assertEqual("TLSv1.3", self.connect().version())

    def test_openssl_s_own_client_is_content(self):
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}",
                                   "-CAfile", self.certificate, "-verify_return_error", "-quiet"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.addCleanup(client.communicate, timeout=WAIT_S)
        self.addCleanup(client.kill)
        client.stdin.write(b"through s_client\n")
        client.stdin.flush()
        self.assertEqual(b"through s_client\n", client.stdout.readline())

    def test_a_stop_ends_it(self):
        client = self.connect()
        self.server.send_signal(signal.SIGTERM)
        client.settimeout(WAIT_S)
        try:
            client.recv(1)
        except ssl.SSLError:
            pass  # No close_notify: the program has ended.
        client.close()
        self.assertEqual(0, self.server.wait(WAIT_S))


class OnEpoll(TlsEcho):
    environment = {"IORING_BACKEND": "epoll"}


class ByRecords:
    """A client that says when which bytes of its records go."""

    def __init__(self, test):
        self.socket = socket.create_connection(test.address, WAIT_S)
        test.addCleanup(self.socket.close)
        self.came, self.to_go = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = ssl.create_default_context(cafile=test.certificate).wrap_bio(
            self.came, self.to_go, server_hostname="localhost")
        self.until_done(self.tls.do_handshake)
        self.socket.sendall(self.to_go.read())

    def until_done(self, call):
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                self.socket.sendall(self.to_go.read())
                self.came.write(self.socket.recv(65536))

    def record(self, data):
        self.tls.write(data)
        return self.to_go.read()


class Times(TlsTest):
    times = ("1000", "60000")

    def talk(self, client):
        client.sendall(b"still there")
        self.assertEqual(b"still there", client.recv(100))

    def test_who_does_not_end_the_handshake_is_dropped(self):
        good = self.connect()
        slow = [socket.create_connection(self.address, WAIT_S) for _ in range(20)]
        for peer in slow:
            self.addCleanup(peer.close)
            peer.sendall(b"\x16\x03\x01\x02\x00\x01")  # Of a ClientHello.
        for peers, drip in ((slow[:10], b"\x01"), (slow[10:], b"")):
            self.assert_all_are_dropped(peers, drip, lambda: self.talk(good))
        self.talk(good)

    def test_who_does_not_end_a_record_is_dropped(self):
        good = ByRecords(self)
        rest = good.record(b"hello")

        def overlap():
            # There is always a record of which some bytes have come: never the same for long.
            nonlocal rest
            following = good.record(b"hello")
            good.socket.sendall(rest + following[:9])
            rest = following[9:]
            self.assertEqual(b"hello", good.until_done(lambda: good.tls.read(5)))

        for _ in range(2):
            slow = [ByRecords(self) for _ in range(4)]
            for client in slow:
                client.socket.sendall(client.record(b"x" * 16000)[:100])
            took = self.assert_all_are_dropped([client.socket for client in slow], b"x", overlap)
            self.assertGreater(took, 0.9)


class Idle(TlsTest):
    times = ("30000", "1500")

    def test_who_says_nothing_is_let_go(self):
        good = self.connect()
        silent = [ByRecords(self).socket for _ in range(4)]

        def talk():
            good.sendall(b"x")
            self.assertEqual(b"x", good.recv(1))

        self.assertGreater(self.assert_all_are_dropped(silent, b"", talk), 1.4)
        talk()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
