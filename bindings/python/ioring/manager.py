# SPDX-License-Identifier: MIT
# manager.py - connections that always end: events to read, bytes to read and write.
"""One thread, one ring, many connections.

    with Ring() as ring, Manager(ring, sockets_max=1000, idle_timeout_ms=60_000) as manager:
        manager.listen("127.0.0.1:5000")
        while running:
            for event in manager.poll():
                if event.type == EventType.RECEIVED:
                    event.socket.write(event.socket.read())

Time-outs, limits and the order in which a connection ends are those of socket_manager.hpp. Each
connection has one Socket object from its first event to its closed event, so that a program may
keep what it likes in `socket.user`. After the end every call on it does nothing.
"""
import collections
import ctypes
import enum

from . import _abi

_BATCH = 256


class EventType(enum.IntEnum):
    ACCEPTED = 0
    CONNECTED = 1
    RECEIVED = 2
    SEND_BLOCKED = 3
    WRITABLE = 4
    DRAINED = 5
    PEER_CLOSED = 6
    CLOSED = 7
    ACCEPT_PAUSED = 8
    TIMER = 9
    COMPLETION = 10


# `reason` is a word ("idle_timeout"), `error` 0 or a negative errno, both of CLOSED; `user_data`
# and `res` are of COMPLETION, and the former of TIMER.
Event = collections.namedtuple("Event", "type socket listener reason error user_data res")
DrainReport = collections.namedtuple("DrainReport", "drained cut bytes_unsent complete")


class Socket:
    """A connection of a Manager."""

    def __init__(self, manager, number):
        self._library = _abi.library()
        self._manager = manager
        self.id = number
        self.user = None

    def pointer(self):
        """NULL once it is over: all calls below then do nothing."""
        return self._manager.find(self.id)

    @property
    def peer(self):
        """The peer's address; "unspecified" when it is not known any more."""
        where = _abi.Endpoint()
        self._library.ioring_socket_peer(self.pointer(), ctypes.byref(where))
        return _abi.text_of(where)

    def peek(self):
        """A copy of the unread bytes."""
        count = ctypes.c_size_t()
        address = self._library.ioring_socket_readable(self.pointer(), ctypes.byref(count))
        return ctypes.string_at(address, count.value) if count.value else b""

    def read(self):
        """The unread bytes, which are consumed."""
        data = self.peek()
        self.consume(len(data))
        return data

    def consume(self, count):
        self._library.ioring_socket_consume(self.pointer(), count)

    def pause_recv(self):
        self._library.ioring_socket_pause_recv(self.pointer())

    def resume_recv(self):
        self._library.ioring_socket_resume_recv(self.pointer())

    def write(self, data):
        """How many bytes were taken; a WRITABLE event tells when there is room for the rest."""
        data = bytes(data)
        return self._library.ioring_socket_write(self.pointer(), data, len(data))

    def forward(self, count):
        """Sends the first of the unread bytes from where they are; how many were taken."""
        return self._library.ioring_socket_forward(self.pointer(), count)

    def forward_to(self, other, count):
        """Likewise, to another connection of the same manager."""
        return self._library.ioring_socket_forward_to(self.pointer(), other.pointer(), count)

    @property
    def unsent(self):
        return self._library.ioring_socket_unsent(self.pointer())

    @property
    def peer_has_ended(self):
        """Nothing comes behind the bytes that are unread."""
        return bool(self._library.ioring_socket_peer_has_ended(self.pointer()))

    def notify_drained(self):
        """One DRAINED event when all was sent."""
        self._library.ioring_socket_notify_drained(self.pointer())

    def shutdown_write(self):
        """Says that nothing more will be sent, once all is; receiving goes on."""
        self._library.ioring_socket_shutdown_write(self.pointer())

    def close(self):
        """In order: what is unsent is sent, the peer is told and waited for."""
        self._library.ioring_socket_close(self.pointer())

    def abort(self):
        """At once: the peer sees a reset."""
        self._library.ioring_socket_abort(self.pointer())

    def finish_handshake(self):
        self._library.ioring_socket_finish_handshake(self.pointer())


