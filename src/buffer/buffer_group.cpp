// SPDX-License-Identifier: MIT
// buffer_group.cpp - both kinds of buffer group, by way of their states.
#include "ioring/buffer_group.hpp"

#include <cassert>
#include <optional>

#include "buffer/group_state.hpp"
#include "buffer/private_group_state.hpp"
#include "ioring/ring.hpp"

namespace ioring {

using detail::ring_access;

std::error_code buffer_group::create(ring& owner, const group_options& options, buffer_group& out,
                                     std::string* why) noexcept {
    buffer_group made;
    if (const auto error = detail::group_state::create(ring_access::state_of(owner), std::nullopt,
                                                       options, made.state_, why)) {
        return error;
    }
    out = std::move(made);
    return {};
}

std::error_code buffer_group::create_over(ring& owner, std::span<std::byte> memory,
                                          const group_options& options, buffer_group& out,
                                          std::string* why) noexcept {
    buffer_group made;
    if (const auto error = detail::group_state::create(ring_access::state_of(owner), memory,
                                                       options, made.state_, why)) {
        return error;
    }
    out = std::move(made);
    return {};
}

#if defined(__cpp_exceptions)
buffer_group::buffer_group(ring& owner, const group_options& options) {
    std::string why;
    if (const std::error_code error = create(owner, options, *this, &why)) {
        throw std::system_error{error, why};
    }
}
#endif

void buffer_group::close() noexcept {
    if (state_ != nullptr) std::exchange(state_, nullptr)->close();
}

std::span<std::byte> buffer_group::take(const cqe& done) noexcept {
    return state_ == nullptr ? std::span<std::byte>{} : state_->take(done);
}

bool buffer_group::recycle_later(std::span<const std::byte> chunk) noexcept {
    return state_ != nullptr && state_->recycle(chunk);
}

void buffer_group::publish() noexcept {
    if (state_ != nullptr) state_->publish();
}

std::uint16_t buffer_group::id() const noexcept {
    assert(valid());
    return state_->id();
}

bool buffer_group::incremental() const noexcept {
    assert(valid());
    return state_->incremental();
}

std::string_view buffer_group::reason() const noexcept {
    assert(valid());
    return state_->reason();
}

std::uint32_t buffer_group::buffers() const noexcept {
    assert(valid());
    return state_->buffers();
}

std::uint32_t buffer_group::buffer_bytes() const noexcept {
    assert(valid());
    return state_->buffer_bytes();
}

std::uint32_t buffer_group::posted() const noexcept {
    assert(valid());
    return state_->posted();
}

std::uint32_t buffer_group::unused() const noexcept {
    assert(valid());
    return state_->unused();
}

std::uint32_t buffer_group::chunks_out() const noexcept {
    assert(valid());
    return state_->chunks_out();
}

std::uint64_t buffer_group::refused() const noexcept {
    assert(valid());
    return state_->refused();
}

std::error_code private_group::create(ring& owner, ring_buffer& buffer,
                                      const private_group_options& options, private_group& out,
                                      std::string* why) noexcept {
    private_group made;
    if (const auto error = detail::private_group_state::create(ring_access::state_of(owner), buffer,
                                                               options, made.state_, why)) {
        return error;
    }
    out = std::move(made);
    return {};
}

void private_group::close() noexcept {
    if (state_ != nullptr) std::exchange(state_, nullptr)->close();
}

std::span<std::byte> private_group::take(const cqe& done) noexcept {
    return state_ == nullptr ? std::span<std::byte>{} : state_->take(done);
}

std::uint32_t private_group::recycle() noexcept {
    return state_ == nullptr ? 0 : state_->recycle();
}

void private_group::reset() noexcept {
    if (state_ != nullptr) state_->reset();
}

std::uint16_t private_group::id() const noexcept {
    assert(valid());
    return state_->id();
}

ring_buffer& private_group::buffer() const noexcept {
    assert(valid());
    return state_->buffer();
}

std::uint32_t private_group::posted_bytes() const noexcept {
    assert(valid());
    return state_->posted_bytes();
}

std::uint64_t private_group::refused() const noexcept {
    assert(valid());
    return state_->refused();
}

}  // namespace ioring
