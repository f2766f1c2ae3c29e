# SPDX-License-Identifier: MIT
# echo_clients_test.py - the server serves programs that are not ours, over every kind of address.
import os
import random
import shutil
import socket
import subprocess
import tempfile
import unittest

import echo_support as support


class EchoClients(unittest.TestCase):
    def pipe_through(self, command, data):
        """What `command` prints when `data` is its input: nc or socat with the server between."""
        self.assertIsNotNone(shutil.which(command[0]), f"{command[0]} is not installed")
        done = subprocess.run(command, input=data, capture_output=True, timeout=support.WAIT_S,
                              check=False)
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        return done.stdout

    def exchange(self, family, address, data=b"over there and back"):
        with socket.socket(family, socket.SOCK_STREAM) as peer:
            peer.settimeout(support.WAIT_S)
            peer.connect(address)
            peer.sendall(data)
            self.assertEqual(data, support.read_exactly(peer, len(data)))

    def listens(self, path):
        with socket.socket(socket.AF_UNIX) as peer:
            return peer.connect_ex(path) == 0

    def test_socat_gets_back_what_it_sends(self):
        server = support.Server(self)
        data = random.Random(1).randbytes(700_000)
        # -t: how long it waits for the other direction once its own input has ended.
        got = self.pipe_through(["socat", "-t", str(support.WAIT_S), "-",
                                 f"TCP:127.0.0.1:{server.port}"], data)
        support.assert_same(data, got, "socat")
        server.stop()

    def test_nc_gets_back_what_it_sends(self):
        server = support.Server(self)
        data = random.Random(2).randbytes(700_000)
        # -N: shuts its sending side down at the end of its input.
        got = self.pipe_through(["nc", "-N", "127.0.0.1", str(server.port)], data)
        support.assert_same(data, got, "nc")
        server.stop()

    def test_socat_over_a_local_socket(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "echo.sock")
            server = support.Server(self, unix=path)
            self.assertEqual(f"listening on unix:{path} ", server.first_line.split("(")[0])
            data = random.Random(3).randbytes(700_000)
            got = self.pipe_through(["socat", "-t", str(support.WAIT_S), "-",
                                     f"UNIX-CONNECT:{path}"], data)
            support.assert_same(data, got, "socat over a local socket")
            server.stop()
            self.assertFalse(os.path.exists(path), "the socket's file is left behind")

    def test_a_local_socket_of_a_dead_server_is_taken_over(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "echo.sock")
            dead = support.Server(self, unix=path)
            dead.process.kill()
            dead.process.wait(support.WAIT_S)
            self.assertTrue(os.path.exists(path))
            # The system ends a killed program's ring, and the accept in it, some time later.
            support.until(lambda: not self.listens(path), what="the dead server still listens")
            server = support.Server(self, unix=path)
            self.exchange(socket.AF_UNIX, path)
            server.stop()

    def test_an_abstract_local_socket(self):
        name = f"@ioring-echo-test-{os.getpid()}"
        server = support.Server(self, unix=name)
        self.exchange(socket.AF_UNIX, "\0" + name[1:])
        server.stop()

    def test_ipv6(self):
        server = support.Server(self, host="::1")
        self.assertRegex(server.first_line, r"^listening on \[::1\]:\d+ \(backend ")
        self.exchange(socket.AF_INET6, ("::1", server.port))
        server.stop()

    def test_ipv6_alone_refuses_ipv4_and_dual_stack_serves_both(self):
        alone = support.Server(self, host="::")
        self.exchange(socket.AF_INET6, ("::1", alone.port))
        with self.assertRaises(ConnectionRefusedError):
            self.exchange(socket.AF_INET, ("127.0.0.1", alone.port))
        alone.stop()

        both = support.Server(self, "--dual-stack", host="::")
        self.exchange(socket.AF_INET6, ("::1", both.port))
        self.exchange(socket.AF_INET, ("127.0.0.1", both.port))
        both.stop()

    def test_a_name_takes_the_first_address_that_can_be_bound(self):
        server = support.Server(self, host="localhost")
        self.exchange(server.family, server.address)
        server.stop()

    def test_the_first_line_names_address_backend_and_reason(self):
        server = support.Server(self, "--backend", "uring")
        self.assertRegex(server.first_line,
                         r"^listening on 127\.0\.0\.1:[1-9]\d* \(backend uring: .+\)\n$")
        server.stop()

    def test_spinning_and_a_cpu_of_its_own_serve_as_well(self):
        cpu = min(os.sched_getaffinity(0))
        server = support.Server(self, "--spin", "50", "--cpu", str(cpu))
        self.assertEqual({cpu}, os.sched_getaffinity(server.process.pid))
        for _ in range(100):
            self.exchange(socket.AF_INET, server.address)
        # Whoever spins may look several times.
        self.assertEqual(100, server.stop(spins=True)["connections_accepted"])


if __name__ == "__main__":
    support.main()
