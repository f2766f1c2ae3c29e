#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# tally.py - counts one ctest run from its JUnit file and judges its skips.
#
# usage: tally.py JUNIT_XML EXPECTED_SKIPS CTEST_STATUS BATCHES_FOLDER
#
# Prints "PASSED FAILED SKIPPED" on standard output, and what went wrong on standard error. What
# ctest has as one test may be a batch (batches.py); its tests are counted one by one, from what
# their process has left in BATCHES_FOLDER. A skip that EXPECTED_SKIPS does not list, a test that
# did not run, a run without tests and a ctest that failed without naming a test are failures.
import glob
import json
import os
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


def judge_skip(name, expected_skips):
    if any(pattern.fullmatch(name) for pattern in expected_skips):
        return "skipped", f"skipped, as expected: {name}"
    return "failed", f"SKIPPED, but tests/expected_skips.txt does not list it: {name}"


def classify(case, expected_skips):
    """Returns "passed", "failed" or "skipped" and, unless it passed, a line that says why."""
    name = case.get("name")
    if case.get("status") == "run":
        return "passed", None
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message", "").startswith(SKIP_MESSAGES):
        return judge_skip(name, expected_skips)
    if case.get("status") == "fail":
        return "failed", f"FAILED: {name}"
    return "failed", f"DID NOT RUN ({case.get('status')}): {name}"


def read_batches(folder):
    """For each batch the path of its results and the names of its tests."""
    batches = {}
    for path in glob.glob(os.path.join(glob.escape(folder), "*.batches")):
        with open(path, encoding="utf-8") as file:
            for name, batch in json.load(file).items():
                batches[name] = (os.path.join(folder, batch["results"]), batch["cases"])
    return batches


def read_results(path):
    """What GoogleTest wrote of each SUITE.TEST: "passed", "failed" or "skipped"."""
    results = {}
    try:
        with open(path, encoding="utf-8") as file:
            suites = json.load(file)["testsuites"]
    except (OSError, ValueError):
        return results
    for suite in suites:
        for test in suite["testsuite"]:
            verdict = "failed" if "failures" in test else {
                "COMPLETED": "passed", "SKIPPED": "skipped"}.get(test.get("result"), "failed")
            results[f"{suite['name']}.{test['name']}"] = verdict
    return results


def classify_batch(case, batch, expected_skips):
    """As classify(), for each test of a batch."""
    path, names = batch
    results = read_results(path)
    verdicts = []
    for name in names:
        # NAME.SUITE.TEST
        result = results.get(name.partition(".")[2])
        if result == "passed":
            verdicts.append(("passed", None))
        elif result == "skipped":
            verdicts.append(judge_skip(name, expected_skips))
        elif result == "failed":
            verdicts.append(("failed", f"FAILED: {name}"))
        else:
            verdicts.append(("failed", f"DID NOT END: {name}"))
    if case.get("status") != "run" and all(verdict != "failed" for verdict, _ in verdicts):
        verdicts.append(("failed", f"FAILED, though none of its tests: {case.get('name')}"))
    return verdicts


def tally(junit_path, expected_skips, ctest_status, batches_folder):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    lines = []
    batches = read_batches(batches_folder)
    try:
        cases = xml.parse(junit_path).getroot().findall("testcase")
    except (OSError, xml.ParseError) as error:
        cases = []
        lines.append(f"FAILED: ctest left no result: {error}")
    for case in cases:
        if case.get("name") in batches:
            verdicts = classify_batch(case, batches[case.get("name")], expected_skips)
        else:
            verdicts = [classify(case, expected_skips)]
        for verdict, line in verdicts:
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
    junit_path, expected_path, ctest_status, batches_folder = sys.argv[1:]
    counts, lines = tally(junit_path, read_expected_skips(expected_path), int(ctest_status),
                          batches_folder)
    for line in lines:
        print(line, file=sys.stderr)
    print(counts["passed"], counts["failed"], counts["skipped"])


if __name__ == "__main__":
    main()
