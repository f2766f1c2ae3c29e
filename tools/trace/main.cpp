// SPDX-License-Identifier: MIT
// main.cpp - ioring-trace: prints what the trace backend has recorded.
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "common/command_line.hpp"
#include "ioring/trace.hpp"
#include "trace/print.hpp"

namespace {

namespace tools = ioring::tools;
namespace format = ioring::trace;

constexpr const char* program = "ioring-trace";

struct settings {
    std::string path;
    bool json = false;
};

bool read_file(const std::string& path, std::vector<char>& out) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return false;
    out.assign(std::istreambuf_iterator<char>{file}, {});
    return !file.bad();
}

template <class Item>
void print(const Item& item, bool json) {
    fmt::print("{}\n", json ? trace_tool::json_of(item) : trace_tool::text_of(item));
}

int run(const settings& wanted) {
    std::vector<char> file;
    if (!read_file(wanted.path, file)) {
        return tools::complain(program, wanted.path + " cannot be read");
    }
    format::reader reader;
    std::string why;
    if (format::reader::open(std::as_bytes(std::span{file}), reader, why)) {
        return tools::complain(program, wanted.path + " cannot be printed: " + why);
    }
    print(reader.header(), wanted.json);
    format::record each;
    for (;;) {
        const format::reader::outcome outcome = reader.next(each, why);
        if (outcome == format::reader::outcome::record) {
            print(each, wanted.json);
            continue;
        }
        std::fflush(stdout);
        if (outcome == format::reader::outcome::end) return tools::exit_done;
        return tools::complain(program, wanted.path + ": " + why);
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        settings wanted;
        CLI::App app{"Prints what \"trace:FILE:BACKEND\" has recorded, one record a line", program};
        app.add_option("FILE", wanted.path, "The recording")->required();
        app.add_flag("--json", wanted.json, "One JSON object a line");
        if (const auto status = tools::parse(app, argc, argv)) return *status;
        return run(wanted);
    } catch (const std::exception& error) {
        return tools::complain(program, error.what());
    }
}
