// SPDX-License-Identifier: MIT
// capi_check.c - the C interface, used from C11 on a backend: capi_check BACKEND. Status 77: this
// machine refuses that backend.
#include <errno.h>
#include <ioring/ioring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            ++failures;                                                             \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
        }                                                                           \
    } while (0)

static const int64_t patience_ns = INT64_C(10000000000);
static const uint32_t send_flags = IOR_MSG_NO_SIGNAL | IOR_MSG_WAIT_ALL;

// The one completion that is awaited, consumed.
static ioring_cqe next(ioring_t* ring) {
    ioring_cqe done = {0, -ETIMEDOUT, 0};
    EXPECT(ioring_wait_cqe_timeout(ring, &done, patience_ns) == 0);
    ioring_cq_advance(ring, 1);
    return done;
}

// Its result; the completion must be of `data`.
static int result_of(ioring_t* ring, uint64_t data) {
    const ioring_cqe done = next(ring);
    EXPECT(ioring_cqe_get_data64(&done) == data);
    return done.res;
}

static ioring_sqe* entry(ioring_t* ring) {
    ioring_sqe* free_one = ioring_get_sqe(ring);
    if (free_one == NULL) {
        fputs("the queue is full\n", stderr);
        exit(1);
    }
    return free_one;
}

struct pair {
    ioring_listener_t* listener;
    int32_t ours;
    int32_t theirs;
};

static struct pair connected(ioring_t* ring) {
    struct pair made = {NULL, -1, -1};
    const ioring_listen_options options = {.size = sizeof options, .backlog = 8};
    EXPECT(ioring_listen(ring, "127.0.0.1:0", &options, &made.listener) == 0);
    ioring_endpoint where;
    EXPECT(ioring_listener_endpoint(made.listener, &where) == 0);
    EXPECT(ioring_open_socket(ring, IOR_FAMILY_IPV4, &made.theirs) == 0);

    ioring_sqe* sqe = entry(ring);
    ioring_prep_accept(sqe, ioring_listener_fd(made.listener), NULL, NULL, IOR_SOCKET_CLOEXEC);
    ioring_sqe_set_data64(sqe, 1);
    sqe = entry(ring);
    ioring_prep_connect(sqe, made.theirs, where.storage, where.bytes);
    ioring_sqe_set_data64(sqe, 2);
    for (int count = 0; count < 2; ++count) {
        const ioring_cqe done = next(ring);
        EXPECT(done.res >= 0);
        if (done.user_data == 1) made.ours = done.res;
    }
    return made;
}

static void end_pair(ioring_t* ring, struct pair* of) {
    EXPECT(ioring_prepare_close(ring, of->ours, 90) != NULL);
    EXPECT(result_of(ring, 90) == 0);
    EXPECT(ioring_close_now(ring, of->theirs) == 0);
    ioring_listener_close(of->listener);
}

static void check_transfers(ioring_t* ring) {
    struct pair with = connected(ring);
    const uint64_t before = ioring_in_flight(ring);
    char into[16];
    ioring_sqe* sqe = entry(ring);
    ioring_prep_recv(sqe, with.ours, into, sizeof into, 0);
    ioring_sqe_set_data(sqe, into);
    EXPECT(ioring_submit(ring) == 1);
    EXPECT(ioring_in_flight(ring) > before);
    sqe = entry(ring);
    ioring_prep_send(sqe, with.theirs, "text", 4, send_flags);
    ioring_sqe_set_flags(sqe, IOR_SQE_CQE_SKIP_SUCCESS);
    const ioring_cqe done = next(ring);
    EXPECT(done.res == 4 && ioring_cqe_get_data(&done) == into && memcmp(into, "text", 4) == 0);

    sqe = entry(ring);
    ioring_prep_recv(sqe, with.ours, into, sizeof into, 0);
    ioring_sqe_set_data64(sqe, 3);
    EXPECT(ioring_submit(ring) == 1);
    ioring_prep_cancel64(sqe = entry(ring), 3, 0);
    ioring_sqe_set_data64(sqe, 4);
    int cancelled = 0;
    for (int count = 0; count < 2; ++count) {
        const ioring_cqe each = next(ring);
        cancelled += each.user_data == 3 ? each.res == -ECANCELED : each.res == 0;
    }
    EXPECT(cancelled == 2);

    EXPECT(ioring_shutdown_now(ring, with.theirs, IOR_SHUTDOWN_WRITE) == 0);
    ioring_prep_recv(sqe = entry(ring), with.ours, into, sizeof into, 0);
    ioring_sqe_set_data64(sqe, 5);
    EXPECT(result_of(ring, 5) == 0);
    end_pair(ring, &with);
}

