# SPDX-License-Identifier: MIT
# chat_server_test.py - everybody hears what anybody says, and nobody waits for who does not listen.
import signal
import socket
import sys
import unittest

from server_support import WAIT_S, ServerTest

PROGRAM = ""


class ChatTest(ServerTest):
    times = ()

    def setUp(self):
        self.command = [PROGRAM, "127.0.0.1:0", *self.times]
        super().setUp()

    def join(self, others):
        """A member, once it is heard by all the others."""
        peer = self.connect()
        if others:
            peer.sendall(b"!\n")
        for other in others:
            self.assertEqual(b"!\n", other.recv(2, socket.MSG_WAITALL))
        return peer

    def talk(self, one, other):
        for speaker, listener in ((one, other), (other, one)):
            speaker.sendall(b"hello\n")
            self.assertEqual(b"hello\n", listener.recv(6, socket.MSG_WAITALL))


class ChatServer(ChatTest):
    def test_everybody_else_hears_it(self):
        members = []
        for _ in range(10):
            members.append(self.join(members))
        members[3].sendall(b"hello\n")
        for number, member in enumerate(members):
            if number != 3:
                self.assertEqual(b"hello\n", member.recv(6, socket.MSG_WAITALL))
        members.pop(0).close()
        members[0].sendall(b"again\n")
        for member in members[1:]:
            self.assertEqual(b"again\n", member.recv(6, socket.MSG_WAITALL))
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(WAIT_S)
        self.assertEqual(0, self.server.returncode)

    def test_a_line_in_pieces_is_said_whole(self):
        listener = self.join([])
        one = self.join([listener])
        other = self.join([listener, one])
        for piece in (b"begun, ", b"and "):
            one.sendall(piece)
            other.sendall(b"between\n")
            for member in (listener, one):
                self.assertEqual(b"between\n", member.recv(100))
        one.sendall(b"ended\nbegun")
        for member in (listener, other):
            self.assertEqual(b"begun, and ended\n", member.recv(100))
        one.shutdown(socket.SHUT_WR)  # Its line will never be whole.
        self.assertEqual(b"", one.recv(100))

    def test_a_line_without_end_is_cut(self):
        peer = self.connect()
        with self.assertRaises(ConnectionError):
            peer.sendall(b"x" * 5000)
            self.assertNotEqual(b"", peer.recv(1))

    def test_a_member_that_does_not_read_is_not_waited_for(self):
        listener = self.join([])
        sleeper = self.join([listener])
        speaker = self.join([listener, sleeper])
        block = (b"x" * 1023 + b"\n") * 64
        for _ in range(400):
            speaker.sendall(block)
            got = 0
            while got < len(block):
                got += len(listener.recv(len(block) - got))
        # It was disconnected: what it can still read ends.
        with self.assertRaises(ConnectionResetError):
            while sleeper.recv(1 << 20):
                pass


class Times(ChatTest):
    times = ("1000", "60000")

    def test_who_does_not_end_a_line_is_dropped(self):
        one = self.join([])
        other = self.join([one])
        slow = [self.connect() for _ in range(4)]
        for peer in slow:
            peer.sendall(b"begun")
        took = self.assert_all_are_dropped(slow, b"x", lambda: self.talk(one, other))
        self.assertGreater(took, 0.9)
        self.talk(one, other)


class Idle(ChatTest):
    times = ("60000", "1500")

    def test_who_says_nothing_is_let_go_whatever_it_hears(self):
        one = self.join([])
        other = self.join([one])
        silent = [self.connect() for _ in range(4)]
        silent[0].sendall(b"begun")
        took = self.assert_all_are_dropped(silent, b"", lambda: self.talk(one, other))
        self.assertGreater(took, 1.4)
        self.talk(one, other)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
