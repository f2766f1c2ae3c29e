// SPDX-License-Identifier: MIT
// manager.cpp - managed sockets for C.
#include <algorithm>
#include <array>

#include "capi/handles.hpp"

namespace {

using ioring::capi::id_of;
using ioring::capi::number_of;
using ioring::capi::result_of;
using ioring::capi::set;
using ioring::capi::time_of;

using timer_id = ioring::socket_manager::timer_id;

ioring::socket* socket_of(ioring_socket_t* handle) noexcept {
    return reinterpret_cast<ioring::socket*>(handle);
}
const ioring::socket* socket_of(const ioring_socket_t* handle) noexcept {
    return reinterpret_cast<const ioring::socket*>(handle);
}
ioring_socket_t* handle_of(ioring::socket* socket) noexcept {
    return reinterpret_cast<ioring_socket_t*>(socket);
}

void set_time(std::uint32_t value, std::chrono::milliseconds& field) noexcept {
    if (value == IORING_NO_TIMEOUT) {
        field = std::chrono::milliseconds{0};
    } else if (value != 0) {
        field = std::chrono::milliseconds{value};
    }
}

bool read_options(const ioring_manager_options* given, ioring::manager_options& out) noexcept {
    if (given == nullptr) return true;
    ioring_manager_options whole{};
    if (!ioring::capi::copy_options(*given, whole)) return false;
    set(whole.sockets_max, out.sockets_max);
    set(whole.buffer_bytes, out.buffer_bytes);
    set(whole.buffers_max, out.buffers_max);
    set(whole.chunks, out.chunks);
    set(whole.chunk_bytes, out.chunk_bytes);
    set(whole.send_high_bytes, out.send_high_bytes);
    set(whole.send_low_bytes, out.send_low_bytes);
    set(whole.turn_completions_max, out.turn_completions_max);
    set(whole.turn_bytes_max, out.turn_bytes_max);
    set_time(whole.connect_timeout_ms, out.connect_timeout);
    set_time(whole.handshake_timeout_ms, out.handshake_timeout);
    set_time(whole.idle_timeout_ms, out.idle_timeout);
    set_time(whole.read_timeout_ms, out.read_timeout);
    set_time(whole.write_stall_timeout_ms, out.write_stall_timeout);
    set_time(whole.drain_timeout_ms, out.drain_timeout);
    set_time(whole.accept_lag_max_ms, out.accept_lag_max);
    if (whole.accept_memory_max_bytes != 0) {
        out.accept_memory_max_bytes = whole.accept_memory_max_bytes;
    }
    if (whole.close_slow_readers != 0) out.slow_reader = ioring::slow_reader_policy::close;
    out.allow_half_open = whole.allow_half_open != 0;
    return true;
}

ioring_event event_of(const ioring::socket_event& from) noexcept {
    ioring_event made{};
    made.type = static_cast<std::uint8_t>(from.type);
    made.reason = static_cast<std::uint8_t>(from.reason);
    made.error = result_of(from.error);
    made.listener = number_of(from.listener);
    made.socket = handle_of(from.socket);
    made.done = {from.done.user_data, from.done.res, from.done.flags};
    return made;
}

constexpr bool is(int value, ioring::event_type type) noexcept {
    return value == static_cast<int>(type);
}
static_assert(is(IOR_EVENT_ACCEPTED, ioring::event_type::accepted));
static_assert(is(IOR_EVENT_CONNECTED, ioring::event_type::connected));
static_assert(is(IOR_EVENT_RECEIVED, ioring::event_type::received));
static_assert(is(IOR_EVENT_SEND_BLOCKED, ioring::event_type::send_blocked));
static_assert(is(IOR_EVENT_WRITABLE, ioring::event_type::writable));
static_assert(is(IOR_EVENT_DRAINED, ioring::event_type::drained));
static_assert(is(IOR_EVENT_PEER_CLOSED, ioring::event_type::peer_closed));
static_assert(is(IOR_EVENT_CLOSED, ioring::event_type::closed));
static_assert(is(IOR_EVENT_ACCEPT_PAUSED, ioring::event_type::accept_paused));
static_assert(is(IOR_EVENT_TIMER, ioring::event_type::timer));
static_assert(is(IOR_EVENT_COMPLETION, ioring::event_type::completion));

}  // namespace

