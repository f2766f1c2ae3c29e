// SPDX-License-Identifier: MIT
// trace_backend.hpp - a backend around another one that writes down what passes.
//
// The program works on the inner backend's own queues: nothing is changed, and nothing is slower
// but for the writing. An SQE is recorded when it is first offered, a CQE at the end of the enter
// that has posted it (or of the next one, when the kernel posts on its own). The file is written
// twice an enter: before the inner backend is entered, so that a program which hangs or dies there
// has left what it asked for, and afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "backend/backend.hpp"
#include "backend/trace/groups.hpp"
#include "backend/trace/operations.hpp"
#include "backend/trace/recorder.hpp"
#include "backend/wrapping/own_queues.hpp"

namespace ioring::backends::trace {

class trace_backend final : public backend {
public:
    trace_backend(std::unique_ptr<backend>&& inner, std::string_view inner_name, log_file&& file,
                  const std::string& path, std::uint32_t payload_bytes_max);
    ~trace_backend() override;

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

private:
    void record_info();
    void record_submissions(std::uint32_t to_submit);
    void record_submission(const sqe& entry);
    void record_completions();
    void record_completion(const cqe& done);
    void record_call(register_op operation, const void* argument, std::uint32_t count, int result);

    std::unique_ptr<backend> inner_;
    owner_check owner_;
    recorder out_;
    group_table groups_;
    operation_table operations_;
    std::uint64_t sqes_ = 0;
    std::uint32_t seen_sq_tail_;
    std::uint32_t seen_cq_tail_;
    std::atomic<std::uint32_t> wakes_{0};  // Since the last enter; of any thread.
};

}  // namespace ioring::backends::trace
