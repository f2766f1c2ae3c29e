# SPDX-License-Identifier: MIT
# targets.py - what was promised of this library, as data, and whether a run kept it.
"""A target has a limit and a way to find values for it in the summary of a run. Each value carries
the spread of its cell: of a server measured against itself in the same rounds. A ratio that must be
small is met when ratio - spread is within the limit, one that must be great when ratio + spread is.
What was not measured is said to be so."""
import dataclasses
import math
import statistics

from harness.comparison import SPREAD_MAX
from harness.servers import HAND, LIBRARY, ONE_CONNECTION, names_of

RAW = ("own-ring", "own-ring-multishot", "shared-pool")
ON_EPOLL = ("epoll-own-ring", "epoll-own-ring-multishot", "epoll-shared-pool")
MET, MISSED, UNKNOWN = "met", "missed", "not measured"


@dataclasses.dataclass(frozen=True)
class Value:
    """One figure that a target is about. `where` says of what, `spread` is as a share of it."""

    where: str
    figure: float
    spread: float = 0.0


@dataclasses.dataclass(frozen=True)
class Target:
    """`values` takes the summary and gives all values that must be within `limit`, or none when it
    was not measured. `at_least` turns the comparison round; `unit` is for people."""

    name: str
    limit: float
    values: object
    unit: str = "x"
    at_least: bool = False
    digits: int = 3

    def is_met(self, value):
        if self.at_least:
            return value.figure * (1 + value.spread) >= self.limit
        # A ratio's spread is one of the ratio 1, as the promise says it: ratio - spread.
        less = value.spread if self.unit == "x" else value.figure * value.spread
        return value.figure - less <= self.limit

    def evaluate(self, summary, calm):
        found = [value for value in self.values(summary) if math.isfinite(value.figure)]
        missed = [value for value in found if not self.is_met(value)]
        worst = (min if self.at_least else max)(found, key=lambda v: v.figure, default=None)
        return {
            "target": self.name,
            "limit": self.limit,
            "unit": self.unit,
            "at_least": self.at_least,
            "digits": self.digits,
            "verdict": UNKNOWN if not found else MISSED if missed else MET,
            "sure": calm and all(value.spread <= SPREAD_MAX for value in found),
            "values": [dataclasses.asdict(value) for value in found],
            "worst": dataclasses.asdict(worst) if worst else None,
            "missed": [value.where for value in missed],
        }


def _ratio(cell, ours, other, figure):
    """As echo.ratio_of, on a summary."""
    found = cell["servers"]
    if ours not in found or other not in found:
        return None
    here, there = found[ours]["rounds"], found[other]["rounds"]
    ratios = [here[n][figure] / there[n][figure] for n in here
              if n in there and here[n][figure] and there[n][figure]]
    return statistics.median(ratios) if ratios else None


def _spread(cell, figure):
    return cell["spread"].get(figure) or 0.0


def _connections(cell):
    return int(cell.split("/")[0])


def _each(cells, ours, others, figure, wanted=lambda cell: True):
    """Ours against each of the others, in every cell that is wanted."""
    for text, cell in cells.items():
        if not wanted(text):
            continue
        for name in ours:
            for other in others:
                ratio = _ratio(cell, name, other, figure)
                if ratio is not None:
                    yield Value(f"{text} {name} / {other}", ratio, _spread(cell, figure))


def _best(cells, figure, others, wanted, greatest=False):
    """The best of our three strategies against the best of the others, in every cell."""
    better = max if greatest else min
    for text, cell in cells.items():
        if not wanted(text):
            continue
        found = cell["servers"]
        ours = [name for name in RAW if name in found]
        there = [name for name in others if name in found]
        if not ours or not there:
            continue
        mine = better(ours, key=lambda name: found[name][figure])
        theirs = better(there, key=lambda name: found[name][figure])
        ratio = _ratio(cell, mine, theirs, figure)
        if ratio is not None:
            yield Value(f"{text} {mine} / {theirs}", ratio, _spread(cell, figure))


def _pairs(*pairs):
    def values(summary):
        for ours, other in pairs:
            yield from _each(summary["echo"], (ours,), (other,), "server_us")
    return values


def _shared_against_best(summary):
    yield from _one_against_best(summary["echo"], "shared-pool", names_of(HAND), "total_us",
                                 lambda cell: _connections(cell) >= 50)


def _one_against_best(cells, name, others, figure, wanted):
    for text, cell in cells.items():
        there = [other for other in others if other in cell["servers"]]
        if wanted(text) and there and name in cell["servers"]:
            best = min(there, key=lambda other: cell["servers"][other][figure])
            ratio = _ratio(cell, name, best, figure)
            if ratio is not None:
                yield Value(f"{text} {name} / {best}", ratio, _spread(cell, figure))


def _floor(summary):
    return _each(summary["echo"], ("shared-pool",), ("round-robin",), "server_us",
                 lambda cell: cell == "50/64/1")


def _strategies_serve(summary):
    """The share of cells that a strategy served, of those that any did."""
    cells = summary["echo"]
    served = [cell for cell in cells.values() if cell["servers"]]
    asked = [name for name in (*RAW, *ON_EPOLL) if name in summary["servers"]]
    for name in asked if served else ():
        yield Value(name, sum(name in cell["servers"] for cell in served) / len(served))


def _epoll(summary):
    return _each(summary["echo"], ("epoll-own-ring", "epoll-shared-pool"), ("hand-epoll-et",),
                 "server_us")


