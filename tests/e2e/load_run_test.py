# SPDX-License-Identifier: MIT
# load_run_test.py - what an ioring-load run does against an honest server, and what it reports.
import os
import pty
import select
import signal
import socket
import tempfile
import time
import unittest

from load_support import (WAIT_S, Behaviour, Server, finish, limit_descriptors, read_line, run,
                          start)

PERCENTILES = ("p50", "p90", "p99", "p99_9", "p99_99", "max")


class Late(Behaviour):
    """Answers everything `delay_s` late."""

    def __init__(self, delay_s):
        self.delay_s, self.waiting = delay_s, []

    def received(self, peer, data):
        self.waiting.append((time.monotonic() + self.delay_s, peer, data))

    def tick(self, server, now):
        while self.waiting and self.waiting[0][0] <= now:
            _, peer, data = self.waiting.pop(0)
            peer.send(data)

    def ended(self, peer):
        peer.close()


class OnePause(Behaviour):
    """Stops the world once for `pause_s`, in the middle of the load."""

    def __init__(self, pause_s):
        self.pause_s, self.first = pause_s, None

    def received(self, peer, data):
        peer.send(data)
        now = time.monotonic()
        self.first = self.first or now
        if self.pause_s and now - self.first > 0.2:
            time.sleep(self.pause_s)  # This is the fault, no synchronisation.
            self.pause_s = 0


