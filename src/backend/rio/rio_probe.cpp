// SPDX-License-Identifier: MIT
// rio_probe.cpp - whether the function table is whole and its queues can be made.
#include "backend/rio/rio_system.hpp"

namespace ioring::backends::rio {
namespace {

constexpr abi::dword trial_entries = 2;  // One receive and one send.

std::string failed(const char* call, std::int32_t code) {
    return std::string(call) + " failed with " + std::to_string(code);
}

// The name of the first function that is missing, or nullptr.
const char* missing(const abi::function_table& table) noexcept {
    if (table.receive == nullptr) return "RIOReceive";
    if (table.receive_ex == nullptr) return "RIOReceiveEx";
    if (table.send == nullptr) return "RIOSend";
    if (table.send_ex == nullptr) return "RIOSendEx";
    if (table.close_completion_queue == nullptr) return "RIOCloseCompletionQueue";
    if (table.create_completion_queue == nullptr) return "RIOCreateCompletionQueue";
    if (table.create_request_queue == nullptr) return "RIOCreateRequestQueue";
    if (table.dequeue_completion == nullptr) return "RIODequeueCompletion";
    if (table.deregister_buffer == nullptr) return "RIODeregisterBuffer";
    if (table.notify == nullptr) return "RIONotify";
    if (table.register_buffer == nullptr) return "RIORegisterBuffer";
    if (table.resize_completion_queue == nullptr) return "RIOResizeCompletionQueue";
    if (table.resize_request_queue == nullptr) return "RIOResizeRequestQueue";
    return nullptr;
}

bool is_whole(const abi::function_table& table, std::string& why) {
    if (table.bytes < sizeof(abi::function_table)) {
        why = "the function table has " + std::to_string(table.bytes) + " bytes in place of " +
              std::to_string(sizeof(abi::function_table));
        return false;
    }
    if (const char* const name = missing(table); name != nullptr) {
        why = std::string("the function table lacks ") + name;
        return false;
    }
    return true;
}

bool makes_request_queue(const system& on, abi::completion_queue completions, std::string& why) {
    const abi::socket trial = on.open_socket();
    if (trial == abi::invalid_socket) {
        why = failed("a socket for Registered I/O", on.last_error());
        return false;
    }
    const abi::request_queue requests =
        on.table.create_request_queue(trial, 1, 1, 1, 1, completions, completions, nullptr);
    if (requests == abi::invalid_request_queue) {
        why = failed("RIOCreateRequestQueue", on.last_error());
    }
    on.close_socket(trial);  // Which is how a request queue is given back.
    return requests != abi::invalid_request_queue;
}

}  // namespace

bool works(const system& on, std::string& why) {
    if (!is_whole(on.table, why)) return false;
    const abi::completion_queue completions =
        on.table.create_completion_queue(trial_entries, nullptr);
    if (completions == abi::invalid_completion_queue) {
        why = failed("RIOCreateCompletionQueue", on.last_error());
        return false;
    }
    const bool both = makes_request_queue(on, completions, why);
    on.table.close_completion_queue(completions);
    return both;
}

}  // namespace ioring::backends::rio
