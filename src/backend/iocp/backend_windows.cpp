// SPDX-License-Identifier: MIT
// backend_windows.cpp - the engine over the real system.
#include <new>
#include <utility>

#include "backend/iocp/iocp.hpp"
#include "backend/iocp/iocp_kernel.hpp"
#include "backend/iocp/system_windows.hpp"

namespace ioring::backends::iocp {
namespace {

class iocp_backend final : public iocp_kernel {
public:
    using iocp_kernel::describe;
    using iocp_kernel::iocp_kernel;
};

}  // namespace

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    std::unique_ptr<system> below;
    if (const std::error_code error = open_system(below, why); error) return error;
    std::unique_ptr<iocp_backend> made{new (std::nothrow) iocp_backend{std::move(below)}};
    std::error_code error = std::make_error_code(std::errc::not_enough_memory);
    if (made != nullptr) error = made->set_up(options);
    if (error) {
        why = "no memory for the queues of the iocp backend";
        return error;
    }
    made->describe("a kernel in user space on a completion port; " +
                   std::to_string(options.sq_entries) + " SQEs, " +
                   std::to_string(options.cq_entries) + " CQEs");
    out = std::move(made);
    return {};
}

}  // namespace ioring::backends::iocp
