# SPDX-License-Identifier: MIT
# line_server_test.py - the line protocol's answers, however the lines come.
import signal
import socket
import sys
import unittest

from server_support import WAIT_S, ServerTest

PROGRAM = ""


class LineTest(ServerTest):
    times = ()

    def setUp(self):
        self.command = [PROGRAM, "127.0.0.1:0", *self.times]
        super().setUp()


class LineServer(LineTest):
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


class Times(LineTest):
    times = ("1000", "60000")

    def test_who_does_not_end_a_line_is_dropped(self):
        slow = [self.connect() for _ in range(4)]
        for peer in slow:
            peer.sendall(b"add 2 2\nadd 1")
        # A byte now and then, but lines that end, are well.
        good = self.connect()
        answers = good.makefile("rb")
        to_say = []

        def spell():
            if not to_say:
                to_say.extend(b"add 1 2\n")
            good.sendall(bytes([to_say.pop(0)]))
            if not to_say:
                self.assertEqual(b"3\n", answers.readline())

        self.assertGreater(self.assert_all_are_dropped(slow, b"1", spell), 0.9)
        while to_say:
            spell()


class Idle(LineTest):
    times = ("60000", "1500")

    def test_who_says_nothing_is_let_go(self):
        silent = [self.connect() for _ in range(4)]
        silent[0].sendall(b"add 2 2\n")
        silent[1].sendall(b"add 2")
        good = self.connect()
        answers = good.makefile("rb")

        def talk():
            good.sendall(b"upper x\n")
            self.assertEqual(b"X\n", answers.readline())

        self.assertGreater(self.assert_all_are_dropped(silent, b"", talk), 1.4)
        talk()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
