// SPDX-License-Identifier: MIT
// system_windows.cpp - Winsock's overlapped calls, and the one call below it that polls.
//
// Polling is AFD's: what Winsock's own select() and the event loops of others are made of. It is
// the only way to have readiness come out of a completion port on every Windows.
#include "backend/iocp/system_windows.hpp"

#include <winternl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "ioring/sqe.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::iocp {
namespace {

using platform::errno_of_status;
using platform::errno_of_win32;
using platform::win32_errno;
using platform::winsock_errno;

static_assert(sizeof(overlapped) == sizeof(OVERLAPPED));
static_assert(offsetof(overlapped, status) == offsetof(OVERLAPPED, Internal));
static_assert(offsetof(overlapped, bytes) == offsetof(OVERLAPPED, InternalHigh));
static_assert(offsetof(overlapped, event) == offsetof(OVERLAPPED, hEvent));
static_assert(sizeof(socket_handle) == sizeof(SOCKET));
static_assert(accept_address_bytes >= sizeof(sockaddr_in6) + 16);
static_assert(sizeof(poll_request) == 32);
static_assert(sizeof(piece) == sizeof(WSABUF));
static_assert(offsetof(piece, bytes) == offsetof(WSABUF, len));
static_assert(offsetof(piece, data) == offsetof(WSABUF, buf));
static_assert(sizeof(message) == sizeof(WSAMSG));
static_assert(offsetof(message, name) == offsetof(WSAMSG, name));
static_assert(offsetof(message, name_bytes) == offsetof(WSAMSG, namelen));
static_assert(offsetof(message, pieces) == offsetof(WSAMSG, lpBuffers));
static_assert(offsetof(message, count) == offsetof(WSAMSG, dwBufferCount));
static_assert(offsetof(message, control) == offsetof(WSAMSG, Control));
static_assert(offsetof(message, flags) == offsetof(WSAMSG, dwFlags));

using control_function = NTSTATUS(NTAPI*)(HANDLE file, HANDLE event, void* routine, void* context,
                                          IO_STATUS_BLOCK* status, ULONG code, void* input,
                                          ULONG input_bytes, void* output, ULONG output_bytes);

constexpr ULONG afd_poll = 0x00012024;
constexpr NTSTATUS status_pending = 0x00000103;

namespace afd {
constexpr std::uint32_t receive = 0x001;
constexpr std::uint32_t receive_expedited = 0x002;
constexpr std::uint32_t send = 0x004;
constexpr std::uint32_t disconnect = 0x008;
constexpr std::uint32_t abort = 0x010;
constexpr std::uint32_t local_close = 0x020;
constexpr std::uint32_t accept = 0x080;
constexpr std::uint32_t connect_fail = 0x100;
}  // namespace afd

// What waits for a Linux event, and what it says when it comes.
struct event_row {
    std::uint32_t afd;
    std::uint32_t waits;
    std::uint32_t tells;
};
constexpr std::uint32_t broken =
    poll_event::in | poll_event::out | poll_event::err | poll_event::hup;
constexpr std::array<event_row, 7> event_rows{{
    {afd::receive, poll_event::in, poll_event::in},
    {afd::accept, poll_event::in, poll_event::in},
    {afd::disconnect, poll_event::in, poll_event::in},
    {afd::receive_expedited, poll_event::pri, poll_event::pri},
    {afd::send, poll_event::out, poll_event::out},
    {afd::abort, poll_event::hup, broken},
    {afd::connect_fail, poll_event::err, broken},
}};

OVERLAPPED* native(overlapped& of) noexcept { return reinterpret_cast<OVERLAPPED*>(&of); }

HANDLE file_of(SOCKET socket) noexcept { return reinterpret_cast<HANDLE>(socket); }

WSABUF* native(piece* first) noexcept { return reinterpret_cast<WSABUF*>(first); }

WSAMSG* native(message& of) noexcept { return reinterpret_cast<WSAMSG*>(&of); }

// The length field of WSABUF has 32 bits, and so have ours.
WSABUF whole(const std::byte* data, std::uint32_t bytes) noexcept {
    return {bytes, const_cast<char*>(reinterpret_cast<const char*>(data))};
}

template <class Function>
bool load(SOCKET socket, GUID id, Function& out) noexcept {
    DWORD bytes = 0;
    return ::WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof id, &out, sizeof out,
                      &bytes, nullptr, nullptr) == 0;
}

