// SPDX-License-Identifier: MIT
// replay_backend.cpp - the program's entries against the recorded ones.
#include "backend/trace/replay_backend.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>

#include "backend/trace/log_file.hpp"
#include "backend/trace/memory.hpp"
#include "backend/trace/trace.hpp"
#include "backend/wrapping/lent_bytes.hpp"
#include "ioring/names.hpp"
#include "platform/socket.hpp"

namespace ioring::backends::trace {
namespace {

bool makes_descriptor(opcode op) noexcept { return op == opcode::accept || op == opcode::socket; }

// Operations whose `fd` is a descriptor.
bool names_descriptor(const sqe& entry) noexcept {
    switch (entry.op) {
        case opcode::nop:
        case opcode::timeout:
        case opcode::timeout_remove:
        case opcode::link_timeout:
        case opcode::poll_remove:
        case opcode::socket: return false;
        case opcode::async_cancel: return (entry.op_flags & cancel_flag::by_fd) != 0;
        default: return entry.fd >= 0;
    }
}

bool begins_with(const piece_list& pieces, std::span<const std::byte> bytes) noexcept {
    for (const std::span<std::byte> piece : pieces) {
        const std::size_t common = std::min(piece.size(), bytes.size());
        if (!equals_lent(piece.data(), bytes.first(common))) return false;
        bytes = bytes.subspan(common);
    }
    return bytes.empty();
}

}  // namespace

std::error_code set_up_replay(wrapper_request&& request, std::unique_ptr<backend>& out,
                              std::string& why) noexcept {
    const std::string path{request.argument};
#if defined(__cpp_exceptions)
    try {
#endif
        std::vector<std::byte> file;
        if (const int error = read_file(path, file); error != 0) {
            const std::error_code code{error, std::generic_category()};
            why = "the trace " + path + " cannot be read: " + code.message();
            return code;
        }
        format::reader recording;
        std::string what;
        if (const std::error_code error = format::reader::open(file, recording, what)) {
            why = path + " cannot be played back: " + what;
            return error;
        }
        out = std::make_unique<replay_backend>(request.queues, std::move(file), recording, path);
#if defined(__cpp_exceptions)
    } catch (const std::bad_alloc&) {
        why = "no memory for the trace " + path;
        return std::make_error_code(std::errc::not_enough_memory);
    }
#endif
    return {};
}

replay_backend::replay_backend(const backend_options& options, std::vector<std::byte>&& file,
                               const format::reader& recording, const std::string& path)
    : queues_{options}, file_{std::move(file)}, recording_{recording}, path_{path} {
    view_ = queues_.view();
    description_ = "played back from " + path;
    read_info();
}

int replay_backend::enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
                          std::int64_t) noexcept {
    if (const int error = owner_.claim(); error != 0) return error;
    groups_.look();
    if (next_enter_is(to_submit, min_complete, flags)) return repeat(to_submit);
    format::result_body result;
    // Unless the program has not yet submitted what it did in an enter that was played.
    if (expected_.empty()) (void)play_enter(result);
    const std::uint32_t taken = offer(to_submit);
    take(taken);
    deliver();
    flush();
    const bool waits = (flags & enter_flag::getevents) != 0 && taken >= to_submit;
    while (waits && queues_.ready() < min_complete && queues_.room() > 0 && expected_.empty() &&
           !ended()) {
        if (!play_enter(result)) break;
        deliver();
        flush();
    }
    const bool in_vain = waits && min_complete > 0 && taken == 0 && queues_.ready() == 0;
    if (at_end_ && (operations_.count() > 0 || in_vain)) {
        diverge("the recording ends here");
        flush();
    }
    std::uint32_t sq_flags = operations_.count() > 0 ? sq_flag::taskrun : 0;
    if (!overflow_.empty()) sq_flags |= sq_flag::cq_overflow;
    queues_.set_flags(sq_flags);
    if (taken > 0 || queues_.ready() > 0) return static_cast<int>(taken);
    if (ended() && min_complete > 0) return -EIO;
    if (result.result < 0) return result.result;
    return waits && min_complete > 0 ? -ETIME : 0;
}

// An enter that is the recorded one.
int replay_backend::repeat(std::uint32_t to_submit) noexcept {
    format::result_body recorded;
    const bool whole = play_enter(recorded);
    const std::uint32_t batch = offer(to_submit);
    if (!whole || !problem_.empty()) recorded.result = static_cast<std::int32_t>(batch);
    take(std::min(batch, static_cast<std::uint32_t>(std::max(recorded.result, 0))));
    deliver();
    flush();
    std::uint32_t sq_flags = recorded.sq_flags;
    if (!overflow_.empty()) sq_flags |= sq_flag::cq_overflow;
    queues_.set_flags(sq_flags);
    return recorded.result;
}

// Meets the SQEs that are in the queue; returns how many that are.
std::uint32_t replay_backend::offer(std::uint32_t to_submit) noexcept {
    const std::uint32_t batch = std::min(to_submit, queues_.pending());
    for (; offered_ < batch; ++offered_) submit_one(queues_.at(offered_));
    return batch;
}

void replay_backend::take(std::uint32_t count) noexcept {
    queues_.take(count);
    offered_ -= count;
}

void replay_backend::submit_one(const sqe& entry) noexcept {
    if (entry.user_data == reserved_user_data) return submit_internal(entry);
    if (!problem_.empty()) return post(cqe{.user_data = entry.user_data, .res = -EIO});
    match(entry);
}

// The library's own: its cancels find what the recording says they found. After the end everything
// in flight is theirs.
void replay_backend::submit_internal(const sqe& entry) noexcept {
    if (ended() && entry.op == opcode::async_cancel) {
        operations_.end_all([this](std::uint64_t user_data) {
            post(cqe{.user_data = user_data, .res = -ECANCELED});
        });
    }
    post(cqe{.user_data = entry.user_data, .res = 0});
}

