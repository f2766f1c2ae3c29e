#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# man_pages_test.py - each tool has a manual page, whose options are those of its --help.
import glob
import os
import re
import shutil
import subprocess
import unittest

PAGES = os.path.join(os.environ["IORING_SOURCE_DIR"], "docs", "man")
TOOLS = os.environ["IORING_BIN_DIR"]
# "-p,--port N (5000)  TCP port" and ".It Fl p , Fl -port Ar N".
IN_HELP = re.compile(r"^  (-\S+)", re.MULTILINE)
IN_PAGE = re.compile(r"^\.It (Fl .*)$", re.MULTILINE)
FLAG = re.compile(r"Fl (\S+)")


def tools():
    # Those that are installed: others are tests' own, such as ioring-echo-rio-double.
    with open(os.path.join(os.environ["IORING_SOURCE_DIR"], "cmake", "IORingInstall.cmake"),
              encoding="utf-8") as file:
        names = re.search(r"foreach\(tool IN ITEMS ([\w ]+)\)", file.read()).group(1)
    return sorted(f"ioring-{name}" for name in names.split())


def page_of(tool):
    return os.path.join(PAGES, f"{tool}.1")


def options_of_help(tool):
    done = subprocess.run([os.path.join(TOOLS, tool), "--help"], check=True, capture_output=True,
                          text=True)
    return {name for names in IN_HELP.findall(done.stdout) for name in names.split(",")}


def options_of_page(tool):
    with open(page_of(tool), encoding="utf-8") as file:
        text = file.read()
    return {f"-{flag}" for item in IN_PAGE.findall(text) for flag in FLAG.findall(item)}


class ManPages(unittest.TestCase):
    def test_there_is_a_page_for_each_tool_and_no_other(self):
        pages = sorted(os.path.basename(path)[:-2] for path in glob.glob(f"{PAGES}/*.1"))
        self.assertGreaterEqual(len(pages), 4)
        self.assertEqual(pages, tools())

    def test_the_options_are_those_of_help(self):
        for tool in tools():
            with self.subTest(tool):
                of_help = options_of_help(tool)
                self.assertIn("--help", of_help)
                self.assertEqual(of_help, options_of_page(tool))

    @unittest.skipUnless(shutil.which("mandoc"), "there is no mandoc here")
    def test_mandoc_has_nothing_to_say(self):
        for page in glob.glob(f"{PAGES}/*.1"):
            done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], check=False,
                                  capture_output=True, text=True)
            self.assertEqual((0, ""), (done.returncode, done.stdout + done.stderr), page)

    @unittest.skipUnless(shutil.which("groff") or shutil.which("nroff"), "there is no groff here")
    def test_groff_has_nothing_to_say(self):
        for page in glob.glob(f"{PAGES}/*.1"):
            groff = shutil.which("groff") or shutil.which("nroff")
            done = subprocess.run([groff, "-mandoc", "-ww", "-Tutf8", page], check=True,
                                  capture_output=True, text=True)
            self.assertEqual("", done.stderr, page)
            self.assertIn("EXIT STATUS", re.sub(r"\x1b\[[0-9;]*m|.\x08", "", done.stdout), page)


if __name__ == "__main__":
    unittest.main()
