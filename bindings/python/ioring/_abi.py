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


class PoolOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("buffer_bytes", c_uint32), ("slab_buffers", c_uint32),
                ("slabs_max", c_uint32), ("slabs_initial", c_uint32), ("huge_pages", c_uint8),
                ("no_fallback", c_uint8), ("reserved", c_uint8 * 2)]


class ManagerOptions(ctypes.Structure):
    _fields_ = [("size", c_uint32), ("sockets_max", c_uint32), ("buffer_bytes", c_uint32),
                ("buffers_max", c_uint32), ("chunks", c_uint32), ("chunk_bytes", c_uint32),
                ("send_high_bytes", c_uint32), ("send_low_bytes", c_uint32),
                ("turn_completions_max", c_uint32), ("turn_bytes_max", c_uint32),
                ("connect_timeout_ms", c_uint32), ("handshake_timeout_ms", c_uint32),
                ("idle_timeout_ms", c_uint32), ("read_timeout_ms", c_uint32),
                ("write_stall_timeout_ms", c_uint32), ("drain_timeout_ms", c_uint32),
                ("close_slow_readers", c_uint8), ("allow_half_open", c_uint8),
                ("reserved", c_uint8 * 6), ("accept_memory_max_bytes", c_uint64),
                ("accept_lag_max_ms", c_uint32)]


class Event(ctypes.Structure):
    _fields_ = [("type", c_uint8), ("reason", c_uint8), ("reserved", c_uint8 * 2),
                ("error", c_int32), ("listener", c_uint64), ("socket", c_void_p), ("done", Cqe)]


class DrainReport(ctypes.Structure):
    _fields_ = [("drained", c_uint32), ("cut", c_uint32), ("bytes_unsent", c_uint64),
                ("complete", c_int32), ("reserved", c_uint32)]


_SQE = POINTER(Sqe)
_BYTES32, _BYTES = POINTER(c_uint32), POINTER(c_size_t)

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
    "ioring_register_socket": (c_int, [c_void_p, c_int32, POINTER(c_uint64)]),
    "ioring_unregister_socket": (c_int, [c_void_p, c_uint64]),
    "ioring_register_ring_buffer": (c_int, [c_void_p, c_void_p, POINTER(c_uint32)]),
    "ioring_unregister_buffer": (c_int, [c_void_p, c_uint32]),
    "ioring_prepare_recv_buffer": (_SQE, [c_void_p, c_uint64, c_uint32, c_uint64, c_uint32,
                                          c_uint64]),
    "ioring_prepare_send_buffer": (_SQE, [c_void_p, c_uint64, c_uint32, c_uint64, c_uint32,
                                          c_uint64]),
    "ioring_buffer_granularity": (c_size_t, []),
    "ioring_buffer_create": (c_int, [c_size_t, POINTER(c_void_p)]),
    "ioring_buffer_destroy": (c_int, [c_void_p]),
    "ioring_buffer_capacity": (c_uint32, [c_void_p]),
    "ioring_buffer_readable": (c_void_p, [c_void_p, _BYTES32]),
    "ioring_buffer_writable": (c_void_p, [c_void_p, _BYTES32]),
    "ioring_buffer_commit_read": (c_int, [c_void_p, c_uint64]),
    "ioring_buffer_commit_write": (c_int, [c_void_p, c_uint64]),
    "ioring_buffer_registered_id": (c_uint32, [c_void_p]),
    "ioring_buffer_read_offset": (c_uint32, [c_void_p]),
    "ioring_buffer_write_offset": (c_uint32, [c_void_p]),
    "ioring_pool_create": (c_int, [c_void_p, POINTER(PoolOptions), POINTER(c_void_p)]),
    "ioring_pool_destroy": (None, [c_void_p]),
    "ioring_pool_acquire": (c_int, [c_void_p, POINTER(c_void_p)]),
    "ioring_pool_release": (c_int, [c_void_p, c_void_p]),
    "ioring_manager_create": (c_int, [c_void_p, POINTER(ManagerOptions), POINTER(c_void_p)]),
    "ioring_manager_destroy": (None, [c_void_p]),
    "ioring_manager_listen": (c_int, [c_void_p, c_char_p, POINTER(ListenOptions),
                                      POINTER(c_uint64)]),
    "ioring_manager_close_listener": (c_int, [c_void_p, c_uint64]),
    "ioring_manager_local_endpoint": (c_int, [c_void_p, c_uint64, POINTER(Endpoint)]),
    "ioring_manager_connect": (c_int, [c_void_p, POINTER(Endpoint), POINTER(c_void_p)]),
    "ioring_manager_poll": (c_int, [c_void_p, POINTER(Event), c_size_t, c_int64]),
    "ioring_manager_size": (c_uint32, [c_void_p]),
    "ioring_manager_find": (c_void_p, [c_void_p, c_uint64]),
    "ioring_manager_drain": (c_int, [c_void_p, c_int64, POINTER(DrainReport)]),
    "ioring_manager_start_timer": (c_uint64, [c_void_p, c_int64, c_uint64]),
    "ioring_manager_cancel_timer": (c_int, [c_void_p, c_uint64]),
    "ioring_close_reason": (c_char_p, [c_uint8]),
    "ioring_socket_get_id": (c_uint64, [c_void_p]),
    "ioring_socket_peer": (c_int, [c_void_p, POINTER(Endpoint)]),
    "ioring_socket_readable": (c_void_p, [c_void_p, _BYTES]),
    "ioring_socket_consume": (None, [c_void_p, c_size_t]),
    "ioring_socket_pause_recv": (None, [c_void_p]),
    "ioring_socket_resume_recv": (None, [c_void_p]),
    "ioring_socket_write": (c_size_t, [c_void_p, c_char_p, c_size_t]),
    "ioring_socket_forward": (c_size_t, [c_void_p, c_size_t]),
    "ioring_socket_forward_to": (c_size_t, [c_void_p, c_void_p, c_size_t]),
    "ioring_socket_peer_has_ended": (c_int, [c_void_p]),
    "ioring_socket_unsent": (c_uint32, [c_void_p]),
    "ioring_socket_notify_drained": (None, [c_void_p]),
    "ioring_socket_shutdown_write": (None, [c_void_p]),
    "ioring_socket_close": (None, [c_void_p]),
    "ioring_socket_abort": (None, [c_void_p]),
    "ioring_socket_finish_handshake": (None, [c_void_p]),
    "ioring_prep_nop": (None, [_SQE]),
    "ioring_prep_accept": (None, [_SQE, c_int32, c_void_p, c_void_p, c_uint32]),
    "ioring_prep_multishot_accept": (None, [_SQE, c_int32, c_uint32]),
    "ioring_prep_connect": (None, [_SQE, c_int32, c_void_p, c_uint32]),
    "ioring_prep_recv": (None, [_SQE, c_int32, c_void_p, c_size_t, c_uint32]),
    "ioring_prep_send": (None, [_SQE, c_int32, c_void_p, c_size_t, c_uint32]),
    "ioring_prep_timeout": (None, [_SQE, POINTER(Timespec), c_uint32, c_uint32]),
    "ioring_prep_cancel64": (None, [_SQE, c_uint64, c_uint32]),
}


def text_of(endpoint):
    """"127.0.0.1:5000"."""
    text = ctypes.create_string_buffer(256)
    library().ioring_endpoint_format(ctypes.byref(endpoint), text, len(text))
    return text.value.decode()


def check(result):
    if result < 0:
        raise OSError(-result, os.strerror(-result))
    return result


def nanoseconds(seconds):
    return -1 if seconds is None else max(0, int(seconds * 1_000_000_000))


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
