# SPDX-License-Identifier: MIT
# coroutine_echo_test.py - the coroutine server echoes to many at once and ends when it is told to.
import re
import signal
import socket
import subprocess
import sys
import unittest

WAIT_S = 30
PROGRAM = ""


class CoroutineEcho(unittest.TestCase):
    def setUp(self):
        self.server = subprocess.Popen([PROGRAM, "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.server.kill)
        line = self.server.stdout.readline()
        port = re.match(r"^listening on 127\.0\.0\.1:(\d+) \(backend \w+: ", line).group(1)
        self.address = ("127.0.0.1", int(port))

    def connect(self):
        made = socket.create_connection(self.address, WAIT_S)
        self.addCleanup(made.close)
        return made

    def test_many_are_served_at_once_to_their_last_byte(self):
        clients = [self.connect() for _ in range(50)]
        for number, client in enumerate(clients):
            client.sendall(bytes([number]) * 10_000)
            client.shutdown(socket.SHUT_WR)
        for number, client in enumerate(clients):
            got = b""
            while piece := client.recv(65536):
                got += piece
            self.assertEqual(bytes([number]) * 10_000, got)

    def test_it_ends_with_connections_open(self):
        client = self.connect()
        client.sendall(b"x")
        self.assertEqual(b"x", client.recv(1))
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(0, self.server.wait(WAIT_S))
        self.assertEqual(b"", client.recv(1))


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
