# SPDX-License-Identifier: MIT
# idle.py - what many connections that are open and silent cost: CPU beside them, and memory.
import os
import time

from harness.cells import Cell
from harness.comparison import compare, median_of
from harness.echo import calmest
from harness.machine import is_disturbed
from harness.processes import MeasurementError, Server, idle, measure
from harness.servers import OURS, SERVERS

ACTIVE = Cell(100, 64, 1)
IDLE = 10_000
STRATEGIES = ("own-ring", "shared-pool", "epoll-own-ring")
TARGET = 1.10
ROUNDS_MAX = 5  # Each connects ten thousand.
ROUND = (("alone", 0), ("beside", IDLE), ("alone_again", 0))
MESSAGE = bytes(64)
ACCEPT_SECONDS = 20
FEW = 100


def strategies_of(plan):
    return [name for name in STRATEGIES if name in plan.servers]


def _sized(programs, name, connections):
    """The command of a server, told how many connections to be ready for where it can be."""
    told = ["--connections", str(connections)] if SERVERS[name].kind == OURS else []
    return [*programs.server(name), *told]


def run(programs, plan, journal, patience, say):
    """Measures what the journal does not have yet."""
    for number in range(min(plan.repetitions, ROUNDS_MAX)):
        for name in strategies_of(plan):
            for who, count in ROUND:
                key = {"type": "idle", "round": number, "server": name, "who": who}
                if journal.find(**key):
                    continue
                command = _sized(programs, name, IDLE + 1000)
                sample = calmest(
                    lambda command=command, count=count: measure(
                        command, programs.client(ACTIVE), plan.seconds, plan.warmup_seconds,
                        plan.cpus, count),
                    plan, patience)
                journal.append({**key, **sample})
                say(f"idle {name} {who}: {sample['cpu_us_per_message']:.3f} us/message")
    for name in plan.servers:
        key = {"type": "memory", "server": name}
        if SERVERS[name].cells or SERVERS[name].spins or journal.find(**key):
            continue
        found = _memory(programs, plan, name)
        journal.append({**key, **found})
        say(f"memory {name}: {found['silent_bytes']:,.0f} bytes a silent connection, "
            f"{found['used_bytes']:,.0f} after a message")


def _resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as text:
        return int(text.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _wait_until_accepted(pid, descriptors):
    deadline = time.monotonic() + ACCEPT_SECONDS
    while len(os.listdir(f"/proc/{pid}/fd")) < descriptors:
        if time.monotonic() > deadline:
            raise MeasurementError("the server did not accept the idle connections in time")
        time.sleep(0.05)


def _memory(programs, plan, name):
    """Resident bytes for each of IDLE connections: what is kept ready for it at the start, what it
    adds by being there, and what it adds once it has echoed a message and is silent again."""
    with Server(_sized(programs, name, FEW), plan.cpus[0]) as small:
        small_bytes = _resident_bytes(small.pid)
    with Server(_sized(programs, name, IDLE + FEW), plan.cpus[0]) as server:
        start_bytes = _resident_bytes(server.pid)
        descriptors = len(os.listdir(f"/proc/{server.pid}/fd"))
        with idle(server.port, IDLE) as connections:
            _wait_until_accepted(server.pid, descriptors + IDLE)
            silent_bytes = _resident_bytes(server.pid)
            for each in connections:
                each.sendall(MESSAGE)
                got = b""
                while len(got) < len(MESSAGE):
                    piece = each.recv(len(MESSAGE))
                    if not piece:
                        raise MeasurementError(f"{name} closed an idle connection")
                    got += piece
                if got != MESSAGE:
                    raise MeasurementError(f"{name} did not echo what an idle connection sent")
            used_bytes = _resident_bytes(server.pid)
    ready = max(0, start_bytes - small_bytes) / IDLE if SERVERS[name].kind == OURS else 0
    return {"connections": IDLE, "ready_bytes": ready,
            "silent_bytes": ready + (silent_bytes - start_bytes) / IDLE,
            "used_bytes": ready + (used_bytes - start_bytes) / IDLE}


def summarize(plan, journal):
    """One row per strategy: beside idle connections against alone, which ran twice."""
    rows = []
    for name in strategies_of(plan):
        first, beside, again = (
            {s["round"]: s for s in journal.find(type="idle", server=name, who=who)}
            for who, _ in ROUND)
        whole = [[first[r], beside[r], again[r]] for r in sorted(beside)
                 if r in first and r in again]
        cpu = compare([[s["cpu_us_per_message"] for s in each] for each in whole])
        if cpu is None:
            continue
        samples = [s for each in whole for s in each]
        disturbed = sum(is_disturbed(s["disturbance"]) for s in samples)
        rows.append({
            "server": name,
            "idle": IDLE,
            "rounds": cpu.rounds,
            "alone_us": cpu.peer,
            "beside_us": cpu.ours,
            "ratio": cpu.ratio,
            "spread": cpu.spread,
            "met": cpu.is_met(TARGET),
            "sure": cpu.is_fine() and 2 * disturbed <= len(samples),
            "disturbed": disturbed,
            "samples": len(samples),
        })
    return rows


def summarize_memory(plan, journal):
    """One row per server whose memory was measured."""
    rows = []
    for name in plan.servers:
        found = journal.find(type="memory", server=name)
        if found:
            rows.append({"server": name, **{
                figure: median_of(record[figure] for record in found)
                for figure in ("connections", "ready_bytes", "silent_bytes", "used_bytes")}})
    return rows
