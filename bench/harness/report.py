# SPDX-License-Identifier: MIT
# report.py - the results as a table for a terminal and as a page of Markdown.
from harness import echo, idle, micro


def _number(value, digits):
    return "-" if value is None else f"{value:,.{digits}f}"


def _pair(row, name, digits):
    return f"{_number(row['ours_' + name], digits)} / {_number(row['peer_' + name], digits)}"


def _verdict(row):
    word = ("met" if row["met"] else "missed") + ("" if row["sure"] else "?")
    if row.get("disturbed"):
        word += f" (disturbed: {row['disturbed']}/{row['samples']})"
    return word


ECHO_HEADERS = (
    *("strategy", "cell", "ours us", "peer us", "ratio", "spread", "target", "verdict"),
    *("enters/msg", "msg/s", "p50 us", "p99 us"),
)


def _echo_cells(row):
    return (
        row["strategy"],
        row["cell"],
        _number(row["ours_us"], 3),
        _number(row["peer_us"], 3),
        _number(row["ratio"], 3),
        _number(row["spread"], 3),
        _number(row["target"], 2),
        _verdict(row),
        _pair(row, "enters", 3),
        _pair(row, "rate", 0),
        _pair(row, "p50_us", 0),
        _pair(row, "p99_us", 0),
    )


NOP_HEADERS = (
    *("batch", "ours ns", "liburing ns", "ratio", "spread", "target", "verdict", "null ns"),
)


def _nop_cells(row):
    return (
        str(row["batch"]),
        _number(row["ours_ns"], 1),
        _number(row["liburing_ns"], 1),
        _number(row["ratio"], 3),
        _number(row["spread"], 3),
        _number(row["target"], 2),
        _verdict(row),
        _number(row["null_ns"], 1),
    )


def tables(plan, journal):
    """(title, headers, rows of text) of everything that has results."""
    found = []
    rows = echo.summarize(plan, journal)
    if rows:
        title = "Echo: server CPU time per message (ours / hand-written peer)"
        found.append((title, ECHO_HEADERS, [_echo_cells(row) for row in rows]))
    rows = echo.summarize_references(plan, journal)
    if rows:
        lines = [(r["name"], r["cell"], _number(r["us"], 3), _number(r["with_client_us"], 3),
                  _number(r["rate"], 0), _number(r["p50_us"], 0), _number(r["p99_us"], 0))
                 for r in rows]
        headers = ("server", "cell", "us/message", "with client", "msg/s", "p50 us", "p99 us")
        found.append(("Ours and servers on other libraries", headers, lines))
    rows = micro.summarize_nops(plan, journal)
    if rows:
        title = "Nop batch: prepare, submit, reap (per batch)"
        found.append((title, NOP_HEADERS, [_nop_cells(row) for row in rows]))
    rows = micro.summarize_emulation(journal)
    if rows:
        lines = [(row["backend"], str(2 * row["batch"]), _number(row["raw_ns"], 1),
                  _number(row["ring_ns"], 1), _number(row["over_ns"], 1),
                  _number(row["noise_ns"], 1)) for row in rows]
        headers = ("backend", "operations an enter", "call ns", "operation ns", "over it ns",
                   "noise ns")
        found.append(("A send or receive that need not wait, over its system call", headers, lines))
    rows = idle.summarize(journal)
    if rows:
        lines = [(row["strategy"], _number(row["idle"], 0), _number(row["alone_us"], 3),
                  _number(row["beside_us"], 3), _number(row["ratio"], 3),
                  _number(row["spread"], 3), _number(idle.TARGET, 2), _verdict(row))
                 for row in rows]
        headers = ("strategy", "idle", "alone us", "beside us", "ratio", "spread", "target",
                   "verdict")
        title = f"{idle.ACTIVE} active connections, alone and beside idle ones"
        found.append((title, headers, lines))
    rows = micro.summarize_buffers(journal)
    if rows:
        lines = [(row["name"], _number(row["cpu_ns"], 1)) for row in rows]
        found.append(("Buffers and their pool (per iteration)", ("benchmark", "ns"), lines))
    return found


def as_text(plan, journal):
    """The tables in columns, for a terminal."""
    parts = []
    for title, headers, rows in tables(plan, journal):
        widths = [max(len(line[i]) for line in (headers, *rows)) for i in range(len(headers))]
        lines = [
            "  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip()
            for line in (headers, *rows)
        ]
        parts.append("\n".join((title, *lines)))
    return "\n\n".join(parts) or "no whole round was measured"


def _markdown_table(headers, rows):
    lines = ["| " + " | ".join(line) + " |" for line in (headers, *rows)]
    lines.insert(1, "|" + " --- |" * len(headers))
    return "\n".join(lines)


def as_markdown(plan, journal):
    """The page that goes into docs/benchmarks/."""
    header = journal.header
    machine = header["machine"]
    changed = machine["changed_files"]
    commit = machine["commit"] + (f" with {changed} changed files" if changed else "")
    facts = [
        f"- machine: {machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}",
        f"- build: {machine['compiler']}, `{machine['flags']}`, commit {commit}",
        f"- beside: liburing {machine['liburing']}, libuv {machine['libuv']}, "
        f"libevent {machine['libevent']}, Asio {machine['asio']}, Google Benchmark "
        f"{machine['google_benchmark']}; the peers are those of the same commit",
        f"- echo: {header['repetitions']} rounds of {header['seconds']} s after a warm-up of "
        f"{header['warmup_seconds']} s; server on CPU {header['cpus'][0]}, client on CPU "
        f"{header['cpus'][1]}, TCP over loopback, every byte verified",
    ]
    parts = [
        f"# Benchmarks of {header['begun'][:10]}",
        f"Made by `{header['command_line']}`. How to read it: [README.md](README.md).",
        "\n".join(facts),
    ]
    for title, headers, rows in tables(plan, journal):
        parts.append(f"## {title}")
        parts.append(_markdown_table(headers, rows))
    return "\n\n".join(parts) + "\n"
