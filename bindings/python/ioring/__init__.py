# SPDX-License-Identifier: MIT
# __init__.py - io_uring's model for Python, over libioring-c.so by ctypes.
"""Prepare, submit, read completions, advance.

    with Ring() as ring, ring.listen("127.0.0.1:5000") as listener:
        ring.accept_multishot(listener.fd, user_data=1)
        while True:
            ring.submit_and_wait()
            for done in ring.completions():
                ...

The library is found by the environment variable IORING_LIBRARY (a path), or as the system finds
`ioring-c`. Errors of calls are OSError; those of operations are `Completion.res`, a negative errno.

Memory: a buffer given to an operation is kept alive and must not be resized until its last
completion was read; the ring sees to the former. Threads: a ring belongs to the thread of its first
submit or wait; only wake() and post() may be called from others. user_data: any number from 0 to
2**64 - 2, one for each operation in flight that has a buffer.
"""
import collections
import ctypes
import ctypes.util
import errno
import os

from . import _abi
from .buffers import MirroredBuffer, Pool
from .manager import Event, EventType, Manager

__all__ = ["Ring", "Listener", "Completion", "RingFull", "CQE_MORE", "SHUTDOWN_WRITE",
           "MirroredBuffer", "Pool", "Manager", "Event", "EventType"]

CQE_MORE = 2
SHUTDOWN_READ, SHUTDOWN_WRITE, SHUTDOWN_BOTH = 0, 1, 2
_NO_SIGNAL, _WAIT_ALL = 0x4000, 0x100
_SOCKET_CLOEXEC = 0x80000
_FAMILIES = {"ipv4": 1, "ipv6": 2, "local": 3}
_BATCH = 256


class RingFull(OSError):
    """No entry is free: submit, and read completions."""

    def __init__(self):
        super().__init__(errno.EBUSY, "the submission queue is full")


class Completion(collections.namedtuple("Completion", "user_data res flags")):
    """What became of an operation."""

    __slots__ = ()

    @property
    def more(self):
        """More completions of the same operation will follow."""
        return bool(self.flags & CQE_MORE)


