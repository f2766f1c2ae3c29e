// SPDX-License-Identifier: MIT
// print.cpp - what each kind of record says.
#include "trace/print.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "ioring/names.hpp"

namespace trace_tool {
namespace {

namespace format = ioring::trace;
using json = nlohmann::ordered_json;

// Of a piece of memory, for a person.
constexpr std::size_t bytes_shown_max = 16;

constexpr std::array register_names{
    std::string_view{"wake"},
    std::string_view{"wake_descriptor"},
    std::string_view{"shutdown_now"},
    std::string_view{"close_now"},
    std::string_view{"pin_buffer"},
    std::string_view{"unpin_buffer"},
    std::string_view{"add_buffer_ring"},
    std::string_view{"remove_buffer_ring"},
    std::string_view{"message_descriptor"},
    std::string_view{"abandon_after_fork"},
};

std::string name_of_call(std::uint32_t operation) {
    if (operation < register_names.size()) return std::string{register_names[operation]};
    return fmt::format("operation {}", operation);
}

std::string_view text_in(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hexadecimal(std::span<const std::byte> bytes, std::string_view between = "") {
    std::string text;
    for (const std::byte each : bytes) {
        if (!text.empty()) text += between;
        text += fmt::format("{:02x}", static_cast<unsigned>(each));
    }
    return text;
}

std::string of_memory(const format::record& each) {
    const auto body = each.as<format::memory_body>();
    const auto bytes = each.after<format::memory_body>();
    const auto shown = bytes.first(std::min(bytes.size(), bytes_shown_max));
    std::string text =
        fmt::format("of sqe {}: {}, {} bytes", body.number, to_string(body.role), body.whole_bytes);
    if (body.role == format::role::time && bytes.size() == sizeof(ioring::kernel_timespec)) {
        ioring::kernel_timespec time;
        std::memcpy(&time, bytes.data(), sizeof time);
        return text + fmt::format(": {} s {} ns", time.tv_sec, time.tv_nsec);
    }
    if (!shown.empty()) text += ": " + hexadecimal(shown, " ");
    if (shown.size() < body.whole_bytes) text += " ...";
    return text;
}

std::string of_enter(const format::record& each) {
    const auto body = each.as<format::enter_body>();
    std::string text = fmt::format("submit {}", body.to_submit);
    if (body.min_complete != 0) text += fmt::format(", wait for {}", body.min_complete);
    if (body.flags != 0) text += fmt::format(", flags {:#x}", body.flags);
    if (body.timeout_ns >= 0) text += fmt::format(", at most {} ns", body.timeout_ns);
    if (body.wakes != 0) text += fmt::format(", after {} wakes", body.wakes);
    return text;
}

std::string body_text(const format::record& each) {
    switch (each.kind) {
        case format::kind::info: return std::string{text_in(each.after<format::info_body>())};
        case format::kind::enter: return of_enter(each);
        case format::kind::sqe:
            return fmt::format("{}: {}", each.number, to_string(each.as<ioring::sqe>()));
        case format::kind::sent:
        case format::kind::received: return of_memory(each);
        case format::kind::cqe: {
            const auto body = each.as<format::cqe_body>();
            const std::string of = body.number == 0 ? std::string{"of no known sqe"}
                                                    : fmt::format("of sqe {}", body.number);
            return fmt::format("{}: {}", of, to_string(body.entry));
        }
        case format::kind::result: {
            const auto body = each.as<format::result_body>();
            return fmt::format("{}, sq_flags {:#x}", body.result, body.sq_flags);
        }
        case format::kind::call: {
            const auto body = each.as<format::call_body>();
            return fmt::format("{}, count {}: {}", name_of_call(body.operation), body.count,
                               body.result);
        }
        case format::kind::gap:
            return fmt::format("{} completions unseen", each.as<std::uint32_t>());
        case format::kind::end: return {};
    }
    return {};
}

void add_sqe(json& out, const ioring::sqe& entry, std::uint64_t number) {
    out["number"] = number;
    out["op"] = to_string(entry.op);
    out["opcode"] = static_cast<unsigned>(entry.op);
    out["fd"] = entry.fd;
    out["len"] = entry.len;
    out["flags"] = ioring::sqe_flag_names(entry.flags);
    out["ioprio"] = ioring::ioprio_names(entry.op, entry.ioprio);
    out["op_flags"] = ioring::op_flag_names(entry.op, entry.op_flags);
    out["off"] = fmt::format("{:#x}", entry.off);
    out["addr"] = fmt::format("{:#x}", entry.addr);
    out["user_data"] = fmt::format("{:#x}", entry.user_data);
    out["buf_index"] = entry.buf_index;
}

void add_cqe(json& out, const format::cqe_body& body) {
    out["number"] = body.number;
    out["user_data"] = fmt::format("{:#x}", body.entry.user_data);
    out["res"] = body.entry.res;
    out["flags"] = ioring::cqe_flag_names(body.entry.flags);
    if (body.entry.has_buffer()) out["buffer"] = body.entry.buffer_id();
}

void add_memory(json& out, const format::record& each) {
    const auto body = each.as<format::memory_body>();
    out["number"] = body.number;
    out["role"] = to_string(body.role);
    out["whole_bytes"] = body.whole_bytes;
    out["bytes"] = hexadecimal(each.after<format::memory_body>());
}

void add_call(json& out, const format::record& each) {
    const auto body = each.as<format::call_body>();
    out["operation"] = name_of_call(body.operation);
    out["count"] = body.count;
    out["result"] = body.result;
    out["argument"] = hexadecimal(each.after<format::call_body>());
}

void add_body(json& out, const format::record& each) {
    switch (each.kind) {
        case format::kind::info: out["text"] = text_in(each.after<format::info_body>()); break;
        case format::kind::enter: {
            const auto body = each.as<format::enter_body>();
            out["to_submit"] = body.to_submit;
            out["min_complete"] = body.min_complete;
            out["flags"] = body.flags;
            out["timeout_ns"] = body.timeout_ns;
            out["wakes"] = body.wakes;
            break;
        }
        case format::kind::sqe: add_sqe(out, each.as<ioring::sqe>(), each.number); break;
        case format::kind::sent:
        case format::kind::received: add_memory(out, each); break;
        case format::kind::cqe: add_cqe(out, each.as<format::cqe_body>()); break;
        case format::kind::result: {
            const auto body = each.as<format::result_body>();
            out["result"] = body.result;
            out["sq_flags"] = body.sq_flags;
            break;
        }
        case format::kind::call: add_call(out, each); break;
        case format::kind::gap: out["count"] = each.as<std::uint32_t>(); break;
        case format::kind::end: break;
    }
}

// A description with bytes that are no text must not end the program.
std::string one_line(const json& object) {
    return object.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

}  // namespace

std::string text_of(const format::record& each) {
    std::string body = body_text(each);
    std::replace(body.begin(), body.end(), '\n', ' ');
    return fmt::format("+{:.6f} {}{}{}", static_cast<double>(each.time_ns) / 1e9,
                       to_string(each.kind), body.empty() ? "" : " ", body);
}

std::string text_of(const format::file_header& header) {
    return fmt::format("version {}, {} SQEs, {} CQEs, at most {} bytes of a transfer",
                       header.version, header.sq_entries, header.cq_entries,
                       header.payload_bytes_max);
}

std::string json_of(const format::record& each) {
    json out;
    out["time_ns"] = each.time_ns;
    out["kind"] = to_string(each.kind);
    add_body(out, each);
    return one_line(out);
}

std::string json_of(const format::file_header& header) {
    json out;
    out["kind"] = "header";
    out["version"] = header.version;
    out["sq_entries"] = header.sq_entries;
    out["cq_entries"] = header.cq_entries;
    out["payload_bytes_max"] = header.payload_bytes_max;
    return one_line(out);
}

}  // namespace trace_tool
