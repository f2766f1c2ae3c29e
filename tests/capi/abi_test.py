#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# abi_test.py - a program compiled against an earlier ioring.h finds what it relies on.
"""Usage: abi_test.py LIBRARY COMPILER
       abi_test.py --write     states in abi.txt what ioring.h says now

abi.txt is what has been promised. What is gone from it breaks programs, and has its price: a new
major version, of the library's file name too (until 1.0.0: a minor one, and a line in the
changelog). What is new must be written into it.
"""
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import abi

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.environ.get("IORING_SOURCE_DIR", os.path.dirname(os.path.dirname(HERE)))
HEADERS = os.path.join(ROOT, "include")
PROMISED = os.path.join(HERE, "abi.txt")
HEAD = "What programs compiled against ioring.h rely on (64 bits); abi_test.py compares.\n"


@functools.cache
def now_dumped():
    return abi.dump(HEADERS, COMPILER)


def promised():
    with open(PROMISED, encoding="utf-8") as file:
        return file.read().splitlines()[1:]


def changed(old, new):
    """What breaks when `old` in ioring.h becomes `new`, and what is new."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(HEADERS, os.path.join(folder, "include"))
        header = os.path.join(folder, "include", "ioring", "ioring.h")
        with open(header, encoding="utf-8") as file:
            text, count = re.subn(old, new, file.read(), count=1, flags=re.MULTILINE)
        assert count == 1, f"{old} is not in ioring.h"
        with open(header, "w", encoding="utf-8") as file:
            file.write(text)
        now = abi.dump(os.path.join(folder, "include"), COMPILER)
    return abi.breaks(now_dumped(), now), sorted(set(now) - set(now_dumped()))


class Abi(unittest.TestCase):
    def test_what_was_promised_is_so_and_what_is_new_is_written_down(self):
        before, now = promised(), now_dumped()
        self.assertGreater(len(before), 300)
        self.assertEqual([], abi.breaks(before, now), "this breaks programs")
        self.assertEqual([], sorted(set(now) - set(before)),
                         "new: tests/capi/abi_test.py --write states it in abi.txt")
        self.assertEqual(before, now)

    def test_symbols_have_the_version_they_were_promised_under(self):
        done = subprocess.run(["nm", "-D", "--defined-only", "--with-symbol-versions", LIBRARY],
                              check=True, capture_output=True, text=True)
        names = {line.split()[-1] for line in done.stdout.splitlines()}
        functions = [fact.split()[1].split("(")[0] for fact in promised()
                     if fact.startswith("function ")]
        self.assertEqual([], [name for name in functions if f"{name}@@IORING_0" not in names])

    def test_changes_that_break_are_found(self):
        for old, new in (
                (r"^    int32_t fd;", "    int32_t before; int32_t fd;"),        # Moves fields.
                (r"^    uint32_t len;", "    int64_t len;"),                      # Another type.
                (r"^    uint32_t flags; +// IOR_CQE_", "    uint32_t flag; //"),  # Another name.
                (r"IOR_OP_NOP = 0", "IOR_OP_NOP = 60"),
                (r"^IORING_API void ioring_wake\(", "IORING_API int ioring_wake("),
                (r"^IORING_API int ioring_post\(.*?;", ""),
                (r"^typedef uint32_t ioring_buffer_id;", "typedef uint64_t ioring_buffer_id;"),
                (r"^    uint64_t bytes_unsent;", "    uint64_t more; uint64_t bytes_unsent;")):
            with self.subTest(old):
                self.assertNotEqual([], changed(old, new)[0])

    def test_what_adds_does_not_break_but_is_noticed(self):
        for old, new in (
                (r"^} ioring_options;", "    uint64_t more;\n} ioring_options;"),
                (r"^IORING_API void ioring_wake\(", "IORING_API int ioring_new(void);\n"
                                                    "IORING_API void ioring_wake("),
                (r"^    IOR_OP_NOP = 0,", "    IOR_OP_NEW = 90,\n    IOR_OP_NOP = 0,")):
            with self.subTest(old):
                broken, added = changed(old, new)
                self.assertEqual([], broken)
                self.assertNotEqual([], added)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        with open(PROMISED, "w", encoding="utf-8") as promise:
            promise.write(HEAD + "\n".join(abi.dump(HEADERS, "cc")) + "\n")
    else:
        LIBRARY, COMPILER = sys.argv[1:3]
        unittest.main(argv=sys.argv[:1] + sys.argv[3:])
