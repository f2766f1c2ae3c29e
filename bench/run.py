#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# run.py - measures the library beside its hand-written peers: ./dev bench
"""Compares ioring-echo with a minimal hand-written server of the same strategy (server CPU time per
verified message), a nop batch with liburing's, and times the buffers.

Every round measures the peer, ours and the peer again, so that each result states its own noise: a
target is met when the ratio less the spread of the peer against itself is within it. Samples that
others disturbed are made again. Results are kept as they come; --resume goes on after an abort.
"""
import argparse
import dataclasses
import datetime
import json
import os
import shlex
import signal
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import cells, echo, idle, machine, micro, report  # noqa: E402
from harness.journal import Journal, JournalError  # noqa: E402
from harness.processes import MeasurementError  # noqa: E402

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PARTS = ("echo", "idle", *micro.PROGRAMS)


@dataclasses.dataclass
class Plan:
    """What one run measures."""

    only: list
    cells: list
    strategies: list
    repetitions: int
    seconds: float
    warmup_seconds: float
    cpus: tuple
    reference: bool
    retries: int
    patience_seconds: float
    micro_repetitions: int
    micro_seconds: float
    echo_target: float
    nop_target: float

    def as_header(self):
        """The plan as JSON takes it; a resumed run must have the same."""
        header = dataclasses.asdict(self)
        header["cells"] = [str(cell) for cell in self.cells]
        header["cpus"] = list(self.cpus)
        return header


def _words_of(known):
    def parse(text):
        words = text.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"`{word}` is none of {', '.join(known)}")
        return words

    return parse


def _cells(text):
    try:
        return [cells.Cell.parse(word) for word in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _positive(kind):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = 0
        if not 0 < value < 1e6:
            raise argparse.ArgumentTypeError(f"`{text}` is no number over 0")
        return value

    return parse


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", type=_words_of(PARTS), default=list(PARTS), metavar="PART,...",
        help=f"of {', '.join(PARTS)} (default: all)")
    add("--cells", type=_cells, metavar="CONNECTIONS/SIZE/DEPTH,...",
        help=f"loads to measure (default {cells.DEFAULT_CELLS})")
    add("--strategies", type=_words_of(list(cells.STRATEGIES)), metavar="NAME,...",
        help=f"of {', '.join(cells.STRATEGIES)} (default {cells.DEFAULT_STRATEGIES})")
    add("--repetitions", type=_positive(int), metavar="N", help="rounds (default 5)")
    add("--seconds", type=_positive(float), metavar="D", help="of one sample (default 3)")
    add("--reference", action="store_true", help="measure servers on other libraries too")
    add("--quick", action="store_true",
        help=f"under two minutes: cells {cells.QUICK_CELLS}, 3 rounds of 1 s")
    add("--retries", type=int, default=3, metavar="N",
        help="how often a disturbed sample is made again (default 3)")
    add("--patience", type=_positive(float), default=900.0, metavar="SECONDS",
        help="spent on that in all (default 900)")
    add("--server-cpu", type=int, default=0, metavar="N", help="default 0")
    add("--client-cpu", type=int, default=1, metavar="N", help="default 1")
    add("--target", type=_positive(float), default=1.05, metavar="RATIO",
        help="of the echo server to its peer (default 1.05)")
    add("--build-dir", default=os.path.join(SOURCE_DIR, "build", "release"), metavar="DIR",
        help="the build that is measured (default build/release)")
    add("--output", metavar="FILE",
        help="where results go, as JSON lines (default build/bench/results.jsonl); the summary "
             "goes beside it as .json and .txt")
    add("--resume", action="store_true", help="go on with the results in --output")
    add("--report", action="store_true", help="write a page into docs/benchmarks/")
    return parser.parse_args(arguments)


def plan_of(parsed):
    quick = parsed.quick
    return Plan(
        only=parsed.only,
        cells=parsed.cells or _cells(cells.QUICK_CELLS if quick else cells.DEFAULT_CELLS),
        strategies=parsed.strategies or cells.DEFAULT_STRATEGIES.split(","),
        repetitions=parsed.repetitions or (3 if quick else 5),
        seconds=parsed.seconds or (1.0 if quick else 3.0),
        warmup_seconds=0.2 if quick else 0.5,
        cpus=(parsed.server_cpu, parsed.client_cpu),
        reference=parsed.reference,
        retries=0 if quick else max(parsed.retries, 0),
        patience_seconds=parsed.patience,
        micro_repetitions=5 if quick else 15,
        micro_seconds=0.02 if quick else 0.2,
        echo_target=parsed.target,
        nop_target=1.10,
    )


