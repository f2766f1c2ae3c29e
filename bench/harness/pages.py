# SPDX-License-Identifier: MIT
# pages.py - the report of a run as a page of Markdown and as one self-contained HTML file.
import html

from harness import plots, tables
from harness.servers import SERVERS
from harness.targets import MET, MISSED, UNKNOWN


def _facts(summary):
    machine = summary["machine"]
    changed = machine["changed_files"]
    commit = machine["commit"] + (f" with {changed} changed files" if changed else "")
    return [
        f"machine: {machine['cpu']}, {machine['cpus']} CPUs, {machine['memory_gib']} GiB, "
        f"{machine['kernel']}",
        f"build: {machine['compiler']}, {machine['flags']}, commit {commit}",
        f"beside: liburing {machine['liburing']}, libuv {machine['libuv']}, "
        f"libevent {machine['libevent']}, Asio {machine['asio']}, Google Benchmark "
        f"{machine['google_benchmark']}; the hand-written servers are those of the same commit",
        f"echo: {summary['repetitions']} rounds of {summary['seconds']} s after a warm-up of "
        f"{summary['warmup_seconds']} s; server on CPU {summary['cpus'][0]}, client on CPU "
        f"{summary['cpus'][1]}, TCP over loopback, every byte verified",
        f"disturbed samples: {_disturbed(summary)}",
    ]


def _disturbed(summary):
    servers = [one for cell in summary["echo"].values() for one in cell["servers"].values()]
    disturbed = sum(one["disturbed"] for one in servers)
    samples = sum(one["samples"] for one in servers)
    return f"{disturbed} of {samples} (others used, or the host took, the CPUs meanwhile)"


def _heading(summary):
    return f"Benchmarks of {summary['begun'][:10]}"


# --- Markdown ---

def _markdown_table(headers, rows):
    lines = ["| " + " | ".join(line) + " |" for line in (headers, *rows)]
    lines.insert(1, "|" + " --- |" * len(headers))
    return "\n".join(lines)


def as_markdown(summary, html_name=None):
    """The page for who reads the repository."""
    plotted = f" With plots: [{html_name}]({html_name})." if html_name else ""
    parts = [
        f"# {_heading(summary)}",
        f"Made by `{summary['command_line']}`. How to read it: [README.md](README.md).{plotted}",
        "\n".join(f"- {fact}" for fact in _facts(summary)),
    ]
    for title, headers, rows in tables.all_of(summary):
        parts.append(f"## {title}")
        parts.append(_markdown_table(headers, rows))
    return "\n\n".join(parts) + "\n"


# --- HTML ---

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2024; --dim: #5d6670; --rule: #d9dee3;
  --ours: #1668c7; --hand: #7c8792; --library: #c46a12; --good: #1a7f37; --bad: #c62828;
  --panel: #f6f8fa; --c0: #1668c7; --c1: #0a9396; --c2: #7b2cbf; --c3: #2a9d4a; --c4: #7c8792;
  --c5: #444c55; --c6: #c46a12; --c7: #c62828; --c8: #b5179e; --c9: #8a6d00; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --ink: #e4e8ec; --dim: #9aa4ae;
  --rule: #343a41; --ours: #58a6ff; --hand: #8b97a3; --library: #f0a04b; --good: #56d364;
  --bad: #ff7b72; --panel: #1d2126; --c0: #58a6ff; --c1: #39c5c8; --c2: #c297ff; --c3: #56d364;
  --c4: #8b97a3; --c5: #d0d7de; --c6: #f0a04b; --c7: #ff7b72; --c8: #f778ba; --c9: #e3b341; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page);
  color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: .25rem 0; } p, ul { margin: .5rem 0; } li { margin: .15rem 0; }
.dim, ul.facts { color: var(--dim); font-size: .9rem; } ul.facts { padding-left: 1.2rem; }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); }
.panel { background: var(--panel); border: 1px solid var(--rule); border-radius: .5rem;
  padding: .75rem; min-width: 0; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--rule); text-align: right;
  white-space: nowrap; } th { color: var(--dim); font-weight: 600; }
