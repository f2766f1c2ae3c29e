// SPDX-License-Identifier: MIT
// ioring.h - the library for C, and through it for any language with a foreign function interface.
//
// The model and the promises are those of ring.hpp: prepare entries, submit, read completions,
// advance. The entry is the interface: ioring_sqe and ioring_cqe are laid out as on Linux, with
// Linux's numbers, on every system.
//
// Errors: functions that return int give 0 or a count, or a negative errno of the host;
// ioring_strerror() has the words. A null handle is -EINVAL (or NULL, or 0), never a crash. Strings
// are UTF-8 and end with a zero; those that are returned live as long as the object they were asked
// of. Option structs begin with their own size, so that a program which was compiled with an older
// header goes on working: set it to sizeof the struct; a field that is 0 has its default.
//
// Threads: a ring belongs to the thread of its first submit or wait; only ioring_wake() and
// ioring_post() may be called from elsewhere. Memory: what an entry points at belongs to the
// operation until its completion was read.
//
// Every inline function is in the library, too, under the same name, for callers that cannot
// compile it.
#ifndef IORING_IORING_H
#define IORING_IORING_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// It is C, as clang-tidy cannot know in a C++ program.
// NOLINTBEGIN(modernize-use-*,performance-no-int-to-ptr,readability-identifier-naming)

// How functions of the library are declared; a program may define it before the header.
#ifndef IORING_API
#define IORING_API extern
#endif
// How the functions are declared that are defined here.
#ifndef IORING_INLINE
#define IORING_INLINE inline
#endif

// --- version ---------------------------------------------------------------------------------

// (major << 16) | (minor << 8) | patch of the library that is linked; a program may compare it with
// that of the header it was compiled with.
IORING_API uint32_t ioring_version(void);
// For example "0.1.0". Static.
IORING_API const char* ioring_version_string(void);

// --- entries ---------------------------------------------------------------------------------

// What a program asks of a ring, 64 bytes. sqe.hpp says what each field means to each operation.
typedef struct ioring_sqe {
    uint8_t opcode;        // IOR_OP_
    uint8_t flags;         // IOR_SQE_
    uint16_t ioprio;       // IOR_ACCEPT_ or IOR_TRANSFER_
    int32_t fd;            // IOR_OP_SOCKET: the domain.
    uint64_t off;          // An offset, or what the operation keeps there.
    uint64_t addr;         // What it works on: bytes, an address, a message, a time, a target.
    uint32_t len;          // Of what `addr` points at, or a number.
    uint32_t op_flags;     // IOR_MSG_, IOR_POLL_, IOR_TIMEOUT_, IOR_CANCEL_ or IOR_SOCKET_
    uint64_t user_data;    // Comes back in the completion; ~0 is reserved.
    uint16_t buf_index;    // A buffer group, with IOR_SQE_BUFFER_SELECT.
    uint16_t personality;  // 0
    int32_t file_index;    // 0
    uint64_t addr3;        // The library's.
    uint64_t reserved;     // 0
} ioring_sqe;

// What became of it, 16 bytes.
typedef struct ioring_cqe {
    uint64_t user_data;  // That of the entry.
    int32_t res;         // Bytes, a descriptor, a mask or a count; an error is a negative errno.
    uint32_t flags;      // IOR_CQE_
} ioring_cqe;

// The kernel's time, on every system.
typedef struct ioring_timespec {
    int64_t tv_sec;   // Seconds, 0 or more.
    int64_t tv_nsec;  // 0 to 999,999,999
} ioring_timespec;

// ioring_sqe.opcode: what to do. Those of which ioring_supports() says 0 complete with -EINVAL.
enum {
    IOR_OP_NOP = 0,              // ioring_prep_nop()
    IOR_OP_READ_FIXED = 4,       // By hand: reads into a kernel buffer.
    IOR_OP_WRITE_FIXED = 5,      // By hand: writes from a kernel buffer.
    IOR_OP_POLL_ADD = 6,         // ioring_prep_poll_add(), ioring_prep_poll_multishot()
    IOR_OP_POLL_REMOVE = 7,      // ioring_prep_poll_remove(), ioring_prep_poll_update()
    IOR_OP_SENDMSG = 9,          // ioring_prep_sendmsg()
    IOR_OP_RECVMSG = 10,         // ioring_prep_recvmsg()
    IOR_OP_TIMEOUT = 11,         // ioring_prep_timeout()
    IOR_OP_TIMEOUT_REMOVE = 12,  // ioring_prep_timeout_remove(), ioring_prep_timeout_update()
    IOR_OP_ACCEPT = 13,          // ioring_prep_accept(), ioring_prep_multishot_accept()
    IOR_OP_ASYNC_CANCEL = 14,    // ioring_prep_cancel64(), ioring_prep_cancel_fd()
    IOR_OP_LINK_TIMEOUT = 15,    // ioring_prep_link_timeout()
    IOR_OP_CONNECT = 16,         // ioring_prep_connect()
    IOR_OP_CLOSE = 19,           // ioring_prep_close()
    IOR_OP_SEND = 26,            // ioring_prep_send()
    IOR_OP_RECV = 27,            // ioring_prep_recv() and its kin
    IOR_OP_SHUTDOWN = 34,        // ioring_prep_shutdown()
    IOR_OP_MSG_RING = 40,        // ioring_prepare_msg_ring()
    IOR_OP_SOCKET = 45,          // ioring_prep_socket()
    IOR_OP_SEND_ZC = 47,         // ioring_prep_send_zc()
    IOR_OP_BIND = 56,            // ioring_prep_bind()
    IOR_OP_LISTEN = 57           // ioring_prep_listen()
};

