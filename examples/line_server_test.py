# SPDX-License-Identifier: MIT
# line_server_test.py - the line protocol's answers, however the lines come.
import signal
import socket
import sys
import unittest

from server_support import WAIT_S, ServerTest


class LineServer(ServerTest):
    def test_lines_are_answered_whole_in_pieces_and_many_at_once(self):
        peer = self.connect()
        answers = peer.makefile("rb")
        peer.sendall(b"add 2 40\n")
        self.assertEqual(b"42\n", answers.readline())
        for byte in b"upper abc\n":
            peer.sendall(bytes([byte]))
        self.assertEqual(b"ABC\n", answers.readline())
        peer.sendall(b"add -1 1\nnonsense\nadd 1\nupper x y\n")
        self.assertEqual([b"0\n", b"error: no such command\n", b"error: no such command\n",
                          b"X Y\n"], [answers.readline() for _ in range(4)])
        peer.sendall(b"quit\n")
        self.assertEqual(b"", answers.readline())

    def test_thousands_of_questions_before_the_first_answer_is_read(self):
        # More answers than all buffers hold: the questions wait on the way.
        peer = self.connect()
        text = "x" * 100
        questions = f"upper {text}\n".encode() * 40_000
        peer.setblocking(False)
        sent = 0
        for _ in range(1000):
            try:
                sent += peer.send(questions[sent:])
            except BlockingIOError:
                break
        peer.settimeout(WAIT_S)
        whole = sent // len(questions[:107]) * 107
        got = 0
        while got < whole // 107 * 101:
            part = peer.recv(65536)
            self.assertNotEqual(b"", part)
            got += len(part)
        self.assertEqual(whole // 107 * 101, got)

    def test_who_ends_within_a_line_is_let_go_at_once(self):
        peer = self.connect()
        peer.sendall(b"add 1 2\nadd 1")
        peer.shutdown(socket.SHUT_WR)
        self.assertEqual(b"3\n", peer.recv(100))
        self.assertEqual(b"", peer.recv(1))

    def test_a_line_without_end_is_cut(self):
        peer = self.connect()
        peer.sendall(b"x" * 5000)
        with self.assertRaises(ConnectionResetError):
            peer.recv(1)

    def test_it_drains_at_the_stop(self):
        peer = self.connect()
        peer.sendall(b"add 1 2\n")
        self.assertEqual(b"3\n", peer.recv(100))
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(b"", peer.recv(1))
        peer.close()
        out = self.server.communicate(timeout=WAIT_S)[0]
        self.assertEqual(0, self.server.returncode)
        self.assertEqual(b"1 ended in order, 0 cut\n", out)


if __name__ == "__main__":
    LineServer.command = [sys.argv.pop(1)]
    unittest.main(verbosity=2)
