# SPDX-License-Identifier: MIT
# load_support.py - an echo server that can be made to misbehave, and how ioring-load is run.
import json
import os
import resource
import selectors
import socket
import struct
import subprocess
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
LOAD = os.path.join(os.environ.get("IORING_BIN_DIR", os.path.join(HERE, "../../build/release/bin")),
                    "ioring-load")
WAIT_S = 60  # For anything; sanitizers and busy machines are slow.


class Run:
    """What a finished ioring-load said."""

    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.out, self.err = arguments, status, out, err

    @property
    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"ioring-load {' '.join(self.arguments)}: {self.status}\n{self.out}{self.err}"


def limit_descriptors(soft, hard):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def start(*arguments, **options):
    arguments = [str(argument) for argument in arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([LOAD, *arguments], text=True, **{**pipes, **options})


def read_line(process):
    """Of its output, and no byte more: what a buffer took, finish() would not see."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(process.stdout.fileno(), 1)):
        line += byte
    return line.decode()


def finish(process, text=None):
    try:
        out, err = process.communicate(input=text, timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"ioring-load hangs: {process.args}\n{out}{err}") from None
    return Run(process.args[1:], process.returncode, out, err)


def run(*arguments, text=None, **options):
    if text is not None:
        options["stdin"] = subprocess.PIPE
    return finish(start(*arguments, **options), text)


class Peer:
    """One connection of the server, which a behaviour may send on, hold back and close."""

    def __init__(self, server, sock, number):
        self.server, self.sock, self.number = server, sock, number
        self.received = 0  # Bytes, including those that the behaviour sees now.
        self.out = bytearray()
        self.events = 0  # That the server waits for.
        self.ended = False  # The client's side.
        self.closing = False  # When `out` is sent.
        self.closed = False
        self.state = {}  # The behaviour's own.

    def send(self, data):
        self.out += data
        self.server.flush(self)

    def close(self):
        self.closing = True
        self.server.flush(self)

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.drop(self)


class Behaviour:
    """An honest echo server. Others change what they need to."""

    def connected(self, peer):
        pass

    def received(self, peer, data):
        peer.send(data)

    def ended(self, peer):
        peer.close()

    def tick(self, server, now):
        """Every few milliseconds."""


class Server:
    """Runs a behaviour on a thread of its own: `with Server(Behaviour()) as server`."""

    def __init__(self, behaviour, family=socket.AF_INET, address=("127.0.0.1", 0), backlog=1024,
                 reads=True):
        self.behaviour, self.reads = behaviour, reads
        self.listener = socket.socket(family, socket.SOCK_STREAM)
        if family != socket.AF_UNIX:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(address)
        self.listener.listen(backlog)
        self.listener.setblocking(False)
        self.address = self.listener.getsockname()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, None)
        self.peers = []
        self.bytes_received = 0
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self):
        return self.address[1]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join(WAIT_S)
        for peer in self.peers:
            peer.sock.close()
        self.listener.close()
        self.selector.close()
        if self.failure:
            raise self.failure

    def wait_until(self, condition):
        """Waits until `condition()` holds, which looks at the server."""
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, "waited too long"
            assert self.thread.is_alive(), "the server's thread has died"
            self.stopping.wait(0.005)

    def _serve(self):
        try:
            while not self.stopping.is_set():
                for key, events in self.selector.select(0.005):
                    self._handle(key.data, events)
                self.behaviour.tick(self, time.monotonic())
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def _handle(self, peer, events):
        if peer is None:
            self._accept()
        elif not peer.closed and events & selectors.EVENT_WRITE:
            self.flush(peer)
        if peer is not None and not peer.closed and events & selectors.EVENT_READ:
            self._read(peer)

    def _accept(self):
        for _ in range(64):
            try:
                sock, _ = self.listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            sock.setblocking(False)
            if sock.family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer = Peer(self, sock, len(self.peers))
            self.peers.append(peer)
            self._watch(peer)
            self.behaviour.connected(peer)

    def _read(self, peer):
        try:
            data = peer.sock.recv(1 << 16)
        except BlockingIOError:
            return
        except OSError:
            self.drop(peer)
            return
        if not data:
            peer.ended = True
            self._watch(peer)
            self.behaviour.ended(peer)
            return
        peer.received += len(data)
        self.bytes_received += len(data)
        self.behaviour.received(peer, data)

    def flush(self, peer):
        if peer.closed:
            return
        try:
            while peer.out:
                del peer.out[:peer.sock.send(peer.out[:1 << 16])]
        except BlockingIOError:
            pass
        except OSError:
            self.drop(peer)
            return
        self._watch(peer)
        if peer.closing and not peer.out:
            self.drop(peer)

    def _watch(self, peer):
        """Waits for what the connection is ready for, and for nothing else."""
        reads = self.reads and not peer.ended
        events = selectors.EVENT_READ * reads | selectors.EVENT_WRITE * bool(peer.out)
        if events == peer.events:
            return
        if not peer.events:
            self.selector.register(peer.sock, events, peer)
        elif not events:
            self.selector.unregister(peer.sock)
        else:
            self.selector.modify(peer.sock, events, peer)
        peer.events = events

    def drop(self, peer):
        if peer.closed:
            return
        peer.closed = True
        if peer.events:
            self.selector.unregister(peer.sock)
        peer.sock.close()