socklen_t address_bytes_of(int family) noexcept {
    return family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

class windows_system final : public system {
public:
    ~windows_system() override {
        if (port_ != nullptr) ::CloseHandle(port_);
    }

    [[nodiscard]] int open(std::string& why) noexcept;

    int attach(socket_handle socket) noexcept override;
    int wait(std::span<packet> out, std::int64_t timeout_ns) noexcept override;
    void post() noexcept override { ::PostQueuedCompletionStatus(port_, 0, 0, nullptr); }
    void* port() noexcept override { return port_; }

    begun receive(socket_handle socket, std::byte* data, std::uint32_t bytes, std::uint32_t buffer,
                  overlapped& of) noexcept override;
    begun send(socket_handle socket, const std::byte* data, std::uint32_t bytes,
               std::uint32_t buffer, const sockaddr* address, std::uint32_t address_bytes,
               overlapped& of) noexcept override;
    begun receive_pieces(socket_handle socket, std::span<piece> into,
                         overlapped& of) noexcept override;
    begun send_message(socket_handle socket, message& what, overlapped& of) noexcept override;
    begun accept(socket_handle listener, socket_handle fresh, std::byte* room,
                 overlapped& of) noexcept override;
    begun connect(socket_handle socket, const sockaddr* address, std::uint32_t address_bytes,
                  overlapped& of) noexcept override;
    begun poll(socket_handle socket, std::uint32_t events, poll_request& request,
               overlapped& of) noexcept override;
    std::int32_t polled(const poll_request& request) noexcept override;
    bool cancel(socket_handle socket, overlapped& of) noexcept override {
        return ::CancelIoEx(file_of(socket), native(of)) != 0;
    }

    std::int32_t receive_now(socket_handle socket, std::byte* data, std::uint32_t bytes,
                             std::uint32_t msg_flags) noexcept override;
    std::int32_t send_now(socket_handle socket, const std::byte* data,
                          std::uint32_t bytes) noexcept override;
    std::int32_t receive_message_now(socket_handle socket, bool stream,
                                     message& what) noexcept override;
    std::int32_t send_message_now(socket_handle socket, message& what) noexcept override;
    std::int32_t accept_now(socket_handle listener, socket_handle& out) noexcept override;
    std::int32_t open(std::int32_t domain, std::uint32_t type, std::int32_t protocol,
                      socket_handle& out) noexcept override;
    std::int32_t open_like(socket_handle listener, socket_handle& out) noexcept override;
    int finish_accept(socket_handle listener, socket_handle accepted) noexcept override;
    int finish_connect(socket_handle socket) noexcept override;
    int peer_address(socket_handle socket, sockaddr* address,
                     std::uint32_t* bytes) noexcept override;
    int bind(socket_handle socket, const sockaddr* address,
             std::uint32_t address_bytes) noexcept override;
    int listen(socket_handle socket, std::int32_t backlog) noexcept override {
        return ::listen(socket, backlog) == 0 ? 0 : -winsock_errno();
    }
    int shut_down(socket_handle socket, std::uint32_t how) noexcept override {
        return ::shutdown(socket, static_cast<int>(how)) == 0 ? 0 : -winsock_errno();
    }
    void close(socket_handle socket) noexcept override { ::closesocket(socket); }
    bool is_listening(socket_handle socket) noexcept override;
    bool is_stream(socket_handle socket) noexcept override;

private:
    [[nodiscard]] begun ended(DWORD bytes) const noexcept;
    [[nodiscard]] static begun failed_or_pending(int error_code) noexcept;
    [[nodiscard]] int send_pieces(socket_handle socket, message& what, DWORD& moved,
                                  OVERLAPPED* of) const noexcept;

    HANDLE port_ = nullptr;
    bool skips_ = false;  // What ends at once sends no packet.
    LPFN_ACCEPTEX accept_ = nullptr;
    LPFN_CONNECTEX connect_ = nullptr;
    LPFN_WSARECVMSG receive_message_ = nullptr;
    control_function control_ = nullptr;
};

// With what Winsock's usual sockets have: no layer of others, which would send packets of its own.
int windows_system::open(std::string& why) noexcept {
    const SOCKET trial = ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                      WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
    if (trial == INVALID_SOCKET) {
        why = "Winsock makes no socket; is the network set up?";
        return -winsock_errno();
    }
    const bool loaded =
        load(trial, WSAID_ACCEPTEX, accept_) && load(trial, WSAID_CONNECTEX, connect_);
    // Of datagrams' sockets only, but it may be asked of any.
    if (!load(trial, WSAID_WSARECVMSG, receive_message_)) receive_message_ = nullptr;
    WSAPROTOCOL_INFOW about{};
    socklen_t about_bytes = sizeof about;
    const bool known = ::getsockopt(trial, SOL_SOCKET, SO_PROTOCOL_INFOW,
                                    reinterpret_cast<char*>(&about), &about_bytes) == 0;
    skips_ = known && (about.dwServiceFlags1 & XP1_IFS_HANDLES) != 0;
    ::closesocket(trial);
    // Through void*: the compiler warns of a cast between function types.
    if (const HMODULE library = ::GetModuleHandleW(L"ntdll.dll"); library != nullptr) {
        control_ = reinterpret_cast<control_function>(
            reinterpret_cast<void*>(::GetProcAddress(library, "NtDeviceIoControlFile")));
    }
    if (!loaded || control_ == nullptr) {
        why = "Winsock has no AcceptEx, ConnectEx or polling here";
        return -EOPNOTSUPP;
    }
    port_ = ::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
    if (port_ == nullptr) {
        why = "Windows makes no completion port; free some memory";
        return -win32_errno();
    }
    return 0;
}

int windows_system::attach(socket_handle socket) noexcept {
    if (::CreateIoCompletionPort(file_of(socket), port_, 0, 0) == nullptr) {
        const DWORD error = ::GetLastError();
        return error == ERROR_INVALID_PARAMETER ? -EBUSY : -errno_of_win32(error);
    }
    constexpr UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
    if (skips_ && ::SetFileCompletionNotificationModes(file_of(socket), modes) == 0) {
        return -win32_errno();
    }
    u_long nonblocking = 1;
    return ::ioctlsocket(socket, static_cast<long>(FIONBIO), &nonblocking) == 0 ? 0
                                                                                : -winsock_errno();
}

int windows_system::wait(std::span<packet> out, std::int64_t timeout_ns) noexcept {
    constexpr std::int64_t millisecond_ns = 1'000'000;
    constexpr std::int64_t longest_ms = INFINITE - 1;
    constexpr std::size_t most = 256;
    DWORD timeout_ms = INFINITE;
    if (timeout_ns >= 0) {  // Rounded up: not before the time is over.
        const std::int64_t whole_ms =
            timeout_ns / millisecond_ns + (timeout_ns % millisecond_ns != 0 ? 1 : 0);
        timeout_ms = static_cast<DWORD>(std::min(whole_ms, longest_ms));
    }
    std::array<OVERLAPPED_ENTRY, most> entries;  // NOLINT: filled by the call
    ULONG count = 0;
    const auto wanted = static_cast<ULONG>(std::min(out.size(), most));
    if (::GetQueuedCompletionStatusEx(port_, entries.data(), wanted, &count, timeout_ms,
                                      /*alertable=*/FALSE) == 0) {
        const DWORD error = ::GetLastError();
        return error == WAIT_TIMEOUT ? 0 : -errno_of_win32(error);
    }
    for (ULONG index = 0; index < count; ++index) {
        out[index].of = reinterpret_cast<overlapped*>(entries[index].lpOverlapped);
    }
    return static_cast<int>(count);
}

begun windows_system::ended(DWORD bytes) const noexcept {
    if (!skips_) return {.pending = true};  // Its packet comes all the same.
    return {.pending = false, .res = static_cast<std::int32_t>(bytes)};
}

begun windows_system::failed_or_pending(int error_code) noexcept {
    static_assert(WSA_IO_PENDING == ERROR_IO_PENDING);
    if (error_code == WSA_IO_PENDING) return {.pending = true};
    return {.pending = false,
            .res = -platform::errno_of_winsock(static_cast<std::uint32_t>(error_code))};
}

begun windows_system::receive(socket_handle socket, std::byte* data, std::uint32_t bytes,
                              std::uint32_t /*buffer*/, overlapped& of) noexcept {
    WSABUF into = whole(data, bytes);
    DWORD moved = 0;
    DWORD flags = 0;
    const int status = ::WSARecv(socket, &into, 1, &moved, &flags, native(of), nullptr);
    return status == 0 ? ended(moved) : failed_or_pending(::WSAGetLastError());
}

begun windows_system::send(socket_handle socket, const std::byte* data, std::uint32_t bytes,
                           std::uint32_t /*buffer*/, const sockaddr* address,
                           std::uint32_t address_bytes, overlapped& of) noexcept {
    WSABUF from = whole(data, bytes);
    DWORD moved = 0;
    const int status = address == nullptr
                           ? ::WSASend(socket, &from, 1, &moved, 0, native(of), nullptr)
                           : ::WSASendTo(socket, &from, 1, &moved, 0, address,
                                         static_cast<int>(address_bytes), native(of), nullptr);
    return status == 0 ? ended(moved) : failed_or_pending(::WSAGetLastError());
}

begun windows_system::receive_pieces(socket_handle socket, std::span<piece> into,
                                     overlapped& of) noexcept {
    DWORD moved = 0;
    DWORD flags = 0;
    const int status = ::WSARecv(socket, native(into.data()), static_cast<DWORD>(into.size()),
                                 &moved, &flags, native(of), nullptr);
    return status == 0 ? ended(moved) : failed_or_pending(::WSAGetLastError());
}

// WSASendMsg() is for datagrams with control data; the others want no more than an address.
int windows_system::send_pieces(socket_handle socket, message& what, DWORD& moved,
                                OVERLAPPED* of) const noexcept {
    WSABUF* const pieces = native(what.pieces);
    if (what.control.bytes != 0) {
        return ::WSASendMsg(socket, native(what), 0, &moved, of, nullptr);
    }
    if (what.name == nullptr) {
        return ::WSASend(socket, pieces, what.count, &moved, 0, of, nullptr);
    }
    return ::WSASendTo(socket, pieces, what.count, &moved, 0, what.name, what.name_bytes, of,
                       nullptr);
}

begun windows_system::send_message(socket_handle socket, message& what, overlapped& of) noexcept {
    DWORD moved = 0;
    const int status = send_pieces(socket, what, moved, native(of));
    return status == 0 ? ended(moved) : failed_or_pending(::WSAGetLastError());
}

std::int32_t windows_system::send_message_now(socket_handle socket, message& what) noexcept {
    DWORD moved = 0;
    const int status = send_pieces(socket, what, moved, nullptr);
    return status == 0 ? static_cast<std::int32_t>(moved) : -winsock_errno();
}

std::int32_t windows_system::receive_message_now(socket_handle socket, bool stream,
                                                 message& what) noexcept {
    DWORD moved = 0;
    DWORD flags = (what.flags & msg_flag::peek) != 0 ? MSG_PEEK : 0;
    what.flags = 0;
    if (stream) {
        what.name_bytes = 0;
        what.control.bytes = 0;
        // As recv(): a call without room for anything says nothing of the socket.
        WSABUF none{};
        WSABUF* const into = what.count == 0 ? &none : native(what.pieces);
        const int status = ::WSARecv(socket, into, std::max<DWORD>(what.count, 1), &moved, &flags,
                                     nullptr, nullptr);
        return status == 0 ? static_cast<std::int32_t>(moved) : -winsock_errno();
    }
    if (receive_message_ == nullptr) return -EOPNOTSUPP;
    std::uint64_t room = 0;
    for (std::uint32_t index = 0; index < what.count; ++index) room += what.pieces[index].bytes;
    what.flags = flags;
    const int status = receive_message_(socket, native(what), &moved, nullptr, nullptr);
    const int error = status == 0 ? 0 : ::WSAGetLastError();
    // The two that Linux has too.
    const std::uint32_t told = what.flags;
    what.flags = (told & MSG_CTRUNC) != 0 ? control_cut : 0;
    if ((told & MSG_TRUNC) != 0 || error == WSAEMSGSIZE) what.flags |= msg_flag::trunc;
    if (error == WSAEMSGSIZE) return static_cast<std::int32_t>(room);
    return error == 0 ? static_cast<std::int32_t>(moved)
                      : -platform::errno_of_winsock(static_cast<std::uint32_t>(error));
}

begun windows_system::accept(socket_handle listener, socket_handle fresh, std::byte* room,
                             overlapped& of) noexcept {
    DWORD unused = 0;
    const bool done = accept_(listener, fresh, room, 0, accept_address_bytes, accept_address_bytes,
                              &unused, native(of)) != 0;
    return done ? ended(0) : failed_or_pending(::WSAGetLastError());
}

begun windows_system::connect(socket_handle socket, const sockaddr* address,
                              std::uint32_t address_bytes, overlapped& of) noexcept {
    if (address == nullptr || address_bytes < sizeof(address->sa_family)) return {.res = -EINVAL};
    if (!is_stream(socket)) {
        const int status = ::connect(socket, address, static_cast<int>(address_bytes));
        return {.res = status == 0 ? 0 : -winsock_errno()};
    }
    // ConnectEx() wants a socket that is bound.
    sockaddr_storage any{};
    any.ss_family = static_cast<short>(address->sa_family);
    if (::bind(socket, reinterpret_cast<const sockaddr*>(&any),
               address_bytes_of(address->sa_family)) != 0) {
        const int error = ::WSAGetLastError();
        if (error != WSAEINVAL) {  // It is bound.
            return {.res = error == WSAEFAULT
                               ? -EAFNOSUPPORT
                               : -platform::errno_of_winsock(static_cast<std::uint32_t>(error))};
        }
    }
    for (bool again = false;; again = true) {
        DWORD unused = 0;
        const bool done = connect_(socket, address, static_cast<int>(address_bytes), nullptr, 0,
                                   &unused, native(of)) != 0;
        if (done) return ended(0);
        const int error = ::WSAGetLastError();
        // Wine: Linux tells once more of the attempt before.
        if (error != WSAECONNABORTED || again) return failed_or_pending(error);
    }
}

begun windows_system::poll(socket_handle socket, std::uint32_t events, poll_request& request,
                           overlapped& of) noexcept {
    std::uint32_t waits = afd::local_close;
    for (const event_row& row : event_rows) {
        if ((events & row.waits) != 0) waits |= row.afd;
    }
    request = {.timeout = INT64_MAX,
               .count = 1,
               .exclusive = 0,
               .handle = file_of(socket),
               .events = waits,
               .status = 0};
    of.status = static_cast<std::uintptr_t>(status_pending);
    const NTSTATUS status = control_(file_of(socket), nullptr, nullptr, &of,
                                     reinterpret_cast<IO_STATUS_BLOCK*>(&of.status), afd_poll,
                                     &request, sizeof request, &request, sizeof request);
    if (status == status_pending || (status == 0 && !skips_)) return {.pending = true};
    if (status == 0) return {.pending = false, .res = polled(request)};
    return {.pending = false, .res = -errno_of_status(static_cast<std::uint32_t>(status))};
}

std::int32_t windows_system::polled(const poll_request& request) noexcept {
    std::uint32_t tells = 0;
    for (const event_row& row : event_rows) {
        if ((request.events & row.afd) != 0) tells |= row.tells;
    }
    const bool closed = (request.events & afd::local_close) != 0;
    return tells == 0 && closed ? -ECANCELED : static_cast<std::int32_t>(tells);
}

std::int32_t windows_system::receive_now(socket_handle socket, std::byte* data, std::uint32_t bytes,
                                         std::uint32_t msg_flags) noexcept {
    const int flags = (msg_flags & msg_flag::peek) != 0 ? MSG_PEEK : 0;
    const int moved = ::recv(socket, reinterpret_cast<char*>(data), static_cast<int>(bytes), flags);
    if (moved >= 0) return moved;
    const int error = ::WSAGetLastError();
    // A datagram that was cut, which recv(2) does not tell.
    if (error == WSAEMSGSIZE) return static_cast<std::int32_t>(bytes);
    return -platform::errno_of_winsock(static_cast<std::uint32_t>(error));
}

std::int32_t windows_system::send_now(socket_handle socket, const std::byte* data,
                                      std::uint32_t bytes) noexcept {
    const int moved =
        ::send(socket, reinterpret_cast<const char*>(data), static_cast<int>(bytes), 0);
    return moved >= 0 ? moved : -winsock_errno();
}

std::int32_t windows_system::accept_now(socket_handle listener, socket_handle& out) noexcept {
    for (;;) {
        const SOCKET accepted = ::accept(listener, nullptr, nullptr);
        if (accepted != INVALID_SOCKET) {
            ::SetHandleInformation(file_of(accepted), HANDLE_FLAG_INHERIT, 0);
            out = accepted;
            return 0;
        }
        const int error = winsock_errno();
        if (error != ECONNRESET && error != ECONNABORTED) return -error;
    }
}

std::int32_t windows_system::open(std::int32_t domain, std::uint32_t type, std::int32_t protocol,
                                  socket_handle& out) noexcept {
    const auto kind = static_cast<int>(type & ~(socket_flag::cloexec | socket_flag::nonblock));
    if (domain == AF_UNIX) return -EAFNOSUPPORT;
    const SOCKET made =
        ::WSASocketW(domain, kind, protocol, nullptr, 0, platform::socket_flags(kind));
    if (made == INVALID_SOCKET) {
        return ::WSAGetLastError() == WSAESOCKTNOSUPPORT ? -EINVAL : -winsock_errno();
    }
    out = made;
    return 0;
}

std::int32_t windows_system::open_like(socket_handle listener, socket_handle& out) noexcept {
    sockaddr_storage address{};
    socklen_t bytes = sizeof address;
    if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) {
        return -winsock_errno();
    }
    return open(address.ss_family, SOCK_STREAM, IPPROTO_TCP, out);
}

