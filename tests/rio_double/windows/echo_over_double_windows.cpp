// SPDX-License-Identifier: MIT
// echo_over_double_windows.cpp - ioring-echo with the backend rio_double.
//
// Status 9, and a line each on standard error: what it did is undefined on Windows.
#include <cstdio>
#include <exception>

#include "backend/registry.hpp"
#include "common/command_line.hpp"
#include "echo/serve.hpp"
#include "echo/settings.hpp"
#include "windows/backend_over_double.hpp"

int main(int argc, char** argv) {
    ioring::backends::add(ioring::rio_tests::rio_over_double());
    int status = 0;
    try {
        echo::settings wanted;
        if (const auto over = echo::read_settings(argc, argv, wanted)) return *over;
        status = echo::serve(wanted);
    } catch (const std::exception& error) {
        return ioring::tools::complain(echo::program, error.what());
    }
    for (const std::string& each : ioring::rio_tests::violations_of_double()) {
        std::fprintf(stderr, "%s\n", each.c_str());
        status = 9;
    }
    return status;
}
