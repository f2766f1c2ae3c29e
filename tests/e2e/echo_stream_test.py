# SPDX-License-Identifier: MIT
# echo_stream_test.py - every byte comes back, in order, whatever the clients do.
import random
import resource
import selectors
import socket
import struct
import unittest

import echo_support as support


class EchoStream(unittest.TestCase):
    def test_random_chunks_of_many_connections_come_back_exactly(self):
        server = support.Server(self)
        seed = support.new_seed()

        def client(index):
            generator = random.Random(seed + index)
            data = generator.randbytes(generator.choice([1, 4096, 65536, 65537, 1_500_000]))
            support.echo_stream(server, data, [1, 37, 1000, 4096, 65536, 200_000], generator)

        support.run_together([lambda index=index: client(index) for index in range(40)])
        report = server.stop()
        self.assertEqual(40, report["connections_accepted"])
        self.assertEqual(report["bytes_received"], report["bytes_sent"])
        self.assertEqual(0, report["connections_reset"])

    def test_everything_before_the_end_comes_back_before_the_end(self):
        server = support.Server(self)
        for size in (0, 1, 65535, 65536, 65537, 3_000_000):
            # Nothing is read until all is sent and the sending side closed, if there is room.
            support.echo_stream(server, random.Random(size).randbytes(size), [1 << 20],
                                random.Random(size))
        server.stop()

    def test_end_arrives_together_with_the_last_bytes(self):
        server = support.Server(self)
        for round_number in range(50):
            peer = server.connect()
            data = bytes([round_number]) * 1000
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            support.assert_same(data, support.read_to_end(peer), "the last bytes")
            peer.close()
        server.stop()

    def test_one_byte_at_a_time(self):
        server = support.Server(self)
        peer = server.connect()
        for number in range(300):
            peer.sendall(bytes([number & 255]))
            self.assertEqual(bytes([number & 255]), support.read_exactly(peer, 1))
        data = bytes(number * 7 & 255 for number in range(5000))
        for number in data:
            peer.sendall(bytes([number]))
        support.assert_same(data, support.read_exactly(peer, len(data)), "single bytes")
        server.stop()

    def test_a_reset_in_the_middle_harms_only_its_connection(self):
        server = support.Server(self)
        seed = support.new_seed()

        def resetting(index):
            generator = random.Random(seed + index)
            for _ in range(5):
                peer = server.connect()
                peer.sendall(generator.randbytes(generator.randrange(1, 300_000)) if index % 2
                             else b"x")
                if index % 3 == 0:
                    peer.recv(10)
                peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                peer.close()

        def honest(index):
            generator = random.Random(seed + 1000 + index)
            support.echo_stream(server, generator.randbytes(500_000), [10_000, 60_000], generator)

        def patient_sender_that_resets():
            # Does not read: the server's send is stuck when the reset comes.
            peer = server.connect(receive_buffer=4096)
            peer.settimeout(0.5)
            try:
                while True:
                    peer.sendall(bytes(65536))
            except socket.timeout:
                pass
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            peer.close()

        support.run_together(
            [lambda index=index: resetting(index) for index in range(10)] +
            [lambda index=index: honest(index) for index in range(10)] +
            [patient_sender_that_resets] * 3)
        # All of it is over for the server too: nothing is leaked.
        idle = server.descriptors()
        peer = server.connect()
        peer.sendall(b"alive")
        self.assertEqual(b"alive", support.read_exactly(peer, 5))
        peer.close()
        support.until(lambda: server.descriptors() <= idle, what="descriptors were not freed")
        report = server.stop()
        self.assertGreater(report["connections_reset"], 0)

    def test_slots_and_buffers_are_used_again_without_mixing_streams(self):
        # The kernel keeps its place in a private group across connections, at odd offsets.
        server = support.Server(self, "--connections", "2")
        generator = random.Random(5)
        for _ in range(60):
            data = generator.randbytes(generator.randrange(1, 50_000))
            support.echo_stream(server, data, [5000, 20_000], generator)
        self.assertEqual(60, server.stop()["connections_accepted"])

    def test_five_thousand_connections(self):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        count = 5000
        self.assertGreater(hard, count + 100, "the test needs a hard descriptor limit of 5,100")
        server = support.Server(self, "--connections", str(count))
        generator = random.Random(1)
        peers = [server.connect() for _ in range(count)]
        self.exchange_with_all(peers, lambda: generator.randbytes(generator.randrange(1, 600)))
        self.exchange_with_all(peers, lambda: generator.randbytes(2000))
        for peer in peers:
            peer.close()
        report = server.stop()
        self.assertEqual(count, report["connections_accepted"])
        self.assertEqual(count, report["connections_peak"])
        self.assertEqual(0, report["connections_reset"])

    def exchange_with_all(self, peers, make_message):
        """Every peer sends one message; then all echoes are read, in the order they come."""
        selector = selectors.DefaultSelector()
        for peer in peers:
            message = make_message()
            peer.sendall(message)
            selector.register(peer, selectors.EVENT_READ, [message, bytearray()])
        open_exchanges = len(peers)
        while open_exchanges:
            ready = selector.select(support.WAIT_S)
            self.assertTrue(ready, f"{open_exchanges} connections wait for their echo in vain")
            for key, _ in ready:
                message, got = key.data
                got += key.fileobj.recv(65536)
                if len(got) < len(message):
                    continue
                support.assert_same(message, bytes(got), "one of thousands")
                selector.unregister(key.fileobj)
                open_exchanges -= 1
        selector.close()


if __name__ == "__main__":
    support.main()
