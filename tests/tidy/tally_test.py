# SPDX-License-Identifier: MIT
# tally_test.py - the counting behind the closing line of `./dev test` lets nothing pass unseen.
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["IORING_SOURCE_DIR"], "tests"))
import tally  # noqa: E402  The folder is known only now.

PASSED = '<testcase name="a.passes" status="run"/>'
FAILED = '<testcase name="a.fails" status="fail"><failure message=""/></testcase>'
SKIPPED = ('<testcase name="a.skips" status="notrun">'
           '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>')
SKIPPED_SCRIPT = ('<testcase name="e2e.skips" status="notrun">'
                  '<skipped message="SKIP_RETURN_CODE=77"/></testcase>')
NOT_BUILT = ('<testcase name="a_NOT_BUILT" status="notrun">'
             '<skipped message="Unable to find executable"/></testcase>')
DISABLED = '<testcase name="a.rests" status="disabled"/>'


def count(*cases, expected_skips=(), ctest_status=0, text=None):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "junit.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if text is not None else f"<testsuite>{''.join(cases)}</testsuite>")
        counts, _ = tally.tally(path, [re.compile(skip) for skip in expected_skips], ctest_status)
    return counts["passed"], counts["failed"], counts["skipped"]


class TallyTest(unittest.TestCase):
    def test_passes_and_failures(self):
        self.assertEqual((2, 1, 0), count(PASSED, PASSED, FAILED, ctest_status=8))

    def test_a_skip_counts_as_one_only_when_it_is_listed(self):
        self.assertEqual((1, 1, 0), count(PASSED, SKIPPED))
        self.assertEqual((1, 0, 1), count(PASSED, SKIPPED, expected_skips=[r"a\.skips"]))
        self.assertEqual((1, 0, 1), count(PASSED, SKIPPED_SCRIPT, expected_skips=[r"e2e\..*"]))

    def test_the_list_names_whole_tests(self):
        self.assertEqual((1, 1, 0), count(PASSED, SKIPPED, expected_skips=["a", "skips"]))

    def test_what_did_not_run_has_failed(self):
        self.assertEqual((1, 1, 0), count(PASSED, NOT_BUILT, expected_skips=[".*"]))
        self.assertEqual((1, 1, 0), count(PASSED, DISABLED, expected_skips=[".*"]))

    def test_no_test_at_all_has_failed(self):
        self.assertEqual((0, 1, 0), count())
        self.assertEqual((0, 1, 0), count(text="no xml"))

    def test_a_ctest_that_fails_without_naming_a_test_has_failed(self):
        self.assertEqual((1, 1, 0), count(PASSED, ctest_status=8))
        self.assertEqual((1, 1, 0), count(PASSED, FAILED, ctest_status=8))

    def test_an_expected_skip_needs_a_reason(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("# a comment\n\na\\.skips  the kernel is too old\n")
            file.flush()
            self.assertEqual(1, len(tally.read_expected_skips(file.name)))
            file.write("b.skips\n")
            file.flush()
            with self.assertRaises(SystemExit):
                tally.read_expected_skips(file.name)


if __name__ == "__main__":
    unittest.main()
