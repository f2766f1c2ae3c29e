// SPDX-License-Identifier: MIT
// managed.hpp - the same echo by a socket_manager, which does all but the echo.
#pragma once

#include <chrono>
#include <string>
#include <system_error>

#include "echo/counters.hpp"
#include "echo/server.hpp"
#include "ioring/socket_manager.hpp"

namespace echo {

class managed_server {
public:
    // `writes`: by socket::write(), which copies, instead of forward().
    managed_server(ioring::socket_manager& sockets, bool writes) noexcept
        : sockets_{sockets}, writes_{writes} {}

    // As server::run().
    [[nodiscard]] std::error_code run(std::chrono::nanoseconds duration,
                                      std::chrono::nanoseconds drain, counters& counted,
                                      const surroundings& around);
    // One line on its buffers.
    [[nodiscard]] std::string describe() const;

private:
    void handle(const ioring::socket_event& event, counters& counted) noexcept;
    void stop(std::chrono::nanoseconds drain, counters& counted, const surroundings& around);
    void count(counters& counted) const noexcept;

    ioring::socket_manager& sockets_;
    bool writes_;
};

}  // namespace echo
