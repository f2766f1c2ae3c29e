#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# run_test.py - the driver keeps, resumes, compares and reports what made-up programs measure.
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import cells, echo, idle, micro, report  # noqa: E402
from harness.comparison import compare  # noqa: E402
from harness.journal import Journal  # noqa: E402
from harness.machine import is_disturbed  # noqa: E402
from harness.processes import last_json_object  # noqa: E402

SERVER = f"""#!{sys.executable}
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("listening on 127.0.0.1:1 (made up)", flush=True)
while not signal.sigtimedwait([signal.SIGTERM], 0.001):
    sum(range(10000))  # A server that used no CPU time would be an error.
print('{{"enters": 200}}')
"""
# Fails from the call on whose number is in the file `fail_from`.
CLIENT = f"#!{sys.executable}" + """
import os, sys
folder = os.path.dirname(os.path.abspath(__file__))
count = os.path.getsize(folder + "/calls")
open(folder + "/calls", "a").write("x")
bad = os.path.exists(folder + "/fail_from") and count >= int(open(folder + "/fail_from").read())
print('{"messages": 100, "bytes": 6400, "errors": 0, "mismatches": %d,' % bad)
print(' "messages_per_second": 1000.0, "latency_us": {"p50": 5, "p99": 9}}')
sys.exit(1 if bad else 0)
"""


class MadeUpBuild:
    """A build folder with programs that only pretend."""

    def __init__(self, folder):
        self.folder = folder
        for path in ("bin/ioring-echo", "bench/peer_uring_own_ring", "bench/peer_uring_shared"):
            self.write(path, SERVER)
        self.write("bin/ioring-load", CLIENT)
        self.write("bin/calls", "")
        self.results = os.path.join(folder, "results.jsonl")

    def write(self, path, text):
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(full, 0o755)

    def calls(self):
        return os.path.getsize(os.path.join(self.folder, "bin", "calls"))

    def run(self, *arguments):
        cpu = str(min(os.sched_getaffinity(0)))
        return subprocess.run(
            [sys.executable, os.path.join(HERE, "run.py"), "--build-dir", self.folder, "--only",
             "echo", "--output", self.results, "--strategies", "own-ring", "--cells", "1/64/1",
             "--repetitions", "2", "--seconds", "0.1", "--retries", "0", "--server-cpu", cpu,
             "--client-cpu", cpu, *arguments],
            capture_output=True, text=True, timeout=60, check=False)

    def samples(self):
        with open(self.results, encoding="utf-8") as lines:
            return [r for r in map(json.loads, lines) if r["type"] == "echo"]


