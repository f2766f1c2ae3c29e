// SPDX-License-Identifier: MIT
// replay_script.cpp - the recording, read as far as the program has come.
#include <algorithm>
#include <string_view>

#include "backend/trace/replay_backend.hpp"
#include "ioring/names.hpp"

namespace ioring::backends::trace {

// The next record; at the end of the file, or where it is broken, the replay is over.
bool replay_backend::next(format::record& out) {
    if (at_end_) return false;
    std::string why;
    const format::reader::outcome outcome = recording_.next(out, why);
    if (outcome == format::reader::outcome::record) return true;
    at_end_ = true;
    if (outcome == format::reader::outcome::broken) diverge(std::move(why));
    return false;
}

// What the recorded backend could do, so that the program decides as it did then.
void replay_backend::read_info() {
    format::reader ahead = recording_;
    format::record first;
    std::string why;
    if (ahead.next(first, why) != format::reader::outcome::record ||
        first.kind != format::kind::info) {
        return;
    }
    recording_ = ahead;
    const auto body = first.as<format::info_body>();
    for (std::size_t op = 0; op < probe_.opcodes.size(); ++op) {
        if ((body.opcodes[op / 64] >> (op % 64) & 1U) != 0) probe_.opcodes.set(op);
    }
    const auto text = first.after<format::info_body>();
    const std::string_view all{reinterpret_cast<const char*>(text.data()), text.size()};
    const std::string features = " " + std::string{all.substr(0, all.find('\n'))} + " ";
    for (std::size_t i = 0; i < probe_.features.size(); ++i) {
        const std::string name = " " + std::string{to_string(static_cast<feature>(i))} + " ";
        if (features.find(name) != std::string::npos) probe_.features.set(i);
    }
    if (const std::size_t line = all.find('\n'); line != std::string_view::npos) {
        description_ += ": " + std::string{all.substr(line + 1)};
    }
}

// Whether the program is where the recording is: nothing read is left to come, and the next enter
// asked for the same.
bool replay_backend::next_enter_is(std::uint32_t to_submit, std::uint32_t min_complete,
                                   std::uint32_t flags) {
    if (ended() || !expected_.empty() || !due_.empty() || !overflow_.empty()) return false;
    keep_while(format::kind::call);
    format::reader ahead = recording_;
    format::record each;
    std::string why;
    if (ahead.next(each, why) != format::reader::outcome::record) return false;
    if (each.kind != format::kind::enter) return false;
    const auto was = each.as<format::enter_body>();
    return was.to_submit == to_submit && was.min_complete == min_complete && was.flags == flags;
}

// Reads the next recorded enter to its end. `result` becomes its result. False at the end.
bool replay_backend::play_enter(format::result_body& result) {
    format::record each;
    while (next(each)) {
        keep(each);
        if (each.kind != format::kind::result) continue;
        result = each.as<format::result_body>();
        return true;
    }
    return false;
}

// Makes SQE `number` known, if the recording has it: a program may submit in other portions.
void replay_backend::read_ahead(std::uint64_t number) {
    format::record each;
    while ((expected_.empty() || expected_.back().number < number) && next(each)) keep(each);
    keep_while(format::kind::sent);
}

void replay_backend::keep_while(format::kind wanted) {
    for (;;) {
        format::reader ahead = recording_;
        format::record each;
        std::string why;
        const bool is_wanted = !at_end_ &&
                               ahead.next(each, why) == format::reader::outcome::record &&
                               each.kind == wanted;
        if (!is_wanted) return;
        keep(each);
        recording_ = ahead;
    }
}

// What the next recorded call of `operation` came to, or 0 when there is none.
std::int32_t replay_backend::recorded_result(register_op operation) {
    keep_while(format::kind::call);  // Made between two enters.
    const auto found = std::find_if(calls_.begin(), calls_.end(), [operation](const auto& call) {
        return call.first == static_cast<std::uint32_t>(operation);
    });
    if (found == calls_.end()) return 0;
    const std::int32_t result = found->second;
    calls_.erase(found);
    return result;
}

void replay_backend::keep(const format::record& each) {
    switch (each.kind) {
        case format::kind::sqe: {
            const auto entry = each.as<sqe>();
            if (entry.user_data == reserved_user_data) break;
            expected_.push_back({entry, each.number, {}});
            read_ = each.number;
            break;
        }
        case format::kind::sent: {
            const auto body = each.as<format::memory_body>();
            if (expected_.empty() || expected_.back().number != body.number) break;
            expected_.back().sent.push_back({.role = body.role,
                                             .whole_bytes = body.whole_bytes,
                                             .bytes = each.after<format::memory_body>()});
            break;
        }
        case format::kind::received: {
            const auto body = each.as<format::memory_body>();
            memory_.push_back({.role = body.role,
                               .whole_bytes = body.whole_bytes,
                               .bytes = each.after<format::memory_body>()});
            break;
        }
        case format::kind::cqe: {
            recorded_cqe done{
                .body = each.as<format::cqe_body>(), .after = read_, .memory = std::move(memory_)};
            memory_.clear();
            if (done.body.entry.user_data != reserved_user_data) due_.push_back(std::move(done));
            break;
        }
        case format::kind::call: {
            const auto body = each.as<format::call_body>();
            calls_.emplace_back(body.operation, body.result);
            break;
        }
        case format::kind::end: at_end_ = true; break;
        default: break;
    }
}

}  // namespace ioring::backends::trace
