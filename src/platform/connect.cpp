// SPDX-License-Identifier: MIT
// connect.cpp - connecting to one of several, and sentences for what cannot be reached.
#include "platform/connect.hpp"

#include <cerrno>

#include "platform/clock.hpp"
#include "platform/socket.hpp"
#include "platform/text.hpp"

namespace ioring::platform {
namespace {

using std::chrono::nanoseconds;

std::string advice(int error) {
    switch (error) {
        case ECONNREFUSED: return "; nothing listens there, is the server running?";
        case ENOENT: return "; nothing listens there, the file does not exist";
        case EADDRNOTAVAIL: return "; all local ports are in use, or the port is 0";
        default: return advice_on(error);
    }
}

std::error_code fail(int error, const endpoint& peer, std::string* why) {
    explain(
        why, "cannot connect to ", [&] { return to_string(peer); }, ": ",
        [&] { return error_name(error); }, [&] { return advice(error); });
    return errno_code(error);
}

}  // namespace

bool is_connected_to_itself(native_socket socket) noexcept {
    endpoint local;
    endpoint peer;
    return !local_endpoint(socket, local) && !peer_endpoint(socket, peer) && local == peer;
}

std::error_code connect_blocking(const endpoint& peer, nanoseconds timeout, native_socket& out,
                                 std::string* why) noexcept {
    if (const auto error = connect_once(peer, deadline_ns(timeout), out)) {
        return fail(error.value(), peer, why);
    }
    return {};
}

std::error_code connect_any(std::span<const endpoint> peers, nanoseconds timeout,
                            native_socket& out, endpoint* which, std::string* why) noexcept {
    if (peers.empty()) {
        explain(why, "there is no address to connect to");
        return errno_code(EINVAL);
    }
    const std::uint64_t deadline = deadline_ns(timeout);
    std::error_code last;
    std::string story;
    for (std::size_t index = 0; index < peers.size(); ++index) {
        const nanoseconds share = time_left(deadline) / (peers.size() - index);
        std::string reason;
        last = connect_blocking(peers[index], share, out, why != nullptr ? &reason : nullptr);
        if (!last) {
            if (which != nullptr) *which = peers[index];
            return {};
        }
        if (!with_memory([&] { story += (index == 0 ? "" : "; ") + reason; })) story.clear();
    }
    if (why != nullptr) *why = std::move(story);
    return last;
}

}  // namespace ioring::platform
