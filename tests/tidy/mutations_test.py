# SPDX-License-Identifier: MIT
# mutations_test.py - each bug of tests/mutations can still be made: its text occurs exactly once.
#
# Without it only the next run of ./dev mutants, which takes a while, would tell.
import dataclasses
import os
import sys

ROOT = os.environ["IORING_SOURCE_DIR"]
sys.path.insert(0, os.path.join(ROOT, "tests/mutations"))

from mutations import MUTATIONS  # noqa: E402

MUTATIONS_MIN = 31  # A bug is adapted to the sources, never dropped.


def problems(mutations):
    for mutation in mutations:
        try:
            mutation.read(ROOT)
        except (OSError, ValueError) as error:
            yield f"{mutation.name}: {error}"
    names = [each.name for each in mutations]
    yield from (f"two are called: {name}" for name in set(names) if names.count(name) > 1)


def main():
    # The check itself can fail: a text that is nowhere, one that is everywhere, a missing file.
    bad = [dataclasses.replace(MUTATIONS[0], name=str(change), **change)
           for change in ({"old": "no such text"}, {"old": "\n"}, {"file": "no/such/file.cpp"})]
    if len(found := list(problems(bad))) != 3:
        sys.exit(f"the check is blind: {found}")
    found = list(problems(MUTATIONS))
    if len(MUTATIONS) < MUTATIONS_MIN:
        found.append(f"{len(MUTATIONS)} mutations, there were {MUTATIONS_MIN}")
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
