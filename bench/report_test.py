#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# report_test.py - targets are judged by their rule, and the report tells all of a made-up run.
import html.parser
import json
import os
import re
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import run  # noqa: E402
from harness import pages, plots, services, tables, targets  # noqa: E402
from harness.journal import Journal  # noqa: E402
from harness.servers import SERVERS, round_of  # noqa: E402

CALM = {"foreign": 0.0, "waiting": 0.0, "stolen": 0.0}
MACHINE = {"cpu": "a <CPU>", "cpus": 2, "memory_gib": 4, "kernel": "Linux", "compiler": "g++",
           "flags": "-O2", "commit": "abc", "changed_files": 2, "liburing": "2.3",
           "google_benchmark": "1.7", "libuv": "1.44", "libevent": "2.1", "asio": "1.22"}
# Not closed by an end tag.
VOID = {"meta", "rect", "path", "circle", "i"}


def header_of(plan):
    return {"type": "run", "begun": "2026-01-01T00:00:00", **plan.as_header(), "machine": MACHINE,
            "command_line": "./dev bench --made-up"}


def echo_sample(cell, number, name, again, server_us, foreign=0.0):
    return {"type": "echo", "cell": str(cell), "round": number, "server": name, "pass": again,
            "cpu_us_per_message": server_us, "client_cpu_us_per_message": 1.0,
            "messages_per_second": 1e6 / server_us, "enters_per_message": 0.1,
            "enters_per_turn": 1.0, "disturbance": {**CALM, "foreign": foreign},
            "latency_us": {"p50": 100.0, "p90": 150.0, "p99": 200.0, "p99_9": 300.0, "max": 400.0}}


class MadeUpRun:
    """A plan and a journal with something of everything."""

    def __init__(self, folder, *arguments):
        self.plan = run.plan_of(run.parse_arguments(arguments))
        self.journal = Journal(os.path.join(folder, "r.jsonl"), {}, resume=False)
        self.journal.records = [header_of(self.plan)]

    def add(self, record):
        self.journal.records.append(record)

    def echo(self, cost=lambda name: 4.0, foreign=0.0):
        for cell in self.plan.cells:
            for number in range(self.plan.repetitions):
                for name, again in round_of(self.plan.servers, cell, number):
                    us = cost(name) * (1.01 if again else 1.0)
                    self.add(echo_sample(cell, number, name, again, us, foreign))
        return self

    def rest(self):
        for number in range(5):
            for row, cpu in (("liburing", 400.0), ("uring", 410.0), ("liburing_again", 404.0),
                             ("null", 40.0)):
                for batch in (1, 16, 64):
                    self.micro("nop_batch", f"nop_batch/{row}/{batch}", number, cpu * batch)
            for row, cpu in (("raw", 1000.0), ("raw_again", 1010.0), ("epoll", 1300.0),
                             ("poll", 1400.0), ("uring", 1200.0)):
                for batch in (1, 16):
                    self.micro("emulation", f"emulation/{row}/{batch}", number, cpu * batch)
            self.micro("buffers", "buffer_pool/acquire_release/1", number, 9.0)
            self.micro("buffers", "ring_buffer/message/64", number, 3.0)
            self.micro("timers", "arm_and_cancel_over_a_turn/1000", number, 25_000.0 + number)
        for who, cpu in (("alone", 2.0), ("beside", 2.1), ("alone_again", 2.0)):
            self.add({"type": "idle", "round": 0, "server": "own-ring", "who": who,
                      "cpu_us_per_message": cpu, "disturbance": CALM})
        for name, again in services.ROUND:
            for service, loads in services.LOADS.items():
                sample = echo_sample(loads[0], 0, name, again, 3.0 if name == "ioring" else 4.0)
                self.add({**sample, "type": "service", "service": service, "load": str(loads[0])})
        for name in ("own-ring", "shared-pool", "libuv"):
            self.add({"type": "memory", "server": name, "connections": 10_000,
                      "ready_bytes": 100.0, "silent_bytes": 300.0, "used_bytes": 900.0})
            self.add({"type": "counts", "cell": "50/64/1", "server": name,
                      "calls_per_message": 2.0, "allocations": 0, "allocations_per_message": 0.0})
            for share in self.plan.curve_shares:
                self.add({"type": "curve", "share": share, "server": name, "round": 0,
                          "rate": share * 1e5, "messages_per_second": share * 1e5, "unsent": 0,
                          "cpu_us_per_message": 2.0, "disturbance": CALM,
                          "latency_us": {"p50": 50 + 100 * share, "p90": 100.0, "p99": 1e3 * share,
                                         "p99_9": 3e3 * share, "max": 1e4}})
        return self

    def micro(self, program, name, number, cpu_ns):
        self.add({"type": "micro", "program": program, "repetition": number, "name": name,
                  "cpu_ns": cpu_ns})

    def summary(self):
        return run.summary_of(self.plan, self.journal)


