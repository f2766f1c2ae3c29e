// SPDX-License-Identifier: MIT
// old_kernels_linux.cpp - io_uring as Linux 6.1 and 5.19 have it, as far as this library can tell.
//
// The mask hides features from detection, so that the backend sets itself up as it would there. The
// kernel underneath still knows them: what a program asks for all the same is made an unknown
// opcode, which fails with -EINVAL as an unknown flag does.
#include <array>
#include <initializer_list>
#include <memory>
#include <string>
#include <utility>

#include "backend/uring/old_kernels_test_support.hpp"
#include "backend/uring/uring.hpp"
#include "backends.hpp"

namespace ioring::conformance {
namespace {

using backends::backend;
using backends::backend_options;
using backends::uring::kernel_mask;

inline constexpr opcode unknown_opcode{255};

class older_uring final : public backend {
public:
    explicit older_uring(std::unique_ptr<backend> newer) : newer_{std::move(newer)} {
        view_ = newer_->view();
        probe_ = newer_->probe();
        description_ = newer_->description();
    }

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override {
        const std::uint32_t tail = view_.sq_tail->load(std::memory_order_relaxed);
        for (std::uint32_t i = view_.sq_head->load(std::memory_order_acquire); i != tail; ++i) {
            sqe& entry = view_.sqes[i & (view_.sq_entries - 1)];
            if (!knows(entry)) entry.op = unknown_opcode;
        }
        return newer_->enter(to_submit, min_complete, flags, timeout_ns);
    }

    int register_(backends::register_op operation, void* argument,
                  std::uint32_t count) noexcept override {
        return newer_->register_(operation, argument, count);
    }

private:
    [[nodiscard]] bool knows(const sqe& entry) const noexcept {
        if (!probe_.supports(entry.op)) return false;
        const auto asks = [&](std::uint32_t bits, std::uint32_t bit, feature which) {
            return (bits & bit) != 0 && !probe_.has(which);
        };
        switch (entry.op) {
            case opcode::recv:
            case opcode::recvmsg:
                return !asks(entry.ioprio, transfer_flag::multishot, feature::recv_multishot) &&
                       !asks(entry.ioprio, transfer_flag::bundle, feature::bundles);
            case opcode::send:
            case opcode::send_zc:
                return !asks(entry.ioprio, transfer_flag::bundle, feature::bundles) &&
                       !asks(entry.ioprio, transfer_flag::send_vectorized,
                             feature::send_vectorized);
            case opcode::timeout:
                return !asks(entry.op_flags, timeout_flag::multishot, feature::timeout_multishot);
            default: return true;
        }
    }

    std::unique_ptr<backend> newer_;
};

kernel_mask mask_of(std::string_view kernel, std::initializer_list<opcode> unknown) {
    kernel_mask mask;
    for (const backends::uring::old_kernel& each : backends::uring::old_kernels()) {
        if (each.name == kernel) mask = each.mask;
    }
    for (const opcode each : unknown) mask.opcodes.set(static_cast<std::size_t>(each));
    return mask;
}

std::error_code set_up_as(const kernel_mask& mask, const backend_options& options,
                          std::unique_ptr<backend>& out, std::string& why) {
    std::unique_ptr<backend> newer;
    const std::error_code error = backends::uring::set_up_masked(options, mask, newer, why);
    if (!error) out = std::make_unique<older_uring>(std::move(newer));
    return error;
}

std::error_code set_up_6_1(const backend_options& options, std::unique_ptr<backend>& out,
                           std::string& why) noexcept {
    static const kernel_mask mask =
        mask_of("linux_6_1", {opcode::bind, opcode::listen, opcode::read_multishot});
    return set_up_as(mask, options, out, why);
}

std::error_code set_up_5_19(const backend_options& options, std::unique_ptr<backend>& out,
                            std::string& why) noexcept {
    static const kernel_mask mask =
        mask_of("linux_5_19", {opcode::bind, opcode::listen, opcode::read_multishot,
                               opcode::send_zc, opcode::sendmsg_zc});
    return set_up_as(mask, options, out, why);
}

const extra_backend linux_6_1{{"uring_6_1", set_up_6_1, /*automatic=*/false}};
const extra_backend linux_5_19{{"uring_5_19", set_up_5_19, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::conformance
