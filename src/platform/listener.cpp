// SPDX-License-Identifier: MIT
// listener.cpp - sockets that listen, and sentences for those that cannot.
#include <cerrno>

#include "platform/descriptor_guard.hpp"
#include "platform/listener_os.hpp"
#include "platform/socket.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

// What to do about it, for the end of the sentence.
std::string advice(int error, address_family family) {
    const bool local = family == address_family::local;
    switch (error) {
        case EADDRINUSE:
            return local ? "; stop the program that has it, or remove the file if none does"
                         : "; choose another port or stop the program that has it";
        case EADDRNOTAVAIL: return local ? "" : "; no interface of this machine has that address";
        case EACCES:
            return local ? "; this user may not write to that folder"
                         : "; ports below 1024 are for privileged users, choose a higher one";
        case ENOENT: return local ? "; the folder does not exist" : "";
        case EBUSY: return "; another program is starting in that folder, try again";
        case EINVAL:
            return family == address_family::ipv6 ? "; a link-local address needs its zone" : "";
        default: return advice_on(error);
    }
}

std::error_code fail(int error, const endpoint& address, std::string* why) {
    explain(
        why, "cannot listen on ", [&] { return to_string(address); }, ": ",
        [&] { return error_name(error); }, [&] { return advice(error, address.family()); });
    return errno_code(error);
}

std::error_code refuse(int error, const endpoint& address, std::string* why, const char* reason) {
    explain(
        why, "cannot listen on ", [&] { return to_string(address); }, ": ", reason);
    return errno_code(error);
}

std::error_code check(const endpoint& address, const listen_options& options, std::string* why) {
    const address_family family = address.family();
    if (family == address_family::unspecified) {
        return refuse(EINVAL, address, why, "it is no address");
    }
    if (options.backlog < 1) {
        return refuse(EINVAL, address, why, "the backlog must be 1 or more");
    }
    if (options.receive_buffer_bytes < 0 || options.send_buffer_bytes < 0) {
        return refuse(EINVAL, address, why, "the sizes of socket buffers must not be negative");
    }
    if (options.dual_stack && family != address_family::ipv6) {
        return refuse(EINVAL, address, why,
                      "dual_stack is for IPv6 addresses; write [::] and the port to accept both");
    }
    if (options.reuse_port && !may_share_port(family)) {
        return refuse(ENOTSUP, address, why,
                      family == address_family::local
                          ? "local sockets cannot be shared with reuse_port"
                          : "this system has no reuse_port");
    }
    return {};
}

// What has to be set before bind(), so that it counts for the port and for accepted sockets.
int set_options(native_socket socket, address_family family, const listen_options& options) {
    if (const int error = set_sharing(socket, family, options)) return error;
    return configure_stream(socket, {.no_delay = options.no_delay,
                                     .receive_buffer_bytes = options.receive_buffer_bytes,
                                     .send_buffer_bytes = options.send_buffer_bytes})
        .value();
}

}  // namespace

std::error_code open_listener(const endpoint& address, const listen_options& options,
                              native_socket& out, endpoint& local, std::string* why,
                              bool nonblocking) noexcept {
    if (const std::error_code error = check(address, options, why)) return error;
    descriptor_guard socket;
    if (const auto error = open_stream(address.family(), socket.slot(), nonblocking)) {
        return fail(error.value(), address, why);
    }
    int error = set_options(socket.get(), address.family(), options);
    if (error != 0) return fail(error, address, why);
    error = bind_listener(socket.get(), address, options);
    if (error != 0) return fail(error, address, why);
    endpoint bound;
    error = start_listening(socket.get(), options.backlog);
    if (error == 0) error = local_endpoint(socket.get(), bound).value();
    if (error != 0) {
        discard_bound(address);
        return fail(error, address, why);
    }
    local = bound;
    out = socket.release();
    return {};
}

}  // namespace ioring::platform
