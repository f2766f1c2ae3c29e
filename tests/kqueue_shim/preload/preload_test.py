# SPDX-License-Identifier: MIT
# preload_test.py - another implementation of kqueue can be put into the shim's place.
#
# usage: preload_test.py LIBRARY CONFORMANCE_TEST
import os
import subprocess
import sys
import tempfile


def main():
    library, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        calls = os.path.join(folder, "calls")
        subprocess.run([program, "--gtest_filter=backend/recv_test.*/kqueue", "--gtest_brief=1"],
                       env={**os.environ, "LD_PRELOAD": library, "KQUEUE_CALLS": calls},
                       check=True, timeout=100)
        with open(calls, encoding="utf-8") as file:
            kqueues, kevents = map(int, file.read().split())
    print(f"{kqueues} kqueues, {kevents} calls of kevent() went to the preloaded library")
    # One a ring at least, each with a change for its wake and a wait.
    if kqueues < 5 or kevents < 2 * kqueues:
        sys.exit("too few: the program does not call what is preloaded")


if __name__ == "__main__":
    main()
