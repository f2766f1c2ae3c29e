# SPDX-License-Identifier: MIT
# echo.py - server CPU time per echoed message: ours against the peer of the same strategy.
from harness.cells import REFERENCES
from harness.machine import is_disturbed, wait_until_quiet
from harness.processes import measure
from harness.comparison import compare, median_of

# A round is the peer, ours, the peer again: a drift of the machine then hits both sides alike.
ROUND = ("peer", "ours", "peer_again")
QUIET_SECONDS_MAX = 10


def needed_commands(programs, plan):
    """The commands of all programs that the plan runs."""
    commands = [programs.client(cell) for cell in plan.cells]
    for strategy in plan.strategies:
        commands += [programs.ours(strategy), programs.peer(strategy)]
    if plan.reference:
        commands += [programs.reference(name) for name in REFERENCES]
    return commands


def run(programs, plan, journal, say):
    """Measures what the journal does not have yet."""
    for cell in plan.cells:
        for round_index in range(plan.repetitions):
            for strategy in plan.strategies:
                for who in ROUND:
                    command = programs.ours(strategy) if who == "ours" else programs.peer(strategy)
                    key = {"strategy": strategy, "who": who}
                    _sample(programs, plan, journal, say, cell, round_index, key, command)
            for name in REFERENCES if plan.reference else ():
                key = {"strategy": name, "who": "reference"}
                command = programs.reference(name)
                _sample(programs, plan, journal, say, cell, round_index, key, command)


def _sample(programs, plan, journal, say, cell, round_index, key, command):
    key = {"type": "echo", "cell": str(cell), "round": round_index, **key}
    if journal.find(**key):
        return
    sample = _undisturbed(programs.client(cell), plan, command)
    journal.append({**key, **sample})
    mark = ", disturbed" if is_disturbed(sample["disturbance"]) else ""
    say(
        f"{cell} {key['strategy']} {key['who']} round {round_index + 1}/{plan.repetitions}: "
        f"{sample['cpu_us_per_message']:.3f} us/message, "
        f"{sample['messages_per_second']:,.0f}/s{mark}"
    )


def _undisturbed(client_command, plan, command):
    """Measures again, a bounded number of times, while others use the CPUs; keeps the calmest."""
    best = None
    for attempt in range(1 + plan.retries):
        if attempt:
            wait_until_quiet(plan.cpus, QUIET_SECONDS_MAX)
        sample = measure(command, client_command, plan.seconds, plan.warmup_seconds, plan.cpus)
        sample["attempts"] = attempt + 1
        if best is None or _unrest(sample) < _unrest(best):
            best = sample
        if not is_disturbed(sample["disturbance"]):
            break
    return best


def _unrest(sample):
    return sum(sample["disturbance"].values())


def summarize(plan, journal):
    """One row per strategy and cell that has at least one whole round."""
    rows = []
    for strategy in plan.strategies:
        for cell in plan.cells:
            samples = {
                who: {s["round"]: s for s in journal.find(
                    type="echo", strategy=strategy, cell=str(cell), who=who)}
                for who in ROUND
            }
            whole = [[samples[who][r] for who in ROUND]
                     for r in sorted(samples["ours"]) if all(r in samples[who] for who in ROUND)]
            if whole:
                rows.append(_row(strategy, cell, whole, plan.echo_target))
    return rows


def _row(strategy, cell, rounds, target):
    cpu = compare([[sample["cpu_us_per_message"] for sample in r] for r in rounds])
    ours = [r[1] for r in rounds]
    peers = [sample for r in rounds for sample in (r[0], r[2])]
    return {
        "strategy": strategy,
        "cell": str(cell),
        "rounds": cpu.rounds,
        "ours_us": cpu.ours,
        "peer_us": cpu.peer,
        "ratio": cpu.ratio,
        "spread": cpu.spread,
        "target": target,
        "met": cpu.is_met(target),
        "disturbed": sum(is_disturbed(s["disturbance"]) for s in ours + peers),
        "samples": len(ours + peers),
        "ours_rate": median_of(s["messages_per_second"] for s in ours),
        "peer_rate": median_of(s["messages_per_second"] for s in peers),
        "ours_p50_us": median_of(s["latency_us"]["p50"] for s in ours),
        "peer_p50_us": median_of(s["latency_us"]["p50"] for s in peers),
        "ours_p99_us": median_of(s["latency_us"]["p99"] for s in ours),
        "peer_p99_us": median_of(s["latency_us"]["p99"] for s in peers),
        "ours_enters": median_of(s["enters_per_message"] for s in ours),
        "peer_enters": median_of(s["enters_per_message"] for s in peers),
    }


def summarize_references(plan, journal):
    """CPU time per message of the servers without io_uring. One that never sleeps is 100 % busy, so
    that its cost follows from its rate."""
    rows = []
    for name in REFERENCES:
        for cell in plan.cells:
            samples = journal.find(type="echo", strategy=name, cell=str(cell), who="reference")
            if not samples:
                continue
            rate = median_of(s["messages_per_second"] for s in samples)
            spinning = name == "round-robin"
            rows.append({
                "name": name,
                "cell": str(cell),
                "us": 1e6 / rate if spinning
                      else median_of(s["cpu_us_per_message"] for s in samples),
                "rate": rate,
            })
    return rows
