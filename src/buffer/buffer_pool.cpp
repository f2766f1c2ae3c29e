// SPDX-License-Identifier: MIT
// buffer_pool.cpp - the pool and its leases, by way of their shared state, and the text of stats.
#include "ioring/buffer_pool.hpp"

#include "buffer/pool_state.hpp"
#include "ioring/ring.hpp"

namespace ioring {
namespace {

using use = detail::pool_state::use;

void report_no_pool(std::error_code* error) noexcept {
    if (error != nullptr) *error = std::make_error_code(std::errc::no_buffer_space);
}

}  // namespace

std::string to_string(const pool_stats& stats) {
    const std::uint64_t used = stats.buffers_in_use;
    const std::uint64_t all = stats.buffers;
    const std::uint64_t per_mille = all == 0 ? 0 : (used * 1000 + all / 2) / all;
    return "Slabs: " + std::to_string(stats.slabs) + '/' + std::to_string(stats.slabs_max) +
           ", Buffers: " + std::to_string(used) + '/' + std::to_string(all) + " (" +
           std::to_string(per_mille / 10) + '.' + std::to_string(per_mille % 10) +
           "%), Fallbacks: " + std::to_string(stats.fallbacks_total) + " total";
}

void buffer_lease::give_back() noexcept {
    std::exchange(state_, nullptr)->end_lease(std::exchange(buffer_, nullptr));
}

std::error_code buffer_pool::create(ring& owner, const pool_options& options, buffer_pool& out,
                                    std::string* why) noexcept {
    buffer_pool made;
    if (const auto error = detail::pool_state::create(detail::ring_access::state_of(owner), options,
                                                      made.state_, why)) {
        return error;
    }
    out = std::move(made);
    return {};
}

#if defined(__cpp_exceptions)
buffer_pool::buffer_pool(ring& owner, const pool_options& options) {
    std::string why;
    if (const std::error_code error = create(owner, options, *this, &why)) {
        throw std::system_error{error, why};
    }
}
#endif

void buffer_pool::close() noexcept {
    if (state_ != nullptr) std::exchange(state_, nullptr)->close();
}

ring_buffer* buffer_pool::acquire_leased(std::error_code* error) noexcept {
    if (state_ != nullptr) return state_->acquire(use::leased, error);
    report_no_pool(error);
    return nullptr;
}

ring_buffer* buffer_pool::try_acquire_leased() noexcept {
    return state_ == nullptr ? nullptr : state_->try_acquire(use::leased);
}

std::error_code buffer_pool::release(buffer_lease&& lease) noexcept {
    if (!lease || lease.state_ != state_) return std::make_error_code(std::errc::invalid_argument);
    lease.reset();
    return {};
}

std::error_code buffer_pool::reserve(std::uint32_t count, std::string* why) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::no_buffer_space);
    return state_->reserve(count, why);
}

ring_buffer* buffer_pool::acquire_raw(std::error_code* error) noexcept {
    if (state_ != nullptr) return state_->acquire(use::raw, error);
    report_no_pool(error);
    return nullptr;
}

std::error_code buffer_pool::release_raw(ring_buffer* buffer) noexcept {
    if (state_ == nullptr) return std::make_error_code(std::errc::invalid_argument);
    return state_->give_back(buffer, use::raw);
}

pool_stats buffer_pool::stats() const noexcept {
    return state_ == nullptr ? pool_stats{} : state_->stats();
}

std::uint32_t buffer_pool::buffer_bytes() const noexcept {
    return state_ == nullptr ? 0 : state_->buffer_bytes();
}

}  // namespace ioring
