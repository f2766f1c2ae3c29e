# SPDX-License-Identifier: MIT
# idle.py - what a message costs while many other connections are open and silent.
from harness.cells import Cell
from harness.comparison import compare
from harness.machine import is_disturbed
from harness.processes import measure

ACTIVE = Cell(100, 64, 1)
IDLE = 10_000
STRATEGIES = ("own-ring", "epoll-own-ring")
TARGET = 1.10
ROUND = (("alone", 0), ("beside", IDLE), ("alone_again", 0))


def run(programs, plan, journal, say):
    """Measures what the journal does not have yet."""
    for round_index in range(plan.repetitions):
        for strategy in STRATEGIES:
            for who, idle in ROUND:
                key = {"type": "idle", "round": round_index, "strategy": strategy, "who": who}
                if journal.find(**key):
                    continue
                server = [*programs.ours(strategy), "--connections", str(IDLE + 1000)]
                sample = measure(server, programs.client(ACTIVE), plan.seconds,
                                 plan.warmup_seconds, plan.cpus, idle)
                journal.append({**key, **sample})
                say(f"idle {strategy} {who}: {sample['cpu_us_per_message']:.3f} us/message")


def summarize(journal):
    """One row per strategy: beside idle connections against alone, which ran twice."""
    rows = []
    for strategy in STRATEGIES:
        first, beside, again = (
            {s["round"]: s for s in journal.find(type="idle", strategy=strategy, who=who)}
            for who, _ in ROUND)
        whole = [[first[r], beside[r], again[r]] for r in sorted(beside)
                 if r in first and r in again]
        cpu = compare([[s["cpu_us_per_message"] for s in each] for each in whole])
        if cpu is None:
            continue
        samples = [s for each in whole for s in each]
        disturbed = sum(is_disturbed(s["disturbance"]) for s in samples)
        rows.append({
            "strategy": strategy,
            "idle": IDLE,
            "rounds": cpu.rounds,
            "alone_us": cpu.peer,
            "beside_us": cpu.ours,
            "ratio": cpu.ratio,
            "spread": cpu.spread,
            "met": cpu.is_met(TARGET),
            "sure": cpu.is_fine() and 2 * disturbed <= len(samples),
            "disturbed": disturbed,
            "samples": len(samples),
        })
    return rows
