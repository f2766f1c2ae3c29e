// SPDX-License-Identifier: MIT
// no_buffer_rings_linux.cpp - backends without buffer rings, multishot receive
// and multishot accept, which is the least that a manager can live on.
//
// The features are masked in the probe, and refused to whoever asks for them
// all the same.
#include <cerrno>
#include <memory>
#include <string>
#include <utility>

#include "backend/registry.hpp"
#include "backends.hpp"

namespace ioring::managed {
namespace {

using backends::backend;
using backends::backend_options;

class plain_backend final : public backend {
public:
    explicit plain_backend(std::unique_ptr<backend> inner) : inner_{std::move(inner)} {
        view_ = inner_->view();
        probe_ = inner_->probe();
        description_ = inner_->description();
        for (const feature each : {feature::buffer_rings, feature::incremental_buffers,
                                   feature::recv_multishot, feature::accept_multishot}) {
            probe_.features.reset(static_cast<std::size_t>(each));
        }
    }

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override {
        const std::uint32_t tail = view_.sq_tail->load(std::memory_order_relaxed);
        for (std::uint32_t i = view_.sq_head->load(std::memory_order_acquire); i != tail; ++i) {
            sqe& entry = view_.sqes[i & (view_.sq_entries - 1)];
            if (is_refused(entry)) entry.op = opcode{255};
        }
        return inner_->enter(to_submit, min_complete, flags, timeout_ns);
    }

    int register_(backends::register_op operation, void* argument,
                  std::uint32_t count) noexcept override {
        if (operation == backends::register_op::add_buffer_ring) return -EOPNOTSUPP;
        return inner_->register_(operation, argument, count);
    }

private:
    static bool is_refused(const sqe& entry) noexcept {
        switch (entry.op) {
            case opcode::recv:
                return (entry.flags & sqe_flag::buffer_select) != 0 ||
                       (entry.ioprio & transfer_flag::multishot) != 0;
            case opcode::accept: return (entry.ioprio & accept_flag::multishot) != 0;
            default: return false;
        }
    }

    std::unique_ptr<backend> inner_;
};

std::error_code set_up(std::string_view name, const backend_options& options,
                       std::unique_ptr<backend>& out, std::string& why) {
    backends::chosen_backend chosen;
    if (const auto error = backends::choose(name, options, chosen, why)) return error;
    out = std::make_unique<plain_backend>(std::move(chosen.instance));
    return {};
}

std::error_code set_up_uring(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("uring", options, out, why);
}

std::error_code set_up_epoll(const backend_options& options, std::unique_ptr<backend>& out,
                             std::string& why) noexcept {
    return set_up("epoll", options, out, why);
}

const conformance::extra_backend plain_uring{{"uring_plain", set_up_uring, /*automatic=*/false}};
const conformance::extra_backend plain_epoll{{"epoll_plain", set_up_epoll, /*automatic=*/false}};

}  // namespace
}  // namespace ioring::managed
