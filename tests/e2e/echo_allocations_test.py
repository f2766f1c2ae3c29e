# SPDX-License-Identifier: MIT
# echo_allocations_test.py - under load the server allocates nothing, seen from outside.
#
# A preloaded library counts every call of the allocator in a file that this test reads.
import os
import struct
import tempfile
import unittest

import echo_support as support
from echo_load import SteadyLoad

COUNTER = os.environ.get("IORING_MALLOC_COUNTER_LIBRARY", "")


class EchoAllocations(unittest.TestCase):
    def setUp(self):
        self.file = tempfile.NamedTemporaryFile()
        self.addCleanup(self.file.close)
        self.file.write(bytes(8))
        self.file.flush()

    def count(self):
        return struct.unpack("Q", os.pread(self.file.fileno(), 8, 0))[0]

    def start(self, *options):
        self.assertTrue(os.path.exists(COUNTER), f"no library {COUNTER!r}")
        environment = dict(os.environ, LD_PRELOAD=COUNTER, IORING_MALLOC_COUNTER=self.file.name)
        return support.Server(self, *options, env=environment)

    def test_a_steady_load_allocates_nothing(self):
        server = self.start()
        load = SteadyLoad(server, connections=20)
        load.run(20)
        before = self.count()
        self.assertGreater(before, 10, "the counter does not count")
        load.run(300)
        self.assertEqual(0, self.count() - before)
        load.close()
        report = server.stop()
        self.assertGreater(report["messages"], 1000)

    def test_small_messages_allocate_nothing(self):
        server = self.start()
        load = SteadyLoad(server, connections=50, depth=16, bytes_max=100)
        load.run(50)
        before = self.count()
        load.run(200)
        self.assertEqual(0, self.count() - before)
        load.close()
        server.stop()

    def test_connections_on_slots_used_before_allocate_nothing(self):
        server = self.start("--connections", "30")
        idle = server.descriptors()

        def come_and_go():
            load = SteadyLoad(server, connections=20)
            load.run(5)
            load.close()
            support.until(lambda: server.descriptors() == idle, what="connections stay")

        for _ in range(3):
            come_and_go()
        before = self.count()
        for _ in range(5):
            come_and_go()
        self.assertEqual(0, self.count() - before)
        server.stop()


if __name__ == "__main__":
    support.main()
