// SPDX-License-Identifier: MIT
// listener.cpp - a listening socket that closes itself in the right order.
#include "ioring/listener.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "ring/ring_state.hpp"

namespace ioring {
namespace {

constexpr std::string_view local_prefix = "unix:";

// The file of a local socket; empty for every other address and for Linux's abstract names.
std::string file_of(const endpoint& address) {
    if (address.family() != address_family::local) return {};
    const std::string text = to_string(address);
    const std::string path = text.substr(std::min(text.size(), local_prefix.size()));
    return path.empty() || path.front() == '@' ? std::string{} : path;
}

}  // namespace

listener::listener() noexcept = default;

listener::listener(listener&& other) noexcept
    : ring_{std::move(other.ring_)},
      socket_{std::exchange(other.socket_, fd{})},
      local_{std::exchange(other.local_, endpoint{})} {}

listener& listener::operator=(listener&& other) noexcept {
    if (this == &other) return *this;
    close();
    ring_ = std::move(other.ring_);
    socket_ = std::exchange(other.socket_, fd{});
    local_ = std::exchange(other.local_, endpoint{});
    return *this;
}

listener::~listener() { close(); }

void listener::close() noexcept {
    if (!socket_.valid()) return;
    const bool ours = !ring_->forked();  // A forked child must not take the parent's file away.
    ring_->close_listening(std::exchange(socket_, fd{}));
    if (ours) {
        if (const std::string file = file_of(local_); !file.empty())
            (void)std::remove(file.c_str());
    }
    ring_.reset();
}

}  // namespace ioring
