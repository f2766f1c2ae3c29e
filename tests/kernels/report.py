# SPDX-License-Identifier: MIT
# report.py - what the serial console of a virtual machine says about the tests that ran in it.
import re

# Written by `init` around each program.
BEGIN = re.compile(r"^@@ begin (\S+)$")
END = re.compile(r"^@@ end (\S+) (\d+)$")
# GoogleTest's own lines. The list of failures at the end of a run has no times, and is not counted.
RESULT = re.compile(r"^\[ *(OK|FAILED|SKIPPED) *\] (\S+)(?:, where .*)? \(\d+ ms\)$")
PLAN = re.compile(r"^\[=+\] Running (\d+) tests? ")
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Program:
    """One test program: its tests by result, and what it printed before each that did not pass."""

    def __init__(self, name):
        self.name = name
        self.planned = None
        self.status = None
        self.passed, self.failed, self.skipped = [], [], []
        self.output = {}
        self.pending = []

    def add_line(self, line):
        plan, result = PLAN.match(line), RESULT.match(line)
        if plan:
            self.planned = int(plan.group(1))
        if not result:
            self.pending.append(line)
            return
        kind, test = result.groups()
        {"OK": self.passed, "FAILED": self.failed, "SKIPPED": self.skipped}[kind].append(test)
        if kind != "OK":
            self.output[test] = self.pending
        self.pending = []

    def problem(self):
        """Why this program's results are not all there, or None."""
        ran = len(self.passed) + len(self.failed) + len(self.skipped)
        if self.status is None:
            return f"did not end; {ran} of {self.planned} tests had"
        if self.planned is None or ran < self.planned:
            return f"ended with status {self.status} after {ran} of {self.planned} tests"
        if self.planned == 0:
            return "ran no test"
        if self.status != 0 and not self.failed:
            return f"ended with status {self.status} although no test had failed"
        return None


def parse(lines):
    """The programs that began, in order."""
    programs, current = [], None
    for raw in lines:
        line = ANSI.sub("", raw).rstrip("\r\n")
        begin, end = BEGIN.match(line), END.match(line)
        if begin:
            current = Program(begin.group(1))
            programs.append(current)
        elif end and current and end.group(1) == current.name:
            current.status = int(end.group(2))
            current = None
        elif current:
            current.add_line(line)
    return programs


def summary(programs, expected):
    """Lines to print and (passed, failed, skipped); a program of `expected` without all of its
    results is one failure more."""
    lines, total = [], (0, 0, 0)
    by_name = {program.name: program for program in programs}
    for name in expected:
        program = by_name.get(name) or Program(name)
        problem = program.problem() if name in by_name else "did not begin"
        lines += skipped_lines(program)
        for test in program.failed:
            lines += [f"FAILED: {test}"] + [f"    {line}" for line in program.output[test]]
        if problem:
            lines.append(f"FAILED: {name} {problem}")
            lines += [f"    {line}" for line in program.pending[-20:]]
        counts = (len(program.passed), len(program.failed) + bool(problem), len(program.skipped))
        lines.append("{}: {} passed, {} failed, {} skipped".format(name, *counts))
        total = tuple(map(sum, zip(total, counts)))
    return lines, total


def skipped_lines(program):
    """One line for each reason, with the tests that had it."""
    by_reason = {}
    for test in program.skipped:
        by_reason.setdefault(reason(program.output[test]), []).append(test)
    return [f"skipped: {why}: {len(tests)} tests, {tests[0]}" if len(tests) > 1 else
            f"skipped: {why}: {tests[0]}" for why, tests in by_reason.items()]


def reason(output):
    """The last thing that a skipped test said."""
    said = [line for line in output if line and not line.startswith("[") and
            not re.search(r"\.[ch]pp:\d+: Skipped$", line)]
    return said[-1] if said else "no reason given"