// Bits of ioring_sqe.flags.
enum {
    IOR_SQE_FIXED_FILE = 1 << 0,       // `fd` is a slot of the file table.
    IOR_SQE_IO_DRAIN = 1 << 1,         // Starts when all before it completed.
    IOR_SQE_IO_LINK = 1 << 2,          // The next entry starts when this one has succeeded.
    IOR_SQE_IO_HARDLINK = 1 << 3,      // The next entry starts when this one has completed.
    IOR_SQE_ASYNC = 1 << 4,            // Goes to a worker thread without a try.
    IOR_SQE_BUFFER_SELECT = 1 << 5,    // Takes its buffer from group buf_index.
    IOR_SQE_CQE_SKIP_SUCCESS = 1 << 6  // No completion unless it fails.
};
// Bits of ioring_sqe.ioprio of accepts.
enum {
    IOR_ACCEPT_MULTISHOT = 1 << 0,  // One completion a connection until it ends.
    IOR_ACCEPT_DONT_WAIT = 1 << 1,  // -EAGAIN when nobody waits.
    IOR_ACCEPT_POLL_FIRST = 1 << 2  // Waits for readiness before the first try.
};
// Bits of ioring_sqe.ioprio of transfers.
enum {
    IOR_TRANSFER_POLL_FIRST = 1 << 0,       // Waits for readiness before the first try.
    IOR_TRANSFER_MULTISHOT = 1 << 1,        // recv: one completion a chunk until it ends.
    IOR_TRANSFER_FIXED_BUFFER = 1 << 2,     // send_zc: in kernel buffer `buf_index`.
    IOR_TRANSFER_ZC_REPORT_USAGE = 1 << 3,  // send_zc: was it copied?
    IOR_TRANSFER_BUNDLE = 1 << 4,           // One operation over several buffers of a group.
    IOR_TRANSFER_SEND_VECTORIZED = 1 << 5   // send: `addr`, `len`: an iovec array.
};
// Bits of ioring_sqe.op_flags of transfers: Linux's MSG_ on every system.
enum {
    IOR_MSG_PEEK = 0x02,         // recv: the bytes stay to be received.
    IOR_MSG_TRUNC = 0x20,        // recv: of a datagram, the result is all its bytes.
    IOR_MSG_DONT_WAIT = 0x40,    // -EAGAIN instead of waiting.
    IOR_MSG_WAIT_ALL = 0x100,    // All bytes or an error or the end.
    IOR_MSG_NO_SIGNAL = 0x4000,  // send: no SIGPIPE.
    IOR_MSG_MORE = 0x8000        // send: more follows, let it go together.
};
// Bits of ioring_sqe.op_flags of accepts, and of the type of sockets.
enum {
    IOR_SOCKET_NONBLOCK = 0x800,  // Calls on the descriptor itself do not block.
    IOR_SOCKET_CLOEXEC = 0x80000  // Closed in a program that it becomes.
};
// Bits of ioring_sqe.op_flags and of the result of polls.
enum {
    IOR_POLL_IN = 0x001,     // Something can be read, or the end of the stream.
    IOR_POLL_PRI = 0x002,    // Urgent data.
    IOR_POLL_OUT = 0x004,    // Something can be written.
    IOR_POLL_ERR = 0x008,    // An error; told unasked.
    IOR_POLL_HUP = 0x010,    // Both directions have ended; told unasked.
    IOR_POLL_NVAL = 0x020,   // No open descriptor; told unasked.
    IOR_POLL_RDHUP = 0x2000  // The peer has ended its side.
};
// Bits of ioring_sqe.len of polls.
enum {
    IOR_POLL_MULTISHOT = 1 << 0,         // Goes on until it ends.
    IOR_POLL_UPDATE_EVENTS = 1 << 1,     // ioring_prep_poll_update(): new events.
    IOR_POLL_UPDATE_USER_DATA = 1 << 2,  // ioring_prep_poll_update(): a new user_data.
    IOR_POLL_LEVEL = 1 << 3              // Told while it lasts, not once.
};
// Bits of ioring_sqe.op_flags of time-outs.
enum {
    IOR_TIMEOUT_ABSOLUTE = 1 << 0,       // A point of time, not a span.
    IOR_TIMEOUT_UPDATE = 1 << 1,         // ioring_prep_timeout_update() sets it.
    IOR_TIMEOUT_BOOTTIME = 1 << 2,       // Of the clock that never stops.
    IOR_TIMEOUT_REALTIME = 1 << 3,       // Of the clock on the wall.
    IOR_TIMEOUT_LINK_UPDATE = 1 << 4,    // ioring_prep_timeout_update(): of a link's timer.
    IOR_TIMEOUT_ETIME_SUCCESS = 1 << 5,  // -ETIME does not break a link.
    IOR_TIMEOUT_MULTISHOT = 1 << 6       // Fires again and again.
};
// Bits of ioring_sqe.op_flags of cancels.
enum {
    IOR_CANCEL_ALL = 1 << 0,        // Every match; the result is their count.
    IOR_CANCEL_FD = 1 << 1,         // Matches the descriptor, not the user_data.
    IOR_CANCEL_ANY = 1 << 2,        // Everything matches.
    IOR_CANCEL_FIXED_FD = 1 << 3,   // The descriptor is a slot of the file table.
    IOR_CANCEL_USER_DATA = 1 << 4,  // The user_data must match, too.
    IOR_CANCEL_OPCODE = 1 << 5      // The opcode in `len` must match, too.
};
// Bits of ioring_sqe.op_flags of messages between rings.
enum {
    IOR_MSG_RING_CQE_SKIP = 1 << 0,   // No completion on the other ring.
    IOR_MSG_RING_FLAGS_PASS = 1 << 1  // `file_index` gives that completion's flags.
};
// How much of a connection a shutdown ends.
enum {
    IOR_SHUTDOWN_READ = 0,   // Nothing more will be received.
    IOR_SHUTDOWN_WRITE = 1,  // Nothing more will be sent: the peer sees an end of stream.
    IOR_SHUTDOWN_BOTH = 2    // Both.
};
// Bits of ioring_cqe.flags.
enum {
    IOR_CQE_BUFFER = 1 << 0,         // The upper 16 bits are a buffer id.
    IOR_CQE_MORE = 1 << 1,           // More completions of this entry will follow.
    IOR_CQE_SOCK_NONEMPTY = 1 << 2,  // There was more to read (also at FIN).
    IOR_CQE_NOTIFICATION = 1 << 3,   // send_zc: the bytes are yours again.
    IOR_CQE_BUFFER_MORE = 1 << 4,    // The group buffer is only partly consumed.
    IOR_CQE_BUFFER_SHIFT = 16        // Where the buffer id begins.
};
// What ioring_open_socket() opens.
enum {
    IOR_FAMILY_IPV4 = 1,  // IPv4
    IOR_FAMILY_IPV6 = 2,  // IPv6
    IOR_FAMILY_LOCAL = 3  // Unix-domain
};

// The most bytes that one transfer moves; more is cut to this, a short transfer.
#define IORING_TRANSFER_BYTES_MAX ((size_t)0x7ffff000)

// --- rings -----------------------------------------------------------------------------------

// A ring; ioring_create() makes one.
typedef struct ioring_ring ioring_t;

