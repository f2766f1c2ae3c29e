#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# run.py - measures the library beside hand-written servers and other libraries: ./dev bench
"""Measures ioring-echo, minimal servers written by hand and servers on other libraries in
interleaved rounds, single operations beside liburing's, and evaluates the project's targets.

Each round measures a hand-written server, ours of the same strategy, and the hand-written one
again, so that each cell states its own noise. Samples that others disturbed are made again.
Results are kept as they come; --resume goes on after an abort. Nothing asks anything: one command
does it all.
"""
import argparse
import dataclasses
import datetime
import json
import os
import shlex
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import (cells, counts, curves, echo, idle, machine, micro, pages,  # noqa: E402
                     servers, services, tables, targets)
from harness.journal import Journal, JournalError  # noqa: E402
from harness.machine import wait_until_quiet  # noqa: E402
from harness.processes import MeasurementError  # noqa: E402

SOURCE_DIR = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# In the order in which they are measured.
PARTS = (*micro.PROGRAMS, "echo", "counts", "idle", "services", "curves")


@dataclasses.dataclass
class Plan:
    """What one run measures."""

    only: list
    cells: list
    servers: list
    repetitions: int
    seconds: float
    warmup_seconds: float
    cpus: tuple
    retries: int
    patience_seconds: float
    micro_repetitions: int
    micro_seconds: float
    curve_repetitions: int
    curve_shares: list

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


def _number(kind, least):
    def parse(text):
        try:
            value = kind(text)
        except ValueError:
            value = -1
        if not least <= value < 1e6 or value != value:
            raise argparse.ArgumentTypeError(f"`{text}` is no number from {least} on")
        return value

    return parse


_count = _number(int, 1)
_duration = _number(float, 0.01)


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--quick", action="store_true",
        help=f"under two minutes: cells {cells.QUICK_CELLS}, few servers, 3 rounds of 0.7 s")
    add("--full", action="store_true",
        help="some hours: all of 1, 50, 1000, 10000 connections x 64 B, 1 KiB, 16 KiB x depth 1, "
             "16 that fits in memory")
    add("--only", type=_words_of(PARTS), metavar="PART,...",
        help=f"of {', '.join(PARTS)} (default: all)")
    add("--cells", type=_cells, metavar="CONNECTIONS/SIZE/DEPTH,...",
        help=f"loads to measure (default {cells.DEFAULT_CELLS})")
    add("--servers", type=_words_of(list(servers.SERVERS)), metavar="NAME,...",
        help=f"of {', '.join(servers.SERVERS)} (default: all but the overlapped ones); what a "
             "server is compared with comes along")
    add("--repetitions", type=_count, metavar="N", help="rounds (default 9)")
    add("--seconds", type=_duration, metavar="D", help="of one sample (default 0.7)")
    add("--retries", type=_number(int, 0), default=3, metavar="N",
        help="how often a disturbed sample is made again (default 3)")
    add("--patience", type=_number(float, 0), metavar="SECONDS",
        help="spent on that and on waiting for an idle machine in all (default 240)")
    add("--server-cpu", type=_number(int, 0), default=0, metavar="N", help="default 0")
    add("--client-cpu", type=_number(int, 0), default=1, metavar="N", help="default 1")
    add("--build-dir", default=os.path.join(SOURCE_DIR, "build", "release"), metavar="DIR",
        help="the build that is measured (default build/release)")
    add("--output", metavar="FILE",
        help="where results go, as JSON lines (default build/bench/results.jsonl); the report "
             "goes beside it as .json, .html, .md and .txt")
    add("--resume", action="store_true", help="go on with the results in --output")
    add("--report", action="store_true",
        help="copy the report into docs/benchmarks/, unless others disturbed the run")
    parsed = parser.parse_args(arguments)
    if parsed.quick and parsed.full:
        parser.error("--quick and --full exclude each other")
    return parsed


def _memory_bytes():
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _cells_of(parsed):
    if parsed.cells:
        return parsed.cells
    if parsed.full:
        return cells.full_grid(_memory_bytes())[0]
    return _cells(cells.QUICK_CELLS if parsed.quick else cells.DEFAULT_CELLS)


