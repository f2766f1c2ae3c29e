#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# hardening_test.py - what SECURITY.md says of how the library and its tools are built is so.
import glob
import json
import os
import shlex
import subprocess
import tempfile
import unittest

SOURCE, BUILD = os.environ["IORING_SOURCE_DIR"], os.environ["IORING_BUILD_DIR"]
OPTION_FLAGS = ("-fstack-protector-strong", "-D_FORTIFY_SOURCE=2", "-D_GLIBCXX_ASSERTIONS",
                "-fstack-clash-protection")


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Hardening(unittest.TestCase):
    def test_what_is_linked_is_read_only_after_loading(self):
        linked = glob.glob(f"{BUILD}/src/libioring-c.so") + glob.glob(f"{BUILD}/bin/ioring-*")
        self.assertGreaterEqual(len(linked), 2)
        for path in linked:
            with self.subTest(path):
                segments = output_of("readelf", "-W", "-l", path)
                self.assertIn("GNU_RELRO", segments)
                stack = [line for line in segments.splitlines() if "GNU_STACK" in line]
                self.assertTrue(stack and " RWE " not in stack[0])
                self.assertNotIn(" RWE ", segments)
                self.assertIn("NOW", output_of("readelf", "-W", "-d", path))
                self.assertIn("DYN", output_of("readelf", "-W", "-h", path))  # Any address.

    def test_the_option_reaches_every_source_of_the_library(self):
        with tempfile.TemporaryDirectory() as folder:
            output_of("cmake", "-S", SOURCE, "-B", folder, "-G", "Ninja", "-DIORING_HARDENING=ON",
                      "-DCMAKE_BUILD_TYPE=Release", "-DIORING_BUILD_TESTS=OFF",
                      "-DIORING_BUILD_BENCH=OFF", "-DIORING_BUILD_EXAMPLES=OFF")
            with open(os.path.join(folder, "compile_commands.json"), encoding="utf-8") as file:
                commands = json.load(file)
            self.assertGreater(len(commands), 100)
            for command in commands:
                words = shlex.split(command["command"])
                self.assertEqual([], [flag for flag in OPTION_FLAGS if flag not in words],
                                 command["file"])
            # And does what it says, to one that has a string on its stack.
            made = "src/capi/CMakeFiles/ioring_capi.dir/errors.cpp.o"
            output_of("cmake", "--build", folder, "--target", made)
            self.assertIn("__stack_chk_fail", output_of("nm", "-u", os.path.join(folder, made)))


if __name__ == "__main__":
    unittest.main()
