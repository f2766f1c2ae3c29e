# SPDX-License-Identifier: MIT
# text_test.py - every text file of this tree keeps the rules of text_rules.py.
import os
import sys

import files
import text_rules


def main():
    root = os.environ["IORING_SOURCE_DIR"]
    if len(files.list_files(root)) < 10:
        sys.exit(f"hardly any file found in {root}")
    problems = text_rules.check_tree(root)
    for problem in problems:
        print(problem)
    if problems:
        sys.exit(f"{len(problems)} problems")


if __name__ == "__main__":
    main()