static void check_time(ioring_t* ring) {
    const ioring_timespec time = {0, 1000000};
    ioring_sqe* sqe = entry(ring);
    ioring_prep_timeout(sqe, &time, 0, 0);
    ioring_sqe_set_data64(sqe, 6);
    EXPECT(result_of(ring, 6) == -ETIME);
    ioring_cqe none;
    EXPECT(ioring_peek_cqe(ring, &none) == -EAGAIN);
    EXPECT(ioring_wait_cqe_timeout(ring, &none, 1000) == -EAGAIN);
    ioring_wake(ring);
    EXPECT(ioring_wait_cqe_timeout(ring, &none, patience_ns) == -EAGAIN);
    EXPECT(ioring_post(ring, 7, 70) == 0);
    EXPECT(result_of(ring, 7) == 70);
}

static void check_registered(ioring_t* ring) {
    struct pair with = connected(ring);
    const ioring_pool_options options = {.size = sizeof options,
                                         .buffer_bytes = (uint32_t)ioring_buffer_granularity(),
                                         .slab_buffers = 2,
                                         .slabs_max = 1,
                                         .no_fallback = 1};
    ioring_pool_t* pool = NULL;
    EXPECT(ioring_pool_create(ring, &options, &pool) == 0);
    ioring_buffer_t* buffer = NULL;
    ioring_buffer_t* other = NULL;
    ioring_buffer_t* third = NULL;
    EXPECT(ioring_pool_acquire(pool, &buffer) == 0 && ioring_pool_acquire(pool, &other) == 0);
    EXPECT(ioring_pool_acquire(pool, &third) == -ENOBUFS && third == NULL);
    EXPECT(ioring_buffer_destroy(buffer) == -EBUSY);

    ioring_connection_id to = 0;
    ioring_connection_id from = 0;
    EXPECT(ioring_register_socket(ring, with.theirs, &to) == 0 && to != 0);
    EXPECT(ioring_register_socket(ring, with.ours, &from) == 0 && from != to);
    uint32_t room = 0;
    memcpy(ioring_buffer_writable(buffer, &room), "registered", 10);
    EXPECT(room == ioring_buffer_capacity(buffer));
    EXPECT(ioring_buffer_commit_write(buffer, 10) == 0);
    EXPECT(ioring_buffer_commit_write(buffer, UINT64_MAX) == -EINVAL);
    EXPECT(ioring_prepare_send_buffer(ring, to, ioring_buffer_registered_id(buffer),
                                      ioring_buffer_read_offset(buffer), 10, 8) != NULL);
    EXPECT(result_of(ring, 8) == 10);
    EXPECT(ioring_buffer_commit_read(buffer, 10) == 0);
    EXPECT(ioring_prepare_recv_buffer(ring, from, ioring_buffer_registered_id(other),
                                      ioring_buffer_write_offset(other), 16, 9) != NULL);
    EXPECT(result_of(ring, 9) == 10);
    EXPECT(ioring_buffer_commit_write(other, 10) == 0);
    uint32_t bytes = 0;
    EXPECT(memcmp(ioring_buffer_readable(other, &bytes), "registered", 10) == 0 && bytes == 10);

    ioring_buffer_t* own = NULL;
    ioring_buffer_id id = 0;
    EXPECT(ioring_buffer_create(ioring_buffer_granularity(), &own) == 0);
    EXPECT(ioring_register_ring_buffer(ring, own, &id) == 0);
    EXPECT(ioring_buffer_registered_id(own) == id);
    EXPECT(ioring_register_ring_buffer(ring, own, &id) == -EINVAL);
    EXPECT(ioring_register_ring_buffer(ring, buffer, &id) == -EINVAL);
    memcpy(ioring_buffer_writable(own, NULL), "own", 3);
    EXPECT(ioring_prepare_send_buffer(ring, to, ioring_buffer_registered_id(own), 0, 3, 12) !=
           NULL);
    EXPECT(result_of(ring, 12) == 3);
    EXPECT(ioring_unregister_buffer(ring, ioring_buffer_registered_id(own)) == 0);
    EXPECT(ioring_buffer_destroy(own) == 0);

    EXPECT(ioring_unregister_socket(ring, to) == 0);
    EXPECT(ioring_unregister_socket(ring, to) == -EINVAL);
    EXPECT(ioring_prepare_send_buffer(ring, to, ioring_buffer_registered_id(buffer), 0, 1, 10) !=
           NULL);
    EXPECT(result_of(ring, 10) == -EBADF);
    EXPECT(ioring_pool_release(pool, buffer) == 0);
    EXPECT(ioring_pool_release(pool, buffer) == -EPERM);
    ioring_pool_destroy(pool);
    end_pair(ring, &with);
}