// As ring_options.hpp says, field by field.
typedef struct ioring_options {
    uint32_t size;               // sizeof(ioring_options)
    uint32_t sq_entries;         // 8 to 32768, rounded up to a power of two; 4096.
    uint32_t cq_entries;         // Up to 65536, likewise; by connections_max.
    uint32_t connections_max;    // Registered at a time; 16384.
    uint32_t posts_max;          // Waiting to be read; 1024.
    uint32_t reserved;           // 0
    uint64_t spin_ns;            // Before a wait sleeps, up to a second; 0.
    uint64_t drain_timeout_ns;   // Of ioring_destroy(), up to ten minutes; a second.
    const char* backend;         // NULL: "automatic"
    const char* backend_prefer;  // NULL: none
    const char* backend_forbid;  // NULL: none
} ioring_options;

// What a ring has done since its creation.
typedef struct ioring_counters {
    uint32_t size;             // sizeof(ioring_counters)
    uint32_t reserved;         // 0
    uint64_t enters;           // System calls, on backends that have any.
    uint64_t submitted;        // Entries taken by the backend.
    uint64_t completed;        // Completions consumed, posts included.
    uint64_t posted;           // Of those, of ioring_post().
    uint64_t wakes;            // Waits that ioring_wake() ended.
    uint64_t overflows;        // Times that completions waited outside a full queue.
    uint64_t short_transfers;  // Of C++ programs only.
} ioring_counters;

// Makes *out a ring; `options` may be NULL. Errors: -EINVAL (an option is out of range, or no such
// backend, or size is too small), -ENOTSUP or -EPERM (this machine refuses what was demanded),
// -ENOMEM, -EMFILE. *out is then unchanged.
IORING_API int ioring_create(const ioring_options* options, ioring_t** out);
// As above; on an error `why` gets a sentence, cut to `why_bytes` with its zero.
IORING_API int ioring_create_why(const ioring_options* options, ioring_t** out, char* why,
                                 size_t why_bytes);
// On the owner's thread: cancels what is in flight and waits for its end, drain_timeout at most.
// Destroy pools, groups and listeners of it before or after. NULL is nothing.
IORING_API void ioring_destroy(ioring_t* ring);

// "uring", for example; "" without a ring.
IORING_API const char* ioring_backend_name(const ioring_t* ring);
// Why it was chosen, and what was not and why; one clause.
IORING_API const char* ioring_backend_reason(const ioring_t* ring);
// How it was set up.
IORING_API const char* ioring_backend_description(const ioring_t* ring);
// 1 when the backend honours that opcode, else 0 (it completes with -EINVAL).
IORING_API int ioring_supports(const ioring_t* ring, uint8_t opcode);
// Fills as much of *out as out->size says, which must be set. Errors: -EINVAL.
IORING_API int ioring_get_counters(const ioring_t* ring, ioring_counters* out);
// Operations whose last completion has not been read; those that succeeded silently
// (IOR_SQE_CQE_SKIP_SUCCESS) stay counted.
IORING_API uint64_t ioring_in_flight(const ioring_t* ring);

// The next free entry, zeroed, or NULL when the queue is full: submit, then ask again.
IORING_API ioring_sqe* ioring_get_sqe(ioring_t* ring);
// Entries that can be prepared before the next submit.
IORING_API uint32_t ioring_sq_space_left(const ioring_t* ring);
// 1: `count` entries are free, after a submit if need be. 0: they cannot be.
IORING_API int ioring_reserve(ioring_t* ring, uint32_t count);

// How many entries were taken, or -EBUSY or -EAGAIN: read completions first.
IORING_API int ioring_submit(ioring_t* ring);
// ... and then waits for `min_complete` completions.
IORING_API int ioring_submit_and_wait(ioring_t* ring, uint32_t min_complete);
// ... for at most `timeout_ns`, or without a bound when that is negative.
IORING_API int ioring_submit_and_wait_timeout(ioring_t* ring, uint32_t min_complete,
                                              int64_t timeout_ns);

// Copies completions, oldest first, without consuming them. Returns how many.
IORING_API size_t ioring_peek_batch_cqe(ioring_t* ring, ioring_cqe* out, size_t count);
// One: 0, or -EAGAIN when there is none.
IORING_API int ioring_peek_cqe(ioring_t* ring, ioring_cqe* out);
// Submits, waits for one and copies it: 0, or an error; -EAGAIN when a wake ended the wait.
IORING_API int ioring_wait_cqe(ioring_t* ring, ioring_cqe* out);
// As above, for at most `timeout_ns`; -EAGAIN when it is over.
IORING_API int ioring_wait_cqe_timeout(ioring_t* ring, ioring_cqe* out, int64_t timeout_ns);
// Consumes the oldest; more than are there is cut.
IORING_API void ioring_cq_advance(ioring_t* ring, size_t count);
// Completions that can be read without entering.
IORING_API size_t ioring_cq_ready(ioring_t* ring);

// Any thread and any signal handler.
IORING_API void ioring_wake(ioring_t* ring);
// Any thread and any signal handler: 0, or -EAGAIN when posts_max posts wait to be read.
IORING_API int ioring_post(ioring_t* ring, uint64_t user_data, int32_t res);

// Two entries or none: cancels what is in flight on `fd`, then closes it. Returns the second.
IORING_API ioring_sqe* ioring_prepare_close(ioring_t* ring, int32_t fd, uint64_t user_data);
// Posts {target_user_data, res} on `target`: ring.hpp, prepare_msg_ring().
IORING_API ioring_sqe* ioring_prepare_msg_ring(ioring_t* ring, const ioring_t* target, int32_t res,
                                               uint64_t target_user_data, uint64_t user_data);

// --- addresses and sockets -------------------------------------------------------------------

// A system's address structure, for entries that take one.
typedef struct ioring_endpoint {
    uint32_t bytes;        // In use; 0: no address.
    uint32_t reserved;     // 0
    uint64_t storage[16];  // The system's sockaddr.
} ioring_endpoint;

// "127.0.0.1:5000", "[::1]:5000", "unix:/path": endpoint.hpp. Errors: -EINVAL.
IORING_API int ioring_endpoint_parse(const char* text, ioring_endpoint* out);
// Writes it as it is parsed, cut to `bytes` with its zero. Returns the length of all of it.
IORING_API size_t ioring_endpoint_format(const ioring_endpoint* address, char* out, size_t bytes);

// How a listener is made: listen_options of endpoint.hpp.
typedef struct ioring_listen_options {
    uint32_t size;        // sizeof(ioring_listen_options)
    uint32_t backlog;     // Connections waiting to be accepted; 4096.
    uint8_t dual_stack;   // An IPv6 listener takes IPv4, too.
    uint8_t reuse_port;   // Several listeners share one port.
    uint8_t reserved[6];  // 0
} ioring_listen_options;

