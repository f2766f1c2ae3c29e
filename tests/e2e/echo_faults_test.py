# SPDX-License-Identifier: MIT
# echo_faults_test.py - every byte comes back although the tools' backends do all that they may do
# wrong.
import subprocess
import unittest

import echo_support as support
import load_support as load

SEEDS = (1, 2, 3)
BACKENDS = ("uring", "epoll")


def load_server(server, *options, size=3000, messages=800):
    """ioring-load against `server`; fails unless every byte has come back."""
    run = load.run("--port", server.port, "--connections", 10, "--size", size, "--depth", 4,
                   "--messages", messages, "--json", "--quiet", *options)
    if run.status != 0:
        raise AssertionError(str(run))


class EchoFaults(unittest.TestCase):
    def test_every_byte_comes_back_from_a_server_with_faults(self):
        for backend in BACKENDS:
            for seed in SEEDS:
                with self.subTest(backend=backend, seed=seed):
                    server = support.Server(self, "--backend", f"fault:{seed}@2:{backend}")
                    load_server(server)
                    report = server.stop(spins=True)
                    self.assertEqual("fault", report["backend"])
                    self.assertEqual(report["bytes_received"], report["bytes_sent"])
                    self.assertEqual(0, report["connections_reset"])

    def test_the_load_generator_survives_faults_of_its_own(self):
        server = support.Server(self)
        for backend in BACKENDS:
            for receiving in ([], ["--own-buffers"]):
                with self.subTest(backend=backend, receiving=receiving):
                    load_server(server, "--backend", f"fault:7@2:{backend}", *receiving,
                                size=20_000, messages=300)
        server.stop()

    def test_resets_end_connections_and_change_no_byte(self):
        server = support.Server(self, "--backend", "fault:5@3:uring")
        run = load.run("--port", server.port, "--connections", 10, "--size", 1000,
                       "--messages", 2000, "--quiet")
        self.assertEqual(1, run.status, str(run))
        self.assertRegex(run.out, r"\d+ errors \(\d+ (closed early|broken)", str(run))
        self.assertNotIn("mismatch", run.out + run.err)
        server.stop(spins=True)  # In order, whatever happened before.

    def test_a_wrong_seed_is_told_and_not_run(self):
        result = subprocess.run([support.ECHO, "--port", "0", "--backend", "fault:x:uring"],
                                capture_output=True, text=True, timeout=support.WAIT_S, check=False)
        self.assertNotEqual(0, result.returncode)
        self.assertIn('"x" is no seed of faults', result.stderr)


if __name__ == "__main__":
    support.main()
