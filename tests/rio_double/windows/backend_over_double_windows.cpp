// SPDX-License-Identifier: MIT
// backend_over_double_windows.cpp - the functions of the double in the place of Windows' own.
#include "windows/backend_over_double.hpp"

#include "backend/rio/rio.hpp"
#include "platform/windows_errors.hpp"
#include "winsock_transport_windows.hpp"

namespace ioring::rio_tests {
namespace {

class stage {
public:
    stage() { transport_.serve(&double_); }
    ~stage() { transport_.stop(); }
    stage(const stage&) = delete;
    stage& operator=(const stage&) = delete;

    [[nodiscard]] winsock_transport& transport() { return transport_; }
    [[nodiscard]] rio_double& the_double() { return double_; }

private:
    winsock_transport transport_;
    rio_double double_{transport_};
};

stage& the_stage() {
    static stage only;
    return only;
}

backends::rio::system system_of_double() {
    backends::rio::system made;
    made.table = the_stage().the_double().table();
    made.last_error = []() noexcept -> std::int32_t { return ::WSAGetLastError(); };
    made.open_socket = []() noexcept -> abi::socket { return the_stage().transport().open(true); };
    made.close_socket = [](abi::socket which) noexcept {
        return the_stage().the_double().close_socket(which);
    };
    made.negative_errno = [](std::int32_t code) noexcept {
        return -platform::errno_of_winsock(static_cast<std::uint32_t>(code));
    };
    return made;
}

std::error_code set_up(const backends::backend_options& options,
                       std::unique_ptr<backends::backend>& out, std::string& why) noexcept {
    return backends::rio::set_up_over(system_of_double(), options, out, why);
}

}  // namespace

backends::backend_entry rio_over_double() noexcept {
    return {"rio_double", set_up, /*automatic=*/false};
}

std::vector<std::string> violations_of_double() { return the_stage().the_double().violations(); }

}  // namespace ioring::rio_tests
