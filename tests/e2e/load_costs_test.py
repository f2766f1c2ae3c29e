# SPDX-License-Identifier: MIT
# load_costs_test.py - what a message costs ioring-load: no allocation, and one enter a turn.
import os
import struct
import tempfile
import unittest

from load_support import Behaviour, Server, run

COUNTER = os.environ.get("IORING_MALLOC_COUNTER_LIBRARY", "")


class CostsTest(unittest.TestCase):
    def allocations(self, *options):
        """Of a whole run, counted by a preloaded library in a file, and the run's results."""
        self.assertTrue(os.path.exists(COUNTER), f"no library {COUNTER!r}")
        with tempfile.NamedTemporaryFile() as file, Server(Behaviour()) as server:
            file.write(bytes(8))
            file.flush()
            environment = dict(os.environ, LD_PRELOAD=COUNTER, IORING_MALLOC_COUNTER=file.name)
            result = run("--port", server.port, "--json", "--seed", 1, *options, env=environment)
            self.assertEqual(result.status, 0, result)
            return struct.unpack("Q", os.pread(file.fileno(), 8, 0))[0], result.json

    def test_messages_allocate_nothing(self):
        for options in (("-c", 8), ("-c", 8, "-d", 8, "-s", 3000), ("-c", 8, "--own-buffers"),
                        ("-c", 8, "--rate", 20_000, "-d", 4)):
            with self.subTest(options=options):
                few, _ = self.allocations("-n", 500, *options)
                many, found = self.allocations("-n", 5000, *options)
                self.assertGreater(few, 10, "the counter does not count")
                self.assertEqual(found["messages"], 5000)
                # Not equal: the report's numbers may be longer texts.
                self.assertLess(abs(many - few), 10)

    def test_a_turn_enters_once_at_most(self):
        for options in (("-c", 20), ("-c", 300, "-d", 4), ("-c", 5, "--rate", 2000),
                        ("-c", 20, "--own-buffers")):
            with self.subTest(options=options), Server(Behaviour()) as server:
                found = run("--port", server.port, "--json", "-n", 3000, *options).json
                self.assertEqual(found["messages"], 3000)
                self.assertLessEqual(found["enters"], found["turns"])
                self.assertGreater(found["enters"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
