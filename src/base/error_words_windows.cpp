// SPDX-License-Identifier: MIT
// error_words_windows.cpp - words that msvcrt.dll, which MinGW's programs use, does not have.
#include <cerrno>
#include <system_error>

#include "base/error_words.hpp"

namespace ioring::detail {
namespace {

const char* words_of_sockets(int error) {
    switch (error) {
        case EADDRINUSE: return "Address already in use";
        case EADDRNOTAVAIL: return "Cannot assign requested address";
        case EAFNOSUPPORT: return "Address family not supported";
        case EALREADY: return "Operation already in progress";
        case EBADMSG: return "Bad message";
        case ECANCELED: return "Operation canceled";
        case ECONNABORTED: return "Connection aborted";
        case ECONNREFUSED: return "Connection refused";
        case ECONNRESET: return "Connection reset by peer";
        case EDESTADDRREQ: return "Destination address required";
        case EHOSTUNREACH: return "No route to host";
        case EINPROGRESS: return "Operation now in progress";
        case EISCONN: return "Socket is already connected";
        case ELOOP: return "Too many levels of symbolic links";
        case EMSGSIZE: return "Message too long";
        case ENETDOWN: return "Network is down";
        case ENETRESET: return "Network dropped connection on reset";
        case ENETUNREACH: return "Network is unreachable";
        case ENOBUFS: return "No buffer space available";
        case ENODATA: return "No data available";
        case ENOPROTOOPT: return "Protocol not available";
        case ENOTCONN: return "Socket is not connected";
        case ENOTSOCK: return "Not a socket";
        case ENOTSUP: return "Not supported";
        case EOPNOTSUPP: return "Operation not supported";
        case EOVERFLOW: return "Value too large";
        case EPROTO: return "Protocol error";
        case EPROTONOSUPPORT: return "Protocol not supported";
        case EPROTOTYPE: return "Protocol wrong type for socket";
        case ETIME: return "Timer expired";
        case ETIMEDOUT: return "Connection timed out";
        case EWOULDBLOCK: return "Operation would block";
        default: return nullptr;
    }
}

}  // namespace

std::string error_words(int error) {
    const char* const words = words_of_sockets(error);
    return words != nullptr ? words : std::generic_category().message(error);
}

}  // namespace ioring::detail
