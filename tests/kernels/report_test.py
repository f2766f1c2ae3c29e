# SPDX-License-Identifier: MIT
# report_test.py - what a virtual machine says is counted, and what it fails to say is a failure.
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["IORING_SOURCE_DIR"], "tests", "kernels"))
import report  # noqa: E402  The folder is known only now.

GOOD = """[    0.5] some words of the kernel
@@ begin ring_test\r
[==========] Running 3 tests from 1 test suite.
[ RUN      ] a.passes
[       OK ] a.passes (1 ms)
[ RUN      ] a.skips
x.cpp:7: Skipped
the kernel has no such thing

[  SKIPPED ] a.skips (0 ms)
[ RUN      ] a/b.passes/uring
[       OK ] a/b.passes/uring (2 ms)
[==========] 3 tests from 1 test suite ran. (3 ms total)
@@ end ring_test 0
"""
FAILING = """@@ begin ring_test
[==========] Running 1 test from 1 test suite.
[ RUN      ] a/b.fails/uring
x.cpp:9: Failure
Value of: x
[  FAILED  ] a/b.fails/uring, where GetParam() = "uring" (4 ms)
[  FAILED  ] 1 test, listed below:
[  FAILED  ] a/b.fails/uring, where GetParam() = "uring"
@@ end ring_test 1
"""


def count(text, expected=("ring_test",)):
    return report.summary(report.parse(text.splitlines()), expected)


class ReportTest(unittest.TestCase):
    def test_results_are_counted(self):
        lines, counts = count(GOOD)
        self.assertEqual((2, 0, 1), counts)
        self.assertEqual(["skipped: the kernel has no such thing: a.skips",
                          "ring_test: 2 passed, 0 failed, 1 skipped"], lines)

    def test_skips_of_one_reason_are_one_line(self):
        lines, counts = count(GOOD.replace("a/b.passes", "a/b.skips").replace(
            "OK ] a/b", "SKIPPED ] a/b").replace("[ RUN      ] a/b.skips/uring",
                                                 "x.cpp:7: Skipped\nthe kernel has no such thing"))
        self.assertEqual((1, 0, 2), counts)
        self.assertEqual("skipped: the kernel has no such thing: 2 tests, a.skips", lines[0])

    def test_a_failure_is_counted_once_and_shown(self):
        lines, counts = count(FAILING)
        self.assertEqual((0, 1, 0), counts)
        self.assertIn("FAILED: a/b.fails/uring", lines)
        self.assertIn("    Value of: x", lines)

    def test_a_program_that_dies_is_a_failure(self):
        died = GOOD.split("[ RUN      ] a/b")[0] + "@@ end ring_test 139\n"
        lines, counts = count(died)
        self.assertEqual((1, 1, 1), counts)
        self.assertIn("status 139 after 2 of 3", lines[1])

    def test_a_program_that_hangs_or_never_begins_is_a_failure(self):
        lines, counts = count(GOOD.split("@@ end")[0])
        self.assertEqual((2, 1, 1), counts)
        self.assertIn("did not end", lines[1])
        self.assertEqual((0, 1, 0), count("")[1])
        self.assertEqual((2, 1, 1), count(GOOD, ("ring_test", "other_test"))[1])

    def test_a_program_without_tests_is_a_failure(self):
        empty = "@@ begin ring_test\n[==========] Running 0 tests from 0 test suites.\n" \
                "@@ end ring_test 0\n"
        self.assertEqual((0, 1, 0), count(empty)[1])
        self.assertEqual((0, 1, 0), count("@@ begin ring_test\n@@ end ring_test 0\n")[1])

    def test_a_good_run_that_ends_badly_is_a_failure(self):
        bad_end = GOOD.replace("@@ end ring_test 0", "@@ end ring_test 1")
        self.assertEqual((2, 1, 1), count(bad_end)[1])


if __name__ == "__main__":
    unittest.main()
