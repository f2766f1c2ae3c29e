# SPDX-License-Identifier: MIT
# tally_test.py - the counting behind the closing line of `./dev test` lets nothing pass unseen.
import json
import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.environ["IORING_SOURCE_DIR"], "tests"))
import batches  # noqa: E402  The folder is known only now.
import tally  # noqa: E402

PASSED = '<testcase name="a.passes" status="run"/>'
FAILED = '<testcase name="a.fails" status="fail"><failure message=""/></testcase>'
SKIPPED = ('<testcase name="a.skips" status="notrun">'
           '<skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>')
SKIPPED_SCRIPT = ('<testcase name="e2e.skips" status="notrun">'
                  '<skipped message="SKIP_RETURN_CODE=77"/></testcase>')
NOT_BUILT = ('<testcase name="a_NOT_BUILT" status="notrun">'
             '<skipped message="Unable to find executable"/></testcase>')
DISABLED = '<testcase name="a.rests" status="disabled"/>'


# A batch of three, and what GoogleTest leaves of it.
BATCHES = {"all.batches": {"a.s/p": {"results": "a.json",
                                     "cases": ["a.s.one/p", "a.s.two/p", "a.s.three/p"]}}}
BATCH_PASSED = '<testcase name="a.s/p" status="run"/>'
BATCH_FAILED = '<testcase name="a.s/p" status="fail"/>'


def results(**by_test):
    return {"a.json": {"testsuites": [{"name": "s", "testsuite": [
        {"name": f"{name}/p", **result} for name, result in by_test.items()]}]}}


GOOD = {"result": "COMPLETED"}
SKIP = {"result": "SKIPPED"}
BAD = {"result": "COMPLETED", "failures": [{"failure": "no"}]}


def count(*cases, expected_skips=(), ctest_status=0, text=None, files={}):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "junit.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text if text is not None else f"<testsuite>{''.join(cases)}</testsuite>")
        for name, content in files.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                json.dump(content, file)
        counts, _ = tally.tally(path, [re.compile(skip) for skip in expected_skips], ctest_status,
                                folder)
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

    def test_a_batch_counts_as_its_tests(self):
        files = {**BATCHES, **results(one=GOOD, two=SKIP, three=GOOD)}
        self.assertEqual((2, 1, 0), count(BATCH_PASSED, files=files))
        self.assertEqual((2, 0, 1), count(BATCH_PASSED, files=files, expected_skips=["a.s.two/p"]))
        files = {**BATCHES, **results(one=GOOD, two=BAD, three=BAD)}
        self.assertEqual((1, 2, 0), count(BATCH_FAILED, files=files, ctest_status=8))

    def test_what_a_batch_has_no_result_of_has_failed(self):
        self.assertEqual((0, 3, 0), count(BATCH_PASSED, files=BATCHES))
        files = {**BATCHES, **results(one=GOOD, three=GOOD)}
        self.assertEqual((2, 1, 0), count(BATCH_PASSED, files=files))

    def test_a_batch_that_fails_beside_its_tests_has_failed(self):
        files = {**BATCHES, **results(one=GOOD, two=GOOD, three=GOOD)}
        self.assertEqual((3, 1, 0), count(BATCH_FAILED, files=files, ctest_status=8))

    def test_a_batch_is_of_one_suite_and_parameter(self):
        listing = ("Running main() from gtest_main.cc\n"
                   "plain.\n  one\n  in_a_thread\n  two\n"
                   "set/many.  # TypeParam = int\n"
                   "  one/p  # GetParam() = 4\n  one/q  # GetParam() = 5\n  two/p  # \n")
        made = list(batches.batches_of(batches.cases_of(listing)))
        self.assertEqual([("plain", "unit", ["plain.one", "plain.two"]),
                          ("plain.threads", "threads", ["plain.in_a_thread"]),
                          ("set/many/p", "unit", ["set/many.one/p", "set/many.two/p"]),
                          ("set/many/q", "unit", ["set/many.one/q"])], made)

    def test_a_batch_is_bounded_and_holds_each_test_once(self):
        cases = [("s", f"test_{i}") for i in range(3 * batches.CASES_MAX)]
        made = list(batches.batches_of(cases))
        self.assertEqual(["s", "s.2", "s.3"], [name for name, _, _ in made])
        self.assertEqual([".".join(case) for case in cases],
                         [test for _, _, tests in made for test in tests])

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
