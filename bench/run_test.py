#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# run_test.py - the driver keeps, resumes and compares what made-up programs measure.
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from harness import cells, curves, echo, idle, micro, servers  # noqa: E402
from harness.comparison import compare, spread_of  # noqa: E402
from harness.journal import Journal  # noqa: E402
from harness.machine import disturbance, is_disturbed  # noqa: E402
from harness.processes import completed_in, last_json_object  # noqa: E402

SERVER = f"""#!{sys.executable}
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("listening on 127.0.0.1:1 (made up)", flush=True)
while not signal.sigtimedwait([signal.SIGTERM], 0.001):
    sum(range(10000))  # A server that used no CPU time would be an error.
print('{{"enters": 200, "turns": 400, "bytes_received": 6400}}')
"""
# Fails from the call on whose number is in the file `fail_from`.
CLIENT = f"#!{sys.executable}" + """
import os, sys, time
folder = os.path.dirname(os.path.abspath(__file__))
count = os.path.getsize(folder + "/calls")
open(folder + "/calls", "a").write("x")
MESSAGES = 100
bad = os.path.exists(folder + "/fail_from") and count >= int(open(folder + "/fail_from").read())
print("measuring", flush=True)
time.sleep(0.2)
print("measured", flush=True)
print('{"messages": %d, "size": 64, "errors": 0, "mismatches": %d,' % (MESSAGES, bad))
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
        cpus = sorted(os.sched_getaffinity(0))
        return subprocess.run(
            [sys.executable, os.path.join(HERE, "run.py"), "--build-dir", self.folder, "--only",
             "echo", "--output", self.results, "--servers", "own-ring", "--cells", "1/64/1",
             "--patience", "0", "--repetitions", "2", "--seconds", "0.1", "--retries", "0",
             "--server-cpu", str(cpus[0]), "--client-cpu", str(cpus[-1]), *arguments],
            capture_output=True, text=True, timeout=150, check=False)

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
        order = [(s["round"], s["server"], s["pass"]) for s in self.build.samples()]
        self.assertEqual([(r, *step) for r in (0, 1) for step in (
            ("hand-own-ring", 0), ("own-ring", 0), ("hand-own-ring", 1))], order)
        self.assertIn("own-ring", done.stdout)
        # 200 enters in 400 turns over the 100 messages that its 6,400 bytes are.
        self.assertEqual(2.0, self.build.samples()[0]["enters_per_message"])
        self.assertEqual(0.5, self.build.samples()[0]["enters_per_turn"])
        with open(self.build.results.replace(".jsonl", ".json"), encoding="utf-8") as file:
            summary = json.load(file)
        self.assertEqual(3, sum(len(cell["servers"]["own-ring"]["rounds"]) + 1
                                for cell in summary["echo"].values()))

    def test_an_aborted_run_is_resumed_without_measuring_again(self):
        self.build.write("bin/fail_from", "3")
        self.assertEqual(1, self.build.run().returncode)
        self.assertEqual(3, len(self.build.samples()))
        with open(self.build.results, "a", encoding="utf-8") as file:
            file.write('{"type": "echo", "half a li')
        os.remove(os.path.join(self.build.folder, "bin", "fail_from"))
        calls = self.build.calls()
        done = self.build.run("--resume")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(6, len(self.build.samples()))
        self.assertEqual(calls + 3, self.build.calls())

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

    def test_a_sample_without_a_message_is_made_again_and_longer(self):
        self.build.write("bin/ioring-load", CLIENT.replace("MESSAGES = 100",
                                                           "MESSAGES = 100 if count else 0"))
        done = self.build.run("--repetitions", "1")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual(3 + 1, self.build.calls())
        self.assertEqual(3, len(self.build.samples()))

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
        for arguments in (["--cells", "1/2"], ["--cells", "0/1/1"], ["--servers", "other"],
                          ["--seconds", "-1"], ["--server-cpu", "100000"], ["--quick", "--full"],
                          ["--patience", "nan"]):
            done = self.build.run(*arguments)
            self.assertNotEqual(0, done.returncode, arguments)
            self.assertNotIn("Traceback", done.stderr)


class ComparisonTest(unittest.TestCase):
    def test_ratio_and_spread_are_medians_over_the_rounds(self):
        result = compare([(1.0, 1.1, 1.0), (2.0, 2.2, 2.2), (1.0, 9.0, 1.5)])
        self.assertAlmostEqual(1.1, result.ratio)
        self.assertAlmostEqual(0.1, result.spread)
        self.assertAlmostEqual(2.2, result.ours)

    def test_the_spread_is_of_pairs_that_are_whole(self):
        self.assertAlmostEqual(0.1, spread_of([(1.0, 1.1), (2.0, 1.8), (None, 1.0)]))
        self.assertIsNone(spread_of([]))

    def test_no_rounds_compare_to_nothing(self):
        self.assertIsNone(compare([]))


class JsonTest(unittest.TestCase):
    def test_the_last_object_counts(self):
        text = 'report\n{"a": 1}\n{\n "b": {"c": 2}\n}\nbye\n'
        self.assertEqual({"b": {"c": 2}}, last_json_object(text))
        self.assertEqual({}, last_json_object("no object {here}"))


class CompletedTest(unittest.TestCase):
    def test_what_was_in_flight_when_measuring_began_counts_in_a_closed_loop(self):
        result = {"messages": 1000, "messages_per_second": 500.0, "seconds": 2.0,
                  "connections": 50, "depth": 4}
        self.assertEqual((1200, 600.0), completed_in({**result, "mode": "closed"}))
        self.assertEqual((1000, 500.0), completed_in({**result, "mode": "open"}))


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

    def test_the_kernels_network_thread_works_for_the_load(self):
        def at(seconds, busy, network):
            return types.SimpleNamespace(at=seconds, busy_seconds=busy, stolen_seconds=0.0,
                                         network_seconds=network)
        shares = disturbance(at(0, 0, 0), at(1, 1.9, 0.2), 1.7, 0.2, 2)
        self.assertFalse(is_disturbed(shares), shares)
        self.assertTrue(is_disturbed(disturbance(at(0, 0, 0), at(1, 1.9, 0), 1.7, 0.0, 2)))
        self.assertTrue(is_disturbed(disturbance(at(0, 0, 0), at(1, 1.7, 0), 1.7, 0.2, 2)))


CALM = {"foreign": 0.0, "waiting": 0.0, "stolen": 0.0}


class SummaryTest(unittest.TestCase):
    def setUp(self):
        stack = contextlib.ExitStack()
        self.addCleanup(stack.close)
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        self.journal = Journal(os.path.join(folder, "r.jsonl"), {}, resume=False)

    def echoed(self, server, cpu, number=0, again=0, disturbed=False):
        self.journal.append({
            "type": "echo", "cell": "50/64/1", "round": number, "server": server, "pass": again,
            "cpu_us_per_message": cpu, "client_cpu_us_per_message": 1.0,
            "messages_per_second": 1e6 / cpu, "latency_us": {"p50": 1, "p99": 2},
            "disturbance": {**CALM, "foreign": 0.5 if disturbed else 0.0}})

    def cell(self, *names):
        plan = mock.Mock(servers=list(names), cells=[cells.Cell(50, 64, 1)])
        return echo.table(plan, self.journal)["50/64/1"]

    def test_a_ratio_is_the_median_over_rounds_of_ours_to_the_mean_of_both_passes(self):
        for number, (first, ours, again) in enumerate(((1.0, 1.1, 1.0), (2.0, 2.2, 2.4),
                                                       (1.0, 9.0, 1.5))):
            self.echoed("hand-own-ring", first, number)
            self.echoed("own-ring", ours, number)
            self.echoed("hand-own-ring", again, number, again=1)
        cell = self.cell("own-ring", "hand-own-ring")
        self.assertAlmostEqual(1.1, cell["servers"]["own-ring"]["beside"])
        self.assertAlmostEqual(0.2, cell["spread"]["server_us"])
        self.assertAlmostEqual(2.2, cell["servers"]["own-ring"]["server_us"])

    def test_what_was_disturbed_is_counted(self):
        self.echoed("own-ring", 1.0)
        self.echoed("own-ring", 1.0, number=1, disturbed=True)
        one = self.cell("own-ring")["servers"]["own-ring"]
        self.assertEqual((1, 2), (one["disturbed"], one["samples"]))

    def test_a_server_that_spins_costs_all_of_its_cpu(self):
        self.journal.append({
            "type": "echo", "cell": "50/64/1", "round": 0, "server": "round-robin", "pass": 0,
            "cpu_us_per_message": 99.0, "client_cpu_us_per_message": 1.0,
            "messages_per_second": 250_000.0, "latency_us": {}, "disturbance": CALM})
        one = self.cell("round-robin")["servers"]["round-robin"]
        self.assertEqual((4.0, 5.0, None), (one["server_us"], one["total_us"], one["p50_us"]))

    def test_what_emulation_costs_is_told_over_the_bare_calls(self):
        for row, cpu in (("raw", 1000.0), ("epoll", 1300.0), ("raw_again", 1040.0)):
            self.journal.append({"type": "micro", "program": "emulation", "repetition": 0,
                                 "name": f"emulation/{row}/1", "cpu_ns": cpu})
        (row,) = micro.summarize_emulation(self.journal)
        self.assertEqual(("epoll", 1, 510.0, 650.0, 140.0, 20.0), tuple(row.values()))

    def test_idle_connections_are_compared_with_none(self):
        for who, cpu in (("alone", 2.0), ("beside", 2.1), ("alone_again", 2.0)):
            self.journal.append({"type": "idle", "round": 0, "server": "own-ring", "who": who,
                                 "cpu_us_per_message": cpu, "disturbance": CALM})
        (row,) = idle.summarize(mock.Mock(servers=["own-ring"]), self.journal)
        self.assertAlmostEqual(1.05, row["ratio"])
        self.assertTrue(row["met"])

    def test_a_curve_has_its_points_in_the_order_of_the_load(self):
        for share in (0.5, 0.1):
            self.journal.append({"type": "curve", "share": share, "server": "libuv", "round": 0,
                                 "rate": share * 1e5, "messages_per_second": share * 1e5,
                                 "unsent": 0, "cpu_us_per_message": 2.0, "disturbance": CALM,
                                 "latency_us": {"p50": 10 * share}})
        plan = mock.Mock(servers=["libuv"], curve_shares=[0.1, 0.5])
        points = curves.summarize(plan, self.journal)["libuv"]
        self.assertEqual([(1e4, 1.0), (5e4, 5.0)], [(p["rate"], p["p50_us"]) for p in points])


class RoundTest(unittest.TestCase):
    def test_what_is_compared_stands_between_two_passes_of_its_yardstick(self):
        names = servers.with_yardsticks(servers.DEFAULT_SERVERS.split(","))
        for number in range(5):
            steps = servers.round_of(names, cells.Cell(50, 64, 1), number)
            self.assertEqual(len(set(steps)), len(steps))
            for name in names:
                yardstick = servers.SERVERS[name].yardstick
                if (name, 0) in steps and yardstick:
                    self.assertLess(steps.index((yardstick, 0)), steps.index((name, 0)))
                    self.assertLess(steps.index((name, 0)), steps.index((yardstick, 1)))

    def test_a_server_of_one_cell_is_not_measured_in_others(self):
        names = ["own-ring-spin", "round-robin"]
        self.assertEqual([("round-robin", 0)],
                         servers.round_of(names, cells.Cell(50, 64, 1), 0))
        self.assertIn(("own-ring-spin", 0), servers.round_of(names, cells.Cell(1, 64, 1), 3))

    def test_yardsticks_come_along(self):
        self.assertEqual(["managed", "hand-shared-pool"], servers.with_yardsticks(["managed"]))


class CellTest(unittest.TestCase):
    def test_text_round_trips(self):
        self.assertEqual("50/16384/16", str(cells.Cell.parse("50/16384/16")))

    def test_all_default_cells_and_servers_are_known(self):
        for text in (*cells.DEFAULT_CELLS.split(","), *cells.QUICK_CELLS.split(",")):
            cells.Cell.parse(text)
        for text in (servers.DEFAULT_SERVERS, servers.QUICK_SERVERS):
            self.assertLessEqual(set(text.split(",")), set(servers.SERVERS))
        self.assertLessEqual({server.yardstick for server in servers.SERVERS.values()},
                             {"", *servers.SERVERS})

    def test_the_full_grid_begins_with_what_decides_and_leaves_out_what_does_not_fit(self):
        grid, left = cells.full_grid(24 << 30)
        self.assertEqual(cells.DEFAULT_CELLS, ",".join(map(str, grid[:8])))
        self.assertEqual(24, len(grid) + len(left))
        self.assertEqual(["10000/16384/16"], list(map(str, left)))
        self.assertLess(len(cells.full_grid(1 << 30)[0]), len(grid))


if __name__ == "__main__":
    unittest.main()
