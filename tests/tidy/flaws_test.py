# SPDX-License-Identifier: MIT
# flaws_test.py - every test that docs/flaws.md names exists, and every row names one or says when.
import os
import re
import sys

import files

ROW = re.compile(r"^\| (?P<flaw>[^|]+) \| (?P<tests>[^|]+) \|$")
NAME = re.compile(r"`([a-z0-9_.]+)`")
GTEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
PYTHON = re.compile(r"^\s+def (test_\w+)\(", re.MULTILINE)
ROWS_MIN = 27  # A flaw is never dropped from the table.


def existing_tests(root):
    names = set()
    for path in files.list_files(root):
        if path.endswith("_test.cpp"):
            text = files.read_text(root, path)
            names |= {f"{suite}.{test}" for suite, test in GTEST.findall(text)}
        elif path.endswith("_test.py"):
            names |= set(PYTHON.findall(files.read_text(root, path)))
    return names


def problems(table, tests):
    rows = [match for line in table.splitlines() if (match := ROW.match(line))]
    rows = [row for row in rows if row["flaw"] not in ("flaw", "---")]
    if len(rows) < ROWS_MIN:
        yield f"{len(rows)} rows, there were {ROWS_MIN}"
    for row in rows:
        named = NAME.findall(row["tests"])
        if not named and "later" not in row["tests"]:
            yield f"no test: {row['flaw']}"
        for name in named:
            if name not in tests:
                yield f"no such test: {name} ({row['flaw']})"


def main():
    root = os.environ["IORING_SOURCE_DIR"]
    tests = existing_tests(root)
    # The check itself can fail: a made-up row must be reported.
    bad = "| a flaw | `nobody.wrote_this` |\n| another | soon |\n"
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
