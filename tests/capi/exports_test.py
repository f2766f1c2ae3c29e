#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# exports_test.py - the shared library shows what ioring.h declares, and nothing else.
"""Usage: exports_test.py LIBRARY"""
import os
import re
import subprocess
import sys
import unittest

HEADER = os.path.join(os.environ["IORING_SOURCE_DIR"], "include", "ioring", "ioring.h")
DECLARED = re.compile(r"\b(ioring_\w+)\s*\(")


def declared():
    with open(HEADER, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"//.*", "", text)
    starts = re.finditer(r"^IORING_(?:API|INLINE)\b[^;{]*", text, re.MULTILINE)
    return {DECLARED.search(start.group()).group(1) for start in starts}


def exported(library):
    done = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                          capture_output=True, text=True)
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    return {name.split("@")[0] for name in names}


class Exports(unittest.TestCase):
    def test_all_that_is_declared_is_there_and_nothing_else(self):
        shown = exported(LIBRARY) - {"IORING_0"}
        self.assertGreater(len(declared()), 60)
        self.assertEqual(set(), declared() - shown, "declared and missing")
        self.assertEqual(set(), shown - declared(), "shown and not declared")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(1)
    unittest.main()
