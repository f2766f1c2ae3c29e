# SPDX-License-Identifier: MIT
# _abi.py - the structs and functions of ioring.h as ctypes sees them.
import ctypes
import ctypes.util
import functools
import os
from ctypes import (POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint16,
                    c_uint32, c_uint64, c_void_p)


class Sqe(ctypes.Structure):
    _fields_ = [("opcode", c_uint8), ("flags", c_uint8), ("ioprio", c_uint16), ("fd", c_int32),
                ("off", c_uint64), ("addr", c_uint64), ("len", c_uint32), ("op_flags", c_uint32),
                ("user_data", c_uint64), ("buf_index", c_uint16), ("personality", c_uint16),
                ("file_index", c_int32), ("addr3", c_uint64), ("reserved", c_uint64)]


class Cqe(ctypes.Structure):
    _fields_ = [("user_data", c_uint64), ("res", c_int32), ("flags", c_uint32)]


class Timespec(ctypes.Structure):
    _fields_ = [("tv_sec", c_int64), ("tv_nsec", c_int64)]


class Options(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("sq_entries", c_uint32), ("cq_entries", c_uint32),
                ("connections_max", c_uint32), ("posts_max", c_uint32), ("reserved", c_uint32),
                ("spin_ns", c_uint64), ("drain_timeout_ns", c_uint64), ("backend", c_char_p),
                ("backend_prefer", c_char_p), ("backend_forbid", c_char_p)]


class ListenOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("backlog", c_uint32), ("dual_stack", c_uint8),
                ("reuse_port", c_uint8), ("reserved", c_uint8 * 6)]


class Endpoint(ctypes.Structure):
    _fields_ = [("bytes", c_uint32), ("reserved", c_uint32), ("storage", c_uint64 * 16)]


_SQE = POINTER(Sqe)

# name: (result, arguments)
_FUNCTIONS = {
    "ioring_create_why": (c_int, [POINTER(Options), POINTER(c_void_p), c_char_p, c_size_t]),
    "ioring_destroy": (None, [c_void_p]),
    "ioring_backend_name": (c_char_p, [c_void_p]),
    "ioring_backend_reason": (c_char_p, [c_void_p]),
    "ioring_get_sqe": (_SQE, [c_void_p]),
    "ioring_submit": (c_int, [c_void_p]),
    "ioring_submit_and_wait_timeout": (c_int, [c_void_p, c_uint32, c_int64]),
    "ioring_peek_batch_cqe": (c_size_t, [c_void_p, POINTER(Cqe), c_size_t]),
    "ioring_cq_advance": (None, [c_void_p, c_size_t]),
    "ioring_wake": (None, [c_void_p]),
    "ioring_post": (c_int, [c_void_p, c_uint64, c_int32]),
    "ioring_prepare_close": (_SQE, [c_void_p, c_int32, c_uint64]),
    "ioring_endpoint_parse": (c_int, [c_char_p, POINTER(Endpoint)]),
    "ioring_endpoint_format": (c_size_t, [POINTER(Endpoint), c_char_p, c_size_t]),
    "ioring_listen": (c_int, [c_void_p, c_char_p, POINTER(ListenOptions), POINTER(c_void_p)]),
    "ioring_listener_close": (None, [c_void_p]),
    "ioring_listener_fd": (c_int32, [c_void_p]),
    "ioring_listener_endpoint": (c_int, [c_void_p, POINTER(Endpoint)]),
    "ioring_open_socket": (c_int, [c_void_p, c_int, POINTER(c_int32)]),
    "ioring_shutdown_now": (c_int, [c_void_p, c_int32, c_int]),
    "ioring_close_now": (c_int, [c_void_p, c_int32]),
    "ioring_prep_nop": (None, [_SQE]),
    "ioring_prep_accept": (None, [_SQE, c_int32, c_void_p, c_void_p, c_uint32]),
    "ioring_prep_multishot_accept": (None, [_SQE, c_int32, c_uint32]),
    "ioring_prep_connect": (None, [_SQE, c_int32, c_void_p, c_uint32]),
    "ioring_prep_recv": (None, [_SQE, c_int32, c_void_p, c_size_t, c_uint32]),
    "ioring_prep_send": (None, [_SQE, c_int32, c_void_p, c_size_t, c_uint32]),
    "ioring_prep_timeout": (None, [_SQE, POINTER(Timespec), c_uint32, c_uint32]),
    "ioring_prep_cancel64": (None, [_SQE, c_uint64, c_uint32]),
}


@functools.lru_cache(maxsize=None)
def library():
    path = os.environ.get("IORING_LIBRARY") or ctypes.util.find_library("ioring-c")
    if path is None:
        raise OSError("libioring-c.so is not installed; IORING_LIBRARY may name its file")
    loaded = ctypes.CDLL(path)
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype = result
        function.argtypes = arguments
    return loaded