def check_ready(programs, plan):
    """Raises when a program or a CPU that the plan needs is not there."""
    wanted = echo.needed_commands(programs, plan) if "echo" in plan.only else []
    if "idle" in plan.only:
        wanted += [programs.client(idle.ACTIVE), *map(programs.ours, idle.STRATEGIES)]
    wanted += [[programs.micro(name)] for name in micro.PROGRAMS if name in plan.only]
    missing = programs.missing(wanted)
    if missing:
        names = ", ".join(os.path.relpath(path, programs.build_dir) for path in missing)
        raise MeasurementError(f"not built in {programs.build_dir}: {names}")
    allowed = os.sched_getaffinity(0)
    for cpu in plan.cpus:
        if cpu not in allowed:
            raise MeasurementError(f"CPU {cpu} is not ours to use; --server-cpu and --client-cpu "
                                   f"choose others of {sorted(allowed)}")


def open_journal(parsed, plan):
    path = parsed.output or os.path.join(SOURCE_DIR, "build", "bench", "results.jsonl")
    header = {
        "begun": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        **plan.as_header(),
        "machine": machine.describe(SOURCE_DIR, parsed.build_dir),
        "command_line": shlex.join(["./dev", "bench", *_told(sys.argv[1:])]),
    }
    if parsed.resume:
        del header["command_line"]
    return Journal(path, header, parsed.resume)


def _told(arguments):
    """The arguments as a report may tell them: without where things lie on this machine."""
    told = []
    for index, word in enumerate(arguments):
        private = ("--output", "--build-dir", "--report", "--resume")
        if word.split("=")[0] in private or (index and arguments[index - 1] in private[:2]):
            continue
        told.append(word)
    return told


def summary_of(plan, journal):
    return {
        **journal.header,
        "echo": echo.summarize(plan, journal),
        "references": echo.summarize_references(plan, journal),
        "nop_batch": micro.summarize_nops(plan, journal),
        "buffers": micro.summarize_buffers(journal),
        "emulation": micro.summarize_emulation(journal),
        "idle": idle.summarize(journal),
    }


def write_results(plan, journal, report_wanted):
    """Prints the tables and writes what is asked."""
    text = report.as_text(plan, journal)
    print("\n" + text)
    stem = os.path.splitext(journal.path)[0]
    with open(stem + ".json", "w", encoding="utf-8") as file:
        json.dump(summary_of(plan, journal), file, indent=1)
    with open(stem + ".txt", "w", encoding="utf-8") as file:
        file.write(text + "\n")
    if report_wanted:
        header = journal.header
        name = f"{header['begun'][:10]}-{header['machine']['commit']}.md"
        page = os.path.join(SOURCE_DIR, "docs", "benchmarks", name)
        with open(page, "w", encoding="utf-8") as file:
            file.write(report.as_markdown(plan, journal))
        print(f"\nwrote docs/benchmarks/{name}")


def say(text):
    print(f"[{datetime.datetime.now():%H:%M:%S}] {text}", flush=True)


def main():
    parsed = parse_arguments(sys.argv[1:])
    plan = plan_of(parsed)
    programs = cells.Programs(os.path.abspath(parsed.build_dir))
    try:
        check_ready(programs, plan)
        journal = open_journal(parsed, plan)
    except (MeasurementError, JournalError) as error:
        sys.exit(f"bench: {error}")
    status = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends the children too.
    try:
        micro.run(programs, plan, journal, say)
        if "echo" in plan.only:
            echo.run(programs, plan, journal, say)
        if "idle" in plan.only:
            idle.run(programs, plan, journal, say)
    except MeasurementError as error:
        print(f"bench: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    if status:
        kept = os.path.relpath(journal.path, SOURCE_DIR)
        print(f"bench: stopped; what was measured is in {kept}, --resume goes on", file=sys.stderr)
    write_results(plan, journal, parsed.report and not status)
    sys.exit(status)


if __name__ == "__main__":
    main()
