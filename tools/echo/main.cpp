// SPDX-License-Identifier: MIT
// main.cpp - ioring-echo: an echo server that shows, and measures, the library's three strategies.
#include <exception>

#include "common/command_line.hpp"
#include "echo/serve.hpp"
#include "echo/settings.hpp"

int main(int argc, char** argv) {
    try {
        echo::settings wanted;
        if (const auto status = echo::read_settings(argc, argv, wanted)) return *status;
        return echo::serve(wanted);
    } catch (const std::exception& error) {
        return ioring::tools::complain(echo::program, error.what());
    }
}
