// SPDX-License-Identifier: MIT
// acceptor.cpp - which errors of an accept mean "again" and which mean "later".
#include "echo/acceptor.hpp"

#include <cerrno>

#include "echo/tags.hpp"
#include "ioring/probe.hpp"

namespace echo {
namespace {

// The peer has gone while it waited, or nothing happened at all: the next one may be accepted.
bool is_transient(std::int32_t res) noexcept {
    return res == -ECONNABORTED || res == -EINTR || res == -EAGAIN || res == -EPROTO;
}

}  // namespace

acceptor::acceptor(ioring::ring& ring, ioring::listener& listener) noexcept
    : ring_{ring},
      listener_{listener},
      wanted_{1},
      multishot_{ring.probe().has(ioring::feature::accept_multishot)} {
    if (!multishot_) wanted_ = single_accepts;
}

void acceptor::arm() noexcept {
    while (!paused_ && !stopped_ && in_flight_ < wanted_) {
        const ioring::sqe* const entry =
            multishot_ ? ring_.prepare_accept_multishot(listener_, tag(op::accept))
                       : ring_.prepare_accept(listener_, tag(op::accept));
        if (entry == nullptr) return;
        ++in_flight_;
    }
}

ioring::fd acceptor::completed(const ioring::cqe& done) noexcept {
    if (!done.more()) --in_flight_;
    if (done.res >= 0) return ioring::fd{done.res};
    if (!stopped_ && !paused_ && !is_transient(done.res)) {
        paused_ = true;
        ++pauses_;
    }
    return {};
}

void acceptor::stop() noexcept {
    stopped_ = true;
    listener_.close();
}

}  // namespace echo
