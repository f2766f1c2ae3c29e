// SPDX-License-Identifier: MIT
// ring.cpp - rings, entries and completions for C.
#include <algorithm>
#include <chrono>

#include "capi/handles.hpp"

namespace {

using ioring::capi::entry_of;
using ioring::capi::result_of;
using ioring::capi::time_of;

// An unset string means the default.
std::string_view text_or(const char* text, std::string_view otherwise) noexcept {
    return text != nullptr ? std::string_view{text} : otherwise;
}

// The caller's options over the defaults; those of an older header are shorter.
bool read_options(const ioring_options* given, ioring::ring_options& out) noexcept {
    if (given == nullptr) return true;
    ioring_options whole{};
    if (!ioring::capi::copy_options(*given, whole)) return false;
    if (whole.reserved != 0) return false;
    using ioring::capi::set;
    set(whole.sq_entries, out.sq_entries);
    set(whole.cq_entries, out.cq_entries);
    set(whole.connections_max, out.connections_max);
    set(whole.posts_max, out.posts_max);
    const auto set_time = [](std::uint64_t value, std::chrono::nanoseconds& field) {
        constexpr auto most = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count());
        if (value != 0) field = std::chrono::nanoseconds{std::min(value, most)};
    };
    set_time(whole.spin_ns, out.spin);
    set_time(whole.drain_timeout_ns, out.drain_timeout);
    out.backend = text_or(whole.backend, out.backend);
    out.backend_prefer = text_or(whole.backend_prefer, out.backend_prefer);
    out.backend_forbid = text_or(whole.backend_forbid, out.backend_forbid);
    return true;
}

int wait_one(ioring_t* ring, ioring_cqe* out, std::chrono::nanoseconds timeout) noexcept {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    ioring::cqe done;
    const int count = ring->ring.wait_completions({&done, 1}, 1, timeout);
    if (count < 0) return count;
    if (count == 0) return -EAGAIN;
    *out = {done.user_data, done.res, done.flags};
    return 0;
}

}  // namespace

extern "C" {

int ioring_create(const ioring_options* options, ioring_t** out) {
    return ioring_create_why(options, out, nullptr, 0);
}

int ioring_create_why(const ioring_options* options, ioring_t** out, char* why,
                      std::size_t why_bytes) {
    ioring::ring_options wanted;
    if (out == nullptr || !read_options(options, wanted)) {
        ioring::capi::copy_text("ioring_options.size is not that of the struct", why, why_bytes);
        return -EINVAL;
    }
    auto* const made = new (std::nothrow) ioring_ring;
    if (made == nullptr) return -ENOMEM;
    std::string reason;
    if (const std::error_code error = ioring::ring::create(wanted, made->ring, &reason); error) {
        delete made;
        ioring::capi::copy_text(reason, why, why_bytes);
        return result_of(error);
    }
    *out = made;
    return 0;
}

void ioring_destroy(ioring_t* ring) { delete ring; }

const char* ioring_backend_name(const ioring_t* ring) {
    return ring == nullptr ? "" : ring->ring.backend_info().name;
}
const char* ioring_backend_reason(const ioring_t* ring) {
    return ring == nullptr ? "" : ring->ring.backend_info().reason;
}
const char* ioring_backend_description(const ioring_t* ring) {
    return ring == nullptr ? "" : ring->ring.backend_info().description;
}

int ioring_supports(const ioring_t* ring, std::uint8_t opcode) {
    return ring != nullptr && ring->ring.probe().supports(static_cast<ioring::opcode>(opcode)) ? 1
                                                                                               : 0;
}

int ioring_get_counters(const ioring_t* ring, ioring_counters* out) {
    if (ring == nullptr || out == nullptr || out->size < sizeof out->size) return -EINVAL;
    const ioring::ring_counters& now = ring->ring.counters();
    const ioring_counters whole{.size = out->size,
                                .reserved = 0,
                                .enters = now.enters,
                                .submitted = now.submitted,
                                .completed = now.completed,
                                .posted = now.posted,
                                .wakes = now.wakes,
                                .overflows = now.overflows,
                                .short_transfers = now.short_transfers};
    std::memcpy(out, &whole, std::min<std::size_t>(out->size, sizeof whole));
    return 0;
}

std::uint64_t ioring_in_flight(const ioring_t* ring) {
    return ring == nullptr ? 0 : ring->ring.in_flight();
}

ioring_sqe* ioring_get_sqe(ioring_t* ring) {
    return ring == nullptr ? nullptr : entry_of(ring->ring.get_sqe());
}
std::uint32_t ioring_sq_space_left(const ioring_t* ring) {
    return ring == nullptr ? 0 : ring->ring.submission_queue_space();
}
int ioring_reserve(ioring_t* ring, std::uint32_t count) {
    return ring != nullptr && ring->ring.reserve(count) ? 1 : 0;
}

int ioring_submit(ioring_t* ring) { return ring == nullptr ? -EINVAL : ring->ring.submit(); }
int ioring_submit_and_wait(ioring_t* ring, std::uint32_t min_complete) {
    return ring == nullptr ? -EINVAL : ring->ring.submit_and_wait(min_complete);
}
int ioring_submit_and_wait_timeout(ioring_t* ring, std::uint32_t min_complete,
                                   std::int64_t timeout_ns) {
    if (ring == nullptr) return -EINVAL;
    return ring->ring.submit_and_wait(min_complete, time_of(timeout_ns));
}

std::size_t ioring_peek_batch_cqe(ioring_t* ring, ioring_cqe* out, std::size_t count) {
    if (ring == nullptr || out == nullptr) return 0;
    // The same bytes: entry_twins.cpp.
    return ring->ring.peek_completions({reinterpret_cast<ioring::cqe*>(out), count});
}
int ioring_peek_cqe(ioring_t* ring, ioring_cqe* out) {
    if (ring == nullptr || out == nullptr) return -EINVAL;
    return ioring_peek_batch_cqe(ring, out, 1) == 1 ? 0 : -EAGAIN;
}
int ioring_wait_cqe(ioring_t* ring, ioring_cqe* out) {
    return wait_one(ring, out, ioring::ring::forever);
}
int ioring_wait_cqe_timeout(ioring_t* ring, ioring_cqe* out, std::int64_t timeout_ns) {
    return wait_one(ring, out, time_of(timeout_ns));
}
void ioring_cq_advance(ioring_t* ring, std::size_t count) {
    if (ring != nullptr) ring->ring.advance_completion_queue(count);
}
std::size_t ioring_cq_ready(ioring_t* ring) {
    return ring == nullptr ? 0 : ring->ring.completion_queue_count();
}

void ioring_wake(ioring_t* ring) {
    if (ring != nullptr) ring->ring.wake();
}
int ioring_post(ioring_t* ring, std::uint64_t user_data, std::int32_t res) {
    if (ring == nullptr) return -EINVAL;
    return ring->ring.post(user_data, res) ? 0 : -EAGAIN;
}

ioring_sqe* ioring_prepare_close(ioring_t* ring, std::int32_t fd, std::uint64_t user_data) {
    if (ring == nullptr) return nullptr;
    return entry_of(ring->ring.prepare_close(ioring::fd{fd}, user_data));
}
ioring_sqe* ioring_prepare_msg_ring(ioring_t* ring, const ioring_t* target, std::int32_t res,
                                    std::uint64_t target_user_data, std::uint64_t user_data) {
    if (ring == nullptr || target == nullptr) return nullptr;
    return entry_of(ring->ring.prepare_msg_ring(target->ring, res, target_user_data, user_data));
}

}  // extern "C"
