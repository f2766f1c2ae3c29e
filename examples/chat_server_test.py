# SPDX-License-Identifier: MIT
# chat_server_test.py - everybody hears what anybody says, and nobody waits for who does not listen.
import signal
import sys
import unittest

from server_support import WAIT_S, ServerTest


class ChatServer(ServerTest):
    def join(self, others):
        """A member, once it is heard by all the others."""
        peer = self.connect()
        if others:
            peer.sendall(b"!")
        for other in others:
            self.assertEqual(b"!", other.recv(1))
        return peer

    def test_everybody_else_hears_it(self):
        members = []
        for _ in range(10):
            members.append(self.join(members))
        members[3].sendall(b"hello")
        for number, member in enumerate(members):
            if number != 3:
                self.assertEqual(b"hello", member.recv(5))
        members.pop(0).close()
        members[0].sendall(b"again")
        for member in members[1:]:
            self.assertEqual(b"again", member.recv(5))
        self.server.send_signal(signal.SIGTERM)
        self.server.wait(WAIT_S)
        self.assertEqual(0, self.server.returncode)

    def test_a_member_that_does_not_read_is_not_waited_for(self):
        listener = self.join([])
        sleeper = self.join([listener])
        speaker = self.join([listener, sleeper])
        block = b"x" * 65536
        for _ in range(400):
            speaker.sendall(block)
            got = 0
            while got < len(block):
                got += len(listener.recv(len(block) - got))
        # It was disconnected: what it can still read ends.
        with self.assertRaises(ConnectionResetError):
            while sleeper.recv(1 << 20):
                pass


if __name__ == "__main__":
    ChatServer.command = [sys.argv.pop(1)]
    unittest.main(verbosity=2)