// A listening socket of a ring.
typedef struct ioring_listener ioring_listener_t;

// Binds and listens; `options` may be NULL. Errors: those of bind and listen.
IORING_API int ioring_listen(ioring_t* ring, const char* address,
                             const ioring_listen_options* options, ioring_listener_t** out);
// Ends accepts in flight, then closes. On the ring's thread.
IORING_API void ioring_listener_close(ioring_listener_t* listener);
// For accepts; the listener's own. -1 without one.
IORING_API int32_t ioring_listener_fd(const ioring_listener_t* listener);
// Its bound address, with the port that the system chose for port 0. Errors: -EINVAL.
IORING_API int ioring_listener_endpoint(const ioring_listener_t* listener, ioring_endpoint* out);

// An unconnected stream socket of an IOR_FAMILY_, to be connected by an entry.
IORING_API int ioring_open_socket(ioring_t* ring, int family, int32_t* out);
// Blocks: looks `host` up (a name or a numeric address) and connects to the first of its addresses
// that answers. `timeout_ns` bounds the connecting, not the name server.
IORING_API int ioring_connect_now(ioring_t* ring, const char* host, uint16_t port,
                                  int64_t timeout_ns, int32_t* out);
// Ends a direction (IOR_SHUTDOWN_) at once, without an entry: 0 or a negative errno.
IORING_API int ioring_shutdown_now(ioring_t* ring, int32_t fd, int how);
// Closes at once, without an entry, and does not cancel: ioring_prepare_close() does.
IORING_API int ioring_close_now(ioring_t* ring, int32_t fd);

// --- registered sockets and buffers ----------------------------------------------------------

typedef uint64_t ioring_connection_id;  // 0 is none.
typedef uint32_t ioring_buffer_id;      // 0xffffffff is none.

// Gives `fd` an id for the buffer operations. Errors: -EBADF, -ENOBUFS (connections_max).
IORING_API int ioring_register_socket(ioring_t* ring, int32_t fd, ioring_connection_id* out);
// The id is stale from now on; the descriptor stays open. Errors: -EINVAL when it already was.
IORING_API int ioring_unregister_socket(ioring_t* ring, ioring_connection_id connection);
// `memory` stays the caller's and must stay until it is unregistered; at most 4 GiB - 1.
IORING_API int ioring_register_buffer(ioring_t* ring, void* memory, size_t bytes,
                                      ioring_buffer_id* out);
// The id is stale from now on. Errors: -EINVAL when it already was.
IORING_API int ioring_unregister_buffer(ioring_t* ring, ioring_buffer_id buffer);
// Receives into `bytes` bytes at `offset` of a registered buffer; NULL when the queue is full.
// A stale connection completes with -EBADF, a stale buffer or a bad range with -EFAULT.
IORING_API ioring_sqe* ioring_prepare_recv_buffer(ioring_t* ring, ioring_connection_id connection,
                                                  ioring_buffer_id buffer, uint64_t offset,
                                                  uint32_t bytes, uint64_t user_data);
// The other way: all bytes, no SIGPIPE.
IORING_API ioring_sqe* ioring_prepare_send_buffer(ioring_t* ring, ioring_connection_id connection,
                                                  ioring_buffer_id buffer, uint64_t offset,
                                                  uint32_t bytes, uint64_t user_data);

// --- mirrored buffers and their pool ---------------------------------------------------------

// A circular buffer whose free and whose unread bytes are each one range: ring_buffer.hpp.
typedef struct ioring_buffer ioring_buffer_t;

// What a capacity must be a multiple of: the page, in bytes (Windows: 64 KiB).
IORING_API size_t ioring_buffer_granularity(void);
// `bytes`: a multiple of the granularity. Errors: -EINVAL, -ENOMEM, -EMFILE.
IORING_API int ioring_buffer_create(size_t bytes, ioring_buffer_t** out);
// 0, or -EBUSY, and nothing has happened: it is a pool's, or lent to a receive. NULL is nothing.
IORING_API int ioring_buffer_destroy(ioring_buffer_t* buffer);
// Bytes it holds, all of them usable.
IORING_API uint32_t ioring_buffer_capacity(const ioring_buffer_t* buffer);
// All unread bytes, as one range; *bytes may be 0.
IORING_API const void* ioring_buffer_readable(const ioring_buffer_t* buffer, uint32_t* bytes);
// All free bytes, likewise. Receive into none when *bytes is 0.
IORING_API void* ioring_buffer_writable(ioring_buffer_t* buffer, uint32_t* bytes);
// The first `bytes` of the readable ones are done with. 0, or -EINVAL when that is more than there
// are: nothing has changed.
IORING_API int ioring_buffer_commit_read(ioring_buffer_t* buffer, uint64_t bytes);
// The first `bytes` of the writable ones are filled, likewise.
IORING_API int ioring_buffer_commit_write(ioring_buffer_t* buffer, uint64_t bytes);
// For ioring_prepare_recv_buffer() and its kin: the id under which it is registered.
IORING_API ioring_buffer_id ioring_buffer_registered_id(const ioring_buffer_t* buffer);
// Where the readable bytes begin: the offset of a send.
IORING_API uint32_t ioring_buffer_read_offset(const ioring_buffer_t* buffer);
// Where the writable bytes begin: the offset of a receive.
IORING_API uint32_t ioring_buffer_write_offset(const ioring_buffer_t* buffer);

// Registers a buffer of one's own with a ring, both views of it; ioring_buffer_registered_id() and
// *out are then its id. Unregister it before it is destroyed. Errors: -EINVAL (it is a pool's, or
// registered already), those of ioring_register_buffer().
IORING_API int ioring_register_ring_buffer(ioring_t* ring, ioring_buffer_t* buffer,
                                           ioring_buffer_id* out);

// How a pool is made: pool_options of buffer_pool.hpp.
typedef struct ioring_pool_options {
    uint32_t size;           // sizeof(ioring_pool_options)
    uint32_t buffer_bytes;   // A multiple of the granularity; 65536.
    uint32_t slab_buffers;   // Of a slab, 1 to 32768; 256.
    uint32_t slabs_max;      // 64
    uint32_t slabs_initial;  // 0: none
    uint8_t huge_pages;      // Where the system has enough of them free.
    uint8_t no_fallback;     // No buffers beyond the slabs.
    uint8_t reserved[2];     // 0
} ioring_pool_options;

// A pool of mirrored buffers.
typedef struct ioring_pool ioring_pool_t;

// Buffers registered with `ring`, made in slabs: buffer_pool.hpp; `options` may be NULL.
IORING_API int ioring_pool_create(ioring_t* ring, const ioring_pool_options* options,
                                  ioring_pool_t** out);
