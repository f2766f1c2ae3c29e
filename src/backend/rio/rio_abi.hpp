// SPDX-License-Identifier: MIT
// rio_abi.hpp - Registered I/O as Windows lays it out in memory: types, numbers, function table.
//
// In plain C++ types and names of our own, for three reasons: MinGW's headers declare nothing of
// RIO; the core that uses it is compiled and tested on every system; and the Windows SDK's own
// declarations, where they exist, can be seen by the same unit without a conflict. A test that is
// compiled on Windows alone (rio_abi_windows_test.cpp) holds each type against the SDK's, or where
// there is none of RIO, against those of winsock2.h that it is made of.
//
// Sizes are those of 64-bit systems. Names follow Microsoft's, without prefix: RIO_BUF is `buffer`,
// RIORESULT is `result`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// On 32-bit Windows, where it makes a difference, these functions remove their own arguments.
#if defined(_WIN32)
#define IORING_RIO_CALL __stdcall
#else
#define IORING_RIO_CALL
#endif

namespace ioring::backends::rio::abi {

using boolean = std::int32_t;  // BOOL
using dword = std::uint32_t;   // DWORD, ULONG: 32 bits on Windows, whatever `long` is here.
using handle = void*;          // HANDLE
using socket = std::uintptr_t;

inline constexpr socket invalid_socket = ~socket{0};

// The system's own objects; nothing is known of them.
struct opaque_buffer;
struct opaque_completion_queue;
struct opaque_request_queue;
using buffer_id = opaque_buffer*;                   // RIO_BUFFERID
using completion_queue = opaque_completion_queue*;  // RIO_CQ
using request_queue = opaque_request_queue*;        // RIO_RQ
// NOLINTBEGIN(misc-misplaced-const): the pointers are what is constant.
inline constexpr completion_queue invalid_completion_queue = nullptr;
inline constexpr request_queue invalid_request_queue = nullptr;
// NOLINTEND(misc-misplaced-const)

// RIO_INVALID_BUFFERID: neither null nor, with 64 bits, all ones.
[[nodiscard]] inline buffer_id invalid_buffer_id() noexcept {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): a mark, which nobody follows.
    return reinterpret_cast<buffer_id>(std::uintptr_t{0xffff'ffff});
}

inline constexpr dword completion_queue_size_max = 0x0800'0000;  // RIO_MAX_CQ_SIZE
// What RIODequeueCompletion returns in place of a count.
inline constexpr dword corrupt_completion_queue = 0xffff'ffff;  // RIO_CORRUPT_CQ
// Of one registration: RIORegisterBuffer takes a DWORD.
inline constexpr std::size_t buffer_bytes_max = 0xffff'ffff;

// RIO_MSG_*
namespace message_flag {
inline constexpr dword dont_notify = 1;
inline constexpr dword defer = 2;
inline constexpr dword wait_all = 4;
inline constexpr dword commit_only = 8;
}  // namespace message_flag

// A part of a registered buffer. RIO_BUF
struct buffer {
    buffer_id id;
    dword offset;
    dword length;
};

// RIORESULT
struct result {
    std::int32_t status;  // 0, or a code of Winsock's.
    dword bytes_transferred;
    std::uint64_t socket_context;
    std::uint64_t request_context;
};

// RIO_NOTIFICATION_COMPLETION_TYPE
enum class notification_type : std::int32_t { event = 1, completion_port = 2 };

// RIO_NOTIFICATION_COMPLETION
struct notification {
    struct by_event {
        handle event;
        boolean resets;  // The event is reset by RIONotify itself.
    };
    struct by_completion_port {
        handle port;
        void* key;
        void* overlapped;  // One for each completion queue, used for nothing else; not null.
    };

    notification_type type;
    union {
        by_event event;
        by_completion_port port;
    };
};

// RIO_EXTENSION_FUNCTION_TABLE, in its order. What fails says why by the thread's last error,
// unless said otherwise.
struct function_table {
    dword bytes;  // Of the whole table.
    boolean(IORING_RIO_CALL* receive)(request_queue, buffer* data, dword count, dword flags,
                                      void* request_context);
    std::int32_t(IORING_RIO_CALL* receive_ex)(request_queue, buffer* data, dword count,
                                              buffer* local_address, buffer* remote_address,
                                              buffer* control, buffer* flags_out, dword flags,
                                              void* request_context);
    boolean(IORING_RIO_CALL* send)(request_queue, buffer* data, dword count, dword flags,
                                   void* request_context);
    boolean(IORING_RIO_CALL* send_ex)(request_queue, buffer* data, dword count,
                                      buffer* local_address, buffer* remote_address,
                                      buffer* control, buffer* flags_out, dword flags,
                                      void* request_context);
    void(IORING_RIO_CALL* close_completion_queue)(completion_queue);
    completion_queue(IORING_RIO_CALL* create_completion_queue)(dword entries, notification* how);
    request_queue(IORING_RIO_CALL* create_request_queue)(socket, dword receives_max,
                                                         dword receive_buffers_max, dword sends_max,
                                                         dword send_buffers_max,
                                                         completion_queue for_receives,
                                                         completion_queue for_sends,
                                                         void* socket_context);
    // Returns how many, or corrupt_completion_queue.
    dword(IORING_RIO_CALL* dequeue_completion)(completion_queue, result* results, dword count);
    void(IORING_RIO_CALL* deregister_buffer)(buffer_id);
    std::int32_t(IORING_RIO_CALL* notify)(completion_queue);  // 0, or the error itself.
    buffer_id(IORING_RIO_CALL* register_buffer)(char* data, dword bytes);
    boolean(IORING_RIO_CALL* resize_completion_queue)(completion_queue, dword entries);
    boolean(IORING_RIO_CALL* resize_request_queue)(request_queue, dword receives_max,
                                                   dword sends_max);
};

// WSAIoctl with SIO_GET_MULTIPLE_EXTENSION_FUNCTION_POINTER: _WSAIORW(IOC_WS2, 36).
inline constexpr dword ioctl_in_and_out = 0xc000'0000;
inline constexpr dword ioctl_winsock2 = 0x0800'0000;
inline constexpr dword get_multiple_extension_functions = ioctl_in_and_out | ioctl_winsock2 | 36;

// GUID
struct guid {
    std::uint32_t data1;
    std::uint16_t data2;
    std::uint16_t data3;
    std::array<std::uint8_t, 8> data4;
};
// WSAID_MULTIPLE_RIO
inline constexpr guid functions_guid{
    0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};

inline constexpr dword flag_registered_io = 0x100;  // WSA_FLAG_REGISTERED_IO, for WSASocket.

// The codes of Winsock that RIO's rules are about.
namespace code {
inline constexpr std::int32_t operation_aborted = 995;      // WSA_OPERATION_ABORTED
inline constexpr std::int32_t io_pending = 997;             // WSA_IO_PENDING
inline constexpr std::int32_t fault = 10014;                // WSAEFAULT
inline constexpr std::int32_t invalid = 10022;              // WSAEINVAL
inline constexpr std::int32_t already = 10037;              // WSAEALREADY
inline constexpr std::int32_t not_socket = 10038;           // WSAENOTSOCK
inline constexpr std::int32_t not_supported = 10045;        // WSAEOPNOTSUPP
inline constexpr std::int32_t connection_aborted = 10053;   // WSAECONNABORTED
inline constexpr std::int32_t connection_reset = 10054;     // WSAECONNRESET
inline constexpr std::int32_t no_buffers = 10055;           // WSAENOBUFS
inline constexpr std::int32_t not_connected = 10057;        // WSAENOTCONN
inline constexpr std::int32_t shut_down = 10058;            // WSAESHUTDOWN
inline constexpr std::int32_t too_many_references = 10059;  // WSAETOOMANYREFS
}  // namespace code

static_assert(sizeof(void*) == 8, "the sizes below are those of 64-bit systems");
static_assert(sizeof(buffer) == 16 && offsetof(buffer, offset) == 8);
static_assert(offsetof(buffer, length) == 12);
static_assert(sizeof(result) == 24 && offsetof(result, bytes_transferred) == 4);
static_assert(offsetof(result, socket_context) == 8 && offsetof(result, request_context) == 16);
static_assert(sizeof(notification) == 32 && offsetof(notification, port) == 8);
static_assert(offsetof(notification::by_event, resets) == 8);
static_assert(offsetof(notification::by_completion_port, overlapped) == 16);
static_assert(sizeof(function_table) == 112 && offsetof(function_table, receive) == 8);
static_assert(offsetof(function_table, close_completion_queue) == 40);
static_assert(offsetof(function_table, dequeue_completion) == 64);
static_assert(offsetof(function_table, notify) == 80);
static_assert(offsetof(function_table, resize_request_queue) == 104);
static_assert(get_multiple_extension_functions == 0xc800'0024);
static_assert(sizeof(guid) == 16);

}  // namespace ioring::backends::rio::abi
