// SPDX-License-Identifier: MIT
// wrappers.cpp - the rows, and how a name with colons is taken apart.
#include "backend/wrappers.hpp"

#include <array>
#include <cassert>
#include <utility>

#include "backend/fault/fault.hpp"
#include "backend/trace/trace.hpp"

namespace ioring::backends {
namespace {

constexpr std::array wrappers{
    wrapper_entry{"fault", "fault:SEED[@LEVEL]:BACKEND", fault::set_up, /*has_inner=*/true},
    wrapper_entry{"trace", "trace:FILE[@BYTES]:BACKEND", trace::set_up, /*has_inner=*/true},
    wrapper_entry{"replay", "replay:FILE", trace::set_up_replay, /*has_inner=*/false},
};

// Cuts `text` at its first colon and returns what is before it.
std::string_view take_part(std::string_view& text) noexcept {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
    return part;
}

const wrapper_entry* find_wrapper(std::string_view name) noexcept {
    const std::string_view own_name = take_part(name);
    for (const wrapper_entry& each : wrappers) {
        if (each.name == own_name) return &each;
    }
    return nullptr;
}

std::error_code refuse(std::string_view name, const wrapper_entry& wrapper, std::string_view what,
                       std::string& why) {
    why = "the backend \"" + std::string{name} + "\" " + std::string{what} +
          ": it is asked for as " + std::string{wrapper.usage};
    return std::make_error_code(std::errc::invalid_argument);
}

}  // namespace

std::span<const wrapper_entry> all_wrappers() noexcept { return wrappers; }

bool names_wrapper(std::string_view name) noexcept { return find_wrapper(name) != nullptr; }

std::error_code choose_wrapped(std::string_view name, const backend_options& options,
                               chosen_backend& out, std::string& why) noexcept {
    const wrapper_entry* const wrapper = find_wrapper(name);
    assert(wrapper != nullptr);
    std::string_view rest = name;
    (void)take_part(rest);
    wrapper_request request{.queues = options, .argument = rest, .inner_name = {}, .inner = {}};
    if (wrapper->has_inner) {
        request.argument = take_part(rest);
        request.inner_name = rest;
    }
    if (request.argument.empty()) return refuse(name, *wrapper, "lacks its argument", why);
    chosen_backend chosen{nullptr, wrapper->name, "asked for by name"};
    if (wrapper->has_inner) {
        if (rest.empty()) return refuse(name, *wrapper, "lacks the backend inside", why);
        chosen_backend inner;
        if (const std::error_code error = choose(rest, options, inner, why)) return error;
        request.inner = std::move(inner.instance);
        chosen.reason += ", around " + std::string{inner.name};
    }
    const std::error_code error = wrapper->set_up(std::move(request), chosen.instance, why);
    if (!error) out = std::move(chosen);
    return error;
}

}  // namespace ioring::backends