class RunTest(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        self.build = MadeUpBuild(stack.enter_context(tempfile.TemporaryDirectory()))

    def test_a_round_is_the_peer_ours_and_the_peer_again(self):
        done = self.build.run()
        self.assertEqual(0, done.returncode, done.stderr)
        order = [(s["round"], s["who"]) for s in self.build.samples()]
        self.assertEqual([(r, who) for r in (0, 1) for who in echo.ROUND], order)
        self.assertIn("own-ring", done.stdout)
        # 200 enters over 100 messages of the warm-up and 100 measured.
        self.assertEqual(1.0, self.build.samples()[0]["enters_per_message"])

    def test_an_aborted_run_is_resumed_without_measuring_again(self):
        self.build.write("bin/fail_from", "6")
        self.assertEqual(1, self.build.run().returncode)
        self.assertEqual(3, len(self.build.samples()))
        with open(self.build.results, "a", encoding="utf-8") as file:
            file.write('{"type": "echo", "half a li')
        os.remove(os.path.join(self.build.folder, "bin", "fail_from"))
        calls = self.build.calls()
        done = self.build.run("--resume")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(6, len(self.build.samples()))
        self.assertEqual(calls + 2 * 3, self.build.calls())

    def test_a_new_run_keeps_the_results_of_the_last(self):
        self.assertEqual(0, self.build.run("--repetitions", "1").returncode)
        self.assertEqual(0, self.build.run("--repetitions", "1").returncode)
        kept = [name for name in os.listdir(self.build.folder) if name.endswith(".jsonl")]
        self.assertEqual(2, len(kept), kept)

    def test_another_plan_does_not_continue_a_run(self):
        self.assertEqual(0, self.build.run().returncode)
        done = self.build.run("--resume", "--seconds", "0.2")
        self.assertEqual(1, done.returncode)
        self.assertIn("is of another run: seconds was 0.1, is 0.2", done.stderr)

    def test_a_mismatch_is_an_error_and_no_sample(self):
        self.build.write("bin/fail_from", "0")
        done = self.build.run()
        self.assertEqual(1, done.returncode)
        self.assertIn("mismatches", done.stderr)
        self.assertEqual([], self.build.samples())

    def test_a_program_that_is_not_built_is_named(self):
        os.remove(os.path.join(self.build.folder, "bin", "ioring-load"))
        done = self.build.run()
        self.assertEqual(1, done.returncode)
        self.assertIn("bin/ioring-load", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_a_server_that_says_nothing_is_an_error(self):
        self.build.write("bin/ioring-echo", "#!/bin/sh\necho no io_uring here >&2\nexit 1\n")
        done = self.build.run()
        self.assertEqual(1, done.returncode)
        self.assertIn("no io_uring here", done.stderr)

    def test_a_server_that_used_no_time_is_an_error(self):
        self.build.write("bench/peer_uring_own_ring", SERVER.replace("sum(range(10000))", "pass")
                         .replace("0.001", "10"))
        done = self.build.run()
        self.assertEqual(1, done.returncode)
        self.assertIn("used no CPU time", done.stderr)

    def test_bad_arguments_are_refused(self):
        for arguments in (["--cells", "1/2"], ["--cells", "0/1/1"], ["--strategies", "other"],
                          ["--seconds", "-1"], ["--server-cpu", "100000"]):
            done = self.build.run(*arguments)
            self.assertNotEqual(0, done.returncode, arguments)
            self.assertNotIn("Traceback", done.stderr)


class ComparisonTest(unittest.TestCase):
    def test_ratio_and_spread_are_medians_over_the_rounds(self):
        result = compare([(1.0, 1.1, 1.0), (2.0, 2.2, 2.2), (1.0, 9.0, 1.5)])
        self.assertAlmostEqual(1.1, result.ratio)
        self.assertAlmostEqual(0.1, result.spread)
        self.assertAlmostEqual(2.2, result.ours)

    def test_the_targets_allowance_is_the_peers_own_spread(self):
        result = compare([(1.0, 1.10, 1.06)])
        self.assertTrue(result.is_met(1.05))
        self.assertFalse(compare([(1.0, 1.10, 1.0)]).is_met(1.05))

    def test_no_rounds_compare_to_nothing(self):
        self.assertIsNone(compare([]))


class JsonTest(unittest.TestCase):
    def test_the_last_object_counts(self):
        text = 'report\n{"a": 1}\n{\n "b": {"c": 2}\n}\nbye\n'
        self.assertEqual({"b": {"c": 2}}, last_json_object(text))
        self.assertEqual({}, last_json_object("no object {here}"))


class DisturbanceTest(unittest.TestCase):
    def sample_of(self, foreign):
        return {"disturbance": {"foreign": foreign, "waiting": 0.0, "stolen": 0.0}}

    def measured(self, foreign_shares, retries, patience_seconds=60):
        plan = mock.Mock(retries=retries, cpus=(0, 1), seconds=1, warmup_seconds=0)
        patience = echo.Patience(patience_seconds)
        samples = [self.sample_of(foreign) for foreign in foreign_shares]
        with mock.patch.object(echo, "measure", side_effect=samples) as measure, \
             mock.patch.object(echo, "wait_until_quiet"):
            kept = echo.undisturbed(["client"], plan, ["server"], patience)
        return kept["disturbance"]["foreign"], measure.call_count

    def test_a_calm_sample_is_kept_at_once(self):
        self.assertEqual((0.0, 1), self.measured([0.0, 0.5], retries=3))

    def test_a_disturbed_sample_is_made_again(self):
        self.assertEqual((0.01, 3), self.measured([0.5, 0.4, 0.01], retries=3))

    def test_repeats_are_bounded_and_the_calmest_is_kept(self):
        self.assertEqual((0.3, 3), self.measured([0.5, 0.3, 0.4], retries=2))

    def test_patience_ends(self):
        self.assertEqual((0.5, 1), self.measured([0.5, 0.0], retries=3, patience_seconds=0))

    def test_stolen_time_and_waiting_disturb_too(self):
        calm = {"foreign": 0.0, "waiting": 0.0, "stolen": 0.0}
        self.assertFalse(is_disturbed(calm))
        self.assertTrue(is_disturbed({**calm, "stolen": 0.1}))
        self.assertTrue(is_disturbed({**calm, "waiting": 0.1}))


class ReportTest(unittest.TestCase):
    def test_the_page_has_every_row_and_says_what_was_disturbed(self):
        plan = mock.Mock(strategies=["own-ring"], cells=[cells.Cell(50, 64, 1)], echo_target=1.05,
                         nop_target=1.1, reference=False)
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(os.path.join(folder, "r.jsonl"), self.header(), resume=False)
            for who, cpu in zip(echo.ROUND, (3.0, 3.6, 3.0)):
                journal.append(self.sample(who, cpu, foreign=0.5 if who == "ours" else 0.0))
            page = report.as_markdown(plan, journal)
        self.assertIn("commit abc with 2 changed files", page)
        self.assertIn("| own-ring | 50/64/1 | 3.600 | 3.000 | 1.200 | 0.000 | 1.05 "
                      "| missed (disturbed: 1/3) |", page)

    def test_the_servers_on_other_libraries_are_listed_beside_ours(self):
        plan = mock.Mock(strategies=["own-ring"], cells=[cells.Cell(50, 64, 1)], reference=True)
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(os.path.join(folder, "r.jsonl"), self.header(), resume=False)
            journal.append(self.sample("ours", 3.0, foreign=0.0))
            for name, cpu in (("libuv", 4.0), (cells.SPINNING, 2.0)):
                journal.append({**self.sample("reference", cpu, foreign=0.0), "strategy": name})
            rows = echo.summarize_references(plan, journal)
        figures = [(row["name"], row["us"], row["with_client_us"]) for row in rows]
        self.assertEqual([("ioring own-ring", 3.0, 4.0), (cells.SPINNING, 2.0, 3.0),
                          ("libuv", 4.0, 5.0)], figures)

    def test_what_emulation_costs_is_told_over_the_bare_calls(self):
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(os.path.join(folder, "r.jsonl"), self.header(), resume=False)
            for row, cpu in (("raw", 1000.0), ("epoll", 1300.0), ("raw_again", 1040.0)):
                journal.append({"type": "micro", "program": "emulation", "repetition": 0,
                                "name": f"emulation/{row}/1", "cpu_ns": cpu})
            (row,) = micro.summarize_emulation(journal)
        self.assertEqual(("epoll", 1, 510.0, 650.0, 140.0, 20.0), tuple(row.values()))

    def test_idle_connections_are_compared_with_none(self):
        calm = {"foreign": 0.0, "waiting": 0.0, "stolen": 0.0}
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(os.path.join(folder, "r.jsonl"), self.header(), resume=False)
            for who, cpu in (("alone", 2.0), ("beside", 2.1), ("alone_again", 2.0)):
                journal.append({"type": "idle", "round": 0, "strategy": "own-ring", "who": who,
                                "cpu_us_per_message": cpu, "disturbance": calm})
            (row,) = idle.summarize(journal)
        self.assertAlmostEqual(1.05, row["ratio"])
        self.assertTrue(row["met"])

    def test_epoll_is_allowed_more_than_io_uring(self):
        self.assertEqual(1.05, cells.target_of("own-ring", 1.05))
        self.assertAlmostEqual(1.10, cells.target_of("epoll-own-ring", 1.05))

    def verdict_of(self, *rounds, foreign=0.0):
        plan = mock.Mock(strategies=["own-ring"], cells=[cells.Cell(50, 64, 1)], echo_target=1.05)
        with tempfile.TemporaryDirectory() as folder:
            journal = Journal(os.path.join(folder, "r.jsonl"), self.header(), resume=False)
            for index, values in enumerate(rounds):
                for who, cpu in zip(echo.ROUND, values):
                    journal.append({**self.sample(who, cpu, foreign), "round": index})
            (row,) = echo.summarize(plan, journal)
        return report._verdict(row)

    def test_noise_is_no_verdict(self):
        self.assertEqual("met", self.verdict_of((1.0, 1.0, 1.01)))
        self.assertEqual("met?", self.verdict_of((1.0, 1.2, 1.3)))
        self.assertEqual("missed? (disturbed: 3/3)", self.verdict_of((1.0, 2.0, 1.0), foreign=0.5))

    def test_a_round_that_is_not_whole_does_not_count(self):
        self.assertEqual("met", self.verdict_of((1.0, 1.0, 1.0), (1.0, 9.0)))

    @staticmethod
    def sample(who, cpu, foreign):
        return {"type": "echo", "cell": "50/64/1", "round": 0, "strategy": "own-ring", "who": who,
                "cpu_us_per_message": cpu, "messages_per_second": 1e6 / cpu,
                "client_cpu_us_per_message": 1.0,
                "latency_us": {"p50": 1, "p99": 2}, "enters_per_message": None,
                "disturbance": {"foreign": foreign, "waiting": 0.0, "stolen": 0.0}}

    @staticmethod
    def header():
        made = {"cpu": "a CPU", "cpus": 2, "memory_gib": 4, "kernel": "Linux", "compiler": "g++",
                "flags": "-O2", "commit": "abc", "changed_files": 2, "liburing": "2.3",
                "google_benchmark": "1.7", "libuv": "1.44", "libevent": "2.1", "asio": "1.22"}
        return {"begun": "2026-01-01T00:00:00", "machine": made, "command_line": "./dev bench",
                "repetitions": 1, "seconds": 1, "warmup_seconds": 0, "cpus": [0, 1]}


class CellTest(unittest.TestCase):
    def test_text_round_trips(self):
        self.assertEqual("50/16384/16", str(cells.Cell.parse("50/16384/16")))

    def test_all_default_cells_and_strategies_are_known(self):
        for text in (*cells.DEFAULT_CELLS.split(","), *cells.QUICK_CELLS.split(",")):
            cells.Cell.parse(text)
        self.assertLessEqual(set(cells.DEFAULT_STRATEGIES.split(",")), set(cells.STRATEGIES))


if __name__ == "__main__":
    unittest.main()
