# SPDX-License-Identifier: MIT
# services.py - what is no echo: a proxy before an echo server, and one message to many.
import contextlib

from harness.cells import Cell
from harness.comparison import median_of, spread_of
from harness.echo import calmest, figures_of_any
from harness.machine import is_disturbed
from harness.processes import Server, measure

# Who, in the order of a round: the hand-written one twice, for the noise.
ROUND = (("epoll", 0), ("ioring", 0), ("epoll", 1), ("libuv", 0))
NAMES = ("ioring", "epoll", "libuv")
PROXY, BROADCAST = "Proxy", "Broadcast"
LOADS = {
    PROXY: (Cell(50, 64, 1), Cell(50, 16384, 16)),
    # Listeners, who each get all of it.
    BROADCAST: (Cell(1000, 64, 4),),
}
PROGRAMS = {
    PROXY: {"ioring": "ours_proxy", "epoll": "proxy_epoll", "libuv": "proxy_libuv"},
    BROADCAST: {"ioring": "ours_broadcast", "epoll": "broadcast_epoll",
                "libuv": "broadcast_libuv"},
}
UPSTREAM = "hand-epoll-et"
ROUNDS_MAX = 5  # Of three processes each, which others disturb anyhow.


def needed_commands(programs):
    """The commands of all programs that this part runs."""
    return [[programs.bench("broadcast_load")], programs.server(UPSTREAM),
            *([programs.bench(name)] for names in PROGRAMS.values() for name in names.values())]


def run(programs, plan, journal, patience, say):
    """Measures what the journal does not have yet."""
    for service, loads in LOADS.items():
        for load in loads:
            for number in range(min(plan.repetitions, ROUNDS_MAX)):
                for name, again in ROUND:
                    key = {"type": "service", "service": service, "load": str(load),
                           "round": number, "server": name, "pass": again}
                    if journal.find(**key):
                        continue
                    sample = calmest(
                        lambda s=service, n=name, l=load: _sample(programs, plan, s, n, l),
                        plan, patience)
                    journal.append({**key, **sample})
                    say(f"{service.lower()} {load} {name}: "
                        f"{sample['cpu_us_per_message']:.3f} us/message, "
                        f"{sample['messages_per_second']:,.0f}/s")


def _sample(programs, plan, service, name, load):
    command = [programs.bench(PROGRAMS[service][name]), "--port", "0"]
    client = programs.client(load)
    with contextlib.ExitStack() as stack:
        beside = ()
        if service == PROXY:
            # It shares the client's CPU, and is the same for all.
            upstream = stack.enter_context(Server(programs.server(UPSTREAM), plan.cpus[1]))
            command += ["--upstream", str(upstream.port)]
            beside = (upstream,)
        else:
            client[0] = programs.bench("broadcast_load")
        return measure(command, client, plan.seconds, plan.warmup_seconds, plan.cpus,
                       beside=beside)


def summarize(journal):
    """{service: rows}, one row per load and server."""
    found = {}
    for service, loads in LOADS.items():
        rows = [row for load in loads for row in _rows(journal, service, str(load))]
        if rows:
            found[service] = rows
    return found


def _rows(journal, service, load):
    samples = {name: journal.find(type="service", service=service, load=load, server=name)
               for name in NAMES}
    first, again = ({s["round"]: s["cpu_us_per_message"] for s in samples["epoll"]
                     if s["pass"] == number} for number in (0, 1))
    spread = spread_of([(first[r], again[r]) for r in first if r in again])
    for name in NAMES:
        figures = [figures_of_any(sample) for sample in samples[name]]
        if not figures:
            continue
        costs = [each["server_us"] for each in figures]
        yield {
            "server": name,
            "load": load,
            **{figure: median_of(each[figure] for each in figures)
               for figure in ("server_us", "total_us", "rate", "p50_us", "p99_us")},
            "low_us": min(costs),
            "high_us": max(costs),
            "spread": spread,
            "samples": len(figures),
            "disturbed": sum(is_disturbed(s["disturbance"]) for s in samples[name]),
        }
