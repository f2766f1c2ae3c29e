// SPDX-License-Identifier: MIT
// ring.cpp - the ring object: what is not inline of it, by way of its state.
#include "ioring/ring.hpp"

#include <array>
#include <cerrno>
#include <new>
#include <vector>

#include "platform/socket.hpp"
#include "ring/ring_state.hpp"

namespace ioring {
namespace {

const ioring::backend_info no_backend_info{};
const probe_result no_probe{};

void explain(std::string* why, std::string&& text) noexcept {
    if (why != nullptr) *why = std::move(text);
}

}  // namespace

std::span<const std::string_view> backend_names() noexcept {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        for (const backends::backend_entry& entry : backends::all()) all.push_back(entry.name);
        return all;
    }();
    return names;
}

ring::ring() noexcept : core_{&detail::no_ring()} {}

ring::ring(ring&& other) noexcept
    : state_{std::move(other.state_)}, core_{std::exchange(other.core_, &detail::no_ring())} {}

ring& ring::operator=(ring&& other) noexcept {
    if (this == &other) return *this;
    if (state_ != nullptr) state_->shut_down();
    state_ = std::move(other.state_);
    core_ = std::exchange(other.core_, &detail::no_ring());
    return *this;
}

ring::~ring() {
    if (state_ != nullptr) state_->shut_down();
}

std::error_code ring::create(const ring_options& options, ring& out, std::string* why) noexcept {
    std::shared_ptr<detail::ring_state> state;
    std::string text;
#if defined(__cpp_exceptions)
    try {
#endif
        if (const std::error_code error = detail::ring_state::create(options, state, text)) {
            explain(why, std::move(text));
            return error;
        }
#if defined(__cpp_exceptions)
    } catch (const std::bad_alloc&) {
        explain(why, "not enough memory for a ring");
        return std::make_error_code(std::errc::not_enough_memory);
    }
#endif
    ring made;
    made.core_ = state.get();
    made.state_ = std::move(state);
    out = std::move(made);
    return {};
}

#if defined(__cpp_exceptions)
ring ring::create(const ring_options& options) {
    ring made;
    std::string why;
    if (const std::error_code error = create(options, made, &why)) {
        throw std::system_error{error, why};
    }
    return made;
}
#endif

int ring::submit_and_wait(std::uint32_t min_complete, std::chrono::nanoseconds timeout) noexcept {
    return state_ == nullptr ? -EBADF : state_->submit_and_wait(min_complete, timeout);
}

std::size_t ring::peek_completions(std::span<cqe> out) noexcept {
    return state_ == nullptr ? 0 : state_->peek(out);
}

int ring::wait_completions(std::span<cqe> out, std::uint32_t min_complete,
                           std::chrono::nanoseconds timeout) noexcept {
    const int taken = submit_and_wait(min_complete, timeout);
    if (taken < 0) return taken;
    return static_cast<int>(peek_completions(out));
}

void ring::advance_completion_queue(std::size_t count) noexcept {
    if (state_ != nullptr) state_->advance(count);
}

std::size_t ring::completion_queue_count() noexcept {
    return state_ == nullptr ? 0 : state_->completions_ready();
}

void ring::wake() noexcept {
    if (state_ != nullptr) state_->wake();
}

bool ring::post(std::uint64_t user_data, std::int32_t res) noexcept {
    return state_ != nullptr && state_->post(user_data, res);
}

sqe* ring::prepare_close(fd socket, std::uint64_t user_data) noexcept {
    return state_ == nullptr ? nullptr : state_->prepare_close(socket, user_data);
}

sqe* ring::prepare_msg_ring(const ring& target, std::int32_t res, std::uint64_t target_user_data,
                            std::uint64_t user_data) noexcept {
    if (state_ == nullptr) return nullptr;
    fd to;  // Invalid, and so -EBADF, when the target has none.
    if (target.state_ != nullptr) {
        to.value = target.state_->register_with_backend(backends::register_op::message_descriptor,
                                                        nullptr, 0);
    }
    return fill<prep_msg_ring>(to, res, target_user_data, 0U, user_data);
}

sqe* ring::prepare_send_zc(fd socket, std::span<const std::byte> bytes,
                           std::uint64_t user_data) noexcept {
    sqe* const entry = prepare_send(socket, bytes, user_data);
    if (entry != nullptr && probe().has(feature::send_zero_copy)) entry->op = opcode::send_zc;
    return entry;
}

