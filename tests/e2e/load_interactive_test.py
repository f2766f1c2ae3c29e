# SPDX-License-Identifier: MIT
# load_interactive_test.py - the conversation mode of ioring-load, through pipes and a terminal.
import os
import pty
import select
import signal
import subprocess
import time
import unittest

from load_support import WAIT_S, Behaviour, Server, finish, read_line, run, start

TIMED = r"  \([\d.]+ (?:B|KiB|MiB) in [\d,.]+ (?:ns|us|ms|s)\)"


class Upper(Behaviour):
    def received(self, peer, data):
        peer.send(data.upper())


class Twice(Behaviour):
    def received(self, peer, data):
        peer.send(data + data)


class OneByteAtATime(Behaviour):
    def __init__(self):
        self.waiting = []

    def received(self, peer, data):
        self.waiting += [(peer, data[i:i + 1]) for i in range(len(data))]

    def tick(self, server, now):
        if self.waiting:
            peer, data = self.waiting.pop(0)
            peer.send(data)

    def ended(self, peer):
        peer.close()


class Mute(Behaviour):
    def received(self, peer, data):
        pass


class Hangup(Behaviour):
    def received(self, peer, data):
        peer.close()


class InteractiveTest(unittest.TestCase):
    def talk(self, behaviour, text, *options):
        with Server(behaviour) as server:
            return run("--port", server.port, "--interactive", *options, text=text)

    def test_each_line_comes_back_with_its_time(self):
        result = self.talk(Behaviour(), "hello\nsecond line\n\nquit\nnever sent\n")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"^connected to 127.0.0.1:\d+; [^\n]*\n"
                         rf"hello{TIMED}\nsecond line{TIMED}\n{TIMED}\n$")

    def test_the_end_of_the_input_ends_it(self):
        result = self.talk(Behaviour(), "last", "-q")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, rf"^last{TIMED}\n$")
        self.assertEqual(self.talk(Behaviour(), "", "-q").out, "")

    def test_a_line_of_megabytes_comes_back(self):
        line = "x" * 5_000_000
        result = self.talk(Behaviour(), line + "\n", "-q")
        self.assertEqual((result.status, len(result.out) > 5_000_000), (0, True), result.err)

    def test_an_echo_in_pieces_is_one_echo(self):
        result = self.talk(OneByteAtATime(), "abcdefghij\nquit\n", "-q")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.out, rf"^abcdefghij{TIMED}\n$")

    def test_what_is_no_echo_is_an_error(self):
        for behaviour, sentence in (
                (Upper(), "what came back is not what was sent"),
                (Twice(), "4 bytes more came back than were sent|what came back is not"),
                (Mute(), r"no answer within 300 ms: 0 of 4 bytes came back"),
                (Hangup(), "the server closed the connection|receive failed: Connection reset")):
            with self.subTest(sentence=sentence):
                result = self.talk(behaviour, "abc\n", "--timeout", "300ms")
                self.assertEqual(result.status, 1, result)
                self.assertRegex(result.err, rf"^ioring-load: ({sentence})[^\n]*\n$")

    def test_nobody_there_is_an_error(self):
        with Server(Behaviour()) as server:
            port = server.port
        result = run("--port", port, "-i", text="abc\n")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertRegex(result.err, rf"^ioring-load: [^\n]*127.0.0.1:{port}[^\n]*\n$")

    def test_a_signal_ends_it(self):
        with Server(Behaviour()) as server:
            process = start("--port", server.port, "-i", stdin=subprocess.PIPE)
            self.assertIn("connected", read_line(process))
            process.stdin.write("one\n")
            process.stdin.flush()
            self.assertIn("one", read_line(process))
            process.send_signal(signal.SIGINT)
            self.assertEqual(finish(process).status, 0)

    def test_a_terminal_is_prompted(self):
        ours, theirs = pty.openpty()
        with Server(Behaviour()) as server:
            process = start("--port", server.port, "-i", stdin=theirs, stdout=theirs)
            os.close(theirs)
            seen = self.read_until(ours, b"> ")
            os.write(ours, b"hi there\n")
            seen += self.read_until(ours, b"> ")
            os.write(ours, b"quit\n")
            self.assertEqual(process.wait(WAIT_S), 0)
            process.stderr.close()
        os.close(ours)
        self.assertRegex(seen.decode(), rf"> hi there\r\nhi there{TIMED}\r\n> $")

    def read_until(self, terminal, wanted):
        seen, end = b"", time.monotonic() + WAIT_S
        while not seen.endswith(wanted):
            self.assertLess(time.monotonic(), end, seen)
            if select.select([terminal], [], [], 0.1)[0]:
                seen += os.read(terminal, 4096)
        return seen


if __name__ == "__main__":
    unittest.main(verbosity=2)
