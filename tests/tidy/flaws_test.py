# SPDX-License-Identifier: MIT
# flaws_test.py - every test that docs/flaws.md names exists, and every row names one or says when.
import os
import sys

import files
import named_tests

ROWS_MIN = 27  # A flaw is never dropped from the table.


def problems(document, tests):
    rows = named_tests.table_rows(document, last_column="tests")
    if len(rows) < ROWS_MIN:
        yield f"{len(rows)} rows, there were {ROWS_MIN}"
    yield from named_tests.problems_of_rows(rows, tests, excused="later")


def main():
    root = os.environ["IORING_SOURCE_DIR"]
    tests = named_tests.existing_tests(root)
    # The check itself can fail: a made-up row must be reported.
    bad = ("| flaw | tests |\n|---|---|\n"
           "| a flaw | `nobody.wrote_this` |\n| another | soon |\n| a third | later |\n")
    found = list(problems(bad, tests))
    if len(found) != 3:
        sys.exit(f"the check is blind: {found}")
    found = list(problems(files.read_text(root, "docs/flaws.md"), tests))
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} problems in docs/flaws.md")


if __name__ == "__main__":
    main()