void replay_backend::match(const sqe& entry) noexcept {
    read_ahead(matched_ + 1);
    if (expected_.empty()) {
        operations_.add({.entry = entry});
        return diverge("the recording ends before " + to_string(entry));
    }
    const recorded_sqe recorded = expected_.front();
    expected_.pop_front();
    matched_ = recorded.number;
    operations_.add({.entry = entry,
                     .number = recorded.number,
                     .address_capacity = received_address(entry).size()});
    const std::string what = difference(recorded, entry);
    if (!what.empty()) {
        return diverge("SQE " + std::to_string(recorded.number) + " differs in " + what + ": " +
                       to_string(entry) + ", recorded was " + to_string(recorded.entry));
    }
    if (names_descriptor(entry)) descriptors_[recorded.entry.fd] = entry.fd;
    if (entry.op == opcode::close) descriptors_.erase(recorded.entry.fd);
}

// The first field in which they differ, or nothing. Addresses are not compared.
std::string replay_backend::difference(const recorded_sqe& was, const sqe& entry) const {
    const sqe& recorded = was.entry;
    if (recorded.op != entry.op) return "its opcode";
    if (recorded.user_data != entry.user_data) return "its user_data";
    if (!same_descriptor(recorded, entry)) return "its descriptor";
    if (recorded.len != entry.len) return "its length";
    if (recorded.flags != entry.flags) return "its flags";
    if (recorded.ioprio != entry.ioprio) return "its ioprio";
    if (recorded.op_flags != entry.op_flags) return "its op_flags";
    if (recorded.buf_index != entry.buf_index) return "its buf_index";
    for (const recorded_memory& memory : was.sent) {
        const bool payload = memory.role == format::role::payload;
        if (payload && !begins_with(sent_payload(entry), memory.bytes)) return "what it sends";
    }
    return {};
}

bool replay_backend::same_descriptor(const sqe& recorded, const sqe& entry) const {
    if (names_descriptor(recorded) != names_descriptor(entry)) return false;
    if (!names_descriptor(entry)) return true;
    const auto known = descriptors_.find(recorded.fd);
    return known == descriptors_.end() || known->second == entry.fd;
}

// Posts what is due, as far as the SQEs before it have been met.
void replay_backend::deliver() noexcept {
    while (!due_.empty() && problem_.empty()) {
        if (due_.front().after > matched_) return;
        deliver_one(due_.front());
        due_.pop_front();
    }
}

void replay_backend::deliver_one(const recorded_cqe& each) noexcept {
    cqe done = each.body.entry;
    const operation* const of = operations_.find(done.user_data);
    if (of != nullptr && of->number == each.body.number) {
        copy_memory(*of, each);
        if (makes_descriptor(of->entry.op) && done.res >= 0) {
            const int placeholder = open_placeholder();
            descriptors_[done.res] = placeholder;
            done.res = placeholder;
        }
        if (of->entry.op == opcode::close && done.res == 0) {
            (void)platform::close_socket(of->entry.fd);
        }
    }
    post(done);
    if (!done.more()) operations_.end(done.user_data);
}

void replay_backend::copy_memory(const operation& of, const recorded_cqe& each) noexcept {
    for (const recorded_memory& memory : each.memory) {
        std::span<const std::byte> left = memory.bytes;
        if (memory.role == format::role::address) {
            const std::span<std::byte> to = received_address(of.entry);
            const std::size_t bytes = std::min({to.size(), left.size(), of.address_capacity});
            if (bytes > 0) std::memcpy(to.data(), left.data(), bytes);
            set_received_address_bytes(of.entry, memory.whole_bytes);
            continue;
        }
        for (const std::span<std::byte> to : received_payload(of.entry, each.body.entry, groups_)) {
            const std::size_t bytes = std::min(to.size(), left.size());
            copy_lent(to.data(), left.data(), bytes);
            left = left.subspan(bytes);
        }
    }
}

// The program is not where the recording is, and cannot come back to it.
void replay_backend::diverge(std::string&& why) noexcept {
    if (!problem_.empty()) return;
    problem_ = std::move(why);
    std::fprintf(stderr, "ioring: the replay of %s is over: %s\n", path_.c_str(), problem_.c_str());
    due_.clear();
    operations_.end_all(
        [this](std::uint64_t user_data) { post(cqe{.user_data = user_data, .res = -EIO}); });
}

void replay_backend::post(const cqe& done) noexcept { overflow_.push_back(done); }

// Moves what was posted to the program's queue, as far as there is room.
void replay_backend::flush() noexcept {
    while (!overflow_.empty() && queues_.room() > 0) {
        queues_.post(overflow_.front());
        overflow_.pop_front();
    }
}

int replay_backend::register_(register_op operation, void* argument, std::uint32_t count) noexcept {
    switch (operation) {
        case register_op::wake: return owner_.check_process();
        case register_op::abandon_after_fork: return 0;
        case register_op::wake_descriptor: return -ENOENT;  // It never sleeps.
        case register_op::message_descriptor: return -EOPNOTSUPP;
        default: break;
    }
    if (const int error = owner_.check(); error != 0) return error;
    if (operation == register_op::close_now) {
        return platform::close_socket(*static_cast<const std::int32_t*>(argument));
    }
    const std::int32_t result = recorded_result(operation);
    if (operation == register_op::add_buffer_ring && result >= 0) {
        groups_.add(*static_cast<const buffer_ring*>(argument));
    } else if (operation == register_op::remove_buffer_ring) {
        groups_.remove(static_cast<std::uint16_t>(count));
    }
    return result;
}

}  // namespace ioring::backends::trace
