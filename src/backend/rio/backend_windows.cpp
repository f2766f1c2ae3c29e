// SPDX-License-Identifier: MIT
// backend_windows.cpp - the iocp engine over the real system and a table of Registered I/O.
#include <new>
#include <utility>

#include "backend/iocp/iocp_kernel.hpp"
#include "backend/iocp/system_windows.hpp"
#include "backend/rio/registered_system.hpp"
#include "backend/rio/rio.hpp"
#include "platform/winsock_windows.hpp"

namespace ioring::backends::rio {
namespace {

class rio_backend final : public iocp::iocp_kernel {
public:
    explicit rio_backend(std::unique_ptr<iocp::system> below) noexcept
        : iocp_kernel{std::move(below)} {
        keeps_registrations_ = true;
    }
    using iocp_kernel::describe;
};

std::error_code refused(std::string& why) noexcept {
    why += "; use the backend iocp";
    return std::make_error_code(std::errc::not_supported);
}

}  // namespace

std::error_code set_up_over(const system& table, const backend_options& options,
                            std::unique_ptr<backend>& out, std::string& why) noexcept {
    if (!works(table, why)) return refused(why);
    std::unique_ptr<iocp::system> below;
    if (const std::error_code error = iocp::open_system(below, why); error) return error;
    std::unique_ptr<registered_system> both{new (std::nothrow)
                                                registered_system{std::move(below), table}};
    if (both == nullptr || both->set_up() != 0) {
        why = "no memory for a completion queue of Registered I/O";
        return std::make_error_code(std::errc::not_enough_memory);
    }
    std::unique_ptr<rio_backend> made{new (std::nothrow) rio_backend{std::move(both)}};
    std::error_code error = std::make_error_code(std::errc::not_enough_memory);
    if (made != nullptr) error = made->set_up(options);
    if (error) {
        why = "no memory for the queues of the rio backend";
        return error;
    }
    made->describe("a kernel in user space on a completion port, with Registered I/O; " +
                   std::to_string(options.sq_entries) + " SQEs, " +
                   std::to_string(options.cq_entries) + " CQEs");
    platform::make_registrable_sockets();
    out = std::move(made);
    return {};
}

std::error_code set_up(const backend_options& options, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    system table;
    if (!load(table, why)) return refused(why);
    return set_up_over(table, options, out, why);
}

}  // namespace ioring::backends::rio
