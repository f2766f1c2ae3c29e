#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# single_header.py - makes the whole C++ library one header: ioring_single.hpp.
"""Usage: single_header.py SOURCE_DIR OUTPUT

A program includes ioring_single.hpp wherever it would include <ioring/ioring.hpp>, and defines
IORING_IMPLEMENTATION before that in one of its files, which is then also the library. All systems
are in it; the C interface is not. See packaging/README.md.

Files become one translation unit, in which anonymous namespaces are one, too: a name that two
files have in theirs gets the file's name behind it in each.
"""
import os
import re
import sys
from collections import Counter

LAYERS = ("base", "platform", "backend", "ring", "buffer", "socket")
PROJECT_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"\s*(?://.*)?$')
TEST = re.compile(r"(_test|[/_]test_support)\.(cpp|hpp)$")
WINDOWS, POSIX, LINUX = "defined(_WIN32)", "!defined(_WIN32)", "defined(__linux__)"
BSD = "defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || " \
      "defined(__DragonFly__)"
# As cmake/IORingSources.cmake and src/backend/CMakeLists.txt choose.
CONDITIONS = (
    (re.compile(r"^src/backend/(iocp|rio)/"), WINDOWS),
    (re.compile(r"^src/backend/uring/"), LINUX),
    (re.compile(r"_windows\.\w+$"), WINDOWS),
    (re.compile(r"_linux\.\w+$"), LINUX),
    (re.compile(r"_epoll\.\w+$"), LINUX),
    (re.compile(r"_darwin\.\w+$"), "defined(__APPLE__)"),
    (re.compile(r"_bsd\.\w+$"), BSD),
    (re.compile(r"_kqueue\.\w+$"), f"defined(__APPLE__) || {BSD}"),
    (re.compile(r"_posix\.\w+$"), POSIX),
    (re.compile(r"^src/backend/readiness/"), POSIX),
)
TOKEN = re.compile(r"""
    //[^\n]* | /\*.*?\*/ | ^\s*\#\s*include[^\n]* | R"\((?:.|\n)*?\)" | "(?:\\.|[^"\\\n])*"
  | '(?:\\.|[^'\\\n])+' | \w+ | (?:->|::) | [^\w\s] | \s+
""", re.VERBOSE | re.MULTILINE | re.DOTALL)
TYPE = re.compile(r"^(?:struct|class|union|enum(?: class)?)\b\s*(?:alignas\s*\(.*?\)\s*)?"
                  r"(?:\[\[.*?\]\]\s*)?(\w+)")
USING = re.compile(r"^using (\w+) =")
FUNCTION = re.compile(r"(\w+)\s*\(")
VARIABLE = re.compile(r"(\w+)\s*(?:\[.*?\]\s*)*(?:=|\{|;|$)")
KEYWORDS = {"alignas", "decltype", "noexcept", "requires", "operator", "sizeof", "static_assert"}


def condition_of(path):
    for pattern, condition in CONDITIONS:
        if pattern.search(path):
            return condition
    return None


def without_template(statement):
    """`template <class T> void f(` -> `void f(`."""
    while statement.startswith("template"):
        depth = 0
        for at, letter in enumerate(statement):
            depth += {"<": 1, ">": -1}.get(letter, 0)
            if letter == ">" and depth == 0:
                statement = statement[at + 1:].strip()
                break
        else:
            return statement
    return statement


def declared_name(statement):
    statement = without_template(re.sub(r"\[\[.*?\]\]", "", re.sub(r"\s+", " ", statement)).strip())
    if not statement or statement.startswith(("namespace ", "extern ", "static_assert", "friend ")):
        return None
    for pattern in (TYPE, USING):
        found = pattern.match(statement)
        if found:
            return found.group(1)
    if statement.startswith("using "):
        return None
    head = re.split(r"[={]", statement, maxsplit=1)[0]
    for found in FUNCTION.finditer(head):
        if found.group(1) not in KEYWORDS:
            return found.group(1)
    found = VARIABLE.search(statement)
    return found.group(1) if found else None