int windows_system::finish_accept(socket_handle listener, socket_handle accepted) noexcept {
    if (::setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                     reinterpret_cast<const char*>(&listener), sizeof listener) != 0) {
        return -winsock_errno();
    }
    // Of what POSIX lets a listener hand down, this is not among what Windows does.
    BOOL no_delay = FALSE;
    socklen_t bytes = sizeof no_delay;
    if (::getsockopt(listener, IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<char*>(&no_delay),
                     &bytes) == 0 &&
        no_delay != FALSE) {
        ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, reinterpret_cast<const char*>(&no_delay),
                     sizeof no_delay);
    }
    return 0;
}

int windows_system::finish_connect(socket_handle socket) noexcept {
    if (!is_stream(socket)) return 0;
    return ::setsockopt(socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0) == 0
               ? 0
               : -winsock_errno();
}

int windows_system::peer_address(socket_handle socket, sockaddr* address,
                                 std::uint32_t* bytes) noexcept {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
        return -winsock_errno();
    }
    std::memcpy(address, &peer, std::min<std::size_t>(*bytes, static_cast<std::size_t>(size)));
    *bytes = static_cast<std::uint32_t>(size);
    return 0;
}

int windows_system::bind(socket_handle socket, const sockaddr* address,
                         std::uint32_t address_bytes) noexcept {
    return ::bind(socket, address, static_cast<int>(address_bytes)) == 0 ? 0 : -winsock_errno();
}

bool windows_system::is_listening(socket_handle socket) noexcept {
    BOOL listening = FALSE;
    socklen_t bytes = sizeof listening;
    return ::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, reinterpret_cast<char*>(&listening),
                        &bytes) == 0 &&
           listening != FALSE;
}

bool windows_system::is_stream(socket_handle socket) noexcept {
    int type = 0;
    socklen_t bytes = sizeof type;
    return ::getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &bytes) == 0 &&
           type == SOCK_STREAM;
}

}  // namespace

std::error_code open_system(std::unique_ptr<system>& out, std::string& why) noexcept {
    std::unique_ptr<windows_system> made{new (std::nothrow) windows_system};
    if (made == nullptr) {
        why = "no memory for the iocp backend";
        return std::make_error_code(std::errc::not_enough_memory);
    }
    if (const int error = made->open(why); error != 0) {
        return {-error, std::generic_category()};
    }
    out = std::move(made);
    return {};
}

}  // namespace ioring::backends::iocp