sqe* ring::prepare_send_buffer_zc(connection_id connection, buffer_id buffer, std::uint64_t offset,
                                  std::uint32_t bytes, std::uint64_t user_data) noexcept {
    sqe* const entry = prepare_send_buffer(connection, buffer, offset, bytes, user_data);
    if (entry == nullptr || entry->op != opcode::send) return entry;
    if (!probe().has(feature::send_zero_copy)) return entry;
    const int slot = state_->pinned_slot(buffer);
    if (slot < 0) return entry;
    entry->op = opcode::send_zc;
    entry->ioprio = transfer_flag::fixed_buffer;
    entry->buf_index = static_cast<std::uint16_t>(slot);
    return entry;
}

std::error_code ring::register_buffer(std::span<std::byte> memory, buffer_id& out) noexcept {
    std::array<buffer_id, 1> id{};
    const std::error_code error = register_buffers(memory, id);
    if (!error) out = id.front();
    return error;
}

std::error_code ring::register_buffers(std::span<std::byte> memory,
                                       std::span<buffer_id> out) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::bad_file_descriptor);
#if defined(__cpp_exceptions)
    try {
        return state_->register_buffers(memory, out);
    } catch (const std::bad_alloc&) {
        return std::make_error_code(std::errc::not_enough_memory);
    }
#else
    return state_->register_buffers(memory, out);
#endif
}

std::error_code ring::unregister_buffer(buffer_id buffer) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::invalid_argument);
    return state_->unregister_buffer(buffer);
}

std::error_code ring::register_socket(fd socket, connection_id& out) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::bad_file_descriptor);
    return state_->register_socket(socket, out);
}

std::error_code ring::unregister_socket(connection_id connection) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::invalid_argument);
    return state_->unregister_socket(connection);
}

std::error_code ring::create_listener(std::string_view address, const listen_options& options,
                                      listener& out, std::string* why) noexcept {
    endpoint parsed;
    if (const std::error_code error = endpoint::parse(address, parsed, why)) return error;
    return create_listener(parsed, options, out, why);
}

std::error_code ring::create_listener(const endpoint& address, const listen_options& options,
                                      listener& out, std::string* why) noexcept {
    if (state_ == nullptr) {
        explain(why, "there is no ring to listen with");
        return std::make_error_code(std::errc::bad_file_descriptor);
    }
    platform::native_socket socket = platform::invalid_socket;
    endpoint local;
    if (const std::error_code error =
            platform::open_listener(address, options, socket, local, why)) {
        return error;
    }
    listener made;
    made.ring_ = state_;
    made.socket_ = fd{socket};
    made.local_ = local;
    out = std::move(made);
    return {};
}

#if defined(__cpp_exceptions)
listener ring::create_listener(std::string_view address, const listen_options& options) {
    listener made;
    std::string why;
    if (const std::error_code error = create_listener(address, options, made, &why)) {
        throw std::system_error{error, why};
    }
    return made;
}
#endif

std::error_code ring::open_socket(address_family family, fd& out) noexcept {
    platform::native_socket socket = platform::invalid_socket;
    const std::error_code error = platform::open_stream(family, socket);
    if (!error) out = fd{socket};
    return error;
}

std::error_code ring::connect_now(std::span<const endpoint> peers, std::chrono::nanoseconds timeout,
                                  fd& out, endpoint* which, std::string* why) noexcept {
    platform::native_socket socket = platform::invalid_socket;
    const std::error_code error = platform::connect_any(peers, timeout, socket, which, why);
    if (!error) out = fd{socket};
    return error;
}

std::error_code ring::configure_socket(fd socket, const stream_options& options) noexcept {
    return platform::configure_stream(socket.value, options);
}

std::intptr_t ring::native(fd socket) noexcept { return platform::to_system(socket.value); }

fd ring::adopt(std::intptr_t native) noexcept { return fd{platform::from_system(native)}; }

int ring::shutdown_now(fd socket, shutdown_how how) noexcept {
    if (state_ == nullptr) return -EBADF;
    backends::socket_shutdown what{.fd = socket.value, .how = static_cast<std::uint32_t>(how)};
    return state_->register_with_backend(backends::register_op::shutdown_now, &what, 1);
}

int ring::close_now(fd socket) noexcept {
    if (state_ == nullptr) return -EBADF;
    return state_->register_with_backend(backends::register_op::close_now, &socket.value, 1);
}

const ioring::backend_info& ring::backend_info() const noexcept {
    return state_ == nullptr ? no_backend_info : state_->info();
}

const probe_result& ring::probe() const noexcept {
    return state_ == nullptr ? no_probe : state_->probe();
}

std::uint64_t ring::in_flight() const noexcept {
    return state_ == nullptr ? 0 : state_->in_flight();
}

}  // namespace ioring
