// SPDX-License-Identifier: MIT
// windows_errors.cpp - the three tables.
#include "platform/windows_errors.hpp"

#include <cerrno>

// NOLINTBEGIN(bugprone-branch-clone): a line a code is the table.
namespace ioring::platform {

int errno_of_winsock(std::uint32_t code) noexcept {
    switch (code) {
        case 0: return 0;
        case 10004: return EINTR;
        case 10009: return EBADF;
        case 10013: return EACCES;
        case 10014: return EFAULT;
        case 10022: return EINVAL;
        case 10024: return EMFILE;
        case 10035: return EAGAIN;  // WSAEWOULDBLOCK
        case 10036: return EINPROGRESS;
        case 10037: return EALREADY;
        case 10038: return ENOTSOCK;
        case 10039: return EDESTADDRREQ;
        case 10040: return EMSGSIZE;
        case 10041: return EPROTOTYPE;
        case 10042: return ENOPROTOOPT;
        case 10043: return EPROTONOSUPPORT;
        case 10044: return EPROTONOSUPPORT;  // WSAESOCKTNOSUPPORT
        case 10045: return EOPNOTSUPP;
        case 10046: return EAFNOSUPPORT;  // WSAEPFNOSUPPORT
        case 10047: return EAFNOSUPPORT;
        case 10048: return EADDRINUSE;
        case 10049: return EADDRNOTAVAIL;
        case 10050: return ENETDOWN;
        case 10051: return ENETUNREACH;
        case 10052: return ENETRESET;
        case 10053: return ECONNABORTED;
        case 10054: return ECONNRESET;
        case 10055: return ENOBUFS;
        case 10056: return EISCONN;
        case 10057: return ENOTCONN;
        case 10058: return EPIPE;  // WSAESHUTDOWN
        case 10060: return ETIMEDOUT;
        case 10061: return ECONNREFUSED;
        case 10062: return ELOOP;
        case 10063: return ENAMETOOLONG;
        case 10064: return EHOSTUNREACH;  // WSAEHOSTDOWN
        case 10065: return EHOSTUNREACH;
        case 10067: return EAGAIN;      // WSAEPROCLIM
        case 10093: return ENETDOWN;    // WSANOTINITIALISED
        case 10101: return ECONNRESET;  // WSAEDISCON
        case 10103: return ECANCELED;   // WSAECANCELLED
        default: break;
    }
    // What Winsock passes on from below keeps its number: WSA_OPERATION_ABORTED,
    // WSA_INVALID_HANDLE.
    return code < 10000 ? errno_of_win32(code) : EIO;
}

int errno_of_win32(std::uint32_t code) noexcept {
    switch (code) {
        case 0: return 0;
        case 1: return EOPNOTSUPP;  // ERROR_INVALID_FUNCTION
        case 2:
        case 3: return ENOENT;
        case 4: return EMFILE;
        case 5: return EACCES;
        case 6: return EBADF;  // ERROR_INVALID_HANDLE
        case 8:
        case 14: return ENOMEM;
        case 32: return EBUSY;       // ERROR_SHARING_VIOLATION
        case 38: return 0;           // ERROR_HANDLE_EOF: an end is no error.
        case 50: return EOPNOTSUPP;  // ERROR_NOT_SUPPORTED
        case 59: return ECONNRESET;  // ERROR_UNEXP_NET_ERR: Wine, for an accept of what is gone.
        case 64: return ECONNRESET;  // ERROR_NETNAME_DELETED
        case 80: return EEXIST;
        case 87: return EINVAL;
        case 109: return EPIPE;  // ERROR_BROKEN_PIPE
        case 112: return ENOSPC;
        case 121: return ETIMEDOUT;  // ERROR_SEM_TIMEOUT
        case 122: return EMSGSIZE;   // ERROR_INSUFFICIENT_BUFFER
        case 170: return EBUSY;
        case 183: return EEXIST;
        case 232: return EPIPE;      // ERROR_NO_DATA
        case 234: return EMSGSIZE;   // ERROR_MORE_DATA
        case 487: return ENOMEM;     // ERROR_INVALID_ADDRESS: the place is taken.
        case 676: return ECANCELED;  // Wine, for a receive on a socket that is closed.
        case 735: return ECANCELED;  // ERROR_ABANDONED_WAIT_0
        case 995: return ECANCELED;  // ERROR_OPERATION_ABORTED
        case 998: return EFAULT;     // ERROR_NOACCESS
        case 1168: return ENOENT;    // ERROR_NOT_FOUND
        case 1225: return ECONNREFUSED;
        case 1227: return EADDRINUSE;
        case 1229: return ENOTCONN;  // ERROR_CONNECTION_INVALID
        case 1231: return ENETUNREACH;
        case 1232:
        case 1233:
        case 1234: return EHOSTUNREACH;  // Of the host, the protocol and the port.
        case 1235: return ECONNABORTED;  // ERROR_REQUEST_ABORTED
        case 1236: return ECONNABORTED;
        case 1450: return ENOBUFS;  // ERROR_NO_SYSTEM_RESOURCES
        case 1453: return ENOMEM;   // ERROR_WORKING_SET_QUOTA
        case 1455: return ENOMEM;   // ERROR_COMMITMENT_LIMIT
        case 1816: return ENOMEM;   // ERROR_NOT_ENOUGH_QUOTA
        default: break;
    }
    // Winsock's own numbers come this way, too.
    return code >= 10000 && code < 12000 ? errno_of_winsock(code) : EIO;
}

int errno_of_status(std::uint32_t status) noexcept {
    switch (status) {
        case 0x00000000: return 0;
        case 0x00000102: return ETIMEDOUT;    // STATUS_TIMEOUT
        case 0x00000103: return EINPROGRESS;  // STATUS_PENDING
        case 0x8000000A: return ECANCELED;    // STATUS_HANDLES_CLOSED: Wine, for a socket closed.
        case 0x80000005: return EMSGSIZE;     // STATUS_BUFFER_OVERFLOW: a datagram that was cut.
        case 0xC0000005: return EFAULT;       // STATUS_ACCESS_VIOLATION
        case 0xC0000008: return EBADF;        // STATUS_INVALID_HANDLE
        case 0xC000000D: return EINVAL;       // STATUS_INVALID_PARAMETER
        case 0xC0000010: return EOPNOTSUPP;   // STATUS_INVALID_DEVICE_REQUEST
        case 0xC0000017: return ENOMEM;
        case 0xC0000022: return EACCES;
        case 0xC0000023: return EMSGSIZE;    // STATUS_BUFFER_TOO_SMALL
        case 0xC0000024: return ENOTSOCK;    // STATUS_OBJECT_TYPE_MISMATCH
        case 0xC0000044: return ENOMEM;      // STATUS_QUOTA_EXCEEDED
        case 0xC000009A: return ENOBUFS;     // STATUS_INSUFFICIENT_RESOURCES
        case 0xC00000A1: return ENOMEM;      // STATUS_WORKING_SET_QUOTA
        case 0xC00000B5: return ETIMEDOUT;   // STATUS_IO_TIMEOUT
        case 0xC00000BB: return EOPNOTSUPP;  // STATUS_NOT_SUPPORTED
        case 0xC00000C9: return ECONNRESET;  // STATUS_NETWORK_NAME_DELETED
        case 0xC0000120: return ECANCELED;   // STATUS_CANCELLED
        case 0xC000013B: return ECONNRESET;  // STATUS_LOCAL_DISCONNECT
        case 0xC000013C: return ECONNRESET;  // STATUS_REMOTE_DISCONNECT
        case 0xC0000140: return ENOTCONN;    // STATUS_INVALID_CONNECTION
        case 0xC0000141: return EADDRNOTAVAIL;
        case 0xC000020A: return EADDRINUSE;
        case 0xC000020C: return ENOTCONN;    // STATUS_CONNECTION_INVALID
        case 0xC000020D: return ECONNRESET;  // STATUS_CONNECTION_RESET
        case 0xC0000207: return EADDRNOTAVAIL;
        case 0xC0000225: return ENOENT;
        case 0xC0000236: return ECONNREFUSED;
        case 0xC0000237: return ECONNRESET;  // STATUS_GRACEFUL_DISCONNECT
        case 0xC0000239: return EISCONN;     // STATUS_CONNECTION_ACTIVE, as ConnectEx has it.
        case 0xC000023A: return ENOTCONN;
        case 0xC000023B: return EISCONN;
        case 0xC000023C: return ENETUNREACH;
        case 0xC000023D: return EHOSTUNREACH;
        case 0xC000023E: return EHOSTUNREACH;  // STATUS_PROTOCOL_UNREACHABLE
        case 0xC000023F: return EHOSTUNREACH;  // STATUS_PORT_UNREACHABLE
        case 0xC0000240: return ECONNABORTED;  // STATUS_REQUEST_ABORTED
        case 0xC0000241: return ECONNABORTED;
        default: return EIO;
    }
}

}  // namespace ioring::platform
// NOLINTEND(bugprone-branch-clone)
