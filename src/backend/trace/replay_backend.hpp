// SPDX-License-Identifier: MIT
// replay_backend.hpp - a backend that is a recording: the program's SQEs are compared with the
// recorded ones, and the recorded CQEs come back, with the bytes that came with them.
//
// Nothing is sent, received or waited for. An enter that asks for what the next one of the file
// asked for does exactly what that one did: it takes as many SQEs, posts the same CQEs and returns
// the same. A program may as well enter in other portions (it looks at the clock): then each enter
// plays the next one of the file, and one that waits plays on until there is something to read, or
// until the recorded program submitted something next. Either way a recorded CQE comes no sooner
// than every SQE that the file has before it, so that CQEs which came together come together.
//
// Compared are opcode, flags, lengths, the bytes that are sent, and user_data (so that a program
// whose user_data are addresses must be run without address randomisation), and descriptors: a
// recorded descriptor that an operation has made is a fresh, unconnected socket here, and any other
// is taken for the program's descriptor in the first SQE that names it. The library's own entries
// are not compared.
//
// At the first difference, and at the end of the file, everything in flight and everything that
// follows ends with -EIO, and so does a wait when nothing is left to read; the reason is told once
// on the standard error.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "backend/backend.hpp"
#include "backend/trace/groups.hpp"
#include "backend/trace/operations.hpp"
#include "backend/wrapping/own_queues.hpp"
#include "ioring/trace.hpp"

namespace ioring::backends::trace {

namespace format = ioring::trace;

class replay_backend final : public backend {
public:
    // `recording` has been opened on `file`.
    replay_backend(const backend_options& options, std::vector<std::byte>&& file,
                   const format::reader& recording, const std::string& path);

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

    // Where and how the program has left the recording, or empty.
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

private:
    struct recorded_memory {
        format::role role = format::role::payload;
        std::uint32_t whole_bytes = 0;
        std::span<const std::byte> bytes;
    };
    struct recorded_sqe {
        sqe entry;
        std::uint64_t number = 0;
        std::vector<recorded_memory> sent;
    };
    // A CQE of an enter that was played. The SQEs before it may not have been met.
    struct recorded_cqe {
        format::cqe_body body;
        std::uint64_t after = 0;  // The number of the last SQE that the file has before it.
        std::vector<recorded_memory> memory;
    };

    // Reading the file (replay_script.cpp).
    void read_info();
    [[nodiscard]] bool next_enter_is(std::uint32_t to_submit, std::uint32_t min_complete,
                                     std::uint32_t flags);
    bool play_enter(format::result_body& result);
    void read_ahead(std::uint64_t number);
    [[nodiscard]] bool next(format::record& out);
    void keep(const format::record& each);
    // Keeps records as long as the next one is of `wanted`.
    void keep_while(format::kind wanted);
    [[nodiscard]] std::int32_t recorded_result(register_op operation);

    // The program's side (replay_backend.cpp).
    [[nodiscard]] int repeat(std::uint32_t to_submit) noexcept;
    std::uint32_t offer(std::uint32_t to_submit) noexcept;
    void take(std::uint32_t count) noexcept;
    void submit_one(const sqe& entry) noexcept;
    void submit_internal(const sqe& entry) noexcept;
    void match(const sqe& entry) noexcept;
    [[nodiscard]] std::string difference(const recorded_sqe& was, const sqe& entry) const;
    [[nodiscard]] bool same_descriptor(const sqe& recorded, const sqe& entry) const;
    void deliver() noexcept;
    void deliver_one(const recorded_cqe& each) noexcept;
    void copy_memory(const operation& of, const recorded_cqe& each) noexcept;
    void diverge(std::string&& why) noexcept;
    void post(const cqe& done) noexcept;
    void flush() noexcept;
    [[nodiscard]] bool ended() const noexcept { return !problem_.empty() || at_end_; }

    own_queues queues_;
    owner_check owner_;
    std::vector<std::byte> file_;
    format::reader recording_;
    std::string path_;
    std::deque<recorded_sqe> expected_;    // Read from the file and not yet met.
    std::deque<recorded_cqe> due_;         // Of the enters played so far.
    std::vector<recorded_memory> memory_;  // Of the next CQE.
    std::deque<std::pair<std::uint32_t, std::int32_t>> calls_;  // register_op and result.
    std::deque<cqe> overflow_;                                  // Found no room.
    std::uint64_t read_ = 0;     // The number of the last SQE read from the file.
    std::uint64_t matched_ = 0;  // That of the last SQE met.
    std::uint32_t offered_ = 0;  // SQEs met that are still in the queue, as in the recording.
    operation_table operations_;
    group_table groups_;
    std::unordered_map<std::int32_t, std::int32_t> descriptors_;  // Of a recorded one, ours.
    std::string problem_;
    bool at_end_ = false;
};

}  // namespace ioring::backends::trace
