# SPDX-License-Identifier: MIT
# coroutine_echo_test.py - the coroutine server echoes to many at once and ends when it is told to.
import signal
import socket
import sys
import unittest

from server_support import WAIT_S, ServerTest


class CoroutineEcho(ServerTest):
    rest_of_line = r" \(backend \w+: .*\n"

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
    CoroutineEcho.command = [sys.argv.pop(1), "127.0.0.1:0"]
    unittest.main()
