#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# clang_tidy.py - runs clang-tidy on the units that a change touches, or on all of them.
#
# usage: clang_tidy.py [--all] [--jobs N] BUILD
#
# Changed is what differs from where this branch left main (origin/main where there is one; on main
# itself the commit before), committed or not. A changed header is looked at through the first unit
# that includes it. BUILD must be up to date: its dependency lists say who includes what.
import argparse
import concurrent.futures
import os
import subprocess
import sys

import deps

CLANG_TIDY = "clang-tidy-14"
# All of these judge everything.
RULES = (".clang-tidy",)
# Tests do on purpose what programs should not: they use what was moved from, compare a thing with
# itself, make pointers of numbers, define functions of the system's; and nobody wants them fast.
NOT_IN_TESTS = ("performance-*", "bugprone-use-after-move", "clang-analyzer-cplusplus.Move",
                "misc-redundant-expression", "bugprone-implicit-widening-of-multiplication-result",
                "readability-function-size", "bugprone-reserved-identifier",
                "readability-inconsistent-declaration-parameter-name")


def git(root, *arguments):
    done = subprocess.run(["git", "-C", root, *arguments], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def changed_files(root):
    """Paths from `root` that differ from the base, or None when all count as changed."""
    head = git(root, "rev-parse", "HEAD")
    main = next((name for name in ("origin/main", "main")
                 if git(root, "rev-parse", "-q", "--verify", name)), None)
    base = git(root, "merge-base", "HEAD", main) if main else None
    if base == head:
        base = git(root, "rev-parse", "-q", "--verify", "HEAD~1")
    if not base:
        return None
    changed = git(root, "diff", "--name-only", base, "--").splitlines()
    untracked = git(root, "ls-files", "--others", "--exclude-standard").splitlines()
    return set(changed + untracked)


def select(units, changed):
    """The sources to look at: changed ones, and one for each changed header that is included."""
    chosen = {source for source in units if source in changed}
    for header in sorted(path for path in changed if path.endswith((".hpp", ".h"))):
        includers = [source for source, reached in units.items() if header in reached]
        if includers and not chosen.intersection(includers):
            chosen.add(min(includers, key=lambda source: (len(units[source]), source)))
    return chosen


def read_units(root, build):
    units = {}
    for source, prerequisites in deps.read_build(build):
        path = deps.inside(root, source, build)
        if path and not path.startswith("build/"):
            reached = (deps.inside(root, name, build) for name in prerequisites or ())
            units[path] = {name for name in reached if name}
    return units


def is_test(source):
    return source.startswith("tests/") or source.endswith(("_test.cpp", "_test_support.cpp"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("build")
    options = parser.parse_args()
    root = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
    build = os.path.realpath(options.build)

    units = read_units(root, build)
    changed = None if options.all else changed_files(root)
    everything = changed is None or changed.intersection(RULES)
    sources = sorted(units if everything else select(units, changed))
    print(f"clang-tidy on {len(sources)} of {len(units)} units", flush=True)

    def look_at(source):
        command = [CLANG_TIDY, "--quiet", "-p", build, os.path.join(root, source)]
        if is_test(source):
            command.append("--checks=" + ",".join(f"-{name}" for name in NOT_IN_TESTS))
        # On standard error it says only how many warnings of other files it has dropped.
        return source, subprocess.run(command, capture_output=True, text=True, check=False)

    failed = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for source, done in pool.map(look_at, sources):
            if done.returncode != 0 or done.stdout.strip():
                failed.append(source)
                print(done.stdout or done.stderr, flush=True)
    if failed:
        sys.exit(f"clang-tidy has something to say about: {' '.join(failed)}")


if __name__ == "__main__":
    main()
