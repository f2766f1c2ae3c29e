#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# layers_test.py - the Python package above the ring: mirrored buffers, pools, managed connections.
"""Usage: layers_test.py LIBRARY"""
import errno
import os
import socket
import sys
import threading
import time
import unittest

WAIT_S = 30
os.environ["IORING_LIBRARY"] = sys.argv.pop(1)
sys.path.insert(0, os.path.join(os.environ["IORING_SOURCE_DIR"], "bindings", "python"))

import ioring  # noqa: E402
from ioring import EventType  # noqa: E402


class LayersTest(unittest.TestCase):
    backend = None

    def setUp(self):
        try:
            self.ring = ioring.Ring(sq_entries=64, backend=self.backend)
        except OSError as error:
            if error.errno in (errno.ENOSYS, errno.EPERM, errno.ENOTSUP):
                self.skipTest(str(error))
            raise
        self.addCleanup(self.ring.close)

    def complete(self):
        self.ring.submit_and_wait(1, seconds=WAIT_S)
        return next(iter(self.ring.completions()))

    def managed(self, **options):
        manager = ioring.Manager(self.ring, **options)
        self.addCleanup(manager.close)
        listener = manager.listen("127.0.0.1:0")
        host, port = manager.address_of(listener).split(":")
        return manager, (host, int(port))

    def plain(self, where):
        peer = socket.create_connection(where, timeout=WAIT_S)
        self.addCleanup(peer.close)
        return peer

    def event(self, manager, wanted):
        """The next event of that type; others are passed over."""
        ends = time.monotonic() + WAIT_S
        while time.monotonic() < ends:
            for event in manager.poll(seconds=WAIT_S):
                if event.type == wanted:
                    return event
        return self.fail(f"no {wanted.name} in time")

    # --- buffers ---

    def test_a_buffer_goes_round_and_stays_one_range(self):
        with ioring.MirroredBuffer(ioring.MirroredBuffer.granularity()) as buffer:
            size = buffer.capacity
            for turn in range(5):
                data = bytes([turn]) * (size * 2 // 3)
                buffer.writable[:len(data)] = data
                buffer.commit_write(len(data))
                self.assertEqual(data, bytes(buffer.readable))
                with self.assertRaises(OSError):
                    buffer.commit_read(len(data) + 1)
                buffer.commit_read(len(data))
            self.assertEqual(size, len(buffer.writable))
            self.assertTrue(buffer.readable.readonly)

    def test_memory_that_somebody_looks_at_is_not_freed(self):
        buffer = ioring.MirroredBuffer(ioring.MirroredBuffer.granularity())
        view = buffer.writable
        with self.assertRaises(BufferError):
            buffer.close()
        view[0] = 1
        view.release()
        del view
        buffer.close()
        with self.assertRaises(ValueError):
            buffer.writable  # pylint: disable=pointless-statement

    def test_a_pool_lends_registered_buffers_up_to_its_limit(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        connection = self.ring.register_socket(ours.fileno())
        with ioring.Pool(self.ring, slab_buffers=2, slabs_max=1) as pool:
            buffer = pool.acquire()
            self.ring.recv_buffer(connection, buffer, user_data=1)
            theirs.sendall(b"ping")
            done = self.complete()
            self.assertEqual((1, 4), (done.user_data, done.res))
            buffer.commit_write(done.res)
            self.ring.send_buffer(connection, buffer, user_data=2)
            done = self.complete()
            self.assertEqual((2, 4), (done.user_data, done.res))
            self.assertEqual(b"ping", theirs.recv(16))
            buffer.release()
            with self.assertRaises(ValueError):
                buffer.release()
        self.ring.unregister_socket(connection)

    def test_a_stale_connection_is_an_error_of_the_operation(self):
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        connection = self.ring.register_socket(ours.fileno())
        self.ring.unregister_socket(connection)
        with ioring.MirroredBuffer(ioring.MirroredBuffer.granularity()) as buffer:
            number = self.ring.register_buffer(buffer)
            self.ring.recv_buffer(connection, buffer, user_data=1)
            self.assertEqual(-errno.EBADF, self.complete().res)
            self.ring.unregister_buffer(number)

    # --- managed connections ---

    def test_a_managed_connection_echoes_and_ends_once(self):
        manager, where = self.managed()
        peer = self.plain(where)
        accepted = self.event(manager, EventType.ACCEPTED)
        accepted.socket.user = "mine"
        peer.sendall(b"one")
        received = self.event(manager, EventType.RECEIVED)
        self.assertIs(accepted.socket, received.socket)
        self.assertEqual("mine", received.socket.user)
        self.assertEqual(b"one", received.socket.peek())
        self.assertEqual(3, received.socket.forward(3))
        manager.poll(seconds=0)
        self.assertEqual(b"one", peer.recv(16))
        peer.sendall(b"two")
        received = self.event(manager, EventType.RECEIVED)
        self.assertEqual(3, received.socket.write(received.socket.read()))
        manager.poll(seconds=0)
        self.assertEqual(b"two", peer.recv(16))
        self.assertEqual(1, len(manager))
        peer.close()
        closed = self.event(manager, EventType.CLOSED)
        self.assertEqual("peer_closed", closed.reason)
        manager.poll(seconds=0)
        self.assertEqual(0, len(manager))
        self.assertEqual((b"", 0), (closed.socket.read(), closed.socket.write(b"late")))

    def test_one_side_may_end_before_the_other(self):
        manager, where = self.managed()
        peer = self.plain(where)
        self.event(manager, EventType.ACCEPTED).socket.shutdown_write()
        manager.poll(seconds=0)
        self.assertEqual(b"", peer.recv(1))
        peer.sendall(b"last")
        self.assertEqual(b"last", self.event(manager, EventType.RECEIVED).socket.read())
        peer.close()
        self.event(manager, EventType.CLOSED)

    def test_half_a_request_and_then_the_end_can_be_seen(self):
        manager, where = self.managed()
        peer = self.plain(where)
        peer.sendall(b"half")
        self.assertFalse(self.event(manager, EventType.RECEIVED).socket.peer_has_ended)
        peer.shutdown(socket.SHUT_WR)
        last = self.event(manager, EventType.RECEIVED).socket
        self.assertEqual((True, b"half"), (last.peer_has_ended, last.peek()))

    def test_both_ends_may_be_managed(self):
        manager, where = self.managed()
        mine = manager.connect(f"{where[0]}:{where[1]}")
        self.assertIs(mine, self.event(manager, EventType.CONNECTED).socket)
        self.assertEqual(5, mine.write(b"hello"))
        received = self.event(manager, EventType.RECEIVED)
        self.assertEqual(b"hello", received.socket.read())
        self.assertEqual(f"{where[0]}:{where[1]}", mine.peer)
        report = manager.drain(seconds=5)
        self.assertTrue(report.complete)
        self.assertEqual(0, report.bytes_unsent)

    def test_silence_ends_by_its_time_out(self):
        manager, where = self.managed(idle_timeout_ms=50)
        peer = self.plain(where)

        def follow():
            self.assertEqual(b"", peer.recv(1))  # It is told, and ends its side, too.
            peer.close()

        other = threading.Thread(target=follow)
        other.start()
        self.assertEqual("idle_timeout", self.event(manager, EventType.CLOSED).reason)
        other.join()

    def test_a_refused_connection_is_closed_with_the_error(self):
        manager, _ = self.managed()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            manager.connect(f"127.0.0.1:{free.getsockname()[1]}")
            closed = self.event(manager, EventType.CLOSED)
        self.assertEqual(("connect_failed", -errno.ECONNREFUSED), (closed.reason, closed.error))

    def test_timers_posts_and_wakes(self):
        manager, _ = self.managed()
        manager.start_timer(0.01, user_data=7)
        self.assertEqual(7, self.event(manager, EventType.TIMER).user_data)
        self.assertFalse(manager.cancel_timer(manager.start_timer(9, 8) + 1))
        self.assertTrue(manager.cancel_timer(manager.start_timer(9, 8)))
        other = threading.Thread(target=lambda: self.ring.post(9, 5))
        other.start()
        posted = self.event(manager, EventType.COMPLETION)
        other.join()
        self.assertEqual((9, 5), (posted.user_data, posted.res))
        self.ring.wake()
        self.assertEqual([], manager.poll(seconds=WAIT_S))

    def test_wrong_options_are_errors(self):
        with self.assertRaises(TypeError):
            ioring.Manager(self.ring, sockets=3)
        with self.assertRaises(OSError) as raised:
            ioring.Manager(self.ring, buffer_bytes=1)
        self.assertEqual(errno.EINVAL, raised.exception.errno)


class EpollLayersTest(LayersTest):
    backend = "epoll"


if __name__ == "__main__":
    unittest.main()