static void check_group(ioring_t* ring) {
    struct pair with = connected(ring);
    const ioring_group_options options = {
        .size = sizeof options, .buffers = 4, .buffer_bytes = 4096};
    ioring_group_t* group = NULL;
    EXPECT(ioring_group_create(ring, &options, &group) == 0);
    ioring_sqe* sqe = entry(ring);
    ioring_prep_recv_multishot(sqe, with.ours, ioring_group_id(group), 0);
    ioring_sqe_set_data64(sqe, 11);
    ioring_prep_send(sqe = entry(ring), with.theirs, "chunk", 5, send_flags);
    ioring_sqe_set_flags(sqe, IOR_SQE_CQE_SKIP_SUCCESS);
    const ioring_cqe done = next(ring);
    EXPECT(done.res == 5 && (done.flags & IOR_CQE_MORE) != 0);
    uint32_t bytes = 0;
    void* const chunk = ioring_group_take(group, &done, &bytes);
    EXPECT(chunk != NULL && bytes == 5 && memcmp(chunk, "chunk", 5) == 0);
    EXPECT(ioring_group_recycle(group, chunk) == 0);
    EXPECT(ioring_group_recycle(group, chunk) == -EINVAL);
    EXPECT(ioring_shutdown_now(ring, with.theirs, IOR_SHUTDOWN_WRITE) == 0);
    EXPECT(result_of(ring, 11) == 0);
    ioring_group_destroy(group);
    end_pair(ring, &with);
}

static void check_received_message(void) {
    unsigned char chunk[16 + 28 + 8 + 5] = {0};
    const uint32_t head[4] = {16, 0, 9, IOR_MSG_TRUNC};
    memcpy(chunk, head, sizeof head);
    ioring_received_message message;
    EXPECT(ioring_received_message_read(chunk, sizeof chunk, 28, 8, &message) == 0);
    EXPECT(message.name == chunk + 16 && message.name_bytes == 16 &&
           message.whole_name_bytes == 16);
    EXPECT(message.control == chunk + 16 + 28 && message.control_bytes == 0);
    EXPECT(message.payload == chunk + 16 + 28 + 8 && message.payload_bytes == 5);
    EXPECT(message.whole_payload_bytes == 9 && message.is_cut == 1 &&
           message.flags == IOR_MSG_TRUNC);
    EXPECT(ioring_received_message_read(chunk, 16 + 28 + 7, 28, 8, &message) == -EINVAL);
    EXPECT(ioring_received_message_read(chunk, sizeof chunk, UINT32_MAX, 8, &message) == -EINVAL);
    EXPECT(ioring_received_message_read(NULL, 100, 28, 8, &message) == -EINVAL);
    EXPECT(ioring_received_message_read(chunk, sizeof chunk, 28, 8, NULL) == -EINVAL);
}

// An echo of managed sockets, both ends of it, until both are closed.
static void check_manager(ioring_t* ring) {
    const ioring_manager_options options = {.size = sizeof options,
                                            .sockets_max = 8,
                                            .chunks = 8,
                                            .chunk_bytes = 4096,
                                            .idle_timeout_ms = IORING_NO_TIMEOUT};
    ioring_manager_t* sockets = NULL;
    EXPECT(ioring_manager_create(ring, &options, &sockets) == 0);
    ioring_listener_id listener = 0;
    ioring_endpoint where;
    EXPECT(ioring_manager_listen(sockets, "127.0.0.1:0", NULL, &listener) == 0 && listener != 0);
    EXPECT(ioring_manager_local_endpoint(sockets, listener, &where) == 0);
    ioring_socket_t* client = NULL;
    EXPECT(ioring_manager_connect(sockets, &where, &client) == 0);
    const ioring_socket_id id = ioring_socket_get_id(client);
    int mark = 0;
    ioring_socket_set_user(client, &mark);
    const ioring_timer_id timer = ioring_manager_start_timer(sockets, 3600000000000, 1);
    EXPECT(timer != 0 && ioring_manager_cancel_timer(sockets, timer) == 0);
    EXPECT(ioring_manager_cancel_timer(sockets, timer) == -ENOENT);

    int closed = 0;
    int echoed = 0;
    for (int turn = 0; closed < 2 && turn < 1000; ++turn) {
        ioring_event events[4];
        const int count = ioring_manager_poll(sockets, events, 4, patience_ns);
        EXPECT(count > 0);
        if (count <= 0) break;
        for (int index = 0; index < count; ++index) {
            ioring_socket_t* const of = events[index].socket;
            size_t bytes = 0;
            switch (events[index].type) {
                case IOR_EVENT_ACCEPTED: EXPECT(events[index].listener == listener); break;
                case IOR_EVENT_CONNECTED:
                    EXPECT(ioring_socket_peer_has_ended(of) == 0);
                    EXPECT(ioring_socket_write(of, "managed", 7) == 7);
                    ioring_socket_shutdown_write(of);
                    EXPECT(ioring_socket_write(of, "more", 4) == 0);
                    break;
                case IOR_EVENT_RECEIVED:
                    if (ioring_socket_user(of) != &mark) {
                        ioring_socket_readable(of, &bytes);
                        EXPECT(ioring_socket_forward(of, bytes) == bytes);
                        break;
                    }
                    EXPECT(memcmp(ioring_socket_readable(of, &bytes), "managed", 7) == 0);
                    ioring_socket_consume(of, bytes);
                    echoed = bytes == 7;
                    ioring_socket_close(of);
                    break;
                case IOR_EVENT_PEER_CLOSED: EXPECT(ioring_socket_peer_has_ended(of) == 1); break;
                case IOR_EVENT_CLOSED:
                    ++closed;
                    EXPECT(events[index].error == 0);
                    EXPECT(strlen(ioring_close_reason(events[index].reason)) > 0);
                    break;
                default: break;
            }
        }
    }
    EXPECT(echoed && closed == 2);
    ioring_event none;
    EXPECT(ioring_manager_poll(sockets, &none, 1, 0) == 0);  // The sockets last until here.
    EXPECT(ioring_manager_size(sockets) == 0);
    EXPECT(ioring_manager_find(sockets, id) == NULL);
    ioring_drain_report report;
    EXPECT(ioring_manager_drain(sockets, patience_ns, &report) == 0 && report.complete == 1);
    ioring_manager_destroy(sockets);
}

