// SPDX-License-Identifier: MIT
// sockets.cpp - addresses, listeners and sockets for C.
#include <algorithm>
#include <chrono>
#include <vector>

#include "capi/handles.hpp"

namespace ioring::capi {

bool read_options(const ioring_listen_options* given, listen_options& out) noexcept {
    if (given == nullptr) return true;
    ioring_listen_options whole{};
    if (!copy_options(*given, whole)) return false;
    constexpr std::uint32_t most = 0x7fff'ffff;
    if (whole.backlog != 0) out.backlog = static_cast<int>(std::min(whole.backlog, most));
    out.dual_stack = whole.dual_stack != 0;
    out.reuse_port = whole.reuse_port != 0;
    return true;
}

}  // namespace ioring::capi

namespace {

using ioring::capi::read_options;
using ioring::capi::result_of;

std::error_code connect_by_name(ioring::ring& ring, const char* host, std::uint16_t port,
                                std::chrono::nanoseconds timeout, ioring::fd& out) {
    std::vector<ioring::endpoint> peers;
    if (const std::error_code error = ioring::resolve(host, port, peers); error) return error;
    return ring.connect_now(peers, timeout, out);
}

}  // namespace

extern "C" {

int ioring_endpoint_parse(const char* text, ioring_endpoint* out) {
    if (text == nullptr || out == nullptr) return -EINVAL;
    ioring::endpoint parsed;
    if (const std::error_code error = ioring::endpoint::parse(text, parsed); error) {
        return result_of(error);
    }
    ioring::capi::fill_endpoint(parsed, *out);
    return 0;
}

std::size_t ioring_endpoint_format(const ioring_endpoint* address, char* out, std::size_t bytes) {
    if (address == nullptr) return 0;
    const std::string text = to_string(ioring::capi::endpoint_of(*address));
    ioring::capi::copy_text(text, out, bytes);
    return text.size();
}

int ioring_listen(ioring_t* ring, const char* address, const ioring_listen_options* options,
                  ioring_listener_t** out) {
    ioring::listen_options wanted;
    if (ring == nullptr || address == nullptr || out == nullptr) return -EINVAL;
    if (!read_options(options, wanted)) return -EINVAL;
    auto* const made = new (std::nothrow) ioring_listener;
    if (made == nullptr) return -ENOMEM;
    if (const auto error = ring->ring.create_listener(address, wanted, made->listener); error) {
        delete made;
        return result_of(error);
    }
    *out = made;
    return 0;
}

void ioring_listener_close(ioring_listener_t* listener) { delete listener; }

std::int32_t ioring_listener_fd(const ioring_listener_t* listener) {
    return listener == nullptr ? -1 : listener->listener.descriptor().value;
}

int ioring_listener_endpoint(const ioring_listener_t* listener, ioring_endpoint* out) {
    if (listener == nullptr || out == nullptr) return -EINVAL;
    ioring::capi::fill_endpoint(listener->listener.local_endpoint(), *out);
    return 0;
}

int ioring_open_socket(ioring_t* ring, int family, std::int32_t* out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    if (family < IOR_FAMILY_IPV4 || family > IOR_FAMILY_LOCAL) return -EINVAL;
    ioring::fd made;
    const auto error = ring->ring.open_socket(static_cast<ioring::address_family>(family), made);
    if (error) return result_of(error);
    *out = made.value;
    return 0;
}

int ioring_connect_now(ioring_t* ring, const char* host, std::uint16_t port,
                       std::int64_t timeout_ns, std::int32_t* out) {
    if (ring == nullptr || host == nullptr || out == nullptr) return -EINVAL;
    ioring::fd made;
    const auto timeout = ioring::capi::time_of(timeout_ns);
    if (const auto error = connect_by_name(ring->ring, host, port, timeout, made); error) {
        return result_of(error);
    }
    *out = made.value;
    return 0;
}

int ioring_shutdown_now(ioring_t* ring, std::int32_t fd, int how) {
    if (ring == nullptr || how < IOR_SHUTDOWN_READ || how > IOR_SHUTDOWN_BOTH) return -EINVAL;
    return ring->ring.shutdown_now(ioring::fd{fd}, static_cast<ioring::shutdown_how>(how));
}

int ioring_close_now(ioring_t* ring, std::int32_t fd) {
    return ring == nullptr ? -EINVAL : ring->ring.close_now(ioring::fd{fd});
}

}  // extern "C"