th:first-child, td:first-child, td.text { text-align: left; }
table.targets td:first-child { white-space: normal; min-width: 12rem; }
table.targets td:nth-child(2) { text-align: left; white-space: normal; min-width: 5rem; }
table.targets td:last-child { white-space: normal; min-width: 14rem; }
.met { color: var(--good); font-weight: 600; } .missed { color: var(--bad); font-weight: 600; }
.unknown { color: var(--dim); } details { margin: .5rem 0; } summary { cursor: pointer; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); } svg .label { fill: var(--dim); font-size: 10.5px; }
rect.ours { fill: var(--ours); } rect.hand { fill: var(--hand); }
rect.library { fill: var(--library); } rect.more { opacity: .4; }
.whisker { stroke: var(--ink); stroke-width: 1.5; opacity: .8; }
path.grid { stroke: var(--rule); fill: none; } .line { fill: none; stroke-width: 1.8; }
.key { display: flex; flex-wrap: wrap; gap: .2rem .9rem; font-size: .85rem; margin: .5rem 0; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem;
  margin-right: .35rem; vertical-align: -.05rem; }
"""
COLOURS = 10


def _series_style():
    return "".join(f".line.s{n} {{ stroke: var(--c{n}); }} .dot.s{n} {{ fill: var(--c{n}); }}\n"
                   for n in range(COLOURS))


def _kind(name):
    server = SERVERS.get(name)
    return {"ours": "ours", "library": "library"}.get(server.kind if server else "", "hand")


def _table(headers, rows, kind=""):
    def cell(text, index):
        marked = ""
        for word, style in ((MET, "met"), (MISSED, "missed"), (UNKNOWN, "unknown")):
            if headers[index] == "verdict" and text.startswith(word):
                marked = f' class="{style}"'
        return f"<td{marked}>{html.escape(text)}</td>"

    head = "".join(f"<th>{html.escape(text)}</th>" for text in headers)
    body = "".join("<tr>" + "".join(map(cell, row, range(len(row)))) + "</tr>\n" for row in rows)
    return (f'<div class="scroll"><table{kind}><thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}</tbody></table></div>\n")


def _panel(title, content, below=""):
    return f'<div class="panel"><h3>{html.escape(title)}</h3>{content}{below}</div>\n'


def _targets_section(summary):
    verdicts = [target["verdict"] for target in summary["targets"]]
    count = {word: verdicts.count(word) for word in (MET, MISSED, UNKNOWN)}
    if count[UNKNOWN] == len(verdicts):
        return ""
    headers, rows = tables.targets(summary)
    return (f"<h2>Targets: {count[MET]} met, {count[MISSED]} missed, {count[UNKNOWN]} not measured"
            "</h2>\n<p class=\"dim\">A target is met when ratio - spread is within its limit, in "
            "every cell that it is about. The spread is that of a server against itself in the "
            "same cell. A question mark: some spread was over 0.05, or too many samples were "
            "disturbed, to tell.</p>\n"
            + _table(headers, rows, ' class="targets"'))


KEY = ('<div class="key"><span><i style="background:var(--ours)"></i>ours</span>'
       '<span><i style="background:var(--hand)"></i>hand-written</span>'
       '<span><i style="background:var(--library)"></i>on a library</span>'
       "<span>lighter: the client's share; line: least to greatest round</span></div>\n")


def _cost_bars(cell, title):
    rows = []
    for name, one in sorted(cell["servers"].items(), key=lambda item: item[1]["total_us"]):
        values = [each["server_us"] for each in one["rounds"].values()]
        rows.append((name, _kind(name), one["server_us"], one["total_us"] - one["server_us"],
                     min(values), max(values)))
    return plots.bars(rows, title)


def _rate_bars(cell, title):
    rows = []
    for name, one in sorted(cell["servers"].items(), key=lambda item: -item[1]["rate"]):
        values = [each["rate"] / 1000 for each in one["rounds"].values()]
        rows.append((name, _kind(name), one["rate"] / 1000, None, min(values), max(values)))
    return plots.bars(rows, title)


def _latency_bars(cell, title):
    rows = [(name, _kind(name), one["p50_us"], max(0, one["p99_us"] - one["p50_us"]), None, None)
            for name, one in sorted(cell["servers"].items(), key=lambda item: item[1]["p99_us"])
            if one["p50_us"] and one["p99_us"]]
    return plots.bars(rows, title) if rows else ""


def _echo_section(summary):
    cells = {text: cell for text, cell in summary["echo"].items() if cell["servers"]}
    if not cells:
        return ""
    parts = ["<h2>Echo: CPU time per message, server and client, us</h2>\n<p class=\"dim\">A cell "
             "is connections / message size / messages in flight a connection. Shorter is "
             "better.</p>\n", KEY, '<div class="grid">\n']
    parts += [_panel(text, _cost_bars(cell, f"CPU time per message at {text}"))
              for text, cell in cells.items()]
    parts.append("</div>\n<h2>Messages a second, thousands</h2>\n<p class=\"dim\">Longer is "
                 "better.</p>\n<div class=\"grid\">\n")
    parts += [_panel(text, _rate_bars(cell, f"messages a second at {text}"))
              for text, cell in cells.items()]
    parts.append("</div>\n<h2>Latency in a closed loop, us</h2>\n<p class=\"dim\">Solid: the "
                 "median; lighter: up to the 99th percentile, which the number tells.</p>\n"
                 "<div class=\"grid\">\n")
    parts += [_panel(text, _latency_bars(cell, f"latency at {text}"))
              for text, cell in cells.items()]
    parts.append("</div>\n<details><summary>All figures of the cells</summary>\n")
    for title, headers, rows in tables.echo(summary):
        parts.append(f"<h3>{html.escape(title)}</h3>\n" + _table(headers, rows))
    return "".join(parts) + "</details>\n"


CURVES = (("p50_us", "the median"), ("p99_us", "the 99th percentile"),
          ("p99_9_us", "the 99.9th percentile"), ("server_us", "server CPU per message"))


def _curves_section(summary):
    curves = summary["curves"]
    if not curves:
        return ""
    kinds = {name: f"s{index % COLOURS}" for index, name in enumerate(curves)}
    key = "".join(f'<span><i style="background:var(--c{kinds[name][1:]})"></i>'
                  f"{html.escape(name)}</span>" for name in curves)
    panels = "".join(
        _panel(title, plots.lines(
            [(name, kinds[name], [(point["rate"], point[figure]) for point in points])
             for name, points in curves.items()], title, "messages a second asked for", "us"))
        for figure, title in CURVES)
    return ("<h2>Latency against load, open loop</h2>\n<p class=\"dim\">50 connections, 64 bytes, "
            "messages sent at evenly spaced times. Latency counts from when a message was due, so "
            "that no stall is omitted; where the server cannot keep up it grows as long as the "
            f"load lasts.</p>\n<div class=\"key\">{key}</div>\n<div class=\"grid\">\n{panels}"
            "</div>\n")


def _services_section(summary):
    parts = []
    for service, rows in summary.get("services", {}).items():
        loads = dict.fromkeys(row["load"] for row in rows)
        panels = "".join(_panel(load, plots.bars(
            [(row["server"], _kind_of_service(row["server"]), row["server_us"],
              row["total_us"] - row["server_us"], row["low_us"], row["high_us"])
             for row in rows if row["load"] == load], f"{service} {load}")) for load in loads)
        if panels:
            parts.append(f"<h2>{html.escape(service)}: CPU time per message delivered, us</h2>\n"
                         f"{KEY}<div class=\"grid\">\n{panels}</div>\n")
    return "".join(parts)


def _kind_of_service(name):
    return {"ioring": "ours", "libuv": "library"}.get(name, "hand")


def _memory_section(summary):
    rows = [(row["server"], _kind(row["server"]), row["silent_bytes"],
             max(0, row["used_bytes"] - row["silent_bytes"]), None, None)
            for row in sorted(summary["memory"], key=lambda row: row["used_bytes"])]
    if not rows:
        return ""
    return ("<h2>Resident memory of an idle connection, bytes</h2>\n<p class=\"dim\">Solid: "
            "connected and silent since; lighter: what it keeps once it has echoed a message.</p>"
            f"\n<div class=\"grid\">\n{_panel('10,000 connections', plots.bars(rows, 'memory'))}"
            "</div>\n")


def _rest_section(summary):
    parts = []
    for title, headers, rows in tables.all_of(summary):
        if title == "Targets" or title.startswith("Echo "):
            continue
        parts.append(f"<details><summary>{html.escape(title)}</summary>\n"
                     + _table(headers, rows) + "</details>\n")
    return ("<h2>Further figures</h2>\n" + "".join(parts)) if parts else ""


def as_html(summary):
    """One file that needs nothing else: style and plots are in it."""
    facts = "".join(f"<li>{html.escape(fact)}</li>\n" for fact in _facts(summary))
    title = f"IORingGroup: {_heading(summary)}"
    style = "\n".join(line.rstrip() for line in (STYLE + _series_style()).strip().splitlines())
    return (
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>\n{style}\n</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n<p class=\"dim\">Made by <code>"
        f"{html.escape(summary['command_line'])}</code></p>\n<ul class=\"facts\">\n{facts}</ul>\n"
        + _targets_section(summary) + _echo_section(summary) + _curves_section(summary)
        + _services_section(summary) + _memory_section(summary) + _rest_section(summary)
        + "</body>\n</html>\n")
