// SPDX-License-Identifier: MIT
// allocation_counter.hpp - how often a program has called operator new.
//
// The programs of *_alone_test.cpp and the churn of tests/soak are linked to operators that count;
// there are no other users.
#pragma once

#include <cstdint>

namespace ioring::test_support {

// Of all threads, since the program began.
[[nodiscard]] std::uint64_t allocations_so_far() noexcept;
// Of those, the ones that were not deleted.
[[nodiscard]] std::uint64_t allocations_alive() noexcept;

// Counts what its scope allocates.
class allocation_count {
public:
    [[nodiscard]] std::uint64_t get() const noexcept { return allocations_so_far() - before_; }

private:
    std::uint64_t before_ = allocations_so_far();
};

}  // namespace ioring::test_support
