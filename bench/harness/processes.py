# SPDX-License-Identifier: MIT
# processes.py - the server under measurement and the client that loads it.
import contextlib
import ctypes
import dataclasses
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import time

from harness.machine import CpuTime, ProcessTime, disturbance

START_SECONDS = 10
STOP_SECONDS = 10


class MeasurementError(Exception):
    """A server or a client did not do its work; the text says which and how."""


class NothingMeasured(MeasurementError):
    """All went well, but no message that was started in the measured time came back in it."""


ATTEMPTS_MAX = 3
PR_SET_PDEATHSIG = 1


def _pinned(cpu):
    """What a child does before it becomes its program: it stays on `cpu`, and ends with us however
    we end."""
    library = ctypes.CDLL(None)

    def prepare():
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.sched_setaffinity(0, {cpu})

    return prepare


class Server:
    """A started echo server. Use as a context; `closing` is its closing JSON line afterwards."""

    def __init__(self, command, cpu, environment=None):
        self.command = command
        self.closing = {}
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_pinned(cpu),
        )
        try:
            self.port = self._read_port()
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise

    @property
    def pid(self):
        return self._process.pid

    def _read_port(self):
        line = b""
        deadline = time.monotonic() + START_SECONDS
        while not line.endswith(b"\n"):
            ready = _is_readable(self._process.stdout.fileno(), deadline - time.monotonic())
            piece = os.read(self._process.stdout.fileno(), 1) if ready else b""
            if not piece:
                self._process.kill()
                complaint = self._process.communicate()[1].decode(errors="replace").strip()
                raise MeasurementError(f"{self.command[0]} did not start: {complaint or line}")
            line += piece
        found = re.match(rb"listening on \S+:(\d+) \(", line)
        if not found:
            raise MeasurementError(f"{self.command[0]} printed {line!r} as its first line")
        return int(found.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            out, _ = self._process.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise MeasurementError(f"{self.command[0]} did not stop on SIGTERM") from None
        self.closing = last_json_object(out.decode(errors="replace"))


def last_json_object(text):
    """The last JSON object in `text`, on one line or over several; {} when there is none."""
    for start in reversed([found.start() for found in re.finditer(r"^\{", text, re.MULTILINE)]):
        try:
            return json.JSONDecoder().raw_decode(text[start:])[0]
        except json.JSONDecodeError:
            continue
    return {}


class Client:
    """A started load generator, which marks where its measuring begins and where it ends."""

    def __init__(self, command, cpu):
        self.command = command
        self._printed = b""
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=_pinned(cpu),
        )

    @property
    def pid(self):
        return self._process.pid

    def wait_for(self, mark, seconds_max):
        """Returns when the client has printed the line `mark`."""
        deadline = time.monotonic() + seconds_max
        while mark.encode() not in self._printed.split(b"\n")[:-1]:
            if not _is_readable(self._process.stdout.fileno(), deadline - time.monotonic()):
                self.kill()
                raise MeasurementError(f"{self.command[0]} did not say `{mark}` in time")
            piece = os.read(self._process.stdout.fileno(), 65536)
            if not piece:
                self.result(seconds_max)  # Raises: this is its early end.
                raise MeasurementError(f"{self.command[0]} did not say `{mark}`")
            self._printed += piece

    def result(self, seconds_max):
        """Waits for its end. Returns its JSON object."""
        try:
            out, complaint = self._process.communicate(timeout=seconds_max)
        except subprocess.TimeoutExpired:
            self.kill()
            raise MeasurementError(f"{self.command[0]} did not end in time") from None
        result = last_json_object((self._printed + out).decode(errors="replace"))
        status = self._process.returncode
        bad = status != 0 or result.get("errors", 1) or result.get("mismatches", 1)
        if bad or not result.get("messages"):
            told = complaint.decode(errors="replace").strip()
            kind = MeasurementError if bad else NothingMeasured
            raise kind(f"{' '.join(self.command)}: status {status} {result} {told}")
        return result

    def kill(self):
        self._process.kill()
        self._process.communicate()


