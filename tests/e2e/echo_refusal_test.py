# SPDX-License-Identifier: MIT
# echo_refusal_test.py - what the server cannot do it says in one sentence, and ends.
#
# Status 2: it was asked wrongly. Status 1: the system refuses. Never status 0, never a hang.
import errno
import json
import os
import random
import resource
import socket
import subprocess
import tempfile
import unittest

import echo_support as support
from seccomp_filter import refuse_io_uring

EXIT_SYSTEM = 1
EXIT_USAGE = 2

LOAD = os.path.join(support.BIN_DIR, "ioring-load")
NOBODY = 65533


def set_limit(which, soft, hard=None):
    return lambda: resource.setrlimit(which, (soft, soft if hard is None else hard))


class EchoRefusal(unittest.TestCase):
    def run_echo(self, *options, **popen):
        strategy = [] if "--strategy" in options else support.STRATEGIES[support.strategy()]
        done = subprocess.run(
            [support.ECHO, *strategy, *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=support.WAIT_S, check=False,
            **popen)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def assert_refused(self, status, words, *options, **popen):
        """It ends with `status` and one sentence on stderr that has all of `words`."""
        code, out, err = self.run_echo(*options, **popen)
        with self.subTest(options=options):
            self.assertEqual("", out)
            self.assertRegex(err, r"^ioring-echo: .+\n$")
            self.assertEqual(1, err.count("\n"), err)
            for word in words:
                self.assertIn(word, err)
            self.assertEqual(status, code, err)

    def test_bad_options(self):
        for options, words in (
                (["--port", "65536"], ["--port", "65536", "65535"]),
                (["--port", "-1"], ["port"]),
                (["--port", "http"], ["--port", "http"]),
                (["--port", ""], ["--port"]),
                (["--connections", "0"], ["--connections", "1"]),
                (["--connections", "many"], ["--connections", "many"]),
                (["--connections", "99999999"], ["--connections", "1,000,000"]),
                (["--buffer-size", "0"], ["--buffer-size"]),
                (["--buffer-size", "12q"], ["--buffer-size", "12q"]),
                (["--buffer-size", "5g"], ["--buffer-size"]),
                (["--duration", "0"], ["--duration"]),
                (["--duration", "-3"], ["duration"]),
                (["--duration", "soon"], ["--duration", "soon"]),
                (["--cpu", "x"], ["--cpu"]),
                (["--drain", "-1"], ["drain"]),
                (["--spin", "1h"], ["--spin"]),
                (["--backend", "epol"], ["--backend", "epol", "uring"]),
                (["--backend", "null"], ["--backend", "null"]),
                (["--strategy", "own"], ["--strategy", "own", "shared-pool"]),
                (["--strategy", "own-ring", "--overlap", "--late"], ["--late"]),
                (["--strategy", "shared-pool", "--overlap"], ["--overlap", "own-ring"]),
                (["--no-such-option"], ["--no-such-option"]),
                (["surplus"], ["surplus"]),
                (["--unix", "/tmp/x", "--port", "1"], ["--unix"]),
        ):
            self.assert_refused(EXIT_USAGE, words, *options)

    def test_help_and_version_are_no_errors(self):
        code, out, err = self.run_echo("--help")
        self.assertEqual((0, ""), (code, err))
        for option in ("--host", "--port", "--unix", "--backend", "--strategy", "--overlap",
                       "--late", "--connections", "--buffer-size", "--cpu", "--duration",
                       "--quiet", "--spin", "--stats", "--json"):
            self.assertIn(option, out)
        code, out, err = self.run_echo("--version")
        self.assertEqual((0, ""), (code, err))
        self.assertRegex(out, r"^ioring-echo \d+\.\d+\.\d+\n$")

    def test_a_buffer_size_that_pages_do_not_divide_names_the_granularity(self):
        if support.strategy() == "shared-pool":
            return  # Its chunks may have any size.
        self.assert_refused(EXIT_USAGE, ["5000", "4096"], "--buffer-size", "5000", "--port", "0")

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assert_refused(EXIT_SYSTEM, [f"127.0.0.1:{port}", "in use", "another port"],
                                "--host", "127.0.0.1", "--port", str(port))

    def test_a_local_socket_in_use_is_not_taken_away(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "taken.sock")
            with socket.socket(socket.AF_UNIX) as taken:
                taken.bind(path)
                taken.listen()
                self.assert_refused(EXIT_SYSTEM, [path, "in use"], "--unix", path)
            plain = os.path.join(folder, "plain.txt")
            with open(plain, "w", encoding="ascii") as file:
                file.write("precious")
            self.assert_refused(EXIT_SYSTEM, [plain], "--unix", plain)
            with open(plain, encoding="ascii") as file:
                self.assertEqual("precious", file.read())

    def test_bad_addresses(self):
        for host in ("no-such-host.invalid", "1.2.3", "300.1.1.1", "[::1", "::1::", ""):
            self.assert_refused(EXIT_SYSTEM, [host], "--host", host, "--port", "0")
        # Not an address of this machine (TEST-NET-1).
        self.assert_refused(EXIT_SYSTEM, ["192.0.2.1"], "--host", "192.0.2.1", "--port", "0")
        self.assert_refused(EXIT_SYSTEM, ["/no/such/folder"], "--unix", "/no/such/folder/echo.sock")

    def test_a_descriptor_limit_too_low_says_the_numbers(self):
        self.assert_refused(EXIT_SYSTEM, ["5,000 connections", "descriptors", "200", "ulimit -n"],
                            "--connections", "5000", "--port", "0",
                            preexec_fn=set_limit(resource.RLIMIT_NOFILE, 200))

    def test_a_low_soft_limit_is_raised(self):
        server = support.Server(self, "--connections", "500",
                                preexec_fn=set_limit(resource.RLIMIT_NOFILE, 100, 600))
        soft = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)[0]
        self.assertGreaterEqual(soft, 500)
        server.stop()

    def test_without_a_number_it_serves_what_the_descriptor_limit_allows(self):
        server = support.Server(self, preexec_fn=set_limit(resource.RLIMIT_NOFILE, 100))
        peers = [server.connect() for _ in range(10)]
        for peer in peers:
            peer.sendall(b"!")
            self.assertEqual(b"!", support.read_exactly(peer, 1))
        server.process.terminate()
        for peer in peers:
            peer.close()
        server.wait()

    def test_no_descriptor_for_the_ring_itself(self):
        inherited = [os.open("/dev/null", os.O_RDONLY) for _ in range(40)]
        for descriptor in inherited:
            self.addCleanup(os.close, descriptor)
        # One is free: the loader needs it before.
        self.assert_refused(EXIT_SYSTEM, ["descriptor"], "--connections", "1", "--port", "0",
                            pass_fds=inherited,
                            preexec_fn=set_limit(resource.RLIMIT_NOFILE, max(inherited) + 2))

    def test_where_io_uring_is_refused_epoll_serves_and_says_why(self):
        for error in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            server = support.Server(self, preexec_fn=refuse_io_uring(error))
            self.assertRegex(server.first_line,
                             r"^listening on 127\.0\.0\.1:\d+ \(backend epoll: a ring could be set "
                             r"up and completed a nop, while uring: [^;]*\("
                             + errno.errorcode[error] + r"\)[^;]*\)\n$")
            load = subprocess.run(
                [LOAD, "--port", str(server.port), "--connections", "20", "--size", "2000",
                 "--depth", "4", "--messages", "5000", "--json"],
                capture_output=True, timeout=support.WAIT_S, check=False)
            self.assertEqual((0, b""), (load.returncode, load.stderr))
            figures = json.loads(load.stdout)
            self.assertEqual((0, 0), (figures["mismatches"], figures["errors"]))
            self.assertEqual("epoll", server.stop()["backend"])

    def test_a_refused_io_uring_that_was_demanded_is_an_error(self):
        for error in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            refused = {"preexec_fn": refuse_io_uring(error)}
            self.assert_refused(EXIT_SYSTEM, ["io_uring"], "--port", "0", "--backend", "uring",
                                **refused)
            for variable in ("uring", "forbid:epoll,poll"):
                self.assert_refused(EXIT_SYSTEM, ["io_uring"], "--port", "0",
                                    env=dict(os.environ, IORING_BACKEND=variable), **refused)

    def test_whoever_starts_it_may_choose_the_backend(self):
        def first_line(variable, *options):
            server = support.Server(self, *options, env=dict(os.environ, IORING_BACKEND=variable))
            server.stop()
            return server.first_line

        self.assertIn("(backend epoll: asked for by IORING_BACKEND)", first_line("epoll"))
        self.assertIn("(backend poll: preferred by IORING_BACKEND, and ", first_line("prefer:poll"))
        self.assertIn("(backend epoll: a ring could be set up and completed a nop, while uring is "
                      "forbidden by IORING_BACKEND)", first_line("forbid:uring"))
        self.assertIn("(backend epoll: asked for by name)",
                      first_line("no such word", "--backend", "epoll"))
        for variable, words in (("epol", ["IORING_BACKEND", "epol", "epoll"]),
                                ("null", ["null moves no bytes"])):
            self.assert_refused(EXIT_SYSTEM, words, "--port", "0",
                                env=dict(os.environ, IORING_BACKEND=variable))

    def test_a_cpu_that_is_not_there(self):
        self.assert_refused(EXIT_SYSTEM, ["60000"], "--cpu", "60000", "--port", "0")

    def test_eight_mebibytes_of_locked_memory_are_enough_for_anybody(self):
        eight = 8 << 20
        server = support.Server(self, **self.unprivileged(resource.RLIMIT_MEMLOCK, eight))
        generator = random.Random(7)
        support.echo_stream(server, generator.randbytes(300_000), [40_000], generator)
        server.stop()

    def test_too_little_locked_memory_for_the_ring_says_so(self):
        user = NOBODY - 1  # Nothing is charged to it yet: the limit is one for all of a user's.
        code, out, err = self.run_echo("--port", "0", "--duration", "100ms", "--quiet",
                                       **self.unprivileged(resource.RLIMIT_MEMLOCK, 4096, user))
        if code != 0:  # Some kernels do not charge the ring itself.
            self.assertEqual(EXIT_SYSTEM, code)
            self.assertRegex(err, r"^ioring-echo: .*(memlock|locked memory).*\n$")
        else:
            self.assertIn("(backend uring: ", out, "a limit is no reason to fall back")

    def unprivileged(self, limit, value, user=NOBODY):
        """Arguments for a child with a limit and, where we are root, who is exempt, as nobody."""
        extra = {"preexec_fn": set_limit(limit, value)}
        if os.geteuid() == 0:
            extra |= {"user": user, "group": user, "extra_groups": []}
        return extra


if __name__ == "__main__":
    support.main()
