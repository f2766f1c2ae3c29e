#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# tutorial_test.py - each program of docs/tutorial.md compiles without a warning and does what the
# page says.
"""Usage: tutorial_test.py COMPILER LIBRARY"""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.environ["IORING_SOURCE_DIR"]
PAGE = os.path.join(SOURCE, "docs", "tutorial.md")
PROGRAM = re.compile(r"^<!-- program: (\S+) -->\n```cpp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT_S = 60
COMPILER, LIBRARY = "", ""


class Tutorial(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(PAGE, encoding="utf-8") as file:
            text = file.read()
        cls.programs = dict(PROGRAM.findall(text))
        cls.blocks = text.count("```cpp")
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)

    def build(self, name):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.programs[name])
        program = path.removesuffix(".cpp")
        done = subprocess.run(
            [COMPILER, "-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", path, LIBRARY,
             "-I", os.path.join(SOURCE, "include"), "-pthread", "-o", program],
            capture_output=True, text=True, timeout=WAIT_S, check=False)
        self.assertEqual(0, done.returncode, done.stderr)
        return program

    def serve(self, name):
        """The program's process, after it has served a load."""
        server = subprocess.Popen([self.build(name), "127.0.0.1:0"], stdout=subprocess.PIPE,
                                  text=True)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        port = re.match(r"listening on 127\.0\.0\.1:(\d+)", server.stdout.readline()).group(1)
        load = os.path.join(os.environ["IORING_BIN_DIR"], "ioring-load")
        done = subprocess.run([load, "--port", port, "--connections", "100", "--size", "1000",
                               "--depth", "8", "--duration", "1", "--json"],
                              capture_output=True, text=True, timeout=WAIT_S, check=True)
        result = json.loads(done.stdout)
        self.assertGreater(result["messages"], 100)
        self.assertEqual((0, 0), (result["errors"], result["mismatches"]))
        return server

    def test_each_block_is_a_program_that_is_tested_here(self):
        self.assertEqual({"first.cpp", "server.cpp", "coroutines.cpp"}, set(self.programs))
        self.assertEqual(self.blocks, len(self.programs))

    def test_the_first(self):
        done = subprocess.run([self.build("first.cpp")], capture_output=True, text=True,
                              timeout=WAIT_S, check=True)
        lines = done.stdout.splitlines()
        self.assertEqual(3, len(lines), done.stdout)
        self.assertRegex(lines[0], r"^backend \w+: ")
        self.assertRegex(lines[1], r"^1: .*res 0$")
        self.assertRegex(lines[2], r"^2: .*res -62 ")

    def test_the_server_serves_and_drains(self):
        server = self.serve("server.cpp")
        server.send_signal(signal.SIGTERM)
        self.assertRegex(server.communicate(timeout=WAIT_S)[0], r"\d+ ended in order, 0 were cut")
        self.assertEqual(0, server.returncode)

    def test_the_coroutines_serve(self):
        self.serve("coroutines.cpp")


if __name__ == "__main__":
    LIBRARY = sys.argv.pop(2)
    COMPILER = sys.argv.pop(1)
    unittest.main()
