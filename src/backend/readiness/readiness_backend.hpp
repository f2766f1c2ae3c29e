// SPDX-License-Identifier: MIT
// readiness_backend.hpp - the readiness kernel with a poller, and its set-up.
#pragma once

#include <memory>
#include <new>
#include <string>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/readiness/poller.hpp"
#include "backend/readiness/readiness_kernel.hpp"

namespace ioring::backends::readiness {

template <poller Poller>
class readiness_backend final : public readiness_kernel {
public:
    // See backend.hpp, setup_function. Errors: not_enough_memory, and what the poller gives.
    [[nodiscard]] static std::error_code create(const backend_options& options,
                                                std::unique_ptr<backend>& out,
                                                std::string& why) noexcept {
        std::unique_ptr<readiness_backend> made{new (std::nothrow) readiness_backend};
        const auto no_memory = [&] {
            why = std::string{"no memory for the queues of the "} + Poller::name + " backend";
            return std::make_error_code(std::errc::not_enough_memory);
        };
        if (made == nullptr || made->set_up_queues(options)) return no_memory();
        if (const std::error_code error = made->poller_.set_up(why); error) return error;
        if (made->open_mailbox(made->poller_.native())) return no_memory();
        made->description_ = std::string{"a kernel in user space on "} + Poller::name + "; " +
                             std::to_string(options.sq_entries) + " SQEs, " +
                             std::to_string(options.cq_entries) + " CQEs";
        out = std::move(made);
        return {};
    }

    // Nobody may interrupt() it any more when the poller goes.
    ~readiness_backend() override { close_mailbox(); }

private:
    readiness_backend() noexcept : readiness_kernel{Poller::hears_changes} {}

    bool reserve(std::int32_t fd) noexcept override { return poller_.reserve(fd); }
    void arm(std::int32_t fd, std::uint8_t directions, arming how) noexcept override {
        poller_.arm(fd, directions, how);
    }
    void forget(std::int32_t fd) noexcept override { poller_.forget(fd); }
    int wait_for_events(std::span<ready_event> events, std::int64_t timeout_ns) noexcept override {
        return poller_.wait(events, timeout_ns);
    }
    void interrupt() noexcept override { poller_.wake(); }
    void abandon_descriptors() noexcept override { poller_.abandon(); }

    Poller poller_;
};

}  // namespace ioring::backends::readiness
