# SPDX-License-Identifier: MIT
# clang_test.py - a second compiler reads Windows' sources: clang, for MinGW's headers and library.
#
# usage: clang_test.py MINGW_COMPILER. It only checks the syntax: clang 14 cannot link against this
# libstdc++. What is built on other systems too is read by clang there.
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess
import sys

CLANG = "clang++-14"
TARGET = "--target=x86_64-w64-windows-gnu"
# What no other system compiles; and one file that includes every public header.
ONLY_HERE = re.compile(r"/(src|tools)/.*_windows\.cpp$|/src/backend/(iocp|rio)/(?!.*_test\.cpp)|"
                       r"/examples/chat_server\.cpp$|/rio_abi_windows_test\.cpp$")
UNITS_MIN = 25
KEPT = ("-I", "-D", "-W", "-std=")


def include_folders(compiler):
    """Where the other compiler looks for system headers, in its order."""
    done = subprocess.run([compiler, "-x", "c++", "-E", "-v", "-"], input="", text=True,
                          capture_output=True, check=True)
    listed = done.stderr.split("search starts here:\n")[-1].split("End of search list")[0]
    return [os.path.normpath(line.strip()) for line in listed.splitlines()]


def command_for(unit, folders):
    """The unit's own command, with clang in the compiler's place."""
    words = shlex.split(unit["command"])
    command = [CLANG, TARGET, "-fsyntax-only", "-nostdinc++", "-pedantic-errors",
               # GoogleTest's own macros are called without their optional argument.
               "-Wno-gnu-zero-variadic-macro-arguments"]
    index = 0
    while index < len(words):
        word = words[index]
        if word == "-isystem":
            command += [word, words[index + 1]]
            index += 1
        elif word.startswith(KEPT):
            command.append(word)
        index += 1
    # The compiler's own intrinsics are the other one's: clang has its own.
    for folder in folders:
        if not re.search(r"/gcc/[^/]+/[^/]+/include(-fixed)?$", folder):
            command += ["-isystem", folder]
    return command + [unit["file"]]


def main():
    if shutil.which(CLANG) is None:
        print(f"{CLANG} is not installed")
        return 77
    with open(os.path.join(os.environ["IORING_BUILD_DIR"], "compile_commands.json"),
              encoding="utf-8") as file:
        units = [unit for unit in json.load(file) if ONLY_HERE.search(unit["file"])]
    units = list({unit["file"]: unit for unit in units}.values())
    if len(units) < UNITS_MIN:
        sys.exit(f"only {len(units)} units: the pattern no longer fits")
    folders = include_folders(sys.argv[1])

    def check(unit):
        return unit["file"], subprocess.run(command_for(unit, folders), cwd=unit["directory"],
                                            capture_output=True, text=True, check=False)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for name, done in pool.map(check, units):
            if done.returncode != 0:
                failed += 1
                print(f"{name}\n{done.stderr}")
    if failed:
        sys.exit(f"clang refuses {failed} of {len(units)} units")
    print(f"clang accepts all {len(units)} units")
    return 0


if __name__ == "__main__":
    sys.exit(main())