static void check_misuse(ioring_t* ring) {
    ioring_t* none = NULL;
    char why[80];
    ioring_options options = {.size = sizeof options, .backend = "no such thing"};
    EXPECT(ioring_create_why(&options, &none, why, sizeof why) == -EINVAL && none == NULL);
    EXPECT(strstr(why, "no such thing") != NULL);
    options.size = 3;
    EXPECT(ioring_create(&options, &none) == -EINVAL);
    EXPECT(ioring_create(NULL, NULL) == -EINVAL);
    ioring_listener_t* listener = NULL;
    EXPECT(ioring_listen(ring, "nonsense", NULL, &listener) == -EINVAL && listener == NULL);
    EXPECT(ioring_submit(NULL) == -EINVAL && ioring_get_sqe(NULL) == NULL);
    ioring_destroy(NULL);
    EXPECT(ioring_buffer_destroy(NULL) == 0);
    EXPECT(strcmp(ioring_strerror(-EBADF), strerror(EBADF)) == 0);
    ioring_buffer_t* odd = NULL;
    EXPECT(ioring_buffer_create(1, &odd) == -EINVAL);
    EXPECT(ioring_buffer_create(ioring_buffer_granularity(), &odd) == 0);
    EXPECT(ioring_buffer_destroy(odd) == 0);
    ioring_endpoint where;
    char text[8];
    EXPECT(ioring_endpoint_parse("[::1]:5000", &where) == 0);
    EXPECT(ioring_endpoint_format(&where, text, sizeof text) == 10 && strcmp(text, "[::1]:5") == 0);
}

// A program that was compiled with an older, shorter header.
static void check_old_options(void) {
    struct {
        uint32_t size, sq_entries;
    } old = {sizeof old, 16};
    ioring_t* ring = NULL;
    EXPECT(ioring_create((const ioring_options*)&old, &ring) == 0);
    EXPECT(ioring_sq_space_left(ring) <= 16 && ioring_reserve(ring, 1) == 1);
    EXPECT(ioring_reserve(ring, 17) == 0);
    ioring_destroy(ring);
}

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const ioring_options options = {.size = sizeof options, .sq_entries = 64, .backend = argv[1]};
    ioring_t* ring = NULL;
    char why[200] = "";
    const int error = ioring_create_why(&options, &ring, why, sizeof why);
    if (error == -ENOTSUP || error == -EPERM || error == -ENOSYS) {
        printf("%s is refused here: %s\n", argv[1], why);
        return 77;
    }
    EXPECT(error == 0);
    if (error != 0) return 1;
    EXPECT(strcmp(ioring_backend_name(ring), argv[1]) == 0);
    EXPECT(ioring_supports(ring, IOR_OP_RECV) == 1 && ioring_supports(ring, 255) == 0);
    EXPECT(ioring_version() > 0 && strlen(ioring_version_string()) >= 5);
    check_transfers(ring);
    check_time(ring);
    check_registered(ring);
    check_group(ring);
    check_received_message();
    check_manager(ring);
    check_misuse(ring);
    check_old_options();
    ioring_counters counted = {.size = sizeof counted};
    EXPECT(ioring_get_counters(ring, &counted) == 0 && counted.completed > 10);
    EXPECT(ioring_cq_ready(ring) == 0);
    ioring_destroy(ring);
    if (failures == 0) puts("ok");
    return failures == 0 ? 0 : 1;
}
