# SPDX-License-Identifier: MIT
# counts.py - what a message makes a server do: system calls and allocations, counted, not timed.
import ctypes
import os
import platform
import struct
import tempfile

from harness.processes import Client, Server, completed_in
from harness.servers import SERVERS

SECONDS = 0.6
WARMUP_SECONDS = 0.2
START_SECONDS = 60

TRACING = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
PERF_TYPE_TRACEPOINT = 2


class SystemCalls:
    """How many system calls a process makes, counted by the kernel's tracepoint from now on. What
    it counts is None where this process may not ask: that needs an administrator mostly."""

    def __init__(self, pid):
        self._descriptor = self._open(pid)

    @staticmethod
    def _open(pid):
        number = PERF_EVENT_OPEN.get(platform.machine())
        event = next((text for text in map(SystemCalls._event_in, TRACING) if text), None)
        if number is None or event is None:
            return None
        attributes = ctypes.create_string_buffer(
            struct.pack("=IIQQQQQIIQ", PERF_TYPE_TRACEPOINT, 64, event, 0, 0, 0, 0, 0, 0, 0), 64)
        library = ctypes.CDLL(None, use_errno=True)
        opened = library.syscall(number, attributes, pid, -1, -1, ctypes.c_ulong(0))
        return opened if opened >= 0 else None

    @staticmethod
    def _event_in(folder):
        try:
            path = os.path.join(folder, "events", "raw_syscalls", "sys_enter", "id")
            with open(path, encoding="ascii") as text:
                return int(text.read())
        except (OSError, ValueError):
            return None

    def count(self):
        if self._descriptor is None:
            return None
        return struct.unpack("=Q", os.read(self._descriptor, 8))[0]

    def close(self):
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = None


class Allocations:
    """How often a program asks for memory: the library that is preloaded counts in a file. What it
    counts is None where the library was not built."""

    def __init__(self, library):
        self._library = library
        self._file = tempfile.NamedTemporaryFile(suffix=".count")
        self._file.write(bytes(8))
        self._file.flush()

    def environment(self):
        if not self._library:
            return {}
        return {"LD_PRELOAD": self._library, "IORING_MALLOC_COUNTER": self._file.name}

    def count(self):
        if not self._library:
            return None
        with open(self._file.name, "rb") as file:
            return struct.unpack("=Q", file.read(8))[0]

    def close(self):
        self._file.close()


def run(programs, plan, journal, say):
    """Counts what the journal does not have yet."""
    for cell in plan.cells:
        for name in plan.servers:
            key = {"type": "counts", "cell": str(cell), "server": name}
            if not SERVERS[name].serves(cell, 0) or journal.find(**key):
                continue
            found = _count(programs, plan, cell, name)
            journal.append({**key, **found})
            say(f"counts {cell} {name}: {_told(found['calls_per_message'])} system calls, "
                f"{_told(found['allocations_per_message'])} allocations a message")


def _told(value):
    return "unknown" if value is None else f"{value:.4f}"


def _count(programs, plan, cell, name):
    allocations = Allocations(programs.malloc_counter())
    with Server(programs.server(name), plan.cpus[0], allocations.environment()) as server:
        command = [*programs.client(cell), "--port", str(server.port),
                   "--duration", str(SECONDS), "--warmup", str(WARMUP_SECONDS)]
        calls = SystemCalls(server.pid)
        client = Client(command, plan.cpus[1])
        try:
            client.wait_for("measuring", START_SECONDS)
            before = calls.count(), allocations.count()
            client.wait_for("measured", START_SECONDS)
            after = calls.count(), allocations.count()
            messages = completed_in(client.result(START_SECONDS))[0]
        except BaseException:
            client.kill()
            raise
        finally:
            calls.close()
            allocations.close()
    made, allocated = (None if a is None else b - a for a, b in zip(before, after))
    return {
        "messages": messages,
        "calls_per_message": None if made is None else made / messages,
        "allocations": allocated,
        "allocations_per_message": None if allocated is None else allocated / messages,
    }


def summarize(plan, journal):
    """{cell: {server: {calls_per_message, allocations, allocations_per_message}}}."""
    found = {}
    for record in journal.find(type="counts"):
        if record["server"] in plan.servers:
            found.setdefault(record["cell"], {})[record["server"]] = {
                name: record[name]
                for name in ("calls_per_message", "allocations", "allocations_per_message")}
    return found