class Manager:
    """The connections of `ring`, which must outlive it; a context manager that aborts them.

    Options are the fields of ioring_manager_options by name.
    """

    def __init__(self, ring, **options):
        self._library = _abi.library()
        self._handle = ctypes.c_void_p()
        self._sockets = {}
        self._events = (_abi.Event * _BATCH)()
        wanted = _abi.ManagerOptions(size=ctypes.sizeof(_abi.ManagerOptions))
        known = {name for name, *_ in _abi.ManagerOptions._fields_} - {"size", "reserved"}
        for name, value in options.items():
            if name not in known:
                raise TypeError(f"there is no option {name!r}")
            setattr(wanted, name, value)
        _abi.check(self._library.ioring_manager_create(ring.handle(), ctypes.byref(wanted),
                                                       ctypes.byref(self._handle)))

    def listen(self, address, backlog=0, dual_stack=False):
        """Accepts at `address` from the next poll() on; returns the listener's id."""
        made = ctypes.c_uint64()
        options = _abi.ListenOptions(size=ctypes.sizeof(_abi.ListenOptions), backlog=backlog,
                                     dual_stack=dual_stack)
        _abi.check(self._library.ioring_manager_listen(
            self._handle, address.encode(), ctypes.byref(options), ctypes.byref(made)))
        return made.value

    def close_listener(self, listener):
        _abi.check(self._library.ioring_manager_close_listener(self._handle, listener))

    def address_of(self, listener):
        """With the port that the system chose for port 0."""
        where = _abi.Endpoint()
        _abi.check(self._library.ioring_manager_local_endpoint(self._handle, listener,
                                                               ctypes.byref(where)))
        return _abi.text_of(where)

    def connect(self, address):
        """Begins a connection; its event is CONNECTED, or CLOSED with the error."""
        where = _abi.Endpoint()
        _abi.check(self._library.ioring_endpoint_parse(address.encode(), ctypes.byref(where)))
        made = ctypes.c_void_p()
        _abi.check(self._library.ioring_manager_connect(self._handle, ctypes.byref(where),
                                                        ctypes.byref(made)))
        return self._socket_at(made.value)

    def find(self, number):
        return self._library.ioring_manager_find(self._handle, number)

    def __len__(self):
        return self._library.ioring_manager_size(self._handle)

    def poll(self, seconds=None):
        """Waits until there are events, `seconds` at most; a list of them."""
        count = _abi.check(self._library.ioring_manager_poll(
            self._handle, self._events, _BATCH, _abi.nanoseconds(seconds)))
        return [self._event(self._events[index]) for index in range(count)]

    def _socket_at(self, pointer):
        number = self._library.ioring_socket_get_id(pointer)
        if number not in self._sockets:
            self._sockets[number] = Socket(self, number)
        return self._sockets[number]

    def _event(self, raw):
        kind = EventType(raw.type)
        socket = self._socket_at(raw.socket) if raw.socket else None
        if kind == EventType.CLOSED:
            self._sockets.pop(socket.id, None)
        reason = self._library.ioring_close_reason(raw.reason).decode()
        return Event(kind, socket, raw.listener, reason, raw.error, raw.done.user_data,
                     raw.done.res)

    def start_timer(self, seconds, user_data):
        """One TIMER event; returns the timer's id."""
        made = self._library.ioring_manager_start_timer(self._handle, _abi.nanoseconds(seconds),
                                                        user_data)
        if not made:
            raise MemoryError("no memory for a timer")
        return made

    def cancel_timer(self, timer):
        """False when its event was delivered, or it was cancelled before."""
        return self._library.ioring_manager_cancel_timer(self._handle, timer) == 0

    def drain(self, seconds):
        """Stops accepting, closes every connection in order, resets the rest at the end."""
        report = _abi.DrainReport()
        self._library.ioring_manager_drain(self._handle, _abi.nanoseconds(seconds),
                                           ctypes.byref(report))
        return DrainReport(report.drained, report.cut, report.bytes_unsent, bool(report.complete))

    def close(self):
        """Aborts what is open."""
        if self._handle:
            self._library.ioring_manager_destroy(self._handle)
            self._handle = ctypes.c_void_p()
            self._sockets.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