class Listener:
    """A listening socket; a context manager that closes it."""

    def __init__(self, library, ring, address, backlog, dual_stack):
        self._library = library
        self._handle = ctypes.c_void_p()
        options = _abi.ListenOptions(size=ctypes.sizeof(_abi.ListenOptions), backlog=backlog,
                                     dual_stack=dual_stack)
        _abi.check(library.ioring_listen(ring, address.encode(), ctypes.byref(options),
                                     ctypes.byref(self._handle)))

    @property
    def fd(self):
        return self._library.ioring_listener_fd(self._handle)

    @property
    def address(self):
        """With the port that the system chose for port 0."""
        where = _abi.Endpoint()
        _abi.check(self._library.ioring_listener_endpoint(self._handle, ctypes.byref(where)))
        return _abi.text_of(where)

    def close(self):
        if self._handle:
            self._library.ioring_listener_close(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Ring:
    """A submission and a completion queue; a context manager that ends it."""

    def __init__(self, sq_entries=0, cq_entries=0, backend=None):
        self._library = _abi.library()
        self._handle = ctypes.c_void_p()
        self._lent = {}  # By user_data: what an operation in flight points at.
        self._cqes = (_abi.Cqe * _BATCH)()
        options = _abi.Options(size=ctypes.sizeof(_abi.Options), sq_entries=sq_entries,
                               cq_entries=cq_entries,
                               backend=None if backend is None else backend.encode())
        why = ctypes.create_string_buffer(512)
        result = self._library.ioring_create_why(ctypes.byref(options), ctypes.byref(self._handle),
                                                 why, len(why))
        if result < 0:
            raise OSError(-result, why.value.decode() or os.strerror(-result))

    def close(self):
        """Cancels what is in flight and waits for its end."""
        if self._handle:
            self._library.ioring_destroy(self._handle)
            self._handle = ctypes.c_void_p()
            self._lent.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def backend(self):
        return self._library.ioring_backend_name(self._handle).decode()

    @property
    def reason(self):
        """Why that backend."""
        return self._library.ioring_backend_reason(self._handle).decode()

    # --- preparing ---

    def _entry(self, user_data, lent=None):
        entry = self._library.ioring_get_sqe(self._handle)
        if not entry:
            raise RingFull
        if lent is not None:
            if user_data in self._lent:
                # Undone: the entry goes out as a nop that nobody is told of.
                self._library.ioring_prep_nop(entry)
                entry.contents.flags = 1 << 6
                raise ValueError(f"an operation of user_data {user_data} is in flight")
            self._lent[user_data] = lent
        return entry

    def nop(self, user_data):
        entry = self._entry(user_data)
        self._library.ioring_prep_nop(entry)
        entry.contents.user_data = user_data

    def accept(self, listener, user_data):
        entry = self._entry(user_data)
        self._library.ioring_prep_accept(entry, listener, None, None, _SOCKET_CLOEXEC)
        entry.contents.user_data = user_data

    def accept_multishot(self, listener, user_data):
        entry = self._entry(user_data)
        self._library.ioring_prep_multishot_accept(entry, listener, _SOCKET_CLOEXEC)
        entry.contents.user_data = user_data

    def connect(self, fd, address, user_data):
        """`address` as "127.0.0.1:5000" or "unix:/path"."""
        where = _abi.Endpoint()
        _abi.check(self._library.ioring_endpoint_parse(address.encode(), ctypes.byref(where)))
        entry = self._entry(user_data, where)
        self._library.ioring_prep_connect(entry, fd, where.storage, where.bytes)
        entry.contents.user_data = user_data

    def recv(self, fd, buffer, user_data):
        """Into a writable buffer, such as a bytearray or a memoryview."""
        memory = (ctypes.c_char * len(buffer)).from_buffer(buffer)
        entry = self._entry(user_data, memory)
        self._library.ioring_prep_recv(entry, fd, memory, len(memory), 0)
        entry.contents.user_data = user_data

    def send(self, fd, data, user_data):
        """All of it, unless an error or a shutdown comes between. `data`: bytes, or a writable
        buffer, which is sent from where it is."""
        if isinstance(data, bytes):
            memory = ctypes.create_string_buffer(data, len(data))
        else:
            memory = (ctypes.c_char * len(data)).from_buffer(data)
        entry = self._entry(user_data, memory)
        self._library.ioring_prep_send(entry, fd, memory, len(memory), _NO_SIGNAL | _WAIT_ALL)
        entry.contents.user_data = user_data

    def timeout(self, seconds, user_data):
        time = _abi.Timespec(int(seconds), int(seconds % 1 * 1_000_000_000))
        entry = self._entry(user_data, time)
        self._library.ioring_prep_timeout(entry, ctypes.byref(time), 0, 0)
        entry.contents.user_data = user_data

    def cancel(self, target, user_data):
        entry = self._entry(user_data)
        self._library.ioring_prep_cancel64(entry, target, 0)
        entry.contents.user_data = user_data

    def close_socket(self, fd, user_data):
        """Cancels what is in flight on it, then closes it."""
        if not self._library.ioring_prepare_close(self._handle, fd, user_data):
            raise RingFull

    # --- registered sockets and buffers ---

    def register_socket(self, fd):
        """An id for the operations below, until unregister_socket()."""
        made = ctypes.c_uint64()
        _abi.check(self._library.ioring_register_socket(self._handle, fd, ctypes.byref(made)))
        return made.value

    def unregister_socket(self, connection):
        _abi.check(self._library.ioring_unregister_socket(self._handle, connection))

    def register_buffer(self, buffer):
        """A MirroredBuffer of one's own, until unregister_buffer() of what is returned."""
        made = ctypes.c_uint32()
        _abi.check(self._library.ioring_register_ring_buffer(self._handle, buffer.handle(),
                                                             ctypes.byref(made)))
        return made.value

    def unregister_buffer(self, number):
        _abi.check(self._library.ioring_unregister_buffer(self._handle, number))

    def recv_buffer(self, connection, buffer, user_data):
        """Into the free bytes of a registered buffer; then buffer.commit_write(done.res)."""
        self._buffer_operation(self._library.ioring_prepare_recv_buffer, connection, buffer,
                               True, user_data)

    def send_buffer(self, connection, buffer, user_data):
        """The unread bytes of a registered buffer; then buffer.commit_read(done.res)."""
        self._buffer_operation(self._library.ioring_prepare_send_buffer, connection, buffer,
                               False, user_data)

    def _buffer_operation(self, prepare, connection, buffer, writing, user_data):
        if user_data in self._lent:
            raise ValueError(f"an operation of user_data {user_data} is in flight")
        number, offset, count = buffer.where(writing)
        if not prepare(self._handle, connection, number, offset, count, user_data):
            raise RingFull
        self._lent[user_data] = buffer

    def handle(self):
        return self._handle

    # --- moving ---

    def submit(self):
        return _abi.check(self._library.ioring_submit(self._handle))

    def submit_and_wait(self, min_complete=1, seconds=None):
        """Returns how many entries were taken; the end of the time and a wake are no errors."""
        result = self._library.ioring_submit_and_wait_timeout(self._handle, min_complete,
                                                              _abi.nanoseconds(seconds))
        return 0 if result == -errno.EINTR else _abi.check(result)

    def completions(self):
        """What is there now; each is consumed as the next one is asked for."""
        count = self._library.ioring_peek_batch_cqe(self._handle, self._cqes, _BATCH)
        for index in range(count):
            cqe = self._cqes[index]
            done = Completion(cqe.user_data, cqe.res, cqe.flags)
            if not done.more:
                self._lent.pop(done.user_data, None)
            self._library.ioring_cq_advance(self._handle, 1)
            yield done

    def wake(self):
        """Any thread: ends the owner's wait."""
        self._library.ioring_wake(self._handle)

    def post(self, user_data, res):
        """Any thread: adds a completion."""
        _abi.check(self._library.ioring_post(self._handle, user_data, res))

    # --- sockets ---

    def listen(self, address, backlog=4096, dual_stack=False):
        return Listener(self._library, self._handle, address, backlog, dual_stack)

    def open_socket(self, family="ipv4"):
        made = ctypes.c_int32()
        _abi.check(self._library.ioring_open_socket(self._handle, _FAMILIES[family],
                                                ctypes.byref(made)))
        return made.value

    def shutdown_now(self, fd, how=SHUTDOWN_WRITE):
        _abi.check(self._library.ioring_shutdown_now(self._handle, fd, how))

    def close_now(self, fd):
        _abi.check(self._library.ioring_close_now(self._handle, fd))
