// SPDX-License-Identifier: MIT
// probe.cpp - the names of abilities.
#include "ioring/probe.hpp"

#include <cassert>

namespace ioring {

std::string_view to_string(feature which) noexcept {
    switch (which) {
        case feature::accept_multishot: return "accept_multishot";
        case feature::recv_multishot: return "recv_multishot";
        case feature::cancel_any: return "cancel_any";
        case feature::poll_multishot: return "poll_multishot";
        case feature::timeout_multishot: return "timeout_multishot";
        case feature::buffer_rings: return "buffer_rings";
        case feature::incremental_buffers: return "incremental_buffers";
        case feature::bundles: return "bundles";
        case feature::send_vectorized: return "send_vectorized";
        case feature::send_zero_copy: return "send_zero_copy";
        case feature::msg_ring: return "msg_ring";
        case feature::single_issuer: return "single_issuer";
        case feature::deferred_taskrun: return "deferred_taskrun";
        case feature::cooperative_taskrun: return "cooperative_taskrun";
        case feature::no_sq_array: return "no_sq_array";
        case feature::registered_ring: return "registered_ring";
        case feature::registered_wait: return "registered_wait";
        case feature::count: break;
    }
    assert(false && "not a feature");
    return "?";
}

std::string to_string(const probe_result& probe) {
    std::string text;
    for (std::size_t i = 0; i < probe.features.size(); ++i) {
        if (!probe.features.test(i)) continue;
        if (!text.empty()) text += ' ';
        text += to_string(static_cast<feature>(i));
    }
    return text;
}

}  // namespace ioring