class WithARun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def made(self, *arguments):
        return MadeUpRun(self.folder, *arguments)


def verdict_of(summary, words):
    (found,) = [t for t in summary["targets"] if words in t["target"]]
    return found


class TargetTest(WithARun):
    def test_what_was_not_measured_is_said_to_be_so(self):
        for target in self.made().summary()["targets"]:
            self.assertEqual(targets.UNKNOWN, target["verdict"], target["target"])

    def test_a_ratio_is_met_when_it_less_the_cells_spread_is_within_the_limit(self):
        def beside(ratio):
            cost = {"own-ring": 4.0 * ratio * 1.005}
            run_ = self.made("--cells", "50/64/1", "--servers", "own-ring")
            summary = run_.echo(lambda name: cost.get(name, 4.0)).summary()
            return verdict_of(summary, "raw mode beside a")

        self.assertEqual(targets.MET, beside(1.03)["verdict"])
        self.assertEqual(targets.MET, beside(1.039)["verdict"])  # The spread is 0.01.
        missed = beside(1.05)
        self.assertEqual(targets.MISSED, missed["verdict"])
        self.assertEqual(["50/64/1 own-ring / hand-own-ring"], missed["missed"])
        self.assertAlmostEqual(1.05, missed["worst"]["figure"], 3)

    def test_a_rate_is_met_when_it_is_at_least_the_limit(self):
        def bulk(asio_us):
            cost = {"asio": asio_us}
            run_ = self.made("--cells", "50/16384/16", "--servers", "shared-pool,asio")
            return verdict_of(run_.echo(lambda name: cost.get(name, 4.0)).summary(), "rate in bulk")

        self.assertEqual(targets.MET, bulk(4.0 * 1.31)["verdict"])
        self.assertEqual(targets.MISSED, bulk(4.0 * 1.2)["verdict"])

    def test_one_cell_missed_is_the_target_missed(self):
        run_ = self.made("--cells", "50/64/1,1000/64/1", "--servers", "shared-pool,libuv")
        run_.echo(lambda name: 3.0 if name == "libuv" else 4.0)
        found = verdict_of(run_.summary(), "the best library, 50 connections")
        self.assertEqual((targets.MISSED, 2), (found["verdict"], len(found["missed"])))

    def test_absolute_figures_are_judged_too(self):
        summary = self.made().rest().summary()
        self.assertEqual(targets.MET, verdict_of(summary, "buffer_pool")["verdict"])
        self.assertEqual(1.5, verdict_of(summary, "ring_buffer")["worst"]["figure"])
        self.assertAlmostEqual(25.0, verdict_of(summary, "timer")["worst"]["figure"], 1)
        self.assertEqual(targets.MISSED, verdict_of(summary, "through null")["verdict"])
        self.assertEqual(targets.MET, verdict_of(summary, "allocations")["verdict"])

    def test_noise_is_told(self):
        run_ = self.made("--cells", "50/64/1", "--servers", "own-ring")
        for number, (first, ours, again) in enumerate([(4.0, 4.0, 4.8)] * 5):
            for name, again_, us in (("hand-own-ring", 0, first), ("own-ring", 0, ours),
                                     ("hand-own-ring", 1, again)):
                run_.add(echo_sample("50/64/1", number, name, again_, us))
        found = verdict_of(run_.summary(), "raw mode beside a")
        self.assertFalse(found["sure"])
        self.assertIn("met?", tables.as_text(run_.summary()))