def _is_readable(descriptor, seconds_max):
    """Not by select(), which takes no descriptor over 1023, and the idle connections are ours."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(max(0, seconds_max) * 1000))


@contextlib.contextmanager
def idle(port, count):
    """Holds `count` connections, which it gives, and sends nothing on them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if count + 100 > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    connections = []
    try:
        for _ in range(count):
            connections.append(socket.create_connection(("127.0.0.1", port), START_SECONDS))
        yield connections
    except OSError as error:
        raise MeasurementError(f"idle connection {len(connections)}: {error}") from None
    finally:
        for each in connections:
            each.close()


@dataclasses.dataclass
class Moment:
    """What server, client, CPUs and those who take part beside them had used at one time."""

    server: ProcessTime
    client: ProcessTime
    cpus: CpuTime
    beside_seconds: float

    @staticmethod
    def now(server, client, cpus, beside):
        return Moment(ProcessTime(server.pid), ProcessTime(client.pid), CpuTime(cpus),
                      sum(ProcessTime(each.pid).cpu_seconds for each in beside))


def measure(server_command, client_command, seconds, warmup_seconds, cpus, idle_connections=0,
            beside=()):
    """One sample: starts the server, warms it up, loads it, stops it. Beside the load there may be
    connections that say nothing, and other servers that take part. Neither the connecting nor the
    closing counts."""
    for attempt in range(ATTEMPTS_MAX):
        try:
            with Server(server_command, cpus[0]) as server, idle(server.port, idle_connections):
                sample = _measured(server, client_command, seconds * (attempt + 1),
                                   warmup_seconds, cpus, beside)
            return add_enters(sample, server.closing)
        except NothingMeasured:
            if attempt + 1 == ATTEMPTS_MAX:
                raise
    return None


def completed_in(result):
    """How many messages came back while the client measured, and a second. In a closed loop those
    that were in flight when it began, which it does not count because they were started before,
    have cost the server as much as the others; at its end it waits for all."""
    if result.get("mode") != "closed":
        return result["messages"], result["messages_per_second"]
    completed = result["messages"] + result["connections"] * result["depth"]
    return completed, completed / result["seconds"]


def _measured(server, client_command, seconds, warmup_seconds, cpus, beside):
    command = [*client_command, "--port", str(server.port), "--duration", str(seconds),
               "--warmup", str(warmup_seconds)]
    client = Client(command, cpus[1])
    try:
        client.wait_for("measuring", START_SECONDS + warmup_seconds + 30)
        before = Moment.now(server, client, cpus, beside)
        client.wait_for("measured", seconds + 30)
        after = Moment.now(server, client, cpus, beside)
        result = client.result(60)
    except BaseException:
        client.kill()
        raise
    server_seconds = after.server.cpu_seconds - before.server.cpu_seconds
    client_seconds = after.client.cpu_seconds - before.client.cpu_seconds
    waiting = (after.server.waiting_seconds - before.server.waiting_seconds
               + after.client.waiting_seconds - before.client.waiting_seconds)
    if server_seconds <= 0:
        raise MeasurementError(f"{server.command[0]} used no CPU time")
    messages, rate = completed_in(result)
    return {
        "messages": messages,
        "size": result.get("size"),
        "cpu_us_per_message": server_seconds * 1e6 / messages,
        "client_cpu_us_per_message": client_seconds * 1e6 / messages,
        "messages_per_second": rate,
        "latency_us": result["latency_us"],
        "unsent": result.get("unsent", 0),
        "disturbance": disturbance(
            before.cpus, after.cpus,
            server_seconds + client_seconds + after.beside_seconds - before.beside_seconds,
            waiting, len(set(cpus))),
    }


def add_enters(sample, closing):
    """Puts what a server counted itself into `sample`: over its whole life, connecting and
    closing too."""
    size = sample.pop("size") or 0
    served = closing.get("bytes_received", closing.get("bytes", 0))
    messages = served / size if size else 0
    enters, turns = closing.get("enters"), closing.get("turns")
    sample["enters_per_message"] = enters / messages if enters is not None and messages else None
    sample["enters_per_turn"] = enters / turns if enters is not None and turns else None
    return sample
