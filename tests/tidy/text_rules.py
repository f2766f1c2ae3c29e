# SPDX-License-Identifier: MIT
# text_rules.py - what every text file of the project looks like, whatever it says.
import os
import re

import files

COLUMNS_MAX = 100
COMMENT_MARKS = {
    ".hpp": "//", ".cpp": "//", ".h": "//", ".c": "//", ".py": "#", ".sh": "#", ".cmake": "#",
}
LICENCE = "SPDX-License-" + "Identifier: MIT"

# Home and work folders are somebody's machine. Split, or this file would be its own finding.
MACHINE_PATH = re.compile("(?<![\\w.}>])/(?:wo" + "rk|ro" + "ot|ho" + "me/\\w+)/")
UNFINISHED = re.compile(r"\b(?:TO" + r"DO\b(?!\((?:port|perf)\): )|FIX" + r"ME\b|XX" + r"X\b)")
# Missing or broken in a library that we build for: libc++ of macOS, mingw's libstdc++.
UNPORTABLE = re.compile(
    r"\bstd::(?:atomic_ref|jthread|latch|barrier|counting_semaphore|binary_semaphore|format"
    r"|hardware_(?:de|con)structive_interference_size)\b")
UNPORTABLE_HEADER = re.compile(r"^\s*#\s*include\s*<(latch|barrier|semaphore|stop_token|format)>")


def comment_mark(path, text):
    """How a line of comment begins in a source file, None for a file that is no source."""
    if os.path.basename(path) == "CMakeLists.txt":
        return "#"
    mark = COMMENT_MARKS.get(os.path.splitext(path)[1])
    if mark is None and text.startswith("#!"):
        mark = "#"
    return mark


def check_file(path, text):
    """What is wrong with one file, each a line `path:line: problem`."""
    problems = list(check_lines(text))
    mark = comment_mark(path, text)
    if mark:
        problems += [*check_head(path, text, mark), *check_source(text)]
    if mark == "//":
        problems += check_cpp(path, text)
    return [f"{path}:{number}: {problem}" for number, problem in problems]


def check_lines(text):
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "the last line does not end"
    if text.endswith("\n\n"):
        yield text.count("\n"), "empty lines at the end"
    for number, line in enumerate(text.split("\n"), 1):
        if line.endswith("\r"):
            yield number, "ends in a carriage return"
        elif line != line.rstrip():
            yield number, "spaces at the end"
        if "\t" in line:
            yield number, "a tab"
        if MACHINE_PATH.search(line):
            yield number, f"a path of one machine: {MACHINE_PATH.search(line).group(0)}"


def check_head(path, text, mark):
    lines = text.split("\n")
    first = 1 if text.startswith("#!") else 0
    head = lines[first:first + 2] + ["", ""]
    if head[0] != f"{mark} {LICENCE}":
        yield first + 1, f"is not `{mark} {LICENCE}`"
    name = os.path.basename(path)
    if not re.match(rf"{re.escape(mark)} {re.escape(name)} - \S", head[1]):
        yield first + 2, f"is not `{mark} {name} - ` and the file's subject"


def check_source(text):
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"{len(line)} columns, at most {COLUMNS_MAX}"
        if UNFINISHED.search(line):
            yield number, "only `(port): ` and `(perf): ` may be left to do; a doubt is an issue"


def check_cpp(path, text):
    if path.endswith((".hpp", ".h")) and not re.search(r"^#pragma once$", text, re.MULTILINE):
        if not path.endswith(".h"):  # A C header may have guards.
            yield 1, "a header without `#pragma once`"
    for number, line in enumerate(text.split("\n"), 1):
        code = line.split("//")[0]
        found = UNPORTABLE.search(code) or UNPORTABLE_HEADER.search(code)
        if found:
            yield number, f"{found.group(0).strip()} does not work on all systems that we build for"


def check_tree(root):
    problems = []
    for path in files.list_files(root):
        try:
            text = files.read_text(root, path)
        except UnicodeDecodeError:
            continue  # No text.
        problems += check_file(path, text)
    return problems
