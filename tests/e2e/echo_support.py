# SPDX-License-Identifier: MIT
# echo_support.py - starts the real ioring-echo for a test, and talks to it with plain sockets.
#
# The scripts that use it run once for each strategy, which ctest gives as their argument, and some
# once more on another backend than the one chosen automatically, the second argument. Every wait is
# bounded; whatever a test does, no server outlives it.
import json
import os
import random
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

WAIT_S = 30  # For anything that must happen; a machine under sanitizers and other tests is slow.
STRATEGIES = {
    "own-ring": ["--strategy", "own-ring"],
    "own-ring-overlap": ["--strategy", "own-ring", "--overlap"],
    "own-ring-multishot": ["--strategy", "own-ring-multishot"],
    "shared-pool": ["--strategy", "shared-pool"],
    "managed": ["--mode", "managed"],
    "managed-copying": ["--mode", "managed", "--copy"],
}
BACKENDS = ("automatic", "uring", "epoll", "poll", "iocp", "rio_double")
HERE = os.path.dirname(os.path.abspath(__file__))
BIN_DIR = os.environ.get("IORING_BIN_DIR", os.path.join(HERE, "../../build/release/bin"))
# What runs another system's programs, and how these end: wine.sh and .exe.
EMULATOR = os.environ.get("IORING_EMULATOR", "").split()
SUFFIX = ".exe" if EMULATOR else ""
ECHO = os.path.join(BIN_DIR, "ioring-echo" + SUFFIX)
# Windows has no SIGTERM. Wine makes a Ctrl+C of this one.
STOP = signal.SIGINT if EMULATOR else signal.SIGTERM
SANITIZED = bool(os.environ.get("IORING_SANITIZE"))

_strategy = "own-ring"
_backend = "automatic"


def main():
    """Runs the calling script's tests for the strategy and backend that are its arguments."""
    global _strategy, _backend
    arguments = sys.argv[1:]
    if arguments and arguments[0] in STRATEGIES:
        _strategy = arguments.pop(0)
    if arguments and arguments[0] in BACKENDS:
        _backend = arguments.pop(0)
    raise_descriptor_limit()
    unittest.main(argv=[sys.argv[0]] + arguments, verbosity=2)


def strategy():
    return _strategy


def is_managed():
    return _strategy.startswith("managed")


def backend():
    return _backend


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read_line(stream, seconds=WAIT_S):
    """One line of an unbuffered binary stream, or what there was of it in the time."""
    line = b""
    until = time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([stream], [], [], max(0, until - time.monotonic()))[0]:
            raise AssertionError(f"no line within {seconds} s, only {line!r}")
        byte = os.read(stream.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode()


class Server:
    """A running ioring-echo. `address` is what a client connects to."""

    def __init__(self, test, *options, host="127.0.0.1", unix=None, command=(), json_report=True,
                 program=ECHO, **popen):
        where = ["--unix", unix] if unix else ["--host", host, "--port", "0"]
        if "--backend" not in options:
            options += ("--backend", _backend)
        self.process = subprocess.Popen(
            [*command, *EMULATOR, program, *where, *STRATEGIES[_strategy],
             *(["--json"] if json_report else []), *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0, **popen)
        test.addCleanup(self._end)
        self.test = test
        self.first_line = read_line(self.process.stdout)
        if not self.first_line.startswith("listening on "):
            raise AssertionError(f"{self.first_line!r} {self.process.stderr.read()!r}")
        where = self.first_line[len("listening on "):].split(" (backend ")[0]
        if unix:
            self.family, self.address = socket.AF_UNIX, unix
        else:
            host, port = where.rsplit(":", 1)
            self.family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
            self.address = (host.strip("[]"), int(port))
            self.port = int(port)

    def connect(self, receive_buffer=0, send_buffer=0):
        peer = socket.socket(self.family, socket.SOCK_STREAM)
        self.test.addCleanup(peer.close)
        if receive_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        if send_buffer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        peer.settimeout(WAIT_S)
        if self.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.connect(self.address)
        return peer

    def stop(self, how=STOP, spins=False):
        """Ends the server, which must go in order; returns its report."""
        self.process.send_signal(how)
        return self.wait(spins)

    def wait(self, spins=False):
        out, err = self.process.communicate(timeout=WAIT_S)
        self.test.assertEqual("", err.decode(), "the server complained")
        self.test.assertEqual(0, self.process.returncode)
        report = json.loads(out.decode().splitlines()[-1])
        self.test.assertEqual(0, report["stale_completions"])
        self.test.assertEqual(0, report["connections_unfinished"])
        if not spins:
            # A wait that a wake has ended may look at what else is there.
            self.test.assertLessEqual(report["enters"], report["turns"] + report["wakes"])
        return report

    def cpu_s(self):
        """CPU time of the server so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self):
        """Resident memory of the server."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def _end(self):
        if self.process.poll() is None and EMULATOR:
            # It passes the signal on; killed, it would leave the server behind.
            self.process.terminate()
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                pass
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(WAIT_S)
        self.process.stdout.close()
        self.process.stderr.close()


def until(condition, seconds=WAIT_S, what="it did not happen"):
    """Waits until condition() is true, looking often; for what no event tells of."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} within {seconds} s")
        time.sleep(0.005)


def read_exactly(peer, count):
    got = bytearray()
    while len(got) < count:
        part = peer.recv(min(65536, count - len(got)))
        if not part:
            raise AssertionError(f"end of stream after {len(got)} of {count} bytes")
        got += part
    return bytes(got)


def read_to_end(peer):
    got = bytearray()
    while part := peer.recv(65536):
        got += part
    return bytes(got)


def assert_same(sent, got, name):
    """As assertEqual, but for megabytes."""
    if sent == got:
        return
    where = next((i for i, (a, b) in enumerate(zip(sent, got)) if a != b), min(len(sent), len(got)))
    raise AssertionError(
        f"{name}: sent {len(sent)} bytes, got {len(got)}, first difference at {where}: "
        f"{sent[where:where + 16].hex()} came back as {got[where:where + 16].hex()}")


def run_together(jobs):
    """Runs the callables in threads; raises the first of their exceptions."""
    failures = []

    def run(job):
        try:
            job()
        except BaseException as failure:  # pylint: disable=broad-except
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * WAIT_S)
    if any(thread.is_alive() for thread in threads):
        raise AssertionError("a client hangs")
    if failures:
        raise failures[0]


def echo_stream(server, data, chunk_sizes, generator):
    """Sends `data` in chunks, ends its side, and wants exactly it back, then the end."""
    peer = server.connect()

    def send():
        at = 0
        while at < len(data):
            size = generator.choice(chunk_sizes)
            peer.sendall(data[at:at + size])
            at += size
        peer.shutdown(socket.SHUT_WR)

    got = []
    run_together([send, lambda: got.append(read_to_end(peer))])
    assert_same(data, got[0], f"{len(data)} bytes")
    peer.close()


def new_seed():
    """The seed of a random test; the environment may give it back."""
    seed = int(os.environ.get("IORING_TEST_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"IORING_TEST_SEED={seed}", flush=True)
    return seed
