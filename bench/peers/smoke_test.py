#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# smoke_test.py - every byte sent to a benchmark peer comes back, whatever the client does.
"""Usage: smoke_test.py PEER [PEER-OPTION...]
       smoke_test.py --through ECHO-PEER PROXY [PROXY-OPTION...]

Starts the peer on a free loopback port, talks to it as several kinds of client, ends it with
SIGTERM and checks its closing line. Exit status 77 when the peer says that this kernel cannot run
it. SEED in the environment repeats a run.
"""
import contextlib
import json
import os
import random
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

UNSUPPORTED = 77
DEADLINE_SECONDS = 20


class Peer:
    """The peer's process, its address and its closing line."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            unsupported = self.process.wait(5) == UNSUPPORTED
            sys.exit(UNSUPPORTED if unsupported else "the peer did not start")
        assert line.startswith("listening on 127.0.0.1:") and line.endswith(")\n"), line
        self.port = int(line.split(":")[1].split(" ")[0])
        self.descriptors_idle = self.descriptors()

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), DEADLINE_SECONDS)
        client.settimeout(DEADLINE_SECONDS)
        return client

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=5)
        assert self.process.returncode == 0, self.process.returncode
        return json.loads(out)


def receive_exactly(client, count):
    data = bytearray()
    while len(data) < count:
        part = client.recv(min(count - len(data), random.randint(1, 100_000)))
        assert part, f"end of stream after {len(data)} of {count} bytes"
        data += part
    return bytes(data)


def pump(pairs, finish=False, unread=None):
    """Sends each payload while reading its echo; `finish` half-closes and reads to the end.

    `unread` is what each has sent before and not yet read."""
    selector = selectors.DefaultSelector()
    states = []
    for index, (client, payload) in enumerate(pairs):
        client.setblocking(False)
        before = unread[index] if unread else b""
        states.append({"client": client, "payload": payload, "sent": 0, "got": bytearray(),
                       "expected": before + payload})
        selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE, states[-1])
    deadline = time.monotonic() + DEADLINE_SECONDS
    while selector.get_map():
        assert time.monotonic() < deadline, "the echo did not come in time"
        for key, events in selector.select(1):
            if events & selectors.EVENT_WRITE:
                pump_out(selector, key.data, finish)
            if events & selectors.EVENT_READ:
                pump_in(selector, key.data, finish)
    for state in states:
        assert state["got"] == state["expected"], "the echo differs from what was sent"
        state["client"].settimeout(DEADLINE_SECONDS)


def pump_out(selector, state, finish):
    piece = state["payload"][state["sent"] : state["sent"] + random.randint(1, 300_000)]
    state["sent"] += state["client"].send(piece)
    if state["sent"] == len(state["payload"]):
        if finish:
            state["client"].shutdown(socket.SHUT_WR)
        selector.modify(state["client"], selectors.EVENT_READ, state)


def pump_in(selector, state, finish):
    part = state["client"].recv(random.randint(1, 300_000))
    state["got"] += part
    assert part or (finish and len(state["got"]) == len(state["expected"])), "early end of stream"
    if not part or (not finish and len(state["got"]) == len(state["expected"])):
        selector.unregister(state["client"])


def echoes_odd_sizes(peer):
    with peer.connect() as client:
        for size in (1, 2, 63, 64, 65, 1000, 4095, 16384, 16385, 65535, 65536, 65537, 1_000_003):
            pump([(client, random.randbytes(size))])


def echoes_byte_by_byte(peer):
    with peer.connect() as client:
        for value in random.randbytes(500):
            client.send(bytes([value]))
            assert client.recv(1) == bytes([value])


def sends_all_before_fin_back(peer):
    for size in (0, 1, 100, 65536, 3_000_001):
        with peer.connect() as client:
            if size == 0:
                client.shutdown(socket.SHUT_WR)
                assert client.recv(1) == b""
            else:
                pump([(client, random.randbytes(size))], finish=True)


def serves_many_at_once(peer):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(peer.connect()) for _ in range(300)]
        for _ in range(5):
            messages = [random.randbytes(random.randint(1, 3000)) for _ in clients]
            for client, message in zip(clients, messages):
                client.sendall(message)
            for client, message in zip(clients, messages):
                assert receive_exactly(client, len(message)) == message
        pump([(client, random.randbytes(40_000)) for client in clients])


def send_unread(client, data, tries):
    """Sends until the peer, whose echo nobody reads, takes no more; returns how much it took."""
    client.setblocking(False)
    sent = 0
    while tries > 0 and sent < len(data):
        try:
            sent += client.send(data[sent : sent + 4_000_000])
        except BlockingIOError:
            time.sleep(0.002)
            tries -= 1
    client.settimeout(DEADLINE_SECONDS)
    return sent


def survives_resets(peer):
    for size in (0, 100, 200_000, 20_000_000):
        data = random.randbytes(size)
        for _ in range(5):
            client = peer.connect()
            send_unread(client, data, tries=3)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
    echoes_odd_sizes(peer)


def does_not_mix_slots_used_again(peer):
    for _ in range(200):
        with peer.connect() as client:
            message = random.randbytes(random.randint(1, 50_000))
            pump([(client, message)], finish=random.random() < 0.5)


def waits_for_a_client_that_does_not_read(peer):
    with peer.connect() as lazy:
        payload = random.randbytes(48_000_000)
        sent = 0
        for _ in range(10):
            sent += send_unread(lazy, payload[sent:], tries=2)
            with peer.connect() as other:  # Must be served meanwhile.
                pump([(other, random.randbytes(20_000))])
        assert receive_exactly(lazy, sent) == payload[:sent]
        pump([(lazy, payload[sent:] + b"end")], finish=True)


def waits_for_many_that_do_not_read(peer):
    """Together they hold more than any pool of buffers that they might share."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(peer.connect()) for _ in range(24)]
        payload = random.randbytes(8_000_000)
        sent = [send_unread(client, payload, tries=5) for client in clients]
        rests = [(client, payload[count:] + b"end") for client, count in zip(clients, sent)]
        pump(rests, finish=True, unread=[payload[:count] for count in sent])


def keeps_no_descriptor(peer):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while peer.descriptors() != peer.descriptors_idle:
        assert time.monotonic() < deadline, "connections stay open after their end"
        with peer.connect() as client:
            pump([(client, b"x")], finish=True)


def main():
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"SEED={seed}", flush=True)
    random.seed(seed)
    command, echo = sys.argv[1:], None
    if command[0] == "--through":
        echo = Peer(command[1:2])
        command = [*command[2:], "--upstream", str(echo.port)]
    peer = Peer(command)
    try:
        for check in (
            echoes_odd_sizes,
            echoes_byte_by_byte,
            sends_all_before_fin_back,
            serves_many_at_once,
            survives_resets,
            does_not_mix_slots_used_again,
            waits_for_a_client_that_does_not_read,
            waits_for_many_that_do_not_read,
            keeps_no_descriptor,
        ):
            begun = time.monotonic()
            check(peer)
            print(f"{check.__name__}: ok, {time.monotonic() - begun:.2f} s", flush=True)
        closing = peer.end()
    finally:
        peer.process.kill()
        if echo:
            echo.process.kill()
    assert closing["messages"] > 0 and closing["enters"] != 0, closing
    assert closing["bytes"] > 30_000_000, closing
    print(json.dumps(closing))


if __name__ == "__main__":
    main()
