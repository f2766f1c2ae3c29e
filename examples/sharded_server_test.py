# SPDX-License-Identifier: MIT
# sharded_server_test.py - counts are right whichever threads ask, and answers keep their order.
import signal
import socket
import subprocess
import sys
import threading
import unittest

from server_support import WAIT_S, ServerTest

SHARDS = 3


class ShardedServer(ServerTest):
    rest_of_line = rf" \({SHARDS} threads\)\n"

    def shard_of(self, peer):
        peer.sendall(b"where\n")
        return int(self.read_line(peer))

    def read_line(self, peer):
        line = b""
        while not line.endswith(b"\n"):
            part = peer.recv(1)
            self.assertNotEqual(b"", part)
            line += part
        return line.decode().rstrip("\n")

    def connections_of_all_shards(self):
        """One connection of each shard."""
        found = {}
        for _ in range(1000):
            if len(found) == SHARDS:
                break
            peer = self.connect()
            found.setdefault(self.shard_of(peer), peer)
        self.assertEqual(set(range(SHARDS)), set(found))
        return [found[index] for index in range(SHARDS)]

    def test_each_key_has_one_count_whichever_thread_is_asked(self):
        peers = self.connections_of_all_shards()
        for key in range(2 * SHARDS):
            for count, peer in enumerate(peers, start=1):
                peer.sendall(f"hit {key}\n".encode())
                self.assertEqual(f"{key} {count}", self.read_line(peer))

    def test_no_hit_is_lost_or_counted_twice_when_all_ask_at_once(self):
        clients, hits, keys = 12, 300, 4
        seen = [[] for _ in range(keys)]
        failures = []

        def ask(peer):
            try:
                answers = peer.makefile("rb")
                # All questions at once: some of them wait for others' threads.
                peer.sendall("".join(f"hit {n % keys}\n" for n in range(hits)).encode())
                for number in range(hits):
                    key, count = map(int, answers.readline().split())
                    self.assertEqual(number % keys, key, "answers in the order of the questions")
                    seen[key].append(count)
            except BaseException as failure:  # pylint: disable=broad-except
                failures.append(failure)

        threads = [threading.Thread(target=ask, args=(self.connect(),)) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        self.assertEqual([], failures)
        for counts in seen:
            self.assertEqual(list(range(1, clients * hits // keys + 1)), sorted(counts))

    def test_who_has_said_all_gets_all_answers_and_then_the_end(self):
        for number in range(100):
            peer = self.connect()
            # At least one of two keys is another thread's.
            peer.sendall(f"hit {number}\nnonsense\nhit {number + 1}\n".encode())
            peer.shutdown(socket.SHUT_WR)
            answers = peer.makefile("rb").read().decode().splitlines()
            self.assertEqual([str(number), "error:", str(number + 1)],
                             [line.split()[0] for line in answers])

    def test_an_answer_for_a_connection_that_is_gone_reaches_nobody(self):
        for _ in range(50):
            peer = self.connect()
            peer.sendall(b"hit 7\nhit 8\nhit 9\n")
            peer.close()
        for peer in self.connections_of_all_shards():
            peer.sendall(b"hit 1000\nquit\n")
            self.assertEqual("1000", peer.makefile("rb").read().decode().split()[0])

    def test_one_signal_ends_all_threads_in_order(self):
        peers = self.connections_of_all_shards()
        self.server.send_signal(signal.SIGTERM)
        for peer in peers:
            self.assertEqual(b"", peer.recv(1))
            peer.close()
        out, err = self.server.communicate(timeout=WAIT_S)
        self.assertEqual((0, b""), (self.server.returncode, err))
        self.assertRegex(out.decode(), r"^\d+ ended in order, 0 cut\n$")

    def test_an_address_that_is_taken_is_told(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = subprocess.run([self.command[0], f"127.0.0.1:{port}", "2"],
                                  capture_output=True, text=True, timeout=WAIT_S, check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn(str(port), done.stderr)


class ShardedServerOnEpoll(ShardedServer):
    environment = {"IORING_BACKEND": "epoll"}


if __name__ == "__main__":
    ShardedServer.command = [sys.argv.pop(1), "127.0.0.1:0", str(SHARDS)]
    unittest.main(verbosity=2)