// Its buffers end with it.
IORING_API void ioring_pool_destroy(ioring_pool_t* pool);
// Errors: -ENOBUFS (the limits of the options), -ENOMEM, -EMFILE.
IORING_API int ioring_pool_acquire(ioring_pool_t* pool, ioring_buffer_t** out);
// Errors, each of which changes nothing: -EINVAL (not a buffer of this pool), -EPERM (it is free
// already), -EBUSY.
IORING_API int ioring_pool_release(ioring_pool_t* pool, ioring_buffer_t* buffer);

// --- buffer groups ---------------------------------------------------------------------------

// How a group is made: group_options of buffer_group.hpp.
typedef struct ioring_group_options {
    uint32_t size;                // sizeof(ioring_group_options)
    uint32_t buffers;             // 1 to 32768; 256.
    uint32_t buffer_bytes;        // Of a buffer; 65536.
    uint32_t plain_buffer_bytes;  // Where it cannot be incremental; 16384.
    uint8_t not_incremental;      // One receive a buffer, in any case.
    uint8_t reserved[3];          // 0
    uint32_t posted_bytes_max;    // 0: all at once.
} ioring_group_options;

// A group of provided buffers.
typedef struct ioring_group ioring_group_t;

// Buffers that the backend picks for a receive when there is data: buffer_group.hpp. Errors:
// -EINVAL, -ENOTSUP (the backend has none), -ENOBUFS, -ENOMEM.
IORING_API int ioring_group_create(ioring_t* ring, const ioring_group_options* options,
                                   ioring_group_t** out);
// When its receives have ended; one that has not ends with -ENOBUFS. NULL is nothing.
IORING_API void ioring_group_destroy(ioring_group_t* group);
// For ioring_prep_recv_select() and ioring_prep_recv_multishot().
IORING_API uint16_t ioring_group_id(const ioring_group_t* group);
// The bytes that a completion brought, the program's until they are recycled; NULL and 0 when it
// brought none. Once for each completion of a receive with this group, in order.
IORING_API void* ioring_group_take(ioring_group_t* group, const ioring_cqe* done, uint32_t* bytes);
// 0, or -EINVAL when no such chunk is out.
IORING_API int ioring_group_recycle(ioring_group_t* group, const void* chunk);

// A datagram of a multishot recvmsg: received_message.hpp.
typedef struct ioring_received_message {
    void* name;                    // The sender's sockaddr ...
    void* control;                 // ancillary data ...
    void* payload;                 // and the datagram's bytes, all within the chunk.
    uint32_t name_bytes;           // Of the address that are there ...
    uint32_t control_bytes;        // of ancillary data ...
    uint32_t payload_bytes;        // and of the datagram.
    uint32_t flags;                // The system's msg_flags.
    uint32_t whole_name_bytes;     // More than name_bytes: the address was cut.
    uint32_t whole_payload_bytes;  // Of the datagram, if IOR_MSG_TRUNC was asked for.
    uint32_t is_cut;               // 1: some of the datagram had no room and is lost.
    uint32_t reserved;             // 0
} ioring_received_message;

// Takes a chunk apart whose receive's pattern had this room for names and ancillary data (its
// msg_namelen and msg_controllen). 0, or -EINVAL when it is too short for them.
IORING_API int ioring_received_message_read(void* chunk, uint32_t bytes, uint32_t name_room,
                                            uint32_t control_room, ioring_received_message* out);

// --- managed sockets -------------------------------------------------------------------------

// Connections that always end: socket_manager.hpp, socket.hpp and socket_event.hpp say what each of
// these does. All of it belongs to the ring's thread.
typedef struct ioring_manager ioring_manager_t;
// One of its connections: good until the poll after its closed event.
typedef struct ioring_socket ioring_socket_t;
typedef uint64_t ioring_socket_id;    // 0 is none.
typedef uint64_t ioring_listener_id;  // 0 is none.
typedef uint64_t ioring_timer_id;     // 0 is none.

// For a time-out that shall not be.
#define IORING_NO_TIMEOUT ((uint32_t)0xffffffff)

// As manager_options says, field by field; time-outs in milliseconds.
typedef struct ioring_manager_options {
    uint32_t size;                    // sizeof(ioring_manager_options)
    uint32_t sockets_max;             // Connections at a time; 1024.
    uint32_t buffer_bytes;            // Of a connection's receive and send buffer; 65536.
    uint32_t buffers_max;             // Lent at a time; two for each connection.
    uint32_t chunks;                  // Shared by all receives; 256.
    uint32_t chunk_bytes;             // Of a chunk; 65536.
    uint32_t send_high_bytes;         // Unsent: blocked; buffer_bytes.
    uint32_t send_low_bytes;          // Unsent: writable again; half of that.
    uint32_t turn_completions_max;    // Read by one poll; 1024.
    uint32_t turn_bytes_max;          // Read by one poll; 8 MiB.
    uint32_t connect_timeout_ms;      // 10 s
    uint32_t handshake_timeout_ms;    // Until ioring_socket_finish_handshake(); none.
    uint32_t idle_timeout_ms;         // No byte in either direction; none.
    uint32_t read_timeout_ms;         // No byte from the peer; none.
    uint32_t write_stall_timeout_ms;  // The peer takes nothing; 30 s.
    uint32_t drain_timeout_ms;        // From close to the peer's end; 5 s.
    uint8_t close_slow_readers;       // The first write that is cut aborts.
    uint8_t allow_half_open;          // The peer's end does not end it.
    uint8_t reserved[6];              // 0
    // Nobody is accepted while so many bytes of buffers are lent; none.
    uint64_t accept_memory_max_bytes;
    uint32_t accept_lag_max_ms;  // ... or the program keeps completions waiting so long; none.
} ioring_manager_options;

// ioring_event.type: what has happened.
enum {
    IOR_EVENT_ACCEPTED = 0,       // A connection of `listener`.
    IOR_EVENT_CONNECTED = 1,      // One of ioring_manager_connect() stands.
    IOR_EVENT_RECEIVED = 2,       // There are bytes in ioring_socket_readable().
    IOR_EVENT_SEND_BLOCKED = 3,   // A write was cut, or send_high_bytes are unsent.
    IOR_EVENT_WRITABLE = 4,       // No more than send_low_bytes are: go on.
    IOR_EVENT_DRAINED = 5,        // All was sent; after ioring_socket_notify_drained() only.
    IOR_EVENT_PEER_CLOSED = 6,    // The peer will send no more, and all it sent was read.
    IOR_EVENT_CLOSED = 7,         // The end, exactly once.
    IOR_EVENT_ACCEPT_PAUSED = 8,  // No descriptor or memory; goes on by itself.
    IOR_EVENT_TIMER = 9,          // One of ioring_manager_start_timer().
    IOR_EVENT_COMPLETION = 10     // Of an entry of the program's own, or a post.
};