class RunTest(unittest.TestCase):
    def check(self, result):
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.err, "", result)
        return result

    def load(self, *options, behaviour=None, **server):
        with Server(behaviour or Behaviour(), **server) as running:
            return self.check(run("--port", running.port, "--json", *options)).json

    def test_marks_stand_where_measuring_begins_and_ends_and_before_the_report(self):
        with Server(Behaviour()) as running:
            begun = time.monotonic()
            process = start("--port", running.port, "--json", "--marks", "--connections", 3,
                            "--warmup", "0.3", "--duration", "0.1")
            self.assertEqual("measuring\n", read_line(process))
            self.assertGreaterEqual(time.monotonic() - begun, 0.3)
            self.assertEqual("measured\n", read_line(process))
            self.assertGreaterEqual(time.monotonic() - begun, 0.4)
            report = self.check(finish(process)).json
        self.assertGreater(report["messages"], 0)

    def test_the_json_object_has_the_promised_fields(self):
        found = self.load("-c", 3, "-s", 100, "-d", 2, "-t", "200ms", "--seed", 77)
        numbers = {
            "messages": int, "bytes": int, "errors": int, "mismatches": int,
            "messages_per_second": float, "seconds": float, "connections": int, "connected": int,
            "size": int, "depth": int, "unsent": int, "refused": int, "timed_out": int,
            "closed_early": int, "broken": int, "cpu_us_per_message": float,
            "enters_per_message": float, "enters": int, "turns": int,
            "warmup_seconds": float, "connect_seconds": float,
            "seed": int, "interrupted": bool, "mode": str, "backend": str, "receive": str,
            "version": str,
        }
        for name, kind in numbers.items():
            self.assertIs(type(found[name]), kind, name)
        self.assertEqual(set(found), set(numbers) | {"latency_us", "rate"})
        self.assertEqual(tuple(found["latency_us"]), PERCENTILES)
        self.assertEqual((found["connections"], found["connected"], found["size"], found["depth"],
                          found["mode"], found["rate"], found["seed"], found["interrupted"]),
                         (3, 3, 100, 2, "closed", None, 77, False))
        self.assertEqual(found["bytes"], found["messages"] * 100)
        self.assertGreater(found["messages"], 0)
        self.assertGreater(found["cpu_us_per_message"], 0)
        self.assertAlmostEqual(found["messages"] / found["seconds"], found["messages_per_second"],
                               delta=0.1 + found["messages_per_second"] / 1000)
        values = list(found["latency_us"].values())
        self.assertEqual(values, sorted(values))

    def test_as_many_messages_as_asked_are_sent_and_counted(self):
        for options in (("-c", 7, "-d", 3), ("-c", 50, "-d", 1), ("-c", 1, "-d", 64),
                        ("-c", 4, "-d", 2, "--rate", 5000), ("-c", 3, "-d", 2, "--warmup", "100ms"),
                        ("-c", 3, "-d", 2, "--warmup", "100ms", "--rate", "2k")):
            with self.subTest(options=options):
                with Server(Behaviour()) as server:
                    found = self.check(run("--port", server.port, "--json", "-s", 33, "-n", 1001,
                                           *options)).json
                    got = server.bytes_received
                self.assertEqual(found["messages"], 1001)
                self.assertEqual(got % 33, 0)
                if found["warmup_seconds"]:
                    self.assertGreater(got, 1001 * 33)
                else:
                    self.assertEqual(got, 1001 * 33)

    def test_sizes_and_depths_of_all_kinds_come_back_right(self):
        for size, depth, messages in ((1, 1, 300), (1, 1000, 5000), (7, 9, 3000), (4096, 4, 800),
                                      (65_535, 3, 100), (65_537, 3, 100), ("1m", 1, 20),
                                      ("3m", 4, 12)):
            for buffers in ((), ("--own-buffers",)):
                with self.subTest(size=size, depth=depth, buffers=buffers):
                    found = self.load("-c", 3, "-s", size, "-d", depth, "-n", messages, *buffers)
                    self.assertEqual(found["messages"], messages)
                    self.assertEqual("shared" in found["receive"], not buffers, found)

    def test_fewer_messages_than_connections_are_enough(self):
        self.assertEqual(self.load("-c", 20, "-n", 1)["messages"], 1)

    def test_the_duration_is_kept(self):
        found = self.load("-c", 2, "-t", "0.5")
        self.assertGreaterEqual(found["seconds"], 0.5)
        self.assertLess(found["seconds"], 5)

    def test_many_connections_are_made_and_used(self):
        found = self.load("-c", 1500, "-n", 3000, backlog=4096)
        self.assertEqual((found["connected"], found["messages"]), (1500, 3000))

    def test_the_connect_rate_is_kept(self):
        found = self.load("-c", 11, "-n", 11, "--connect-rate", 50)
        self.assertGreaterEqual(found["connect_seconds"], 0.2)

    def test_latency_is_not_less_than_the_servers(self):
        found = self.load("-c", 4, "-d", 2, "-n", 80, behaviour=Late(0.03))
        self.assertGreaterEqual(found["latency_us"]["p50"], 30_000)
        self.assertLess(found["latency_us"]["p50"], 3_000_000)

    def test_an_open_loop_sends_at_the_rate(self):
        found = self.load("-c", 5, "-d", 100, "-t", 1, "-r", 400)
        self.assertEqual((found["mode"], found["rate"]), ("open", 400.0))
        self.assertEqual(tuple(found["service_latency_us"]), PERCENTILES)
        self.assertAlmostEqual(found["messages"] + found["unsent"], 400, delta=2)

    def test_an_open_loop_does_not_omit_what_a_stall_held_up(self):
        """500 messages a second for a second, of which 0.4 s stand still: 40 % suffer, although
        only the two in flight waited by the closed loop's reckoning."""
        found = self.load("-c", 2, "-d", 1, "-t", 1, "-r", 500, behaviour=OnePause(0.4))
        self.assertGreaterEqual(found["latency_us"]["max"], 390_000, found)
        self.assertGreaterEqual(found["latency_us"]["p90"], 200_000, found)
        self.assertLess(found["service_latency_us"]["p90"], found["latency_us"]["p90"] / 2, found)

    def test_a_rate_that_cannot_be_reached_is_said_and_not_omitted(self):
        with Server(Late(0.05)) as server:
            result = run("--port", server.port, "-c", 2, "-t", "0.5", "-r", 2000, "--json")
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"^ioring-load: [\d,]+ messages were due and not sent .*\n$")
        found = result.json
        self.assertAlmostEqual(found["messages"] + found["unsent"], 1000, delta=5)
        self.assertGreater(found["latency_us"]["p50"], 150_000, result)

    def test_all_kinds_of_addresses_work(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "s")
            for family, address, where in (
                    (socket.AF_UNIX, path, ("--unix", path)),
                    (socket.AF_UNIX, f"\0ioring-load-{os.getpid()}",
                     ("--unix", f"@ioring-load-{os.getpid()}")),
                    (socket.AF_INET6, ("::1", 0), ("--host", "::1")),
                    (socket.AF_INET6, ("::1", 0), ("--host", "[::1]")),
                    (socket.AF_INET, ("127.0.0.1", 0), ("--host", "127.0.0.1")),
                    (socket.AF_INET, ("127.0.0.1", 0), ("--host", "localhost"))):
                with self.subTest(where=where), Server(Behaviour(), family, address) as server:
                    if family != socket.AF_UNIX:
                        where += ("--port", server.port)
                    found = self.check(run(*where, "-c", 10, "-n", 100, "--json")).json
                    self.assertEqual((found["messages"], found["connected"]), (100, 10))

    def test_a_full_backlog_is_waited_for(self):
        name = f"@ioring-load-full-{os.getpid()}"
        with Server(Behaviour(), socket.AF_UNIX, "\0" + name[1:], backlog=3) as server:
            found = self.check(run("--unix", name, "-c", 400, "-n", 800, "--json")).json
            self.assertEqual((found["messages"], len(server.peers)), (800, 400))

    def test_a_cpu_and_spinning_can_be_asked_for(self):
        cpu = min(os.sched_getaffinity(0))
        self.assertEqual(self.load("-n", 500, "--cpu", cpu, "--spin", "20us")["messages"], 500)

    def test_every_address_of_a_name_is_tried(self):
        """Whichever comes first, a server on one of them is found."""
        addresses = {info[4][0]: info[0] for info in
                     socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)}
        for address, family in addresses.items():
            with self.subTest(address=address), Server(Behaviour(), family, (address, 0)) as server:
                found = self.check(run("--host", "localhost", "--port", server.port, "-c", 300,
                                       "-n", 300, "--json")).json
                self.assertEqual((found["connected"], found["refused"]), (300, 0))

    def test_the_soft_descriptor_limit_is_raised(self):
        with Server(Behaviour()) as server:
            result = run("--port", server.port, "-c", 100, "-n", 100, "--json",
                         preexec_fn=limit_descriptors(48, 1024))
            self.assertEqual(self.check(result).json["connected"], 100)

    def test_a_hard_descriptor_limit_is_explained(self):
        result = run("--port", 1, "-c", 100, preexec_fn=limit_descriptors(48, 64))
        self.assertEqual(result.status, 1)
        self.assertEqual(result.out, "")
        self.assertRegex(result.err, "^ioring-load: 100 connections need 132 descriptors and the "
                         "limit is 64: raise it .* or ask for at most 32 connections\n$")


