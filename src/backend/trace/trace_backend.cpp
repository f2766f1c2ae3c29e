// SPDX-License-Identifier: MIT
// trace_backend.cpp - what is written down, and when.
#include "backend/trace/trace_backend.hpp"

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

#include "backend/trace/memory.hpp"
#include "backend/trace/trace.hpp"

namespace ioring::backends::trace {
namespace {

constexpr std::uint32_t payload_bytes_default = 65'536;

// Cuts "@BYTES" off the end of `path`. A name with an @ and no number after it stays whole.
std::uint32_t take_payload_bytes(std::string_view& path) noexcept {
    const std::size_t at = path.rfind('@');
    if (at == std::string_view::npos) return payload_bytes_default;
    const std::string_view digits = path.substr(at + 1);
    std::uint32_t bytes = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, bytes);
    if (digits.empty() || error != std::errc{} || stop != end) return payload_bytes_default;
    path = path.substr(0, at);
    return bytes;
}

std::size_t argument_bytes(register_op operation) noexcept {
    switch (operation) {
        case register_op::shutdown_now: return sizeof(socket_shutdown);
        case register_op::close_now:
        case register_op::attach_socket: return sizeof(std::int32_t);
        case register_op::attach_buffer:
        case register_op::pin_buffer: return sizeof(kernel_buffer);
        case register_op::add_buffer_ring: return sizeof(buffer_ring);
        default: return 0;
    }
}

}  // namespace

std::error_code set_up(wrapper_request&& request, std::unique_ptr<backend>& out,
                       std::string& why) noexcept {
    std::string_view name = request.argument;
    const std::uint32_t payload_bytes = take_payload_bytes(name);
    const std::string path{name};
    log_file file;
    if (const int error = log_file::create(path, file); error != 0) {
        const std::error_code code{error, std::generic_category()};
        why = "the trace " + path + " cannot be written: " +
              (error == EBUSY ? "another ring is writing it" : code.message());
        return code;
    }
#if defined(__cpp_exceptions)
    try {
#endif
        out = std::make_unique<trace_backend>(std::move(request.inner), request.inner_name,
                                              std::move(file), path, payload_bytes);
#if defined(__cpp_exceptions)
    } catch (const std::bad_alloc&) {
        why = "no memory for a trace";
        return std::make_error_code(std::errc::not_enough_memory);
    }
#endif
    return {};
}

trace_backend::trace_backend(std::unique_ptr<backend>&& inner, std::string_view inner_name,
                             log_file&& file, const std::string& path,
                             std::uint32_t payload_bytes_max)
    : inner_{std::move(inner)},
      out_{std::move(file), path,
           format::file_header{.sq_entries = inner_->view().sq_entries,
                               .cq_entries = inner_->view().cq_entries,
                               .payload_bytes_max = payload_bytes_max}},
      seen_sq_tail_{inner_->view().sq_tail->load(std::memory_order_relaxed)},
      seen_cq_tail_{inner_->view().cq_tail->load(std::memory_order_relaxed)} {
    view_ = inner_->view();
    probe_ = inner_->probe();
    keeps_registrations_ = inner_->keeps_registrations();
    description_ = "recorded in " + path + ", around " + std::string{inner_name} + ": " +
                   inner_->description();
    record_info();
    out_.flush();
}

trace_backend::~trace_backend() {
    if (owner_.check_process() != 0) return;
    record_completions();
    out_.add(format::kind::end);
    out_.flush();
}

void trace_backend::record_info() {
    format::info_body body;
    for (std::size_t op = 0; op < probe_.opcodes.size(); ++op) {
        if (probe_.opcodes.test(op)) body.opcodes[op / 64] |= std::uint64_t{1} << (op % 64);
    }
    const std::string text = to_string(probe_) + "\n" + inner_->description();
    out_.add(format::kind::info, body, std::as_bytes(std::span{text}));
}

int trace_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                         std::int64_t timeout_ns) noexcept {
    if (const int error = owner_.claim(); error != 0) return error;
    out_.add(format::kind::enter,
             format::enter_body{.to_submit = to_submit,
                                .min_complete = min_complete,
                                .flags = flags,
                                .wakes = wakes_.exchange(0, std::memory_order_relaxed),
                                .timeout_ns = timeout_ns});
    groups_.look();
    record_completions();
    record_submissions(to_submit);
    out_.flush();
    const int result = inner_->enter(to_submit, min_complete, flags, timeout_ns);
    record_completions();
    out_.add(format::kind::result,
             format::result_body{.result = result,
                                 .sq_flags = view_.sq_flags->load(std::memory_order_relaxed)});
    out_.flush();
    return result;
}

