#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# abi_test.py - what ctypes believes of the library is what tests/capi/abi.txt states.
"""Usage: abi_test.py LIBRARY"""
import ctypes
import os
import re
import sys
import unittest

os.environ["IORING_LIBRARY"] = sys.argv.pop(1)
SOURCE = os.environ["IORING_SOURCE_DIR"]
sys.path.insert(0, os.path.join(SOURCE, "bindings", "python"))

from ioring import _abi  # noqa: E402

STRUCTS = {
    _abi.Sqe: "sqe", _abi.Cqe: "cqe", _abi.Timespec: "timespec", _abi.Options: "options",
    _abi.ListenOptions: "listen_options", _abi.Endpoint: "endpoint",
    _abi.PoolOptions: "pool_options", _abi.ManagerOptions: "manager_options",
    _abi.Event: "event", _abi.DrainReport: "drain_report",
}
NUMBERS = {"int": ctypes.c_int, "size_t": ctypes.c_size_t,
           **{f"{sign}int{bits}_t": getattr(ctypes, f"c_{sign}int{bits}")
              for sign in ("", "u") for bits in (8, 16, 32, 64)}}


class AbiTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(SOURCE, "tests", "capi", "abi.txt"), encoding="utf-8") as file:
            text = file.read()
        cls.sizes = {name: int(size) for name, size in re.findall(
            r"^struct ioring_(\w+): (\d+) bytes", text, re.MULTILINE)}
        cls.fields = {}
        for struct, name, at, size in re.findall(
                r"^field ioring_(\w+)\.(\w+): .* at (\d+), (\d+) bytes$", text, re.MULTILINE):
            cls.fields.setdefault(struct, {})[name] = (int(at), int(size))
        cls.functions = {name: (arguments, result) for name, arguments, result in re.findall(
            r"^function (\w+)\((.*)\): (.*)$", text, re.MULTILINE)}
        cls.numbers = dict(NUMBERS)
        for name, kind in re.findall(r"^type (\w+): (u?int\d+_t)$", text, re.MULTILINE):
            cls.numbers[name] = NUMBERS[kind]

    def test_structs_are_laid_out_as_the_compiler_does_it(self):
        declared = {each for each in vars(_abi).values()
                    if isinstance(each, type) and issubclass(each, ctypes.Structure)}
        self.assertEqual(declared, set(STRUCTS))
        for struct, name in STRUCTS.items():
            self.assertEqual(self.sizes[name], ctypes.sizeof(struct), name)
            ours = {field: (getattr(struct, field).offset, getattr(struct, field).size)
                    for field, *_ in struct._fields_}
            self.assertEqual(self.fields[name], ours, name)

    def kind_of(self, declared):
        """A number's size and sign, or that it is a pointer, or None."""
        if declared == "void":
            return None
        return "pointer" if declared.endswith("*") else self.numbers[declared]

    @staticmethod
    def our_kind_of(declared):
        if declared in (ctypes.c_void_p, ctypes.c_char_p) or hasattr(declared, "contents"):
            return "pointer"
        return declared

    def test_functions_take_and_give_what_the_header_says(self):
        for name, (result, arguments) in _abi._FUNCTIONS.items():
            theirs, their_result = self.functions[name]
            kinds = [self.kind_of(each) for each in theirs.split(", ") if each != "void"]
            self.assertEqual(kinds, [self.our_kind_of(each) for each in arguments], name)
            self.assertEqual(self.kind_of(their_result), self.our_kind_of(result), name)


if __name__ == "__main__":
    unittest.main()
