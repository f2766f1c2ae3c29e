# SPDX-License-Identifier: MIT
# named_tests.py - which tests there are, and which of them the rows of a document's tables name.
import re

import files

NAME = re.compile(r"`([a-z0-9_]+(?:\.[a-z0-9_]+)?)`")
GTEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)", re.MULTILINE)
PYTHON = re.compile(r"^\s+def (test_\w+)\(", re.MULTILINE)


def existing_tests(root):
    """Each C++ test as `suite.test` and each Python test as `test_name`."""
    names = set()
    for path in files.list_files(root):
        if path.endswith("_test.cpp"):
            text = files.read_text(root, path)
            names |= {f"{suite}.{test}" for suite, test in GTEST.findall(text)}
        elif path.endswith("_test.py"):
            names |= set(PYTHON.findall(files.read_text(root, path)))
    return names


def table_rows(document, last_column):
    """The cells of each row of each table whose last column has that title."""
    rows, wanted, header = [], False, True
    for line in document.splitlines():
        if not line.startswith("|"):
            wanted, header = False, True
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if header:
            wanted, header = cells[-1] == last_column, False
        elif wanted and set("".join(cells)) - set("-:"):
            rows.append(cells)
    return rows


def problems_of_rows(rows, tests, excused=None):
    """Rows that name no test in their last cell, or one that there is not."""
    for cells in rows:
        named = NAME.findall(cells[-1])
        if not named and not (excused and excused in cells[-1]):
            yield f"no test: {cells[0]}"
        for name in named:
            if name not in tests:
                yield f"no such test: {name} ({cells[0]})"
