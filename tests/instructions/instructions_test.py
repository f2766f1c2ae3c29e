#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# instructions_test.py - instructions of the hot paths, compared with those that were when they were
# last looked at.
"""Usage: instructions_test.py PROGRAM [--write | --against OTHER_PROGRAM]

Counts under callgrind, which gives the same figure on a busy machine as on an idle one. A path that
has become slower fails; one that has become faster by more than the tolerance fails too, so that
baseline.json stays true: --write writes it anew. The counts are of one compiler, which the file
names; with another there is nothing to compare. --against prints what the same paths take in the
program of another build (SECURITY.md has such a table).
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BASELINE = os.path.join(HERE, "baseline.json")
SCENARIOS = ("nop", "nop_batch", "buffer_message", "pool_cycle", "epoll_message", "shared_forward",
             "managed_forward", "managed_write")
FEW, MANY = 2_000, 12_000
TOLERANCE = 0.04
SKIPPED = 77
TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def count(program, scenario, iterations):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", program, scenario,
             str(iterations)], capture_output=True, text=True, timeout=100, check=False)
        if done.returncode != 0:
            sys.exit(f"{scenario}: status {done.returncode}\n{done.stderr}")
        with open(out, encoding="utf-8", errors="replace") as file:
            return int(TOTAL.search(file.read()).group(1))


def compiler_of(build_dir):
    with open(os.path.join(build_dir, "CMakeCache.txt"), encoding="utf-8") as cache:
        path = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.*)$", cache.read(), re.MULTILINE).group(1)
    return subprocess.run([path, "--version"], capture_output=True, text=True,
                          check=True).stdout.splitlines()[0]


def count_all(program):
    """Instructions of an iteration, for each scenario."""
    return {name: round((count(program, name, MANY) - count(program, name, FEW)) / (MANY - FEW), 1)
            for name in SCENARIOS}


def compare(program, other):
    one, two = count_all(program), count_all(other)
    for name in SCENARIOS:
        print(f"| {name} | {one[name]:.0f} | {two[name]:.0f} | {two[name] / one[name] - 1:+.1%} |")


def main():
    program, write = sys.argv[1], "--write" in sys.argv[2:]
    if shutil.which("valgrind") is None:
        print("there is no valgrind here")
        return SKIPPED
    if "--against" in sys.argv:
        compare(program, sys.argv[sys.argv.index("--against") + 1])
        return 0
    compiler = compiler_of(os.environ["IORING_BUILD_DIR"])
    found = count_all(program)
    if write:
        with open(BASELINE, "w", encoding="utf-8") as file:
            json.dump({"compiler": compiler, "instructions": found}, file, indent=2)
            file.write("\n")
        return 0
    with open(BASELINE, encoding="utf-8") as file:
        baseline = json.load(file)
    if baseline["compiler"] != compiler:
        print(f"counted with {baseline['compiler']}, built with {compiler}")
        return SKIPPED
    status = 0
    for name, now in found.items():
        before = baseline["instructions"][name]
        change = now / before - 1
        verdict = "ok" if abs(change) <= TOLERANCE else "CHANGED"
        status |= verdict != "ok"
        print(f"{name:16} {before:10.1f} -> {now:10.1f} instructions, {change:+.1%} {verdict}")
    if status:
        print(f"if that is meant: {os.path.relpath(__file__)} PROGRAM --write")
    return status


if __name__ == "__main__":
    sys.exit(main())
