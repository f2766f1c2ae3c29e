// SPDX-License-Identifier: MIT
// main.cpp - ioring-doctor: what this machine lets an ioring do, and how many connections fit.
#include <exception>

#include <fmt/core.h>

#include "common/command_line.hpp"
#include "doctor/diagnosis.hpp"
#include "doctor/report.hpp"
#include "doctor/settings.hpp"

int main(int argc, char** argv) {
    try {
        doctor::settings asked;
        if (const auto status = doctor::read_settings(argc, argv, asked)) return *status;
        const doctor::diagnosis found = doctor::diagnose(asked);
        fmt::print("{}", asked.json ? report_json(found) + "\n" : report_text(found));
        return found.status();
    } catch (const std::exception& error) {
        return ioring::tools::complain(doctor::program, error.what());
    }
}
