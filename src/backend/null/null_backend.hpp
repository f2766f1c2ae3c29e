// SPDX-License-Identifier: MIT
// null_backend.hpp - the backend that does nothing, at once: the zero line.
//
// It keeps the contract to the letter and does no I/O: transfers report all bytes, without touching
// them; accept and socket give made-up descriptors; a timer is over at once; there is never
// anything in flight to cancel. Only what would leak is real: close and shutdown of real
// descriptors. Each multishot operation ends with its first completion.
//
// Completions are made inside enter(). What does not fit the completion queue waits in a queue as
// large as the submission queue; when that is full too, enter() takes no more.
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "backend/backend.hpp"
#include "backend/emulation/owner.hpp"
#include "backend/emulation/queues.hpp"
#include "backend/null/results.hpp"
#include "platform/wake_handle.hpp"

namespace ioring::backends::null {

class null_backend final : public backend {
public:
    // Errors: not_enough_memory, too_many_files_open.
    [[nodiscard]] std::error_code set_up(const backend_options& options, std::string& why);

    int enter(std::uint32_t to_submit, std::uint32_t min_complete, std::uint32_t flags,
              std::int64_t timeout_ns) noexcept override;
    int register_(register_op operation, void* argument, std::uint32_t count) noexcept override;

private:
    [[nodiscard]] std::uint32_t submit(std::uint32_t to_submit) noexcept;
    void run(const sqe& entry) noexcept;
    [[nodiscard]] bool overflow_full() const noexcept {
        return queues_.overflow_count() == view_.sq_entries;
    }
    [[nodiscard]] int wait(std::int64_t timeout_ns) noexcept;
    int wake() noexcept;

    emulation::owner_check owner_;
    emulation::queues queues_;
    bool linked_ = false;  // The entry before links to this one ...
    bool broken_ = false;  // ... and the chain is broken.
    results results_;
    platform::wake_handle wake_;
};

}  // namespace ioring::backends::null
