# SPDX-License-Identifier: MIT
# echo_server_test.py - the README's program serves, and is the one that the README shows.
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import unittest

from server_support import WAIT_S, ServerTest

HERE = os.path.dirname(os.path.abspath(__file__))
README = os.path.join(HERE, "../README.md")
# In the README the file stands as it is, as a fenced block, between these two lines.
BEGIN = "<!-- examples/echo_server.cpp begin -->"
END = "<!-- examples/echo_server.cpp end -->"


class EchoServer(ServerTest):
    rest_of_line = r" \(backend \w+: .+\)\n"

    def stop(self):
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(b"", self.server.communicate(timeout=WAIT_S)[1])
        self.assertEqual(0, self.server.returncode)

    def echo(self, data):
        with socket.create_connection(self.address, WAIT_S) as peer:
            def send():
                peer.sendall(data)
                peer.shutdown(socket.SHUT_WR)

            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            got = bytearray()
            while part := peer.recv(65536):
                got += part
            sender.join(WAIT_S)
            return bytes(got)

    def test_everything_comes_back_and_then_the_end(self):
        for size in (0, 1, 65536, 65537, 2_000_000):
            data = random.Random(size).randbytes(size)
            self.assertTrue(data == self.echo(data), f"{size} bytes")
        self.stop()

    def test_many_at_once_and_resets_among_them(self):
        peers = [socket.create_connection(self.address, WAIT_S) for _ in range(200)]
        for number, peer in enumerate(peers):
            peer.sendall(str(number).encode())
        for number, peer in enumerate(peers):
            if number % 3 == 0:
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                self.assertEqual(str(number).encode(), peer.recv(100))
            peer.close()
        self.assertEqual(b"still there", self.echo(b"still there"))
        self.stop()

    def test_it_stops_with_connections_open(self):
        with socket.create_connection(self.address, WAIT_S) as peer:
            peer.sendall(b"hello")
            self.assertEqual(b"hello", peer.recv(5))
            self.stop()

    def test_a_bad_address_is_one_sentence(self):
        done = subprocess.run([self.command[0], "localhost"], capture_output=True, timeout=WAIT_S,
                              check=False)
        self.assertEqual(1, done.returncode)
        self.assertRegex(done.stderr.decode(), r"^echo_server: .*localhost.*\n$")


class Readme(unittest.TestCase):
    def test_the_readme_shows_this_program(self):
        with open(README, encoding="utf-8") as file:
            readme = file.read()
        self.assertEqual((1, 1), (readme.count(BEGIN), readme.count(END)), "the markers")
        shown = readme.split(BEGIN)[1].split(END)[0].strip()
        with open(os.path.join(HERE, "echo_server.cpp"), encoding="utf-8") as file:
            self.assertEqual("```cpp\n" + file.read() + "```", shown)


if __name__ == "__main__":
    EchoServer.command = [sys.argv.pop(1), "127.0.0.1:0"]
    unittest.main(verbosity=2)