// What a manager tells.
typedef struct ioring_event {
    uint8_t type;                 // IOR_EVENT_
    uint8_t reason;               // Of closed: ioring_close_reason() has the word.
    uint8_t reserved[2];          // 0
    int32_t error;                // Of closed and accept_paused: 0 or a negative errno.
    ioring_listener_id listener;  // Of accepted and accept_paused.
    ioring_socket_t* socket;      // Of all that concern a connection; good until the next poll.
    ioring_cqe done;              // Of completion; of timer its user_data.
} ioring_event;

// What became of the connections that were open.
typedef struct ioring_drain_report {
    uint32_t drained;       // All was sent, and the peer ended its side too.
    uint32_t cut;           // Reset with bytes unsent.
    uint64_t bytes_unsent;  // Of those.
    int32_t complete;       // 1: no connection is left; 0: the ring has failed.
    uint32_t reserved;      // 0
} ioring_drain_report;

// `options` may be NULL. The ring must outlive it.
IORING_API int ioring_manager_create(ioring_t* ring, const ioring_manager_options* options,
                                     ioring_manager_t** out);
// Aborts what is open and reads its last completions, a second at most. NULL is nothing.
IORING_API void ioring_manager_destroy(ioring_manager_t* manager);
// Accepts at `address` from the next poll on; `options` may be NULL. Errors: as ioring_listen(),
// -ENOBUFS (256 listeners).
IORING_API int ioring_manager_listen(ioring_manager_t* manager, const char* address,
                                     const ioring_listen_options* options, ioring_listener_id* out);
// Accepts no more there; its connections stay. Errors: -ENOENT.
IORING_API int ioring_manager_close_listener(ioring_manager_t* manager,
                                             ioring_listener_id listener);
// The bound address of a listener. Errors: -ENOENT when there is no such one.
IORING_API int ioring_manager_local_endpoint(const ioring_manager_t* manager,
                                             ioring_listener_id listener, ioring_endpoint* out);
// Begins a connection, whose event is connected, or closed with the error. Errors: -ENOBUFS
// (sockets_max), -EAFNOSUPPORT, -EMFILE.
IORING_API int ioring_manager_connect(ioring_manager_t* manager, const ioring_endpoint* peer,
                                      ioring_socket_t** out);
// Sends and receives, waits (`timeout_ns` below 0: without a bound) and gives up to `count` events;
// the rest comes with the next call. Returns how many, or a negative errno when the ring can do
// nothing any more.
IORING_API int ioring_manager_poll(ioring_manager_t* manager, ioring_event* out, size_t count,
                                   int64_t timeout_ns);
// Connections; each ends with the poll after the one that gave its closed event.
IORING_API uint32_t ioring_manager_size(const ioring_manager_t* manager);
// NULL when that connection is over.
IORING_API ioring_socket_t* ioring_manager_find(ioring_manager_t* manager, ioring_socket_id id);
// 0, or -EAGAIN when some were cut; `report` may be NULL.
IORING_API int ioring_manager_drain(ioring_manager_t* manager, int64_t timeout_ns,
                                    ioring_drain_report* report);
// The delay counts from the next ioring_manager_poll(). 0 when there is no memory.
IORING_API ioring_timer_id ioring_manager_start_timer(ioring_manager_t* manager, int64_t delay_ns,
                                                      uint64_t user_data);
// 0, or -ENOENT when it was delivered or cancelled before.
IORING_API int ioring_manager_cancel_timer(ioring_manager_t* manager, ioring_timer_id timer);
// The word for ioring_event.reason, for example "idle_timeout".
IORING_API const char* ioring_close_reason(uint8_t reason);

// Its name, which may be kept.
IORING_API ioring_socket_id ioring_socket_get_id(const ioring_socket_t* socket);
// What ioring_socket_set_user() has set; NULL at first.
IORING_API void* ioring_socket_user(const ioring_socket_t* socket);
// Sets it; the manager never looks at it.
IORING_API void ioring_socket_set_user(ioring_socket_t* socket, void* user);
// For what there is no call for (socket options). The manager's: do not close it. -1 without one.
IORING_API int32_t ioring_socket_fd(const ioring_socket_t* socket);
// The peer's address; its `bytes` is 0 when it was gone before we could ask. Errors: -EINVAL.
IORING_API int ioring_socket_peer(const ioring_socket_t* socket, ioring_endpoint* out);
// The unread bytes, as one range; there may be more, which a later received event tells.
IORING_API const void* ioring_socket_readable(const ioring_socket_t* socket, size_t* bytes);
// 1: the peer has ended its side, and nothing comes behind the unread bytes. Else 0.
IORING_API int ioring_socket_peer_has_ended(const ioring_socket_t* socket);
// The first `bytes` of the readable ones, or all of them, are done with.
IORING_API void ioring_socket_consume(ioring_socket_t* socket, size_t bytes);
// Receives no more until ioring_socket_resume_recv().
IORING_API void ioring_socket_pause_recv(ioring_socket_t* socket);
// Ends that.
IORING_API void ioring_socket_resume_recv(ioring_socket_t* socket);
// How many bytes were taken.
IORING_API size_t ioring_socket_write(ioring_socket_t* socket, const void* bytes, size_t count);
// Room to write into in place; NULL and 0 when there is none.
IORING_API void* ioring_socket_writable(ioring_socket_t* socket, size_t* bytes);
// Takes the first `bytes` of it as written.
IORING_API void ioring_socket_commit_write(ioring_socket_t* socket, size_t bytes);
// Sends the first `bytes` of the readable ones from where they are. Returns how many were taken.
IORING_API size_t ioring_socket_forward(ioring_socket_t* socket, size_t bytes);
// Likewise, to another connection of the same manager: 0 for any other.
IORING_API size_t ioring_socket_forward_to(ioring_socket_t* socket, ioring_socket_t* other,
                                           size_t bytes);
