#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# figures_test.py - figures in docs/ are those of a report or of a header, and links lead somewhere.
import glob
import os
import re
import unittest

SOURCE = os.environ["IORING_SOURCE_DIR"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CONSTANT = re.compile(r"^\| [^|]+ \| (\d+) \| `(\w+)(?:::(\w+))?` \|$", re.MULTILINE)


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def pages():
    found = glob.glob(os.path.join(SOURCE, "*.md")) + \
        glob.glob(os.path.join(SOURCE, "docs", "**", "*.md"), recursive=True) + \
        glob.glob(os.path.join(SOURCE, "packaging", "*.md"))
    return sorted(os.path.relpath(path, SOURCE) for path in found)


def anchors(text):
    """The names by which a page's headings are linked to."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def constants():
    """{("ring_options", "sq_entries_max"): 32768, ...} of the public headers."""
    found = {}
    for path in glob.glob(os.path.join(SOURCE, "include", "ioring", "*.hpp")):
        scope = ""
        with open(path, encoding="utf-8") as file:
            for line in file:
                kind = re.match(r"(?:class|struct) (?:alignas\(\d+\) )?(\w+) {", line)
                scope = kind.group(1) if kind else "" if line.startswith("}") else scope
                value = re.match(r"\s*(?:static|inline) constexpr \S+ (\w+) = ([^;]+);", line)
                if value and re.fullmatch(r"[0-9a-fxU'()<\- ]+", value.group(2)):
                    number = value.group(2).replace("'", "").replace("U", "")
                    found[scope, value.group(1)] = eval(number)  # Digits, shifts, brackets.
    return found


class Figures(unittest.TestCase):
    def test_limits_are_those_of_the_headers(self):
        known = constants()
        rows = CONSTANT.findall(read("docs", "limits.md"))
        self.assertGreater(len(rows), 8)
        for value, first, second in rows:
            name = (first, second) if second else ("", first)
            with self.subTest(name):
                self.assertEqual(known[name], int(value))

    def test_costs_are_those_of_the_reports_that_are_named(self):
        page = read("docs", "strategies.md")
        reports = "".join(read("docs", link) for link in LINK.findall(page)
                          if re.match(r"benchmarks/\d", link))
        rows = [line for line in page.splitlines() if re.match(r"\|.*\| \d+\.\d+ \|", line)]
        self.assertGreater(len(rows), 4)
        for row in rows:
            for figure in re.findall(r"\d+\.\d+", row):
                with self.subTest(row):
                    self.assertIn(f"| {figure} |", reports)

    def test_links_lead_somewhere(self):
        links = 0
        for page in pages():
            text = re.sub(r"^```.*?^```$", "", read(page), flags=re.MULTILINE | re.DOTALL)
            for link in LINK.findall(text):
                if link.startswith(("http://", "https://", "mailto:")):
                    continue
                links += 1
                path, _, anchor = link.partition("#")
                target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path \
                    else page
                with self.subTest(f"{page}: {link}"):
                    self.assertTrue(os.path.exists(os.path.join(SOURCE, target)))
                    if anchor and target.endswith(".md"):
                        self.assertIn(anchor, anchors(read(target)))
        self.assertGreater(links, 50)

    def test_no_page_is_left_out_of_the_readme(self):
        readme = read("README.md")
        for page in pages():
            if page.startswith("docs/") and page.count("/") == 1:
                self.assertTrue(f"({page}" in readme, f"README.md does not lead to {page}")


if __name__ == "__main__":
    unittest.main()
