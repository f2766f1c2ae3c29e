// SPDX-License-Identifier: MIT
// command_line.cpp - options of our own kinds for CLI11, and how a tool ends.
#include "common/command_line.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include "ioring/ring.hpp"
#include "ioring/version.hpp"

#include "common/number_text.hpp"

namespace ioring::tools {
namespace {

// The long name out of "-n,--connections".
std::string long_name(const std::string& name) {
    const auto at = name.rfind("--");
    return at == std::string::npos ? name : name.substr(at);
}

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
    throw CLI::ValidationError(long_name(name), why);
}

std::string text_of(limits range) {
    if (range.max == limits{}.max) return "at least " + with_commas(range.min);
    return fmt::format("{} to {}", with_commas(range.min), with_commas(range.max));
}

template <class Parse>
CLI::Option* add_ranged(CLI::App& app, const std::string& name, std::uint64_t& out, limits range,
                        const std::string& description, Parse parse_text) {
    const auto take = [name, range, &out, parse_text](const std::string& text) {
        std::string why;
        std::uint64_t value = 0;
        if (!parse_text(text, value, &why)) refuse(name, why);
        if (value < range.min || value > range.max) {
            refuse(name, fmt::format("{} is out of range: {}", with_commas(value), text_of(range)));
        }
        out = value;
    };
    return app.add_option_function<std::string>(name, take, description);
}

// As CLI11's, without the lists of options that exclude each other, which fill the screen.
class short_formatter : public CLI::Formatter {
public:
    std::string make_option_opts(const CLI::Option* option) const override {
        std::string text;
        if (option->get_type_size() != 0) text += " " + option->get_type_name();
        if (!option->get_default_str().empty()) text += " (" + option->get_default_str() + ")";
        return text;
    }
};

}  // namespace

int complain(std::string_view tool, std::string_view sentence, int status) {
    fmt::print(stderr, "{}: {}\n", tool, sentence);
    return status;
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& out, limits range,
                      const std::string& description) {
    return add_ranged(app, name, out, range, description, parse_size)
        ->type_name("BYTES")
        ->default_str(std::to_string(out));
}

CLI::Option* add_count(CLI::App& app, const std::string& name, std::uint64_t& out, limits range,
                       const std::string& description) {
    return add_ranged(app, name, out, range, description, parse_count)->type_name("N");
}

CLI::Option* add_decimal(CLI::App& app, const std::string& name, double& out,
                         const std::string& description) {
    const auto take = [name, &out](const std::string& text) {
        std::string why;
        double value = 0;
        if (!parse_decimal(text, value, &why)) refuse(name, why);
        if (value <= 0) refuse(name, "must be greater than 0");
        out = value;
    };
    return app.add_option_function<std::string>(name, take, description)->type_name("NUMBER");
}

CLI::Option* add_duration(CLI::App& app, const std::string& name, std::chrono::nanoseconds& out,
                          std::chrono::nanoseconds min, const std::string& description) {
    const auto take = [name, min, &out](const std::string& text) {
        std::string why;
        std::chrono::nanoseconds value{0};
        if (!parse_duration(text, value, &why)) refuse(name, why);
        if (value < min) {
            refuse(name, fmt::format("`{}` is too short: at least {}", text, duration_text(min)));
        }
        out = value;
    };
    return app.add_option_function<std::string>(name, take, description)->type_name("TIME");
}

CLI::Option* add_cpu(CLI::App& app, std::optional<int>& out) {
    const auto take = [&out](const std::string& text) {
        std::string why;
        std::uint64_t value = 0;
        if (!parse_count(text, value, &why)) refuse("--cpu", why);
        if (value > 65'535) refuse("--cpu", fmt::format("there is no CPU {}", value));
        out = static_cast<int>(value);
    };
    return app.add_option_function<std::string>("--cpu", take, "Run on this CPU only, from 0")
        ->type_name("N");
}

CLI::Option* add_backend(CLI::App& app, std::string& out) {
    const auto known = backend_names();
    std::string names = "automatic";
    for (const std::string_view name : known) names += fmt::format(", {}", name);
    const auto take = [&out, known, names](const std::string& text) {
        // What has a colon is a wrapper with its argument, of which the ring will tell more.
        const bool wrapped = text.find(':') != std::string::npos;
        if (!wrapped && text != "automatic" &&
            std::find(known.begin(), known.end(), text) == known.end()) {
            refuse("--backend",
                   fmt::format("`{}` is no backend of this build: use one of {}", text, names));
        }
        out = text;
    };
    return app.add_option_function<std::string>("--backend", take, "One of " + names)
        ->type_name("NAME")
        ->default_str(out);
}

void add_target(CLI::App& app, target& out, std::uint16_t port_min) {
    auto* const host = app.add_option("--host", out.host, "Name or numeric address")
                           ->type_name("HOST")
                           ->capture_default_str();
    const auto take_port = [&out, port_min](const std::string& text) {
        std::string why;
        std::uint64_t value = 0;
        if (!parse_count(text, value, &why)) refuse("--port", why);
        if (value < port_min || value > 65'535) {
            refuse("--port", fmt::format("{} is out of range: {} to 65535", value, port_min));
        }
        out.port = static_cast<std::uint16_t>(value);
    };
    auto* const port = app.add_option_function<std::string>("-p,--port", take_port, "TCP port")
                           ->type_name("N")
                           ->default_str(std::to_string(out.port));
    app.add_option("--unix", out.unix_path, "A local socket instead: its path, or @name")
        ->type_name("PATH")
        ->excludes(host)
        ->excludes(port);
}

std::optional<int> parse(CLI::App& app, int argc, const char* const* argv) {
    app.formatter(std::make_shared<short_formatter>());
    app.set_version_flag("--version", app.get_name() + " " + std::string{version_string});
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& end) {
        return app.exit(end);  // Prints what --help or --version asked for.
    } catch (const CLI::ParseError& error) {
        std::string sentence = error.what();
        if (const auto line = sentence.find('\n'); line != std::string::npos) sentence.resize(line);
        return complain(app.get_name(), sentence + " (--help lists the options)", exit_usage);
    }
    return std::nullopt;
}

}  // namespace ioring::tools
