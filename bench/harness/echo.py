# SPDX-License-Identifier: MIT
# echo.py - server CPU time per echoed message: ours against the peer of the same strategy.
import time

from harness.cells import REFERENCES, SPINNING, target_of
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


class Patience:
    """What may still be spent on making disturbed samples again."""

    def __init__(self, seconds):
        self.seconds_left = seconds

    def spend(self, work):
        """Returns work() and takes its time off what is left."""
        begun = time.monotonic()
        try:
            return work()
        finally:
            self.seconds_left -= time.monotonic() - begun


def run(programs, plan, journal, say):
    """Measures what the journal does not have yet."""
    patience = Patience(plan.patience_seconds)

    def sample(cell, round_index, strategy, who, command):
        key = {"type": "echo", "cell": str(cell), "round": round_index,
               "strategy": strategy, "who": who}
        if journal.find(**key):
            return
        result = undisturbed(programs.client(cell), plan, command, patience)
        journal.append({**key, **result})
        _tell(say, plan, key, result)

    for cell in plan.cells:
        for round_index in range(plan.repetitions):
            for strategy in plan.strategies:
                for who in ROUND:
                    command = programs.ours(strategy) if who == "ours" else programs.peer(strategy)
                    sample(cell, round_index, strategy, who, command)
            for name in REFERENCES if plan.reference else ():
                sample(cell, round_index, name, "reference", programs.reference(name))


def _tell(say, plan, key, result):
    mark = ", disturbed" if is_disturbed(result["disturbance"]) else ""
    say(
        f"{key['cell']} {key['strategy']} {key['who']} "
        f"round {key['round'] + 1}/{plan.repetitions}: "
        f"{result['cpu_us_per_message']:.3f} us/message, "
        f"{result['messages_per_second']:,.0f}/s{mark}"
    )


def undisturbed(client_command, plan, command, patience):
    """Measures again, a bounded number of times, while others use the CPUs; keeps the calmest."""

    def once():
        return measure(command, client_command, plan.seconds, plan.warmup_seconds, plan.cpus)

    def once_more():
        wait_until_quiet(plan.cpus, min(QUIET_SECONDS_MAX, patience.seconds_left))
        return once()

    best = once()
    best["attempts"] = 1
    while is_disturbed(best["disturbance"]) and best["attempts"] <= plan.retries:
        if patience.seconds_left <= 0:
            break
        sample = patience.spend(once_more)
        sample["attempts"] = best["attempts"] + 1
        if _unrest(sample) < _unrest(best):
            best = sample
        best["attempts"] = sample["attempts"]
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
                target = target_of(strategy, plan.echo_target)
                rows.append(_row(strategy, cell, whole, target))
    return rows


def _row(strategy, cell, rounds, target):
    cpu = compare([[sample["cpu_us_per_message"] for sample in r] for r in rounds])
    samples = [sample for r in rounds for sample in r]
    disturbed = sum(is_disturbed(sample["disturbance"]) for sample in samples)
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
        "sure": cpu.is_fine() and 2 * disturbed <= len(samples),
        "disturbed": disturbed,
        "samples": len(samples),
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
    """Ours and the other servers in one list, one row per server and cell."""
    if not plan.reference:
        return []
    ours = [(f"ioring {name}", name, "ours") for name in plan.strategies]
    others = [(name, name, "reference") for name in REFERENCES]
    rows = []
    for cell in plan.cells:
        for title, strategy, who in ours + others:
            samples = journal.find(type="echo", strategy=strategy, cell=str(cell), who=who)
            if samples:
                rows.append({"name": title, "cell": str(cell), **_figures(strategy, samples)})
    return rows


def _figures(name, samples):
    rate = median_of(s["messages_per_second"] for s in samples)
    client = median_of(s["client_cpu_us_per_message"] for s in samples)
    server = median_of(s["cpu_us_per_message"] for s in samples)
    if name == SPINNING:
        server = 1e6 / rate
    return {
        "us": server,
        "with_client_us": server + client,
        "rate": rate,
        "p50_us": median_of(s["latency_us"].get("p50") for s in samples),
        "p99_us": median_of(s["latency_us"].get("p99") for s in samples),
    }
