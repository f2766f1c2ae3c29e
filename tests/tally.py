#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# tally.py - counts one ctest run from its JUnit file and judges its skips.
#
# usage: tally.py JUNIT_XML EXPECTED_SKIPS CTEST_STATUS
#
# Prints "PASSED FAILED SKIPPED" on standard output, and what went wrong on standard error. A skip
# that EXPECTED_SKIPS does not list, a test that did not run, a run without tests and a ctest that
# failed without naming a test are failures.
import re
import sys
import xml.etree.ElementTree as xml

SKIP_MESSAGES = ("SKIP_REGULAR_EXPRESSION_MATCHED", "SKIP_RETURN_CODE")


def read_expected_skips(path):
    expected = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            parts = re.split(r"\s{2,}", line, maxsplit=1)
            if len(parts) != 2:
                sys.exit(f"{path}:{number}: no reason after two spaces: {line}")
            expected.append(re.compile(parts[0]))
    return expected


def classify(case, expected_skips):
    """Returns "passed", "failed" or "skipped" and, unless it passed, a line that says why."""
    name = case.get("name")
    if case.get("status") == "run":
        return "passed", None
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message", "").startswith(SKIP_MESSAGES):
        if any(pattern.fullmatch(name) for pattern in expected_skips):
            return "skipped", f"skipped, as expected: {name}"
        return "failed", f"SKIPPED, but tests/expected_skips.txt does not list it: {name}"
    if case.get("status") == "fail":
        return "failed", f"FAILED: {name}"
    return "failed", f"DID NOT RUN ({case.get('status')}): {name}"


def tally(junit_path, expected_skips, ctest_status):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    try:
        cases = xml.parse(junit_path).getroot().findall("testcase")
    except (OSError, xml.ParseError) as error:
        cases = []
        lines.append(f"FAILED: ctest left no result: {error}")
    for case in cases:
        verdict, line = classify(case, expected_skips)
        counts[verdict] += 1
        if line:
            lines.append(line)
    if not cases:
        lines.append("FAILED: no test ran")
        counts["failed"] = 1
    elif ctest_status != 0 and counts["failed"] == 0:
        lines.append(f"FAILED: ctest itself, with status {ctest_status}")
        counts["failed"] = 1
    return counts, lines


def main():
    junit_path, expected_path, ctest_status = sys.argv[1:]
    counts, lines = tally(junit_path, read_expected_skips(expected_path), int(ctest_status))
    for line in lines:
        print(line, file=sys.stderr)
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    main()
