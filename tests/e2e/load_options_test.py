# SPDX-License-Identifier: MIT
# load_options_test.py - every wrong way of asking ioring-load: one sentence, status 2 or 1.
import os
import unittest

from load_support import run

# Arguments and what the sentence must say. Status 2: asked wrongly.
ASKED_WRONGLY = (
    (("--size", "0"), "--size: 0 is out of range: 1 to 1,073,741,824"),
    (("--size", "2g"), "--size: 2,147,483,648 is out of range"),
    (("--size", "64x"), "--size: `64x` is no size"),
    (("--size", "-1"), "--size: `-1` is no size"),
    (("--size", "1.5"), "--size: `1.5` is no size"),
    (("--size", ""), "--size: `` is no size"),
    (("--depth", "0"), "--depth: 0 is out of range: 1 to 65,536"),
    (("--depth", "65537"), "--depth: 65,537 is out of range"),
    (("--connections", "0"), "--connections: 0 is out of range"),
    (("--connections", "1000001"), "--connections: 1,000,001 is out of range"),
    (("--connections", "99999999999999999999"), "`99999999999999999999` is too large"),
    (("--connections", "100k", "--depth", "1k"), "are more than 16,777,216 messages in flight"),
    (("--rate", "0"), "--rate: must be greater than 0"),
    (("--rate", "-5"), "--rate: `-5` is no number"),
    (("--rate", "fast"), "--rate: `fast` is no number"),
    (("--rate", "nan"), "--rate: `nan` is no number"),
    (("--rate", "1e9"), "--rate: `1e9` is no number"),
    (("--rate", "1g"), "--rate: at most 10,000,000 messages a second"),
    (("--connect-rate", "0"), "--connect-rate: must be greater than 0"),
    (("--duration", "0"), "--duration: `0` is too short"),
    (("--duration", "-1"), "--duration: `-1` is no time"),
    (("--duration", "soon"), "--duration: `soon` is no time"),
    (("--duration", "10000h"), "--duration: `10000h` is longer than a year"),
    (("--messages", "0"), "--messages: 0 is out of range: at least 1"),
    (("--duration", "1", "--messages", "5"),
     "--(duration|messages) excludes --(duration|messages)"),
    (("--warmup", "x"), "--warmup: `x` is no time"),
    (("--timeout", "0"), "--timeout: `0` is too short"),
    (("--spin", "2"), "--spin: at most 1.00 s"),
    (("--seed", "x"), "--seed: `x` is no whole number"),
    (("--backend", "epoll4"), "--backend: `epoll4` is no backend of this build: use one of "
     "automatic, uring"),
    (("--backend", ""), "--backend: `` is no backend of this build"),
    (("--port", "0"), "--port: 0 is out of range: 1 to 65535"),
    (("--port", "65536"),
     "--port: 65,536 is out of range: 1 to 65535|--port: 65536 is out of range"),
    (("--port", "http"), "--port: `http` is no whole number"),
    (("--cpu", "-1"), "--cpu: `-1` is no whole number"),
    (("--unix", "/x", "--port", "5"), "excludes"),
    (("--unix", "/" + "x" * 200), "the path is too long|at most 107"),
    (("--host", "127.1"), "bad host \"127.1\""),
    (("--host", "a b"), "bad host \"a b\""),
    (("--host", ""), "bad host|no host"),
    (("--interactive", "--json"), "excludes"),
    (("--interactive", "--connections", "2"), "excludes"),
    (("--interactive", "--rate", "2"), "excludes"),
    (("--size",), "--size"),
    (("--bogus",), "not expected: --bogus"),
    (("stray",), "not expected: stray"),
)
# Status 1: asked well, but not to be had here.
NOT_TO_BE_HAD = (
    (("--cpu", "4000"), "CPU 4000 is not there or not allowed|there is no CPU 4000"),
    (("--host", "no-such-host.invalid"), "cannot resolve \"no-such-host.invalid\""),
)


class OptionsTest(unittest.TestCase):
    def expect(self, arguments, status, sentence):
        with self.subTest(arguments=arguments):
            result = run(*arguments)
            self.assertEqual((result.status, result.out), (status, ""), result)
            self.assertRegex(result.err, sentence)
            self.assertRegex(result.err, r"^ioring-load: [^\n]+\n$")

    def test_each_bad_option_gets_a_sentence_and_status_2(self):
        for arguments, sentence in ASKED_WRONGLY:
            self.expect(arguments, 2, sentence)

    def test_what_the_machine_does_not_have_gets_a_sentence_and_status_1(self):
        for arguments, sentence in NOT_TO_BE_HAD:
            self.expect(arguments, 1, sentence)

    def test_help_and_version_are_no_errors(self):
        for flag in ("--help", "-h", "--version"):
            result = run(flag)
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, "ioring-load" if flag == "--version" else "--connections")

    def test_a_report_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            result = run("--unix", f"@nobody-{os.getpid()}", "-c", 1, "--json", stdout=full)
        self.assertEqual(result.status, 1)
        self.assertRegex(result.err, "ioring-load: cannot write the report\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
