# SPDX-License-Identifier: MIT
# buffers.py - mirrored buffers, and pools of them that are registered with a ring.
"""A buffer's unread bytes are one range, and so are its free ones, however often it went round.

    with Pool(ring) as pool:
        buffer = pool.acquire()
        ring.recv_buffer(connection, buffer, user_data=7)   # Into its free bytes.
        ...
        buffer.commit_write(done.res)
        ring.send_buffer(connection, buffer, user_data=8)   # Its unread ones.
        ...
        buffer.commit_read(done.res)
        buffer.release()

`readable` and `writable` are views of the memory itself. A buffer that somebody still looks at is
neither released nor closed: that is a BufferError.
"""
import ctypes
import weakref

from . import _abi


class MirroredBuffer:
    """`capacity` bytes; a multiple of granularity()."""

    def __init__(self, capacity):
        self._library = _abi.library()
        self._views = []
        self._handle = ctypes.c_void_p()
        _abi.check(self._library.ioring_buffer_create(capacity, ctypes.byref(self._handle)))

    @staticmethod
    def granularity():
        return _abi.library().ioring_buffer_granularity()

    def _view(self, find, readonly):
        count = ctypes.c_uint32()
        address = find(self._alive(), ctypes.byref(count))
        if not count.value:
            return memoryview(b"")
        array = (ctypes.c_ubyte * count.value).from_address(address)
        self._views = [view for view in self._views if view() is not None]
        self._views.append(weakref.ref(array))
        view = memoryview(array).cast("B")
        return view.toreadonly() if readonly else view

    def _alive(self):
        if not self._handle:
            raise ValueError("the buffer is closed or released")
        return self._handle

    def _must_not_be_seen(self):
        if any(view() is not None for view in self._views):
            raise BufferError("a view of the buffer exists")

    @property
    def capacity(self):
        return self._library.ioring_buffer_capacity(self._alive())

    @property
    def readable(self):
        """The unread bytes."""
        return self._view(self._library.ioring_buffer_readable, readonly=True)

    @property
    def writable(self):
        """The free bytes."""
        return self._view(self._library.ioring_buffer_writable, readonly=False)

    def commit_read(self, count):
        """The first of the unread bytes are done with."""
        _abi.check(self._library.ioring_buffer_commit_read(self._alive(), count))

    def commit_write(self, count):
        """The first of the free bytes are filled."""
        _abi.check(self._library.ioring_buffer_commit_write(self._alive(), count))

    def where(self, writing):
        """(id, offset, bytes) of the free or of the unread bytes, for a ring's operations."""
        offset = self._library.ioring_buffer_write_offset if writing else \
            self._library.ioring_buffer_read_offset
        find = self._library.ioring_buffer_writable if writing else \
            self._library.ioring_buffer_readable
        count = ctypes.c_uint32()
        find(self._alive(), ctypes.byref(count))
        return (self._library.ioring_buffer_registered_id(self._handle), offset(self._handle),
                count.value)

    def handle(self):
        return self._alive()

    def close(self):
        """Frees the memory; nothing may be in flight on it."""
        if self._handle:
            self._must_not_be_seen()
            _abi.check(self._library.ioring_buffer_destroy(self._handle))
            self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class PooledBuffer(MirroredBuffer):
    """One of a Pool, given back by release()."""

    def __init__(self, pool, handle):  # pylint: disable=super-init-not-called
        self._library = _abi.library()
        self._views = []
        self._pool = pool
        self._handle = handle

    def release(self):
        """It will be empty; nothing may be in flight on it."""
        self._must_not_be_seen()
        self._pool.give_back(self._alive())
        self._handle = ctypes.c_void_p()

    close = release

    def forget(self):
        self._must_not_be_seen()
        self._handle = ctypes.c_void_p()


class Pool:
    """Mirrored buffers that are registered with `ring`; a context manager that ends them."""

    def __init__(self, ring, buffer_bytes=65_536, slab_buffers=16, slabs_max=64):
        self._library = _abi.library()
        self._handle = ctypes.c_void_p()
        self._out = weakref.WeakSet()
        options = _abi.PoolOptions(size=ctypes.sizeof(_abi.PoolOptions), buffer_bytes=buffer_bytes,
                                   slab_buffers=slab_buffers, slabs_max=slabs_max)
        _abi.check(self._library.ioring_pool_create(ring.handle(), ctypes.byref(options),
                                                    ctypes.byref(self._handle)))

    def acquire(self):
        """An empty buffer; OSError ENOBUFS when there are no more."""
        handle = ctypes.c_void_p()
        _abi.check(self._library.ioring_pool_acquire(self._handle, ctypes.byref(handle)))
        buffer = PooledBuffer(self, handle)
        self._out.add(buffer)
        return buffer

    def give_back(self, handle):
        _abi.check(self._library.ioring_pool_release(self._handle, handle))

    def close(self):
        """Its buffers end with it."""
        if self._handle:
            for buffer in list(self._out):
                buffer.forget()
            self._library.ioring_pool_destroy(self._handle)
            self._handle = ctypes.c_void_p()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
