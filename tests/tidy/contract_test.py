# SPDX-License-Identifier: MIT
# contract_test.py - docs/contract.md is whole: each promise has its test, each word its place.
import os
import re
import sys

import files
import named_tests

ROWS_MIN = 230  # A promise is never dropped.
NAMESPACE = re.compile(r"^namespace (\w+_(?:flag|event)) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CONSTANT = re.compile(r"^inline constexpr std::uint\d+_t (\w+) =", re.MULTILINE)
OPCODES = re.compile(r"^enum class opcode .*?\{\n(.*?)^\};", re.MULTILINE | re.DOTALL)
OPCODE = re.compile(r"^    (\w+) = \d+,", re.MULTILINE)
DIFFERENCE = re.compile(r"\bD(\d+)\b")


def words_of(header):
    """Each opcode and flag that a program can write or read, as `opcode::recv`."""
    words = {f"opcode::{name}" for name in OPCODE.findall(OPCODES.search(header)[1])}
    for name, body in NAMESPACE.findall(header):
        words |= {f"{name}::{constant}" for constant in CONSTANT.findall(body)}
    return words


def problems_of_differences(document):
    numbers = [cells[0] for cells in named_tests.table_rows(document, last_column="reason")]
    if numbers != [f"D{number}" for number in range(1, len(numbers) + 1)]:
        yield f"differences are not numbered from D1: {' '.join(numbers)}"
    prose = "\n".join(line for line in document.splitlines() if not line.startswith("| D"))
    used = {f"D{number}" for number in DIFFERENCE.findall(prose)}
    for number in sorted(used - set(numbers)):
        yield f"no such difference: {number}"
    for number in sorted(set(numbers) - used):
        yield f"no promise refers to {number}"


def problems(document, header, tests, rows_min=ROWS_MIN):
    rows = named_tests.table_rows(document, last_column="test")
    if len(rows) < rows_min:
        yield f"{len(rows)} promises, there were {rows_min}"
    yield from named_tests.problems_of_rows(rows, tests)
    yield from problems_of_differences(document)
    for word in sorted(words_of(header)):
        if f"`{word}`" not in document:
            yield f"not a word about {word}"


BAD_HEADER = """enum class opcode : std::uint8_t {
    nop = 0,
    recv = 27,
};
namespace msg_flag {
inline constexpr std::uint32_t peek = 0x02;
}  // namespace msg_flag
"""
BAD_DOCUMENT = """`opcode::nop` has D1 and D9.
| what | promise | test |
|---|---|---|
| a promise | kept | `nobody.wrote_this` |
| another | hoped for | by hand |

| number | difference | reason |
|---|---|---|
| D1 | one | because |
| D3 | another | because |
"""
BAD_COUNT = 8  # Few rows, two bad ones, three of differences, recv and peek.


def main():
    root = os.environ["IORING_SOURCE_DIR"]
    # The check itself can fail: each made-up mistake must be reported.
    found = list(problems(BAD_DOCUMENT, BAD_HEADER, set(), rows_min=3))
    if len(found) != BAD_COUNT:
        sys.exit(f"the check is blind: {found}")
    document = files.read_text(root, "docs/contract.md")
    header = files.read_text(root, "include/ioring/sqe.hpp")
    found = list(problems(document, header, named_tests.existing_tests(root)))
    for problem in found:
        print(problem)
    if found:
        sys.exit(f"{len(found)} problems in docs/contract.md")


if __name__ == "__main__":
    main()
