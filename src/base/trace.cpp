// SPDX-License-Identifier: MIT
// trace.cpp - the checks that stand between a file and those who believe it.
#include "ioring/trace.hpp"

#include <cstring>
#include <optional>

namespace ioring::trace {
namespace {

template <class Struct>
Struct read(std::span<const std::byte> from) noexcept {
    Struct made;
    std::memcpy(&made, from.data(), sizeof made);
    return made;
}

// The fewest bytes of a body, or none for what is no kind.
std::optional<std::size_t> body_bytes_min(kind which) noexcept {
    switch (which) {
        case kind::info: return sizeof(info_body);
        case kind::enter: return sizeof(enter_body);
        case kind::sqe: return sizeof(sqe);
        case kind::sent:
        case kind::received: return sizeof(memory_body);
        case kind::cqe: return sizeof(cqe_body);
        case kind::result: return sizeof(result_body);
        case kind::call: return sizeof(call_body);
        case kind::gap: return sizeof(std::uint32_t);
        case kind::end: return 0;
    }
    return std::nullopt;
}

bool is_open_ended(kind which) noexcept {
    return which == kind::info || which == kind::sent || which == kind::received ||
           which == kind::call;
}

}  // namespace

std::error_code reader::open(std::span<const std::byte> file, reader& out, std::string& why) {
    if (file.size() < sizeof(file_header)) {
        why = "it is too short for a trace";
        return std::make_error_code(std::errc::invalid_argument);
    }
    const auto header = read<file_header>(file);
    if (header.magic != magic) {
        why = "it does not begin as a trace does";
        return std::make_error_code(std::errc::invalid_argument);
    }
    if (header.byte_order != byte_order) {
        why = "it is a trace of a machine with another byte order";
        return std::make_error_code(std::errc::not_supported);
    }
    if (header.version != version) {
        why = "it is a trace of version " + std::to_string(header.version) +
              ", and this library reads version " + std::to_string(version);
        return std::make_error_code(std::errc::not_supported);
    }
    if (header.header_bytes < sizeof header || header.header_bytes > file.size()) {
        why = "its header is not whole";
        return std::make_error_code(std::errc::invalid_argument);
    }
    out.header_ = header;
    out.file_ = file;
    out.at_ = header.header_bytes;
    out.sqes_ = 0;
    return {};
}

reader::outcome reader::next(record& out, std::string& why) {
    const std::size_t left = file_.size() - at_;
    if (left == 0) return outcome::end;
    const auto where = [this] { return " at byte " + std::to_string(at_); };
    if (left < sizeof(record_header)) {
        why = "the recording was cut off in a record's head" + where();
        return outcome::truncated;
    }
    const auto head = read<record_header>(file_.subspan(at_));
    const std::optional<std::size_t> min = body_bytes_min(head.kind);
    if (!min) {
        why = "there is no kind of record " + std::to_string(static_cast<unsigned>(head.kind)) +
              where();
        return outcome::broken;
    }
    if (head.body_bytes < *min || (head.body_bytes > *min && !is_open_ended(head.kind))) {
        why = "a record of the kind " + std::string{to_string(head.kind)} + " is never " +
              std::to_string(head.body_bytes) + " bytes long" + where();
        return outcome::broken;
    }
    if (head.body_bytes > left - sizeof head) {
        why = "the recording was cut off in a record" + where();
        return outcome::truncated;
    }
    out = {.kind = head.kind,
           .time_ns = head.time_ns,
           .number = head.kind == kind::sqe ? ++sqes_ : 0,
           .offset = at_,
           .body = file_.subspan(at_ + sizeof head, head.body_bytes)};
    at_ += sizeof head + head.body_bytes;
    return outcome::record;
}

std::string_view to_string(kind which) noexcept {
    switch (which) {
        case kind::info: return "info";
        case kind::enter: return "enter";
        case kind::sqe: return "sqe";
        case kind::sent: return "sent";
        case kind::cqe: return "cqe";
        case kind::received: return "received";
        case kind::result: return "result";
        case kind::call: return "call";
        case kind::gap: return "gap";
        case kind::end: return "end";
    }
    return "?";
}

std::string_view to_string(role which) noexcept {
    switch (which) {
        case role::payload: return "payload";
        case role::address: return "address";
        case role::time: return "time";
    }
    return "?";
}

}  // namespace ioring::trace