// Records the SQEs that this enter offers, but for those that an enter before it has offered.
void trace_backend::record_submissions(std::uint32_t to_submit) {
    const std::uint32_t tail = view_.sq_tail->load(std::memory_order_relaxed);
    const std::uint32_t head = view_.sq_head->load(std::memory_order_relaxed);
    const std::uint32_t end = head + std::min(to_submit, tail - head);
    while (static_cast<std::int32_t>(end - seen_sq_tail_) > 0) {
        record_submission(view_.sqes[seen_sq_tail_++ & (view_.sq_entries - 1)]);
    }
}

void trace_backend::record_submission(const sqe& entry) {
    const std::uint64_t number = ++sqes_;
    out_.add(format::kind::sqe, entry);
    if (const auto address = given_address(entry); !address.empty()) {
        out_.add_memory(format::kind::sent, number, format::role::address, address);
    }
    if (const auto time = given_time(entry); !time.empty()) {
        out_.add_memory(format::kind::sent, number, format::role::time, time);
    }
    if (const piece_list payload = sent_payload(entry); !payload.empty()) {
        out_.add_memory(format::kind::sent, number, format::role::payload, payload);
    }
    operations_.add(
        {.entry = entry, .number = number, .address_capacity = received_address(entry).size()});
}

void trace_backend::record_completions() {
    // Acquire: the entries before the tail are complete (pairs with the backend's release).
    const std::uint32_t tail = view_.cq_tail->load(std::memory_order_acquire);
    if (tail - seen_cq_tail_ > view_.cq_entries) {
        const std::uint32_t unseen = tail - seen_cq_tail_ - view_.cq_entries;
        out_.add(format::kind::gap, unseen);
        seen_cq_tail_ += unseen;
    }
    while (seen_cq_tail_ != tail) {
        record_completion(view_.cqes[seen_cq_tail_++ & (view_.cq_entries - 1)]);
    }
}

void trace_backend::record_completion(const cqe& done) {
    const operation* const of = operations_.find(done.user_data);
    const std::uint64_t number = of == nullptr ? 0 : of->number;
    if (of != nullptr) {
        if (const piece_list payload = received_payload(of->entry, done, groups_);
            !payload.empty()) {
            out_.add_memory(format::kind::received, number, format::role::payload, payload);
        }
        const auto address = received_address(of->entry);
        if (!address.empty() && done.res >= 0) {
            out_.add_memory(format::kind::received, number, format::role::address,
                            address.first(std::min(address.size(), of->address_capacity)));
        }
    }
    out_.add(format::kind::cqe, format::cqe_body{.entry = done, .number = number});
    if (!done.more()) operations_.end(done.user_data);
}

int trace_backend::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    switch (operation) {
        // A signal handler may call: nothing but the count is touched.
        case register_op::wake: wakes_.fetch_add(1, std::memory_order_relaxed); [[fallthrough]];
        case register_op::message_descriptor: return inner_->register_(operation, argument, count);
        case register_op::abandon_after_fork:
            out_.abandon();
            return inner_->register_(operation, argument, count);
        default: break;
    }
    if (const int error = owner_.check(); error != 0) return error;
    const int result = inner_->register_(operation, argument, count);
    if (result >= 0 && operation == register_op::add_buffer_ring) {
        groups_.add(*static_cast<const buffer_ring*>(argument));
    }
    if (result >= 0 && operation == register_op::remove_buffer_ring) {
        groups_.remove(static_cast<std::uint16_t>(count));
    }
    record_call(operation, argument, count, result);
    return result;
}

void trace_backend::record_call(register_op operation, const void* argument, std::uint32_t count,
                                int result) {
    const format::call_body body{
        .operation = static_cast<std::uint32_t>(operation), .count = count, .result = result};
    const std::size_t bytes = argument == nullptr ? 0 : argument_bytes(operation);
    out_.add(format::kind::call, body, {static_cast<const std::byte*>(argument), bytes});
}

}  // namespace ioring::backends::trace