def plan_of(parsed):
    quick = parsed.quick
    default_servers = servers.QUICK_SERVERS if quick else servers.DEFAULT_SERVERS
    default_parts = ("nop_batch", "buffers", "timers", "echo") if quick else PARTS
    patience = parsed.patience if parsed.patience is not None else (
        0 if quick else 1200 if parsed.full else 240)
    return Plan(
        only=parsed.only or list(default_parts),
        cells=_cells_of(parsed),
        servers=servers.with_yardsticks(parsed.servers or default_servers.split(",")),
        repetitions=parsed.repetitions or (3 if quick else 9),
        seconds=parsed.seconds or 0.7,
        warmup_seconds=0.2,
        cpus=(parsed.server_cpu, parsed.client_cpu),
        retries=0 if quick else parsed.retries,
        patience_seconds=patience,
        micro_repetitions=5 if quick else 11,
        micro_seconds=0.02 if quick else 0.1,
        curve_repetitions=3 if parsed.full else 1,
        curve_shares=list(curves.SHARES),
    )


def check_ready(programs, plan):
    """Raises when a program or a CPU that the plan needs is not there."""
    wanted = [[programs.micro(name)] for name in micro.PROGRAMS if name in plan.only]
    if set(plan.only) - set(micro.PROGRAMS):
        wanted += echo.needed_commands(programs, plan)
    if "services" in plan.only:
        wanted += services.needed_commands(programs)
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
    """All that a report tells, as JSON has it."""
    summary = {
        **journal.header,
        "echo": echo.table(plan, journal),
        "counts": counts.summarize(plan, journal),
        "idle": idle.summarize(plan, journal),
        "memory": idle.summarize_memory(plan, journal),
        "curves": curves.summarize(plan, journal),
        "services": services.summarize(journal),
        "nop_batch": micro.summarize_nops(journal),
        "emulation": micro.summarize_emulation(journal),
        "buffers": micro.summarize_rows(journal, "buffers"),
        "timers": micro.summarize_rows(journal, "timers"),
    }
    summary["targets"] = targets.evaluate(summary)
    return summary


def _write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def write_results(plan, journal, report_wanted):
    """Prints the tables and writes what is asked. Returns whether a report that was wanted is."""
    summary = summary_of(plan, journal)
    text = tables.as_text(summary)
    print("\n" + text)
    stem = os.path.splitext(journal.path)[0]
    as_json = json.dumps(summary, indent=1) + "\n"
    page = pages.as_html(summary)
    _write(stem + ".json", as_json)
    _write(stem + ".html", page)
    _write(stem + ".md", pages.as_markdown(summary, os.path.basename(stem) + ".html"))
    _write(stem + ".txt", text + "\n")
    if not report_wanted:
        return True
    share = targets.disturbed_share(summary)
    if share > targets.DISTURBED_SHARE_MAX:
        print(f"\nbench: others disturbed {share:.0%} of the samples, which is no result to tell: "
              "nothing was written into docs/benchmarks", file=sys.stderr)
        return False
    name = f"{summary['begun'][:10]}-{summary['machine']['commit']}"
    folder = os.path.join(SOURCE_DIR, "docs", "benchmarks")
    _write(os.path.join(folder, name + ".json"), as_json)
    _write(os.path.join(folder, name + ".html"), page)
    _write(os.path.join(folder, name + ".md"), pages.as_markdown(summary, name + ".html"))
    print(f"\nwrote docs/benchmarks/{name}.md, .html and .json")
    return True


def say(text):
    print(f"[{datetime.datetime.now():%H:%M:%S}] {text}", flush=True)


def measure_all(programs, plan, journal):
    """Every part of the plan that the journal does not have yet."""
    patience = echo.Patience(plan.patience_seconds)
    patience.spend(lambda: wait_until_quiet(plan.cpus, patience.seconds_left / 2))
    begun = time.monotonic()
    micro.run(programs, plan, journal, say)
    for name, part in (("echo", echo), ("counts", counts), ("idle", idle),
                       ("services", services), ("curves", curves)):
        if name not in plan.only:
            continue
        if part is counts:
            part.run(programs, plan, journal, say)
        else:
            part.run(programs, plan, journal, patience, say)
    say(f"measured in {(time.monotonic() - begun) / 60:.1f} minutes")


def main():
    parsed = parse_arguments(sys.argv[1:])
    plan = plan_of(parsed)
    programs = servers.Programs(os.path.abspath(parsed.build_dir))
    try:
        check_ready(programs, plan)
        journal = open_journal(parsed, plan)
    except (MeasurementError, JournalError) as error:
        sys.exit(f"bench: {error}")
    if parsed.full and not parsed.cells:
        for cell in cells.full_grid(_memory_bytes())[1]:
            say(f"{cell} does not fit in memory")
    status = 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ends the children too.
    try:
        measure_all(programs, plan, journal)
    except MeasurementError as error:
        print(f"bench: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        status = 130
    if status:
        kept = os.path.relpath(journal.path, SOURCE_DIR)
        print(f"bench: stopped; what was measured is in {kept}, --resume goes on", file=sys.stderr)
    if not write_results(plan, journal, parsed.report and not status):
        status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