class Reader(html.parser.HTMLParser):
    """Whether every tag is closed, in order, and what there is."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID or tag == "path" or tag == "i":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-5:])
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class PageTest(WithARun):
    def page(self):
        summary = self.made().echo().rest().summary()
        # As a page is made again from a file.
        return pages.as_html(json.loads(json.dumps(summary)))

    def test_it_is_well_formed_and_needs_nothing_else(self):
        page = self.page()
        reader = Reader()
        reader.feed(page)
        self.assertEqual([], reader.open)
        self.assertFalse({"script", "link", "img", "iframe"} & set(reader.tags))
        for name, value in reader.attributes:
            self.assertNotIn(name, ("src", "href", "onload", "onclick"), value)
        self.assertNotRegex(page, r"https?://|url\(|@import")
        self.assertIn("prefers-color-scheme: dark", page)
        self.assertIn('name="viewport"', page)
        self.assertTrue(page.endswith("\n") and not re.search(r"[ \t]\n|\t", page))

    def test_every_cell_server_and_target_is_on_it(self):
        page = self.page()
        for cell in run.cells.DEFAULT_CELLS.split(","):
            self.assertIn(cell, page)
        for name in run.servers.DEFAULT_SERVERS.split(","):
            self.assertIn(name, page)
        for target in targets.TARGETS:
            self.assertIn(html.escape(target.name), page)
        self.assertIn("a &lt;CPU&gt;", page)
        self.assertGreaterEqual(page.count("<svg"), 8 * 3 + 4 + 1 + 2)

    def test_proxies_and_broadcasts_are_told(self):
        summary = self.made().rest().summary()
        rows = {row["server"]: row for row in summary["services"][services.PROXY]}
        self.assertEqual((3.0, 4.0), (rows["ioring"]["server_us"], rows["epoll"]["server_us"]))
        self.assertIn("Broadcast: CPU time per message delivered", pages.as_html(summary))

    def test_the_page_of_markdown_has_the_same_figures(self):
        summary = self.made().echo().rest().summary()
        page = pages.as_markdown(summary, "x.html")
        self.assertIn("commit abc with 2 changed files", page)
        self.assertIn("[x.html](x.html)", page)
        self.assertIn("| own-ring | 4.000 | 0.995 | 5.000 | 250,000 | 100 | 200 | 300 |", page)

    def test_a_run_that_others_disturbed_is_not_published(self):
        calm, disturbed = (self.made("--cells", "50/64/1", "--servers", "own-ring").echo(
            foreign=share).summary() for share in (0.0, 0.5))
        self.assertEqual(0.0, targets.disturbed_share(calm))
        self.assertGreater(targets.disturbed_share(disturbed), targets.DISTURBED_SHARE_MAX)


class PlotTest(unittest.TestCase):
    def test_bars_are_in_proportion(self):
        plot = plots.bars([("a", "ours", 2.0, None, None, None),
                           ("b<", "hand", 4.0, None, 3.0, 4.0)], "t")
        widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', plot)]
        self.assertAlmostEqual(2.0, widths[1] / widths[0], 1)
        self.assertIn("b&lt;", plot)
        self.assertEqual(1, plot.count("whisker"))

    def test_a_line_goes_up_with_its_values(self):
        plot = plots.lines([("a", "s0", [(0, 10), (100, 1000)])], "t", "x", "y")
        (path,) = re.findall(r'<path d="M([\d. L]+)" class="line', plot)
        (x0, y0), (x1, y1) = (map(float, point.split()) for point in path.split("L"))
        self.assertLess(x0, x1)
        self.assertGreater(y0, y1)
        self.assertEqual("", plots.lines([], "t", "x", "y"))

    def test_numbers_have_about_three_figures(self):
        self.assertEqual(["0.123", "1.23", "12.3", "123", "1,234", "-", "0"],
                         [plots.number(v) for v in (0.1234, 1.234, 12.34, 123.4, 1234, None, 0)])


class ServerTest(unittest.TestCase):
    def test_targets_name_servers_that_there_are(self):
        self.assertLessEqual({*targets.RAW, *targets.ON_EPOLL}, set(SERVERS))


if __name__ == "__main__":
    unittest.main()
