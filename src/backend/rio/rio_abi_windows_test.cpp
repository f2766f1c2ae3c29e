// SPDX-License-Identifier: MIT
// rio_abi_windows_test.cpp - the layout in rio_abi.hpp is the system's.
//
// MinGW's headers have nothing of RIO but WSA_FLAG_REGISTERED_IO: there, what is compared is the
// types that RIO's are made of. Microsoft's SDK has all of it, and then all of it is compared.
#include <mswsock.h>
#include <winsock2.h>

#include <cstddef>
#include <cstring>
#include <type_traits>

#include <gtest/gtest.h>

#include "backend/rio/rio_abi.hpp"

namespace ioring::backends::rio {
namespace {

template <class Ours, class Theirs>
constexpr bool same_number =
    sizeof(Ours) == sizeof(Theirs) && std::is_unsigned_v<Ours> == std::is_unsigned_v<Theirs>;

static_assert(same_number<abi::boolean, BOOL> && same_number<abi::dword, DWORD>);
static_assert(same_number<abi::dword, ULONG> && same_number<std::int32_t, LONG>);
static_assert(same_number<abi::socket, SOCKET> && same_number<std::uint64_t, ULONGLONG>);
static_assert(std::is_same_v<abi::handle, HANDLE> && sizeof(abi::guid) == sizeof(GUID));
static_assert(abi::invalid_socket == INVALID_SOCKET);
static_assert(abi::flag_registered_io == WSA_FLAG_REGISTERED_IO);
static_assert(abi::get_multiple_extension_functions == _WSAIORW(IOC_WS2, 36));
static_assert(abi::code::operation_aborted == WSA_OPERATION_ABORTED);
static_assert(abi::code::io_pending == WSA_IO_PENDING && abi::code::fault == WSAEFAULT);
static_assert(abi::code::invalid == WSAEINVAL && abi::code::already == WSAEALREADY);
static_assert(abi::code::not_socket == WSAENOTSOCK && abi::code::not_supported == WSAEOPNOTSUPP);
static_assert(abi::code::connection_aborted == WSAECONNABORTED);
static_assert(abi::code::connection_reset == WSAECONNRESET && abi::code::no_buffers == WSAENOBUFS);
static_assert(abi::code::not_connected == WSAENOTCONN && abi::code::shut_down == WSAESHUTDOWN);
static_assert(abi::code::too_many_references == WSAETOOMANYREFS);

#if defined(RIO_CORRUPT_CQ)
static_assert(abi::corrupt_completion_queue == RIO_CORRUPT_CQ);
static_assert(abi::completion_queue_size_max == RIO_MAX_CQ_SIZE);
static_assert(abi::message_flag::dont_notify == RIO_MSG_DONT_NOTIFY);
static_assert(abi::message_flag::defer == RIO_MSG_DEFER);
static_assert(abi::message_flag::wait_all == RIO_MSG_WAITALL);
static_assert(abi::message_flag::commit_only == RIO_MSG_COMMIT_ONLY);
static_assert(sizeof(abi::buffer) == sizeof(RIO_BUF));
static_assert(offsetof(abi::buffer, offset) == offsetof(RIO_BUF, Offset));
static_assert(offsetof(abi::buffer, length) == offsetof(RIO_BUF, Length));
static_assert(sizeof(abi::result) == sizeof(RIORESULT));
static_assert(offsetof(abi::result, bytes_transferred) == offsetof(RIORESULT, BytesTransferred));
static_assert(offsetof(abi::result, socket_context) == offsetof(RIORESULT, SocketContext));
static_assert(offsetof(abi::result, request_context) == offsetof(RIORESULT, RequestContext));
static_assert(sizeof(abi::notification) == sizeof(RIO_NOTIFICATION_COMPLETION));
static_assert(offsetof(abi::notification, port) == offsetof(RIO_NOTIFICATION_COMPLETION, Iocp));
static_assert(static_cast<int>(abi::notification_type::event) == RIO_EVENT_COMPLETION);
static_assert(static_cast<int>(abi::notification_type::completion_port) == RIO_IOCP_COMPLETION);
using sdk_table = RIO_EXTENSION_FUNCTION_TABLE;
static_assert(sizeof(abi::function_table) == sizeof(sdk_table));
static_assert(offsetof(abi::function_table, receive_ex) == offsetof(sdk_table, RIOReceiveEx));
static_assert(offsetof(abi::function_table, send) == offsetof(sdk_table, RIOSend));
static_assert(offsetof(abi::function_table, dequeue_completion) ==
              offsetof(sdk_table, RIODequeueCompletion));
static_assert(offsetof(abi::function_table, notify) == offsetof(sdk_table, RIONotify));
static_assert(offsetof(abi::function_table, resize_request_queue) ==
              offsetof(sdk_table, RIOResizeRequestQueue));

TEST(rio_abi, the_sdk_names_the_same_functions_and_the_same_invalid_buffer) {
    const GUID theirs = WSAID_MULTIPLE_RIO;
    EXPECT_EQ(0, std::memcmp(&theirs, &abi::functions_guid, sizeof theirs));
    EXPECT_EQ(static_cast<void*>(RIO_INVALID_BUFFERID),
              static_cast<void*>(abi::invalid_buffer_id()));
}
#endif

TEST(rio_abi, a_guid_is_laid_out_as_the_system_s) {
    const GUID theirs = {
        0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};
    EXPECT_EQ(0, std::memcmp(&theirs, &abi::functions_guid, sizeof theirs));
}

}  // namespace
}  // namespace ioring::backends::rio