class TextTest(unittest.TestCase):
    def test_people_get_two_lines(self):
        with Server(Behaviour()) as server:
            result = run("--port", server.port, "-c", 2, "-s", "1k", "-d", 3, "-n", 1000)
        self.assertEqual((result.status, result.err), (0, ""), result)
        time_text = r"[\d,.]+ (ns|us|ms|s)"
        self.assertRegex(result.out, "^2 connections x 1 KiB, depth 3, closed loop, every byte "
                         rf"verified\n  1,000 messages  [\d,]+/s  p50 {time_text}  p90 {time_text}"
                         rf"  p99 {time_text}  p99.9 {time_text}  p99.99 {time_text}  "
                         rf"max {time_text}   0 errors\n$")

    def test_the_first_line_comes_at_once(self):
        with Server(Behaviour()) as server:
            process = start("--port", server.port, "-c", 1, "-t", 60)
            self.assertEqual(read_line(process),
                             "1 connection x 64 B, depth 1, closed loop, every byte verified\n")
            process.terminate()
            self.assertEqual(finish(process).status, 0)

    def test_quiet_is_the_result_alone(self):
        with Server(Behaviour()) as server:
            result = run("--port", server.port, "-c", 1, "-n", 10, "-q")
        self.assertRegex(result.out, r"^  10 messages  .*   0 errors\n$")

    def test_open_loop_says_what_latency_is(self):
        with Server(Behaviour()) as server:
            result = run("--port", server.port, "-c", 1, "-d", 9, "-n", 10, "-r", 1000)
        self.assertRegex(result.out, r"^1 connection x 64 B, depth up to 9, open loop at 1,000/s, "
                         r"every byte verified\n  10 messages  .*   0 errors\n  latency is counted "
                         r"from the time when a message was due; from its sending: p50 .*\n$")

    def test_a_terminal_gets_a_live_line_and_nobody_else_does(self):
        ours, theirs = pty.openpty()
        with Server(Behaviour()) as server:
            process = start("--port", server.port, "-c", 1, "-t", 60, stderr=theirs)
            os.close(theirs)
            seen = b""
            end = time.monotonic() + WAIT_S
            while b"/s  p50" not in seen and time.monotonic() < end:
                if select.select([ours], [], [], 0.1)[0]:
                    seen += os.read(ours, 4096)
            process.terminate()
            result = finish(process)
        os.close(ours)
        self.assertRegex(seen, rb"\r[12] s  [\d,]+ messages  [\d,]+/s  p50 .*  p99 .*s")
        self.assertEqual(result.status, 0)
        self.assertNotIn("\r", result.out)


