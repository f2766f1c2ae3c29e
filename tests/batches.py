#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# batches.py - tells ctest of a GoogleTest program: a test is one suite with one parameter.
#
# usage: batches.py --name NAME --program PROGRAM --results FOLDER --timeout SECONDS
#                   --output CMAKE_FILE [-- EMULATOR...]
#
# A process for each of thousands of tests costs more than the tests do. A batch is what one process
# runs: the tests of one suite for one parameter (so a backend has its processes to itself), with
# the label `threads` where `thread` is in their names, else `unit`. Its outcome by test is left in
# FOLDER, whose *.batches tests/tally.py compares with that.
import argparse
import json
import os
import re
import subprocess
import sys

CASES_MAX = 24
LISTING_BOUND_S = 60


def cases_of(listing):
    """Suite and test of each line of --gtest_list_tests."""
    suite = None
    for line in listing.splitlines():
        name = re.sub(r"\s+#.*", "", line).rstrip()
        if name.endswith(".") and not line.startswith(" "):
            suite = name[:-1]
        elif line.startswith("  ") and suite is not None:
            yield suite, name.strip()


def batches_of(cases):
    """(batch, label, its cases) in the program's order; batch is SUITE or SUITE/PARAMETER."""
    batches = {}
    for suite, test in cases:
        label = "threads" if "thread" in f"{suite}.{test}" else "unit"
        parameter = test.partition("/")[1:]
        batches.setdefault((suite + "".join(parameter), label), []).append(f"{suite}.{test}")
    for (batch, label), members in batches.items():
        # A suite may have tests of both labels, and more than one process should run.
        stem = batch if label == "unit" or (batch, "unit") not in batches else f"{batch}.threads"
        for part in range(0, len(members), CASES_MAX):
            name = stem if part == 0 else f"{stem}.{part // CASES_MAX + 1}"
            yield name, label, members[part:part + CASES_MAX]


def quoted(text):
    return f"[==[{text}]==]"


def register(batches, name, program, emulator, results, timeout):
    """What ctest reads, and for each batch the file of its results and its tests."""
    commands, table = [], {}
    working = os.path.dirname(results)
    for batch, label, members in batches:
        full = f"{name}.{batch}"
        # Relative: also right for a program of another system, which an emulator runs.
        file = f"{os.path.basename(results)}/{re.sub('[^A-Za-z0-9_.-]', '-', full)}.json"
        command = [*emulator, program, f"--gtest_filter={':'.join(members)}",
                   f"--gtest_output=json:{file}"]
        commands.append(f"add_test({quoted(full)} {' '.join(map(quoted, command))})")
        commands.append(f"set_tests_properties({quoted(full)} PROPERTIES WORKING_DIRECTORY"
                        f" {quoted(working)} TIMEOUT {timeout} LABELS {label})")
        table[full] = {"results": os.path.basename(file),
                       "cases": [f"{name}.{member}" for member in members]}
    return "\n".join(commands) + "\n", table


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser()
    for option in ("--name", "--program", "--results", "--output"):
        parser.add_argument(option, required=True)
    parser.add_argument("--timeout", type=int, required=True)
    parser.add_argument("emulator", nargs="*")
    options = parser.parse_args()
    listed = subprocess.run([*options.emulator, options.program, "--gtest_list_tests"],
                            capture_output=True, text=True, timeout=LISTING_BOUND_S, check=False)
    if listed.returncode != 0:
        sys.exit(f"{options.program} --gtest_list_tests: status {listed.returncode}\n"
                 f"{listed.stdout}{listed.stderr}")
    commands, table = register(batches_of(cases_of(listed.stdout)), options.name, options.program,
                               options.emulator, options.results, options.timeout)
    os.makedirs(options.results, exist_ok=True)
    stem = os.path.splitext(os.path.basename(options.program))[0]
    write(os.path.join(options.results, f"{stem}.batches"), json.dumps(table))
    write(options.output, commands)


if __name__ == "__main__":
    main()