def _libraries(wanted):
    return lambda summary: _best(summary["echo"], "total_us", names_of(LIBRARY), wanted)


def _bulk(summary):
    return _best(summary["echo"], "rate", names_of(LIBRARY), lambda cell: cell == "50/16384/16",
                 greatest=True)


def _spinning(summary):
    return _each(summary["echo"], ("own-ring-spin",), ("round-robin",), "p50_us",
                 lambda cell: cell == ONE_CONNECTION)


def _managed(summary):
    return _each(summary["echo"], ("managed",), ("shared-pool",), "server_us")


def _nops_on(row, batch):
    """Per nop: what preparing, submitting and reaping the batch takes, shared out."""
    def values(summary):
        for each in summary["nop_batch"]:
            if each["batch"] == batch and each[row] is not None:
                yield Value(f"a batch of {batch}", each[row] / batch,
                            each.get("null_spread") or 0.0)
    return values


def _nops_beside_liburing(summary):
    for each in summary["nop_batch"]:
        yield Value(f"a batch of {each['batch']}", each["ratio"], each["spread"])


def _enters_a_turn(summary):
    for text, cell in summary["echo"].items():
        for name in (*RAW, *ON_EPOLL, "managed"):
            value = cell["servers"].get(name, {}).get("enters_per_turn")
            if value is not None:
                yield Value(f"{text} {name}", value)


def _allocations(summary):
    for text, servers in summary["counts"].items():
        for name in (*RAW, *ON_EPOLL, "managed"):
            value = servers.get(name, {}).get("allocations_per_message")
            if value is not None:
                yield Value(f"{text} {name}", value)


def _idle_memory(summary):
    for row in summary["memory"]:
        if row["server"] in ("shared-pool", "managed", "epoll-shared-pool"):
            yield Value(row["server"], row["silent_bytes"])


def _many_against_few(summary):
    cells = summary["echo"]
    few, many = cells.get("50/64/1"), cells.get("10000/64/1")
    for name in RAW if few and many else ():
        here, there = many["servers"].get(name), few["servers"].get(name)
        if here and there:
            yield Value(name, here["server_us"] / there["server_us"],
                        max(_spread(few, "server_us"), _spread(many, "server_us")))


def _micro(part, name, divisor=1):
    def values(summary):
        for row in summary[part]:
            if row["name"] == name and row["cpu_ns"] is not None:
                yield Value(name, row["cpu_ns"] / divisor, row["spread"] or 0.0)
    return values


TARGETS = (
    Target("raw mode beside a hand-written io_uring server of the same strategy, server CPU", 1.03,
           _pairs(("own-ring", "hand-own-ring"),
                  ("own-ring-multishot", "hand-own-ring-multishot"),
                  ("shared-pool", "hand-shared-pool"))),
    Target("shared pool beside the best hand-written server of all, 50 connections and more, "
           "server + client CPU", 1.05, _shared_against_best),
    Target("shared pool beside the round-robin floor at 50/64/1, server CPU", 1.08, _floor),
    Target("share of the cells that each strategy serves, on uring and on epoll", 1.0,
           _strategies_serve, unit="of the cells", at_least=True, digits=2),
    Target("epoll backend beside hand-written edge-triggered epoll, server CPU", 1.05, _epoll),
    Target("the best of our strategies beside the best library, 50 connections and more, "
           "server + client CPU", 1.0, _libraries(lambda cell: _connections(cell) >= 50)),
    Target("the same at one connection", 1.0, _libraries(lambda cell: _connections(cell) == 1)),
    Target("rate in bulk (50/16384/16) beside the best library", 1.3, _bulk, at_least=True),
    Target("one connection with spin beside a raw spinning loop, p50", 1.1, _spinning),
    Target("a nop of a batch of 16 through null", 10, _nops_on("null_ns", 16), unit="ns", digits=1),
    Target("a nop through uring beside liburing's loop", 1.05, _nops_beside_liburing),
    Target("managed sockets that forward beside raw mode of the same strategy, server CPU", 1.03,
           _managed),
    Target("enters in a turn of the loop", 1.0, _enters_a_turn, unit="a turn"),
    Target("allocations per message", 0.0, _allocations, unit="a message", digits=6),
    Target("user memory of an idle connection", 1024, _idle_memory, unit="bytes", digits=0),
    Target("a message at 10,000 connections beside one at 50, server CPU", 1.8, _many_against_few),
    Target("buffer_pool acquire and release", 10,
           _micro("buffers", "buffer_pool/acquire_release/1"), unit="ns", digits=1),
    # Two commits and two spans a message.
    Target("ring_buffer commit and span", 2, _micro("buffers", "ring_buffer/message/64", 2),
           unit="ns", digits=2),
    Target("timer arm and cancel, among 1,000", 30,
           _micro("timers", "arm_and_cancel_over_a_turn/1000", 1000), unit="ns", digits=1),
)


# A run of which others disturbed more than this is no result that may be told.
DISTURBED_SHARE_MAX = 0.2


def disturbed_share(summary):
    """Of the echo samples, or 0 when there are none."""
    found = [one for cell in summary["echo"].values() for one in cell["servers"].values()]
    samples = sum(one["samples"] for one in found)
    return sum(one["disturbed"] for one in found) / samples if samples else 0


def evaluate(summary):
    """What became of each target, in their order."""
    calm = disturbed_share(summary) <= DISTURBED_SHARE_MAX
    return [target.evaluate(summary, calm) for target in TARGETS]
