# SPDX-License-Identifier: MIT
# layers_test.py - no file of this tree includes what its layer may not.
import os
import sys

import layers_check


def main():
    root, build, compiler = (os.environ[name] for name in
                             ("IORING_SOURCE_DIR", "IORING_BUILD_DIR", "IORING_COMPILER"))
    problems = layers_check.check_tree(root, build, compiler)
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} problems; the rules are in tests/tidy/layers.py")


if __name__ == "__main__":
    main()
