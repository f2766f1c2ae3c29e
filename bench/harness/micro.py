# SPDX-License-Identifier: MIT
# micro.py - runs the Google Benchmark programs and reads their results.
import json
import os
import subprocess
import tempfile

from harness.processes import MeasurementError
from harness.comparison import compare, half_range_between_quartiles, median_of

PROGRAMS = ("nop_batch", "buffers", "timers", "emulation")
# Google Benchmark tells each time in the unit that its benchmark asked for.
NS_IN = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(programs, plan, journal, say):
    """Runs each program that the journal has no results of."""
    for name in PROGRAMS:
        if name not in plan.only or journal.find(type="micro", program=name):
            continue
        say(f"micro {name}: {plan.micro_repetitions} interleaved repetitions")
        for record in _run_program(programs.micro(name), plan):
            journal.append({"type": "micro", "program": name, **record})


def _run_program(program, plan):
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [
            program,
            "--benchmark_enable_random_interleaving=true",
            f"--benchmark_repetitions={plan.micro_repetitions}",
            f"--benchmark_min_time={plan.micro_seconds}",
            "--benchmark_out_format=json",
            f"--benchmark_out={out}",
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, {plan.cpus[0]}),
        )
        if done.returncode != 0:
            raise MeasurementError(f"{program}: status {done.returncode} {done.stderr.strip()}")
        with open(out, encoding="utf-8") as file:
            runs = json.load(file)["benchmarks"]
    for one in runs:
        if one.get("error_occurred"):
            raise MeasurementError(f"{one['name']}: {one['error_message']}")
    return [
        {
            "name": one["run_name"],
            "repetition": one["repetition_index"],
            "cpu_ns": one["cpu_time"] * NS_IN[one["time_unit"]],
        }
        for one in runs
        if one["run_type"] == "iteration"
    ]


def _by_repetition(journal, program, name):
    records = journal.find(type="micro", program=program, name=name)
    return [r["cpu_ns"] for r in sorted(records, key=lambda r: r["repetition"])]


def summarize_nops(journal):
    """One row per batch size: ours against liburing's loop, which ran twice."""
    rows = []
    for batch in (1, 16, 64):
        first, ours, again, null = (
            _by_repetition(journal, "nop_batch", f"nop_batch/{row}/{batch}")
            for row in ("liburing", "uring", "liburing_again", "null")
        )
        result = compare(list(zip(first, ours, again)))
        if result is None:
            continue
        rows.append({
            "batch": batch,
            "rounds": result.rounds,
            "ours_ns": result.ours,
            "liburing_ns": result.peer,
            "null_ns": median_of(null),
            "null_spread": half_range_between_quartiles(null),
            "ratio": result.ratio,
            "spread": result.spread,
        })
    return rows


def summarize_rows(journal, program):
    """The median of every row of a program, and how far its repetitions lie apart."""
    names = {r["name"] for r in journal.find(type="micro", program=program)}
    rows = []
    for name in sorted(names):
        values = _by_repetition(journal, program, name)
        rows.append({"name": name, "cpu_ns": median_of(values),
                     "spread": half_range_between_quartiles(values)})
    return rows


def summarize_emulation(journal):
    """What an operation costs more than its system call, for each backend and batch."""
    rows = []
    for batch in (1, 16):
        raw, again = (median_of(_by_repetition(journal, "emulation", f"emulation/{row}/{batch}"))
                      for row in ("raw", "raw_again"))
        for backend in ("epoll", "poll", "uring"):
            ring = median_of(_by_repetition(journal, "emulation", f"emulation/{backend}/{batch}"))
            if None in (raw, again, ring):
                continue
            operations = 2 * batch
            rows.append({
                "backend": backend,
                "batch": batch,
                "raw_ns": (raw + again) / 2 / operations,
                "ring_ns": ring / operations,
                "over_ns": (ring - (raw + again) / 2) / operations,
                "noise_ns": abs(again - raw) / operations,
            })
    return rows
