# SPDX-License-Identifier: MIT
# echo.py - what an echoed message costs: every server in every cell, round after round.
import time

from harness.comparison import median_of, spread_of
from harness.machine import is_disturbed, wait_until_quiet
from harness.processes import measure
from harness.servers import SERVERS, round_of

QUIET_SECONDS_MAX = 10


def needed_commands(programs, plan):
    """The commands of all programs that the plan runs."""
    return [*(programs.client(cell) for cell in plan.cells),
            *(programs.server(name) for name in plan.servers)]


class Patience:
    """What may still be spent on waiting for a calm machine and on making samples again."""

    def __init__(self, seconds):
        self.seconds_left = seconds

    def spend(self, work):
        """Returns work() and takes its time off what is left."""
        begun = time.monotonic()
        try:
            return work()
        finally:
            self.seconds_left -= time.monotonic() - begun


def steps_of(plan):
    """(cell, round, server, pass) of all samples, in their order."""
    return [(cell, number, name, again)
            for cell in plan.cells for number in range(plan.repetitions)
            for name, again in round_of(plan.servers, cell, number)]


def run(programs, plan, journal, patience, say):
    """Measures what the journal does not have yet."""
    for cell, number, name, again in steps_of(plan):
        key = {"type": "echo", "cell": str(cell), "round": number, "server": name, "pass": again}
        if journal.find(**key):
            continue
        sample = undisturbed(programs.client(cell), plan, programs.server(name), patience)
        journal.append({**key, **sample})
        mark = ", disturbed" if is_disturbed(sample["disturbance"]) else ""
        say(f"{cell} {name}{' again' * again} round {number + 1}/{plan.repetitions}: "
            f"{sample['cpu_us_per_message']:.3f} us/message, "
            f"{sample['messages_per_second']:,.0f}/s{mark}")


def undisturbed(client_command, plan, command, patience):
    """Measures again, a bounded number of times, while others use the CPUs; keeps the calmest."""

    def once():
        return measure(command, client_command, plan.seconds, plan.warmup_seconds, plan.cpus)

    return calmest(once, plan, patience)


def calmest(once, plan, patience):
    """The result of once(), or of the calmest of several."""

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


# What a sample tells of its server, each a number or None.
FIGURES = {
    "server_us": lambda s: s["cpu_us_per_message"],
    "total_us": lambda s: s["cpu_us_per_message"] + s["client_cpu_us_per_message"],
    "rate": lambda s: s["messages_per_second"],
    "p50_us": lambda s: s["latency_us"].get("p50"),
    "p99_us": lambda s: s["latency_us"].get("p99"),
    "p99_9_us": lambda s: s["latency_us"].get("p99_9"),
    "enters": lambda s: s.get("enters_per_message"),
    "enters_per_turn": lambda s: s.get("enters_per_turn"),
}


def figures_of_any(sample):
    """The FIGURES of one sample of a server that sleeps when there is nothing to do."""
    return {name: take(sample) for name, take in FIGURES.items()}


def figures_of(server, sample):
    """The FIGURES of one sample. One that never sleeps is 100 % busy, so that its cost follows from
    its rate; what its process did beside the messages is in it too."""
    found = figures_of_any(sample)
    if SERVERS[server].spins:
        found["server_us"] = 1e6 / sample["messages_per_second"]
        found["total_us"] = found["server_us"] + sample["client_cpu_us_per_message"]
    return found


def table(plan, journal):
    """{cell: {server: {"rounds": {round: {figure: value}}, figure: median, ...}}} of what was
    measured, where a round's value is the mean of its passes; beside the servers each cell has
    "spread": {figure: how much a server differs from itself}."""
    return {str(cell): _cell_table(plan, journal, cell) for cell in plan.cells}


def _cell_table(plan, journal, cell):
    servers, twice = {}, []
    for name in plan.servers:
        samples = journal.find(type="echo", cell=str(cell), server=name)
        if not samples:
            continue
        rounds = {}
        for sample in samples:
            rounds.setdefault(sample["round"], {})[sample["pass"]] = figures_of(name, sample)
        twice += [(passes[0], passes[1]) for passes in rounds.values() if len(passes) == 2]
        means = {number: _mean(list(passes.values())) for number, passes in sorted(rounds.items())}
        servers[name] = {
            "rounds": means,
            **{figure: median_of(each[figure] for each in means.values()) for figure in FIGURES},
            "samples": len(samples),
            "disturbed": sum(is_disturbed(s["disturbance"]) for s in samples),
        }
    for name, one in servers.items():
        yardstick = SERVERS[name].yardstick
        one["beside"] = ratio_of({"servers": servers}, name, yardstick, "server_us")
    spread = {figure: spread_of([(a[figure], b[figure]) for a, b in twice]) for figure in FIGURES}
    return {"servers": servers, "spread": spread}


def _mean(passes):
    return {figure: None if any(each[figure] is None for each in passes)
            else sum(each[figure] for each in passes) / len(passes) for figure in FIGURES}


def ratio_of(cell, ours, other, figure):
    """The median over the rounds that have both of ours / other, or None."""
    found = cell["servers"]
    if ours not in found or other not in found:
        return None
    here, there = found[ours]["rounds"], found[other]["rounds"]
    return median_of(here[n][figure] / there[n][figure] for n in here
                     if n in there and here[n][figure] and there[n][figure])