def anonymous_names(text):
    """What the anonymous namespaces of a file declare."""
    names = set()
    scopes = []  # Of each open brace: "anonymous", "namespace" or "body".
    statement = ""
    for token in TOKEN.findall(re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)):
        if token.startswith(("//", "/*")):
            continue
        direct = bool(scopes) and scopes[-1] == "anonymous"
        if token == "{":
            stripped = statement.strip()
            if re.match(r"^(inline )?namespace$", stripped):
                scopes.append("anonymous")
            elif re.match(r"^(inline )?namespace [\w:]+$|^extern \"C\"$", stripped):
                scopes.append("namespace")
            else:
                if direct:
                    names.add(declared_name(stripped + "{"))
                scopes.append("body")
            statement = ""
        elif token == "}":
            if scopes:
                scopes.pop()
            statement = ""
        elif token == ";":
            if direct:
                names.add(declared_name(statement + ";"))
            statement = ""
        else:
            statement += " " if token.isspace() else token
    return names - {None}


def renamed(text, names, suffix):
    out = []
    before = ""
    for token in TOKEN.findall(text):
        if token in names and before not in (".", "->", "::"):
            out.append(f"{token}_in_{suffix}")
        else:
            out.append(token)
        if not token.isspace():
            before = token
    return "".join(out)


class Amalgamation:
    def __init__(self, root):
        self._root = root
        self._done = set()
        self._texts = {}
        self.parts = []

    def text(self, path):
        if path not in self._texts:
            with open(os.path.join(self._root, path), encoding="utf-8") as file:
                self._texts[path] = file.read()
        return self._texts[path]

    def _find(self, name, by):
        for path in (f"include/{name}", f"src/{name}", f"{os.path.dirname(by)}/{name}"):
            if os.path.exists(os.path.join(self._root, path)):
                return path
        raise SystemExit(f"{by} includes {name}, which is not there")

    def sources(self):
        found = []
        for layer in LAYERS:
            for folder, folders, names in os.walk(os.path.join(self._root, "src", layer)):
                folders.sort()
                for name in sorted(names):
                    path = os.path.relpath(os.path.join(folder, name), self._root)
                    if name.endswith(".cpp") and not TEST.search(path):
                        found.append(path)
        counts = Counter(name for path in found for name in anonymous_names(self.text(path)))
        for path in found:
            own = {name for name in anonymous_names(self.text(path)) if counts[name] > 1}
            if own:
                stem = re.sub(r"\W", "_", path[len("src/"):-len(".cpp")])
                self._texts[path] = renamed(self.text(path), own, stem)
        return found

    def add(self, path):
        """Appends the file, after all that it includes."""
        if path in self._done:
            return
        self._done.add(path)
        lines = []
        for line in self.text(path).splitlines():
            include = PROJECT_INCLUDE.match(line)
            if include:
                self.add(self._find(include.group(1), path))
            elif line.strip() != "#pragma once" and "SPDX-License-Identifier" not in line:
                lines.append(line)
        body = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
        condition = condition_of(path)
        if condition:
            body = f"#if {condition}\n{body}\n#endif  // {condition}"
        self.parts.append(f"// ===== {path}\n\n{body}\n")


def public_headers(root):
    folder = os.path.join(root, "include", "ioring")
    return [f"include/ioring/{name}" for name in sorted(os.listdir(folder))
            if name.endswith(".hpp")]


def version_of(root):
    with open(os.path.join(root, "include/ioring/version.hpp"), encoding="utf-8") as file:
        return ".".join(re.findall(r"unsigned version_\w+ = (\d+)", file.read()))


def single_header(root):
    made = Amalgamation(root)
    for header in public_headers(root):
        made.add(header)
    public, made.parts = made.parts, []
    for source in made.sources():
        made.add(source)
    with open(os.path.join(root, "LICENSE"), encoding="utf-8") as file:
        licence = "".join(f"// {line}".rstrip() + "\n" for line in file.read().splitlines())
    return f"""// SPDX-License-Identifier: MIT
// ioring_single.hpp - IORingGroup {version_of(root)}, made by packaging/single_header.py.
//
// Include it wherever you use the library. In one file of your program:
//
//     #define IORING_IMPLEMENTATION
//     #include "ioring_single.hpp"
//
// C++20, linked with -pthread; Windows: ws2_32 and iphlpapi.
//
{licence}
#ifndef IORING_SINGLE_HPP
#define IORING_SINGLE_HPP

{chr(10).join(public)}
#endif  // IORING_SINGLE_HPP

#if defined(IORING_IMPLEMENTATION) && !defined(IORING_IMPLEMENTED)
#define IORING_IMPLEMENTED

{chr(10).join(made.parts)}
#endif  // IORING_IMPLEMENTATION
"""


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(single_header(sys.argv[1]))


if __name__ == "__main__":
    main()
