#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# seed_names_test.py - docs/seed-names.md names what the headers have, and all of the original's
# interface.
import glob
import os
import re
import unittest

SOURCE = os.environ["IORING_SOURCE_DIR"]
ROW = re.compile(r"^\| (.*?) \| (.*?) \|(?: .*)? \|$|^\| (.*?) \| (.*?) \| \|$", re.MULTILINE)
WORD = re.compile(r"[A-Za-z_]\w+")
# Of examples in code that are no names of ours.
OWN_WORDS = frozenset("for const done span min timeout".split())


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def named_in(column):
    """The words of what stands in backticks."""
    return {word for code in re.findall(r"`([^`]*)`", column) for word in WORD.findall(code)}


class SeedNames(unittest.TestCase):
    def setUp(self):
        self.rows = [(row[0] or row[2], row[1] or row[3])
                     for row in ROW.findall(read("docs/seed-names.md"))]
        self.assertGreater(len(self.rows), 20)

    def test_what_is_named_is_in_a_header(self):
        code = "".join(re.sub(r"//.*", "", read(path)) for path in glob.glob(
            os.path.join(SOURCE, "include", "ioring", "**", "*.h*"), recursive=True))
        there = set(WORD.findall(code)) | OWN_WORDS
        there |= set(re.findall(r'"(\w+)"', read("src/backend/registry.cpp")))  # Of backends.
        there |= set(os.listdir(os.path.join(SOURCE, "tools")))
        for original, ours in self.rows:
            self.assertEqual(set(), named_in(ours) - there, original)

    def test_the_whole_interface_of_the_original_is_named(self):
        text = read("bindings/csharp/IORingGroup.cs")
        body = re.search(r"interface IIORingGroup[^{]*\{(.*?)^    \}", text,
                         re.MULTILINE | re.DOTALL)[1]
        members = set(re.findall(r"(\w+)\s*(?:\(|\{ get)", re.sub(r"//.*", "", body)))
        self.assertGreater(len(members), 15)
        named = set().union(*(named_in(original) for original, _ in self.rows))
        self.assertEqual(set(), members - named)


if __name__ == "__main__":
    unittest.main()