extern "C" {

int ioring_manager_create(ioring_t* ring, const ioring_manager_options* options,
                          ioring_manager_t** out) {
    ioring::manager_options wanted;
    if (ring == nullptr || out == nullptr || !read_options(options, wanted)) return -EINVAL;
    auto* const made = new (std::nothrow) ioring_manager;
    if (made == nullptr) return -ENOMEM;
    const auto error = ioring::socket_manager::create(ring->ring, wanted, made->sockets);
    if (error) {
        delete made;
        return result_of(error);
    }
    *out = made;
    return 0;
}
void ioring_manager_destroy(ioring_manager_t* manager) { delete manager; }

int ioring_manager_listen(ioring_manager_t* manager, const char* address,
                          const ioring_listen_options* options, ioring_listener_id* out) {
    ioring::listen_options wanted;
    if (manager == nullptr || address == nullptr || out == nullptr) return -EINVAL;
    if (!ioring::capi::read_options(options, wanted)) return -EINVAL;
    ioring::listener_id made;
    const auto error = manager->sockets.listen(address, wanted, made);
    if (!error) *out = number_of(made);
    return result_of(error);
}
int ioring_manager_close_listener(ioring_manager_t* manager, ioring_listener_id listener) {
    if (manager == nullptr) return -EINVAL;
    const auto which = id_of<ioring::listener_id>(listener);
    return manager->sockets.close_listener(which) ? 0 : -ENOENT;
}
int ioring_manager_local_endpoint(const ioring_manager_t* manager, ioring_listener_id listener,
                                  ioring_endpoint* out) {
    if (manager == nullptr || out == nullptr) return -EINVAL;
    const auto where = manager->sockets.local_endpoint(id_of<ioring::listener_id>(listener));
    if (where.size() == 0) return -ENOENT;
    ioring::capi::fill_endpoint(where, *out);
    return 0;
}
int ioring_manager_connect(ioring_manager_t* manager, const ioring_endpoint* peer,
                           ioring_socket_t** out) {
    if (manager == nullptr || peer == nullptr || out == nullptr) return -EINVAL;
    ioring::socket* made = nullptr;
    const auto error = manager->sockets.connect(ioring::capi::endpoint_of(*peer), made);
    if (!error) *out = handle_of(made);
    return result_of(error);
}

int ioring_manager_poll(ioring_manager_t* manager, ioring_event* out, std::size_t count,
                        std::int64_t timeout_ns) {
    if (manager == nullptr || (out == nullptr && count > 0)) return -EINVAL;
    std::array<ioring::socket_event, 64> batch;
    const std::size_t room = std::min(count, batch.size());
    const std::size_t got =
        manager->sockets.poll(std::span{batch.data(), room}, time_of(timeout_ns));
    for (std::size_t index = 0; index < got; ++index) out[index] = event_of(batch[index]);
    return got == 0 ? result_of(manager->sockets.error()) : static_cast<int>(got);
}
std::uint32_t ioring_manager_size(const ioring_manager_t* manager) {
    return manager == nullptr ? 0 : manager->sockets.size();
}
ioring_socket_t* ioring_manager_find(ioring_manager_t* manager, ioring_socket_id id) {
    if (manager == nullptr) return nullptr;
    return handle_of(manager->sockets.find(id_of<ioring::socket_id>(id)));
}
int ioring_manager_drain(ioring_manager_t* manager, std::int64_t timeout_ns,
                         ioring_drain_report* report) {
    if (manager == nullptr) return -EINVAL;
    const ioring::drain_report done = manager->sockets.drain(time_of(timeout_ns));
    if (report != nullptr) {
        *report = {done.drained, done.cut, done.bytes_unsent, done.complete ? 1 : 0, 0};
    }
    if (!done.complete) return -EIO;
    return done.cut == 0 ? 0 : -EAGAIN;
}
ioring_timer_id ioring_manager_start_timer(ioring_manager_t* manager, std::int64_t delay_ns,
                                           std::uint64_t user_data) {
    if (manager == nullptr) return 0;
    const auto delay = std::chrono::nanoseconds{std::max<std::int64_t>(delay_ns, 0)};
    return number_of(manager->sockets.start_timer(delay, user_data));
}
int ioring_manager_cancel_timer(ioring_manager_t* manager, ioring_timer_id timer) {
    if (manager == nullptr) return -EINVAL;
    return manager->sockets.cancel_timer(id_of<timer_id>(timer)) ? 0 : -ENOENT;
}
const char* ioring_close_reason(std::uint8_t reason) {
    return to_string(static_cast<ioring::close_reason>(reason)).data();
}

ioring_socket_id ioring_socket_get_id(const ioring_socket_t* socket) {
    return socket == nullptr ? 0 : number_of(socket_of(socket)->id());
}
void* ioring_socket_user(const ioring_socket_t* socket) {
    return socket == nullptr ? nullptr : socket_of(socket)->user();
}
void ioring_socket_set_user(ioring_socket_t* socket, void* user) {
    if (socket != nullptr) socket_of(socket)->set_user(user);
}
std::int32_t ioring_socket_fd(const ioring_socket_t* socket) {
    return socket == nullptr ? -1 : socket_of(socket)->descriptor().value;
}
int ioring_socket_peer(const ioring_socket_t* socket, ioring_endpoint* out) {
    if (socket == nullptr || out == nullptr) return -EINVAL;
    ioring::capi::fill_endpoint(socket_of(socket)->peer(), *out);
    return 0;
}
const void* ioring_socket_readable(const ioring_socket_t* socket, std::size_t* bytes) {
    std::span<const std::byte> found;
    if (socket != nullptr) found = socket_of(socket)->readable();
    if (bytes != nullptr) *bytes = found.size();
    return found.data();
}
void ioring_socket_consume(ioring_socket_t* socket, std::size_t bytes) {
    if (socket != nullptr) socket_of(socket)->consume(bytes);
}
void ioring_socket_pause_recv(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->pause_recv();
}
void ioring_socket_resume_recv(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->resume_recv();
}
std::size_t ioring_socket_write(ioring_socket_t* socket, const void* bytes, std::size_t count) {
    if (socket == nullptr || (bytes == nullptr && count > 0)) return 0;
    return socket_of(socket)->write({static_cast<const std::byte*>(bytes), count});
}
void* ioring_socket_writable(ioring_socket_t* socket, std::size_t* bytes) {
    std::span<std::byte> found;
    if (socket != nullptr) found = socket_of(socket)->writable();
    if (bytes != nullptr) *bytes = found.size();
    return found.data();
}
void ioring_socket_commit_write(ioring_socket_t* socket, std::size_t bytes) {
    if (socket != nullptr) socket_of(socket)->commit_write(bytes);
}
std::size_t ioring_socket_forward(ioring_socket_t* socket, std::size_t bytes) {
    return socket == nullptr ? 0 : socket_of(socket)->forward(bytes);
}
std::size_t ioring_socket_forward_to(ioring_socket_t* socket, ioring_socket_t* other,
                                     std::size_t bytes) {
    if (socket == nullptr || other == nullptr) return 0;
    return socket_of(socket)->forward_to(*socket_of(other), bytes);
}
int ioring_socket_peer_has_ended(const ioring_socket_t* socket) {
    return socket != nullptr && socket_of(socket)->peer_has_ended() ? 1 : 0;
}
std::uint32_t ioring_socket_unsent(const ioring_socket_t* socket) {
    return socket == nullptr ? 0 : socket_of(socket)->unsent_bytes();
}
void ioring_socket_notify_drained(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->notify_drained();
}
void ioring_socket_shutdown_write(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->shutdown_write();
}
void ioring_socket_close(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->close();
}
void ioring_socket_abort(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->abort();
}
void ioring_socket_finish_handshake(ioring_socket_t* socket) {
    if (socket != nullptr) socket_of(socket)->finish_handshake();
}

}  // extern "C"