// Bytes written or forwarded, and not yet taken by the system.
IORING_API uint32_t ioring_socket_unsent(const ioring_socket_t* socket);
// One drained event when there are none unsent; at once when there are none.
IORING_API void ioring_socket_notify_drained(ioring_socket_t* socket);
// An end of this side alone: what is unsent is sent, then the peer is told. Bytes still come until
// it has ended its side too; then the closed event.
IORING_API void ioring_socket_shutdown_write(ioring_socket_t* socket);
// An orderly end: what is unsent is sent, the peer is told and waited for. Then the closed event.
IORING_API void ioring_socket_close(ioring_socket_t* socket);
// An end at once: the peer sees a reset. Then the closed event.
IORING_API void ioring_socket_abort(ioring_socket_t* socket);
// handshake_timeout_ms counts no more.
IORING_API void ioring_socket_finish_handshake(ioring_socket_t* socket);

// --- errors ----------------------------------------------------------------------------------

// The words for a negative errno; they last until this thread's next call.
IORING_API const char* ioring_strerror(int error);

// --- filling entries --------------------------------------------------------------------------
//
// Each writes the whole entry, user_data too (0): set that afterwards. prep.hpp says what each
// operation does.

// Sets what comes back in the completion; ~0 is reserved.
IORING_INLINE void ioring_sqe_set_data64(ioring_sqe* sqe, uint64_t data) { sqe->user_data = data; }
// Likewise, a pointer.
IORING_INLINE void ioring_sqe_set_data(ioring_sqe* sqe, void* data) {
    sqe->user_data = (uint64_t)(uintptr_t)data;
}
// Sets the IOR_SQE_ bits, all of them.
IORING_INLINE void ioring_sqe_set_flags(ioring_sqe* sqe, uint8_t flags) { sqe->flags = flags; }
// What the entry had.
IORING_INLINE uint64_t ioring_cqe_get_data64(const ioring_cqe* cqe) { return cqe->user_data; }
// Likewise, as a pointer.
IORING_INLINE void* ioring_cqe_get_data(const ioring_cqe* cqe) {
    return (void*)(uintptr_t)cqe->user_data;
}

// Any operation: writes the whole entry, what is not an argument as 0.
IORING_INLINE void ioring_prep_rw(ioring_sqe* sqe, uint8_t opcode, int32_t fd, const void* addr,
                                  uint32_t len, uint64_t off) {
    sqe->opcode = opcode;
    sqe->flags = 0;
    sqe->ioprio = 0;
    sqe->fd = fd;
    sqe->off = off;
    sqe->addr = (uint64_t)(uintptr_t)addr;
    sqe->len = len;
    sqe->op_flags = 0;
    sqe->user_data = 0;
    sqe->buf_index = 0;
    sqe->personality = 0;
    sqe->file_index = 0;
    sqe->addr3 = 0;
    sqe->reserved = 0;
}
// `bytes`, cut to IORING_TRANSFER_BYTES_MAX.
IORING_INLINE uint32_t ioring_transfer_bytes(size_t bytes) {
    return (uint32_t)(bytes < IORING_TRANSFER_BYTES_MAX ? bytes : IORING_TRANSFER_BYTES_MAX);
}

