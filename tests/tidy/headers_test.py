# SPDX-License-Identifier: MIT
# headers_test.py - each public header compiles as the only one of its translation unit.
#
# With all warnings as errors, by the compiler in IORING_COMPILER; then all of them together without
# exceptions and RTTI. The check is first tried on headers that must fail.
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile

import files

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow",
         "-Wconversion", "-Wsign-conversion", "-Werror", "-x", "c++"]
WITHOUT_EXCEPTIONS = ["-fno-exceptions", "-fno-rtti"]
# Must fail: uses a name that only another header would bring, warns, throws.
BAD_HEADERS = {
    "bad/missing_include.hpp": "#pragma once\nstd::string name();\n",
    "bad/warning.hpp": "#pragma once\ninline int narrow(long x) { return x; }\n",
    "bad/throws.hpp": "#pragma once\ninline void fail() { throw 1; }\n",
}


def complaints_about(compiler, include_folder, headers, flags=()):
    """What the compiler says to a unit that includes just `headers`, twice; "" if it is content."""
    text = "".join(f'#include "{header}"\n' for header in headers) * 2
    done = subprocess.run([compiler, *FLAGS, *flags, f"-I{include_folder}", "-"], input=text,
                          capture_output=True, text=True, check=False)
    return f"{' '.join([*headers, *flags])}:\n{done.stderr}" if done.returncode != 0 else ""


def check_headers(compiler, include_folder, headers):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        alone = pool.map(
            lambda header: complaints_about(compiler, include_folder, [header]), headers)
        together = complaints_about(compiler, include_folder, headers, WITHOUT_EXCEPTIONS)
    return "".join(alone) + together


def check_the_check(compiler):
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "bad"))
        for header, text in BAD_HEADERS.items():
            with open(os.path.join(folder, header), "w", encoding="utf-8") as file:
                file.write(text)
            if not check_headers(compiler, folder, [header]):
                sys.exit(f"{compiler} accepts {header}, which it must not: {text}")


def main():
    root, compiler = os.environ["IORING_SOURCE_DIR"], os.environ["IORING_COMPILER"]
    check_the_check(compiler)
    headers = [path[len("include/"):] for path in files.list_files(root)
               if re.match(r"include/.*\.(hpp|h)$", path)]
    if not headers:
        sys.exit("no public headers found")
    complaints = check_headers(compiler, os.path.join(root, "include"), headers)
    if complaints:
        sys.exit(complaints)


if __name__ == "__main__":
    main()
