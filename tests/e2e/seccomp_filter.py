# SPDX-License-Identifier: MIT
# seccomp_filter.py - a child to which io_uring is refused, as containers do it.
import ctypes
import struct

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_ERRNO = 0x00050000
SECCOMP_RET_ALLOW = 0x7FFF0000
BPF_LD_W_ABS = 0x20
BPF_JEQ_K = 0x15
BPF_RET_K = 0x06
SYS_IO_URING_SETUP = 425  # On every architecture.
LIBC = ctypes.CDLL(None, use_errno=True)


def seccomp_program(error):
    """A filter that lets io_uring_setup fail with `error` and everything else pass."""
    code = b"".join(struct.pack("HBBI", *step) for step in (
        (BPF_LD_W_ABS, 0, 0, 0),  # The number of the call.
        (BPF_JEQ_K, 0, 1, SYS_IO_URING_SETUP),
        (BPF_RET_K, 0, 0, SECCOMP_RET_ERRNO | error),
        (BPF_RET_K, 0, 0, SECCOMP_RET_ALLOW)))
    buffer = ctypes.create_string_buffer(code, len(code))
    return buffer, struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))


def refuse_io_uring(error):
    """Returns what a child calls before it becomes the server."""
    code, program = seccomp_program(error)

    def install(_code=code):
        if LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs")
        if LIBC.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "seccomp")

    return install
