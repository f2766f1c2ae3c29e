# SPDX-License-Identifier: MIT
# text_self_test.py - the text rules report each thing that they forbid, and nothing else.
import os
import subprocess
import tempfile
import unittest

import files
import text_rules

HEAD = f"// {text_rules.LICENCE}\n// a.hpp - a subject.\n#pragma once\n"
# Written in parts: this file keeps the rules too.
TO_DO = "TO" + "DO"


class TextSelfTest(unittest.TestCase):
    def expect(self, text, *expected, path="include/a.hpp"):
        problems = text_rules.check_file(path, text)
        self.assertEqual(len(expected), len(problems), problems)
        for part, problem in zip(expected, problems):
            self.assertIn(part, problem)

    def test_good_files_have_no_problems(self):
        self.expect(HEAD + "int a;\n")
        self.expect(f"#!/bin/sh\n# {text_rules.LICENCE}\n# a - a subject.\n", path="tools/a")
        self.expect(f"# {text_rules.LICENCE}\n# CMakeLists.txt - x.\n", path="src/CMakeLists.txt")
        self.expect("# Any text\n" + "long " * 40 + "line\n", path="README.md")
        self.expect("", path="empty.txt")

    def test_missing_licence(self):
        self.expect("// a.hpp - a subject.\n\n#pragma once\n", "a.hpp:1: is not", "a.hpp:2: is not")

    def test_subject_of_another_file(self):
        self.expect(HEAD, "b.hpp:2: is not `// b.hpp - `", path="include/b.hpp")

    def test_licence_of_a_script_comes_after_its_interpreter(self):
        self.expect(f"#!/bin/sh\n\n# {text_rules.LICENCE}\n", "a:2: is not", "a:3: is not",
                    path="a")

    def test_cmake_file_without_a_licence(self):
        self.expect("add(a)\n", ":1: is not", ":2: is not", path="src/CMakeLists.txt")

    def test_long_line(self):
        self.expect(HEAD + "x" * 100 + "\n")
        self.expect(HEAD + "x" * 101 + "\n", "a.hpp:4: 101 columns")

    def test_tab_spaces_carriage_return_and_ends(self):
        self.expect(HEAD + "\tint a;\n", "a.hpp:4: a tab")
        self.expect(HEAD + "int a; \n", "a.hpp:4: spaces at the end")
        self.expect(HEAD + "int a;\r\n", "a.hpp:4: ends in a carriage return")
        self.expect(HEAD + "int a;", "a.hpp:4: the last line does not end")
        self.expect(HEAD + "int a;\n\n", "empty lines at the end")

    def test_path_of_one_machine(self):
        for path in ("/wo" + "rk/x", "/ho" + "me/me/x", "/ro" + "ot/x"):
            self.expect(f"see {path}\n", "a path of one machine", path="README.md")
        self.expect("relative/wo" + "rk/x and ${HOME}/ro" + "ot/x\n", path="README.md")

    def test_what_is_left_to_do(self):
        self.expect(HEAD + f"// {TO_DO}(port): x\n// {TO_DO}(perf): x\n")
        self.expect(HEAD + f"// {TO_DO}: x\n", "a.hpp:4: only")
        self.expect(HEAD + f"// {TO_DO}(me): x\n", "a.hpp:4: only")
        self.expect(HEAD + "// FIX" + "ME\n", "a.hpp:4: only")

    def test_unportable_library(self):
        self.expect(HEAD + "std::" + "jthread a;\n", "a.hpp:4: std::" + "jthread does not work")
        self.expect(HEAD + "#include <" + "latch>\n", "a.hpp:4: #include <" + "latch> does not")
        self.expect(HEAD + "// not std::" + "jthread\nint latch;\n")

    def test_header_without_pragma_once(self):
        self.expect(HEAD.replace("#pragma once\n", ""), "a.hpp:1: a header without")


class FilesSelfTest(unittest.TestCase):
    def test_without_git_all_but_the_build_is_listed(self):
        with tempfile.TemporaryDirectory() as root:
            for path in ("a.cpp", "src/b.cpp", "build/x/c.cpp"):
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write("x\n")
            self.assertEqual(["a.cpp", "src/b.cpp"], files.list_files(root))

    def test_with_git_untracked_files_count_and_ignored_ones_do_not(self):
        with tempfile.TemporaryDirectory() as root:
            for path in ("tracked", "untracked", "ignored", ".gitignore"):
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write("ignored\n")
            subprocess.run(["git", "init", "-q", root], check=True)
            subprocess.run(["git", "-C", root, "add", "tracked"], check=True)
            self.assertEqual([".gitignore", "tracked", "untracked"], files.list_files(root))


if __name__ == "__main__":
    unittest.main()
