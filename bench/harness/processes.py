# SPDX-License-Identifier: MIT
# processes.py - the server under measurement and the client that loads it.
import contextlib
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


def _pinned(cpu):
    return lambda: os.sched_setaffinity(0, {cpu})


class Server:
    """A started echo server. Use as a context; `closing` is its closing JSON line afterwards."""

    def __init__(self, command, cpu):
        self.command = command
        self.closing = {}
        self._process = subprocess.Popen(
            command,
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


def run_client(command, cpu, seconds):
    """Runs the load generator. Returns its JSON object, its CPU seconds and its waiting seconds."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=_pinned(cpu),
    )
    try:
        _wait_unreaped(process.pid, seconds + 30)
        used = ProcessTime(process.pid)  # A process that was not reaped still has its times.
        out, complaint = process.communicate(timeout=5)
    except TimeoutError:
        process.kill()
        process.communicate()
        raise MeasurementError(f"{command[0]} did not end in time") from None
    except BaseException:
        process.kill()
        process.communicate()
        raise
    result = last_json_object(out.decode(errors="replace"))
    bad = process.returncode != 0 or result.get("errors", 1) or result.get("mismatches", 1)
    if bad or not result.get("messages"):
        told = complaint.decode(errors="replace").strip()
        raise MeasurementError(f"{' '.join(command)}: status {process.returncode} {result} {told}")
    return result, used


def _wait_unreaped(pid, seconds_max):
    """Waits for the end of a child that prints little, and leaves it to be reaped."""
    handle = os.pidfd_open(pid)
    try:
        if not _is_readable(handle, seconds_max):
            raise TimeoutError
    finally:
        os.close(handle)


def _is_readable(descriptor, seconds_max):
    """Not by select(), which takes no descriptor over 1023, and the idle connections are ours."""
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN)
    return bool(waiting.poll(max(0, seconds_max) * 1000))


@contextlib.contextmanager
def idle(port, count):
    """Holds `count` connections that never send anything."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if count + 100 > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 100), hard))
    connections = []
    try:
        for _ in range(count):
            connections.append(socket.create_connection(("127.0.0.1", port), START_SECONDS))
        yield
    except OSError as error:
        raise MeasurementError(f"idle connection {len(connections)}: {error}") from None
    finally:
        for each in connections:
            each.close()


def measure(server_command, client_command, seconds, warmup_seconds, cpus, idle_connections=0):
    """One sample: starts the server, warms it up, loads it, stops it. Beside the load there may be
    connections that say nothing."""
    server_cpu, client_cpu = cpus
    with Server(server_command, server_cpu) as server, idle(server.port, idle_connections):

        def load(duration):
            command = [*client_command, "--port", str(server.port), "--duration", str(duration)]
            return run_client(command, client_cpu, duration)

        warmup_messages = load(warmup_seconds)[0]["messages"] if warmup_seconds else 0
        cpus_before, server_before = CpuTime(cpus), ProcessTime(server.pid)
        result, client = load(seconds)
        server_after, cpus_after = ProcessTime(server.pid), CpuTime(cpus)

    server_seconds = server_after.cpu_seconds - server_before.cpu_seconds
    waiting = server_after.waiting_seconds - server_before.waiting_seconds + client.waiting_seconds
    shares = disturbance(
        cpus_before, cpus_after, server_seconds + client.cpu_seconds, waiting, len(set(cpus))
    )
    if server_seconds <= 0:
        raise MeasurementError(f"{server_command[0]} used no CPU time")
    messages = result["messages"]
    enters = server.closing.get("enters")
    return {
        "messages": messages,
        "cpu_us_per_message": server_seconds * 1e6 / messages,
        "client_cpu_us_per_message": client.cpu_seconds * 1e6 / messages,
        "messages_per_second": result["messages_per_second"],
        "latency_us": result["latency_us"],
        "enters_per_message": None if enters is None else enters / (messages + warmup_messages),
        "disturbance": shares,
    }
