#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# reference.py - the reference of the public headers, made by Doxygen.
"""Usage: reference.py SOURCE_DIR OUTPUT_DIR [html | xml]"""
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree

import plain_comments


def prepare(headers, folder):
    """Copies of `headers`, {name: text}, for Doxygen."""
    os.makedirs(folder)
    for name, text in headers.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(plain_comments.filtered(text))


def public_headers(root):
    folder = os.path.join(root, "include", "ioring")
    headers = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith((".h", ".hpp")):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                headers[name] = file.read()
    return headers


def run_doxygen(root, headers, output, kind):
    """Makes output/html or output/xml; returns what Doxygen warns of."""
    shutil.rmtree(output, ignore_errors=True)
    source = os.path.join(os.path.abspath(output), "ioring")
    log = os.path.join(output, "warnings")
    prepare(headers, source)
    with open(os.path.join(root, "docs", "Doxyfile"), encoding="utf-8") as file:
        settings = file.read()
    settings += (f'INPUT = "{source}"\nSTRIP_FROM_PATH = "{os.path.dirname(source)}"\n'
                 f'STRIP_FROM_INC_PATH = "{os.path.dirname(source)}"\n'
                 f'OUTPUT_DIRECTORY = "{output}"\nWARN_LOGFILE = "{log}"\n'
                 f'GENERATE_HTML = {"YES" if kind == "html" else "NO"}\n'
                 f'GENERATE_XML = {"YES" if kind == "xml" else "NO"}\n')
    subprocess.run(["doxygen", "-"], input=settings, text=True, check=True)
    with open(log, encoding="utf-8") as file:
        warnings = file.read().replace(source + os.sep, "include/ioring/")
    return sorted(set(warnings.splitlines()))


def stray_marks(output):
    """Lines of output/xml in which a comment's marks have become its text."""
    for name in sorted(os.listdir(os.path.join(output, "xml"))):
        with open(os.path.join(output, "xml", name), encoding="utf-8") as file:
            yield from (f"{name}: {line.strip()}" for line in file
                        if "///" in line or "/**" in line or "\\verbatim" in line)


def has_text(element):
    parts = element.findall("briefdescription") + element.findall("detaileddescription")
    return any("".join(part.itertext()).strip() for part in parts)


def undocumented(output):
    """Names in output/xml without a word, enumerators too, which Doxygen passes over."""
    found = []
    seen = 0
    for name in sorted(os.listdir(os.path.join(output, "xml"))):
        if not re.match(r"(class|struct|namespace|ioring_8h|group).*\.xml$", name):
            continue
        tree = xml.etree.ElementTree.parse(os.path.join(output, "xml", name))
        for compound in tree.iter("compounddef"):
            if compound.get("prot") == "private":
                continue
            scope = compound.findtext("compoundname")
            if compound.get("kind") in ("class", "struct") and not has_text(compound):
                found.append(scope)
            for member in compound.iter("memberdef"):
                if member.get("prot") == "private" or member.get("kind") == "friend":
                    continue
                seen += 1
                if not has_text(member):
                    found.append(f"{scope}::{member.findtext('name')}")
                for value in member.iter("enumvalue"):
                    seen += 1
                    if not has_text(value):
                        found.append(f"{scope}::{value.findtext('name')}")
    return seen, found


def main():
    root, output = sys.argv[1:3]
    kind = sys.argv[3] if len(sys.argv) > 3 else "html"
    warnings = run_doxygen(root, public_headers(root), output, kind)
    for warning in warnings:
        print(warning)
    if warnings:
        sys.exit(f"{len(warnings)} warnings")


if __name__ == "__main__":
    main()
