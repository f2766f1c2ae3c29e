# SPDX-License-Identifier: MIT
# tables.py - the summary of a run as tables of text: for a terminal, a page of Markdown, HTML.
from harness import idle
from harness.targets import UNKNOWN


def number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def _quantity(target, value):
    text = number(value, target["digits"])
    return text if target["unit"] == "x" else f"{text} {target['unit']}"


def _limit(target):
    sign = ">=" if target["at_least"] else "<="
    digits = 0 if target["limit"] == int(target["limit"]) and target["unit"] != "x" else 2
    unit = "" if target["unit"] == "x" else f" {target['unit']}"
    return f"{sign} {target['limit']:,.{digits}f}{unit}"


def targets(summary):
    """(headers, rows): every target, the value that is farthest from it, and what became of it."""
    rows = []
    for target in summary["targets"]:
        worst = target["worst"]
        verdict = target["verdict"]
        if verdict != UNKNOWN and not target["sure"]:
            verdict += "?"
        if target["missed"] and len(target["values"]) > 1:
            verdict += f" ({len(target['missed'])} of {len(target['values'])})"
        rows.append((
            target["target"], verdict, _limit(target),
            _quantity(target, worst["figure"]) if worst else "-",
            number(worst["spread"], 3) if worst else "-",
            worst["where"] if worst else "-"))
    return ("target", "verdict", "limit", "farthest", "spread", "where"), rows


ECHO_HEADERS = ("server", "server us", "beside", "with client", "msg/s", "p50 us", "p99 us",
                "p99.9 us", "enters", "syscalls", "allocs", "disturbed")


def echo_cell(summary, cell, order):
    """(headers, rows) of one cell: medians a server; `beside` is the ratio of server CPU to the
    hand-written server of the same strategy."""
    found = summary["echo"][cell]["servers"]
    counts = summary["counts"].get(cell, {})
    rows = []
    for name in order:
        if name not in found:
            continue
        one, counted = found[name], counts.get(name, {})
        rows.append((
            name, number(one["server_us"], 3), number(one.get("beside"), 3),
            number(one["total_us"], 3), number(one["rate"], 0), number(one["p50_us"], 0),
            number(one["p99_us"], 0), number(one["p99_9_us"], 0), number(one["enters"], 3),
            number(counted.get("calls_per_message"), 3),
            number(counted.get("allocations_per_message"), 4),
            f"{one['disturbed']}/{one['samples']}"))
    return ECHO_HEADERS, rows


def echo(summary):
    """(title, headers, rows) of each cell that was measured."""
    found = []
    for cell, content in summary["echo"].items():
        if not content["servers"]:
            continue
        spread = content["spread"]
        title = (f"Echo {cell}: a server beside itself differs by "
                 f"{number(spread['server_us'], 3)} (server CPU), "
                 f"{number(spread['total_us'], 3)} (with client), "
                 f"{number(spread['rate'], 3)} (rate), {number(spread['p50_us'], 3)} (p50)")
        found.append((title, *echo_cell(summary, cell, content["servers"])))
    return found


def _services(summary):
    for service, rows in summary.get("services", {}).items():
        if rows:
            yield (f"{service}: CPU per message delivered",
                   ("server", "load", "server us", "with client", "msg/s", "p50 us", "p99 us",
                    "spread", "disturbed"),
                   [(row["server"], row["load"], number(row["server_us"], 3),
                     number(row["total_us"], 3), number(row["rate"], 0),
                     number(row["p50_us"], 0), number(row["p99_us"], 0),
                     number(row["spread"], 3), f"{row['disturbed']}/{row['samples']}")
                    for row in rows])


def _idle(summary):
    if summary["idle"]:
        yield (f"{idle.ACTIVE} active connections, alone and beside idle ones",
               ("server", "idle", "alone us", "beside us", "ratio", "spread", "limit", "verdict"),
               [(row["server"], number(row["idle"], 0), number(row["alone_us"], 3),
                 number(row["beside_us"], 3), number(row["ratio"], 3), number(row["spread"], 3),
                 number(idle.TARGET, 2), _verdict(row)) for row in summary["idle"]])
    if summary["memory"]:
        yield ("Resident memory of an idle connection, bytes",
               ("server", "connections", "kept ready", "silent", "after a message"),
               [(row["server"], number(row["connections"], 0), number(row["ready_bytes"], 0),
                 number(row["silent_bytes"], 0), number(row["used_bytes"], 0))
                for row in summary["memory"]])


def _verdict(row):
    word = ("met" if row["met"] else "missed") + ("" if row["sure"] else "?")
    return word + (f" (disturbed: {row['disturbed']}/{row['samples']})"
                   if row.get("disturbed") else "")


def _micro(summary):
    if summary["nop_batch"]:
        yield ("Nop batch: prepare, submit, reap (per batch)",
               ("batch", "ours ns", "liburing ns", "ratio", "spread", "null ns"),
               [(str(row["batch"]), number(row["ours_ns"], 1), number(row["liburing_ns"], 1),
                 number(row["ratio"], 3), number(row["spread"], 3), number(row["null_ns"], 1))
                for row in summary["nop_batch"]])
    if summary["emulation"]:
        yield ("A send or receive that need not wait, over its system call",
               ("backend", "operations an enter", "call ns", "operation ns", "over it ns",
                "noise ns"),
               [(row["backend"], str(2 * row["batch"]), number(row["raw_ns"], 1),
                 number(row["ring_ns"], 1), number(row["over_ns"], 1), number(row["noise_ns"], 1))
                for row in summary["emulation"]])
    for part, title in (("buffers", "Buffers and their pool (per iteration)"),
                        ("timers", "Timers (per iteration: all armed, all cancelled)")):
        if summary[part]:
            yield (title, ("benchmark", "ns", "spread"),
                   [(row["name"], number(row["cpu_ns"], 1), number(row["spread"], 3))
                    for row in summary[part]])


def _curves(summary):
    if summary["curves"]:
        yield ("Open loop, 50/64, up to 16 in flight: latency from when a message was due",
               ("server", "asked msg/s", "reached", "p50 us", "p99 us", "p99.9 us", "server us"),
               [(name, number(point["rate"], 0), number(point["reached"], 0),
                 number(point["p50_us"], 0), number(point["p99_us"], 0),
                 number(point["p99_9_us"], 0), number(point["server_us"], 3))
                for name, points in summary["curves"].items() for point in points])


def all_of(summary):
    """(title, headers, rows of text) of everything that has results, the targets first."""
    found = []
    if any(target["verdict"] != UNKNOWN for target in summary["targets"]):
        found.append(("Targets", *targets(summary)))
    found += echo(summary)
    for part in (_services, _curves, _idle, _micro):
        found += part(summary)
    return found


def as_text(summary):
    """The tables in columns, for a terminal."""
    parts = []
    for title, headers, rows in all_of(summary):
        widths = [max(len(line[i]) for line in (headers, *rows)) for i in range(len(headers))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip()
            for line in (headers, *rows)
        ]
        parts.append("\n".join((title, *lines)))
    return "\n\n".join(parts) or "no whole round was measured"
