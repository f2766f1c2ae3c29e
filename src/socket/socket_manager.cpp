// SPDX-License-Identifier: MIT
// socket_manager.cpp - the manager's calls, and what its options may be.
#include "ioring/socket_manager.hpp"

#include <array>
#include <utility>

#include "ioring/ring_buffer.hpp"
#include "platform/text.hpp"
#include "socket/manager_state.hpp"

namespace ioring {
namespace {

using platform::explain;

std::error_code invalid(std::string* why, const char* field, std::uint64_t value,
                        std::uint64_t least, std::uint64_t greatest) {
    explain(why, "manager_options::", field, " is ", value, ", but must be ", least, " to ",
            greatest);
    return std::make_error_code(std::errc::invalid_argument);
}

struct bound {
    const char* field;
    std::uint64_t value;
    std::uint64_t least;
    std::uint64_t greatest;
};

struct timeout_bound {
    const char* field;
    std::chrono::milliseconds value;
};

std::error_code validate_sizes(const manager_options& options, std::string* why) {
    constexpr std::uint64_t any = 0xffff'ffff;
    const std::uint64_t page = ring_buffer::granularity();
    if (options.buffer_bytes % page != 0) {
        explain(why, "manager_options::buffer_bytes is ", options.buffer_bytes,
                ", but must be a multiple of ", page);
        return std::make_error_code(std::errc::invalid_argument);
    }
    const std::uint64_t high =
        options.send_high_bytes != 0 ? options.send_high_bytes : options.buffer_bytes;
    const std::array bounds{
        bound{"sockets_max", options.sockets_max, 1, manager_options::sockets_max_max},
        bound{"buffer_bytes", options.buffer_bytes, page, ring_buffer::capacity_max},
        bound{"buffers_max", options.buffers_max, 0, pool_options::buffers_max},
        bound{"chunks", options.chunks, 1, group_options::buffers_max},
        bound{"chunk_bytes", options.chunk_bytes, 1, group_options::buffer_bytes_max},
        bound{"send_high_bytes", high, 1, options.buffer_bytes},
        bound{"send_low_bytes", options.send_low_bytes, 0, high - 1},
        bound{"events_max", options.events_max, 1, manager_options::events_max_max},
        bound{"turn_completions_max", options.turn_completions_max, 1, any},
        bound{"turn_bytes_max", options.turn_bytes_max, 1, any},
    };
    for (const bound& each : bounds) {
        if (each.value >= each.least && each.value <= each.greatest) continue;
        return invalid(why, each.field, each.value, each.least, each.greatest);
    }
    return {};
}

std::error_code validate_timeouts(const manager_options& options, std::string* why) {
    const std::array bounds{
        timeout_bound{"accept_lag_max", options.accept_lag_max},
        timeout_bound{"connect_timeout", options.connect_timeout},
        timeout_bound{"handshake_timeout", options.handshake_timeout},
        timeout_bound{"idle_timeout", options.idle_timeout},
        timeout_bound{"read_timeout", options.read_timeout},
        timeout_bound{"write_stall_timeout", options.write_stall_timeout},
        timeout_bound{"drain_timeout", options.drain_timeout},
    };
    for (const timeout_bound& each : bounds) {
        if (each.value.count() >= 0 && each.value <= manager_options::timeout_max) continue;
        explain(why, "manager_options::", each.field, " is ", each.value.count(),
                " ms, but must be 0 to ", manager_options::timeout_max.count());
        return std::make_error_code(std::errc::invalid_argument);
    }
    if (options.drain_timeout.count() != 0) return {};
    explain(why, "manager_options::drain_timeout is 0: a connection must have some time to end");
    return std::make_error_code(std::errc::invalid_argument);
}

}  // namespace

std::error_code validate(const manager_options& options, std::string* why) {
    if (const auto error = validate_sizes(options, why)) return error;
    return validate_timeouts(options, why);
}

socket_manager::socket_manager() noexcept = default;
socket_manager::socket_manager(socket_manager&& other) noexcept = default;
socket_manager& socket_manager::operator=(socket_manager&& other) noexcept = default;
socket_manager::~socket_manager() = default;

std::error_code socket_manager::create(ring& owner, const manager_options& options,
                                       socket_manager& out, std::string* why) noexcept {
    std::unique_ptr<detail::manager_state> made;
    if (const auto error = detail::manager_state::create(owner, options, made, why)) return error;
    out.state_ = std::move(made);
    return {};
}

std::error_code socket_manager::listen(const endpoint& address, const listen_options& options,
                                       listener_id& out, std::string* why) noexcept {
    return state_->listen(address, options, out, why);
}

std::error_code socket_manager::listen(std::string_view address, const listen_options& options,
                                       listener_id& out, std::string* why) noexcept {
    endpoint parsed;
    if (const auto error = endpoint::parse(address, parsed, why)) return error;
    return listen(parsed, options, out, why);
}

#if defined(__cpp_exceptions)
socket_manager::socket_manager(ring& owner, const manager_options& options) {
    std::string why;
    if (const auto error = create(owner, options, *this, &why)) {
        throw std::system_error{error, why};
    }
}

listener_id socket_manager::listen(std::string_view address, const listen_options& options) {
    listener_id made;
    std::string why;
    if (const auto error = listen(address, options, made, &why)) {
        throw std::system_error{error, why};
    }
    return made;
}
#endif

bool socket_manager::close_listener(listener_id which) noexcept {
    return state_->close_listener(which);
}

endpoint socket_manager::local_endpoint(listener_id which) const noexcept {
    return state_->local_endpoint(which);
}

std::error_code socket_manager::connect(const endpoint& peer, socket*& out) noexcept {
    return state_->connect(peer, out);
}

socket* socket_manager::find(socket_id which) noexcept { return state_->find(which); }

std::uint32_t socket_manager::size() const noexcept { return state_->size(); }

std::span<const socket_event> socket_manager::poll(std::chrono::nanoseconds timeout) noexcept {
    return state_->poll(timeout);
}

std::size_t socket_manager::poll(std::span<socket_event> out,
                                 std::chrono::nanoseconds timeout) noexcept {
    return state_->poll(out, timeout);
}

std::error_code socket_manager::error() const noexcept { return state_->error(); }

drain_report socket_manager::drain(std::chrono::nanoseconds timeout) noexcept {
    return state_->drain(timeout);
}

socket_manager::timer_id socket_manager::start_timer(std::chrono::nanoseconds delay,
                                                     std::uint64_t user_data) noexcept {
    return state_->start_timer(delay, user_data);
}

bool socket_manager::cancel_timer(timer_id which) noexcept { return state_->cancel_timer(which); }

const manager_counters& socket_manager::counters() const noexcept { return state_->counters(); }

manager_usage socket_manager::usage() const noexcept { return state_->usage(); }

}  // namespace ioring