class SignalTest(unittest.TestCase):
    def interrupt(self, behaviour, *options, signals=(signal.SIGINT,), after_bytes=10_000):
        with Server(behaviour) as server:
            process = start("--port", server.port, "--json", "-t", 1000, *options)
            server.wait_until(lambda: server.peers and server.bytes_received >= after_bytes)
            for number in signals:
                process.send_signal(number)
                server.stopping.wait(0.3)
            return finish(process)

    def test_a_signal_ends_the_load_politely_and_the_report_comes(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for options in ((), ("-r", 2000), ("--warmup", 500)):
                with self.subTest(signal=number, options=options):
                    result = self.interrupt(Behaviour(), "-c", 10, *options, signals=(number,))
                    self.assertEqual((result.status, result.err), (0, ""), result)
                    self.assertTrue(result.json["interrupted"], result)
                    if "--warmup" in options:
                        self.assertEqual(result.json["messages"], 0)
                    else:
                        self.assertGreater(result.json["messages"], 0)

    def test_a_signal_while_connecting_ends_it_too(self):
        result = self.interrupt(Behaviour(), "-c", 100, "--connect-rate", 1, after_bytes=0)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertLess(result.json["connected"], 100)

    def test_the_first_signal_waits_for_what_is_in_flight_but_not_for_ever(self):
        class Mute(Behaviour):
            def received(self, peer, data):
                pass

        result = self.interrupt(Mute(), "-c", 2, "--timeout", 1, after_bytes=128)
        self.assertEqual((result.status, result.json["timed_out"]), (1, 2), result)

    def test_the_second_signal_does_not_wait(self):
        class Mute(Behaviour):
            def received(self, peer, data):
                pass

        start_s = time.monotonic()
        result = self.interrupt(Mute(), "-c", 2, "--timeout", 50, after_bytes=128,
                                signals=(signal.SIGINT, signal.SIGINT))
        self.assertLess(time.monotonic() - start_s, 40)
        self.assertTrue(result.json["interrupted"], result)


if __name__ == "__main__":
    unittest.main(verbosity=2)