// Completes with 0 at once.
IORING_INLINE void ioring_prep_nop(ioring_sqe* sqe) {
    ioring_prep_rw(sqe, IOR_OP_NOP, -1, NULL, 0, 0);
}
// `address` and `*address_bytes` get the peer's; both may be NULL.
IORING_INLINE void ioring_prep_accept(ioring_sqe* sqe, int32_t listener, void* address,
                                      uint32_t* address_bytes, uint32_t socket_flags) {
    ioring_prep_rw(sqe, IOR_OP_ACCEPT, listener, address, 0, (uint64_t)(uintptr_t)address_bytes);
    sqe->op_flags = socket_flags;
}
// One completion a connection until one comes without IOR_CQE_MORE.
IORING_INLINE void ioring_prep_multishot_accept(ioring_sqe* sqe, int32_t listener,
                                                uint32_t socket_flags) {
    ioring_prep_accept(sqe, listener, NULL, NULL, socket_flags);
    sqe->ioprio = IOR_ACCEPT_MULTISHOT;
}
// Connects a stream socket. `address` is the system's sockaddr.
IORING_INLINE void ioring_prep_connect(ioring_sqe* sqe, int32_t fd, const void* address,
                                       uint32_t address_bytes) {
    ioring_prep_rw(sqe, IOR_OP_CONNECT, fd, address, 0, address_bytes);
}
// The result is the bytes received, 0 at the end of the stream.
IORING_INLINE void ioring_prep_recv(ioring_sqe* sqe, int32_t fd, void* buffer, size_t bytes,
                                    uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_RECV, fd, buffer, ioring_transfer_bytes(bytes), 0);
    sqe->op_flags = msg_flags;
}
// Into a buffer of a group; `bytes_max` 0: as many as fit.
IORING_INLINE void ioring_prep_recv_select(ioring_sqe* sqe, int32_t fd, uint16_t group,
                                           uint32_t bytes_max, uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_RECV, fd, NULL, bytes_max, 0);
    sqe->flags = IOR_SQE_BUFFER_SELECT;
    sqe->op_flags = msg_flags;
    sqe->buf_index = group;
}
// Likewise, one completion a chunk until one comes without IOR_CQE_MORE.
IORING_INLINE void ioring_prep_recv_multishot(ioring_sqe* sqe, int32_t fd, uint16_t group,
                                              uint32_t msg_flags) {
    ioring_prep_recv_select(sqe, fd, group, 0, msg_flags);
    sqe->ioprio = IOR_TRANSFER_MULTISHOT;
}
// With IOR_MSG_WAIT_ALL only an error, a shutdown or a cancel makes it short. Add
// IOR_MSG_NO_SIGNAL.
IORING_INLINE void ioring_prep_send(ioring_sqe* sqe, int32_t fd, const void* bytes, size_t count,
                                    uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_SEND, fd, bytes, ioring_transfer_bytes(count), 0);
    sqe->op_flags = msg_flags;
}
// Two completions: the result with IOR_CQE_MORE, then IOR_CQE_NOTIFICATION when the bytes are free.
IORING_INLINE void ioring_prep_send_zc(ioring_sqe* sqe, int32_t fd, const void* bytes, size_t count,
                                       uint32_t msg_flags, uint16_t zc_flags) {
    ioring_prep_send(sqe, fd, bytes, count, msg_flags);
    sqe->opcode = IOR_OP_SEND_ZC;
    sqe->ioprio = zc_flags;
}
// `message` is the system's msghdr; on Windows one of Linux' layout.
IORING_INLINE void ioring_prep_sendmsg(ioring_sqe* sqe, int32_t fd, const void* message,
                                       uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_SENDMSG, fd, message, 1, 0);
    sqe->op_flags = msg_flags;
}
// Into what `message` says; its address, flags and control bytes are written.
IORING_INLINE void ioring_prep_recvmsg(ioring_sqe* sqe, int32_t fd, void* message,
                                       uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_RECVMSG, fd, message, 1, 0);
    sqe->op_flags = msg_flags;
}
// One completion a datagram, in buffers of a group (ioring_received_message_read()), until one
// comes without IOR_CQE_MORE. `pattern` says how much room names and ancillary data have. -EINVAL
// where the backend has none.
IORING_INLINE void ioring_prep_recvmsg_multishot(ioring_sqe* sqe, int32_t fd, const void* pattern,
                                                 uint16_t group, uint32_t msg_flags) {
    ioring_prep_rw(sqe, IOR_OP_RECVMSG, fd, pattern, 1, 0);
    sqe->flags = IOR_SQE_BUFFER_SELECT;
    sqe->ioprio = IOR_TRANSFER_MULTISHOT;
    sqe->op_flags = msg_flags;
    sqe->buf_index = group;
}
// `how`: IOR_SHUTDOWN_. ioring_shutdown_now() is cheaper.
IORING_INLINE void ioring_prep_shutdown(ioring_sqe* sqe, int32_t fd, int how) {
    ioring_prep_rw(sqe, IOR_OP_SHUTDOWN, fd, NULL, (uint32_t)how, 0);
}
// Closes and nothing else; ioring_prepare_close() cancels first.
IORING_INLINE void ioring_prep_close(ioring_sqe* sqe, int32_t fd) {
    ioring_prep_rw(sqe, IOR_OP_CLOSE, fd, NULL, 0, 0);
}
// Cancels the operation whose user_data is `target`: 0, -ENOENT or -EALREADY.
IORING_INLINE void ioring_prep_cancel64(ioring_sqe* sqe, uint64_t target, uint32_t cancel_flags) {
    ioring_prep_rw(sqe, IOR_OP_ASYNC_CANCEL, -1, NULL, 0, 0);
    sqe->addr = target;
    sqe->op_flags = cancel_flags;
}
// Cancels by descriptor: with IOR_CANCEL_ALL every one, and the result is how many.
IORING_INLINE void ioring_prep_cancel_fd(ioring_sqe* sqe, int32_t fd, uint32_t cancel_flags) {
    ioring_prep_rw(sqe, IOR_OP_ASYNC_CANCEL, fd, NULL, 0, 0);
    sqe->op_flags = cancel_flags | IOR_CANCEL_FD;
}
// Completes with the IOR_POLL_ bits that are there, once.
IORING_INLINE void ioring_prep_poll_add(ioring_sqe* sqe, int32_t fd, uint32_t events) {
    ioring_prep_rw(sqe, IOR_OP_POLL_ADD, fd, NULL, 0, 0);
    sqe->op_flags = events;
}
// Likewise, each time, until one comes without IOR_CQE_MORE.
IORING_INLINE void ioring_prep_poll_multishot(ioring_sqe* sqe, int32_t fd, uint32_t events) {
    ioring_prep_poll_add(sqe, fd, events);
    sqe->len = IOR_POLL_MULTISHOT;
}
// Changes the poll whose user_data is `target`: what `poll_flags` names.
IORING_INLINE void ioring_prep_poll_update(ioring_sqe* sqe, uint64_t target, uint64_t new_user_data,
                                           uint32_t events, uint32_t poll_flags) {
    ioring_prep_rw(sqe, IOR_OP_POLL_REMOVE, -1, NULL, poll_flags, new_user_data);
    sqe->addr = target;
    sqe->op_flags = events;
}
// Ends the poll whose user_data is `target`: 0, -ENOENT or -EALREADY.
IORING_INLINE void ioring_prep_poll_remove(ioring_sqe* sqe, uint64_t target) {
    ioring_prep_rw(sqe, IOR_OP_POLL_REMOVE, -1, NULL, 0, 0);
    sqe->addr = target;
}
// -ETIME after `time`, or 0 after `completions` others (0: time alone).
IORING_INLINE void ioring_prep_timeout(ioring_sqe* sqe, const ioring_timespec* time,
                                       uint32_t completions, uint32_t flags) {
    ioring_prep_rw(sqe, IOR_OP_TIMEOUT, -1, time, 1, completions);
    sqe->op_flags = flags;
}
// Gives the timeout whose user_data is `target` another time.
IORING_INLINE void ioring_prep_timeout_update(ioring_sqe* sqe, const ioring_timespec* time,
                                              uint64_t target, uint32_t flags) {
    ioring_prep_rw(sqe, IOR_OP_TIMEOUT_REMOVE, -1, NULL, 0, (uint64_t)(uintptr_t)time);
    sqe->addr = target;
    sqe->op_flags = flags | IOR_TIMEOUT_UPDATE;
}
// Ends the timeout whose user_data is `target`: 0, -ENOENT or -EALREADY.
IORING_INLINE void ioring_prep_timeout_remove(ioring_sqe* sqe, uint64_t target) {
    ioring_prep_rw(sqe, IOR_OP_TIMEOUT_REMOVE, -1, NULL, 0, 0);
    sqe->addr = target;
}
// Bounds the operation before it, which must carry IOR_SQE_IO_LINK.
IORING_INLINE void ioring_prep_link_timeout(ioring_sqe* sqe, const ioring_timespec* time,
                                            uint32_t flags) {
    ioring_prep_rw(sqe, IOR_OP_LINK_TIMEOUT, -1, time, 1, 0);
    sqe->op_flags = flags;
}
// The result is a new socket's descriptor; the arguments are the host's numbers.
IORING_INLINE void ioring_prep_socket(ioring_sqe* sqe, int32_t domain, uint32_t type,
                                      uint32_t protocol) {
    ioring_prep_rw(sqe, IOR_OP_SOCKET, domain, NULL, protocol, type);
}
// Binds: 0 or the error of bind(2).
IORING_INLINE void ioring_prep_bind(ioring_sqe* sqe, int32_t fd, const void* address,
                                    uint32_t address_bytes) {
    ioring_prep_rw(sqe, IOR_OP_BIND, fd, address, 0, address_bytes);
}
// Listens: 0 or the error of listen(2).
IORING_INLINE void ioring_prep_listen(ioring_sqe* sqe, int32_t fd, uint32_t backlog) {
    ioring_prep_rw(sqe, IOR_OP_LISTEN, fd, NULL, backlog, 0);
}

// NOLINTEND(modernize-use-*,performance-no-int-to-ptr,readability-identifier-naming)

#ifdef __cplusplus
}
#endif

#endif  // IORING_IORING_H
