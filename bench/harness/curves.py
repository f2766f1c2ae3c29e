# SPDX-License-Identifier: MIT
# curves.py - latency against load: an open loop at fixed rates, in which no stall is omitted.
"""The load generator sends at evenly spaced times and counts from when a message was due, so that
what a server makes wait is in the latencies of all that had to wait (no coordinated omission)."""
from harness.cells import Cell
from harness.comparison import median_of
from harness.echo import calmest
from harness.machine import is_disturbed
from harness.processes import measure

# It does not sleep between messages: a timer's slack would be in the latencies.
EXACT = ("--spin", "10ms")
# Up to so many messages of a connection in flight.
LOAD = Cell(50, 64, 16)
SERVERS = ("shared-pool", "own-ring", "epoll-own-ring", "managed", "hand-shared-pool",
           "hand-epoll-et", "libuv", "libevent", "asio", "liburing")
# Of what the base reaches in a closed loop with a message a connection.
SHARES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.1)
BASE_CELL = Cell(50, 64, 1)
BASE_SERVERS = ("hand-shared-pool", "shared-pool")
PERCENTILES = ("p50", "p90", "p99", "p99_9", "max")


def servers_of(plan):
    return [name for name in SERVERS if name in plan.servers]


def _base(programs, plan, journal, patience):
    """Messages a second that the shares are of, the same for all servers of a run."""
    kept = journal.find(type="curve_base")
    if kept:
        return kept[0]["rate"]
    name = next((name for name in BASE_SERVERS if name in plan.servers), plan.servers[0])
    sample = calmest(lambda: measure(programs.server(name), programs.client(BASE_CELL),
                                     plan.seconds, plan.warmup_seconds, plan.cpus), plan, patience)
    # Two digits: the rates are read on an axis.
    rate = float(f"{sample['messages_per_second']:.1e}")
    journal.append({"type": "curve_base", "rate": rate, "server": name})
    return rate


def run(programs, plan, journal, patience, say):
    """Measures what the journal does not have yet."""
    names = servers_of(plan)
    if not names:
        return
    base = _base(programs, plan, journal, patience)
    for number in range(plan.curve_repetitions):
        for share in plan.curve_shares:
            for name in names:
                key = {"type": "curve", "round": number, "share": share, "server": name}
                if journal.find(**key):
                    continue
                client = programs.client(LOAD, "--rate", str(round(base * share)), *EXACT)
                sample = calmest(lambda name=name, client=client: measure(
                    programs.server(name), client, plan.seconds, plan.warmup_seconds, plan.cpus),
                    plan, patience)
                journal.append({**key, "rate": round(base * share), **sample})
                latency = sample["latency_us"]
                say(f"open loop {base * share:,.0f}/s {name}: p50 {latency['p50']:,.0f} us, "
                    f"p99 {latency['p99']:,.0f} us")


def summarize(plan, journal):
    """{server: points by rate}: the rate asked for and that reached, latencies, server CPU."""
    curves = {}
    for name in servers_of(plan):
        points = []
        for share in plan.curve_shares:
            samples = journal.find(type="curve", server=name, share=share)
            if not samples:
                continue
            points.append({
                "rate": samples[0]["rate"],
                "reached": median_of(s["messages_per_second"] for s in samples),
                "unsent": median_of(s["unsent"] for s in samples),
                "server_us": median_of(s["cpu_us_per_message"] for s in samples),
                "disturbed": sum(is_disturbed(s["disturbance"]) for s in samples),
                **{f"{p}_us": median_of(s["latency_us"].get(p) for s in samples)
                   for p in PERCENTILES},
            })
        if points:
            curves[name] = points
    return curves
