// SPDX-License-Identifier: MIT
// histogram.hpp - counts times from 1 ns to 100 s to three significant digits, in 224 KiB.
//
// The scale is linear within each power of two and logarithmic over them, as in Gil Tene's
// HdrHistogram: times below 2,048 ns are counted exactly, greater ones in 1,024 steps a power of
// two, so that a value read back is too great by 0.1 % at most. Recording is a shift and an add
// and never allocates. Threads: none; keep one each and merge() them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace load {

class histogram {
public:
    static constexpr std::uint64_t value_max_ns = 100'000'000'000;

    histogram() : counts_(buckets) {}

    // Greater values are counted as value_max_ns; the maximum keeps them.
    void record(std::uint64_t value_ns, std::uint64_t times = 1) noexcept {
        counts_[bucket_of(std::min(value_ns, value_max_ns))] += times;
        count_ += times;
        max_ns_ = std::max(max_ns_, value_ns);
    }
    void merge(const histogram& other) noexcept;
    void clear() noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::uint64_t max_ns() const noexcept { return max_ns_; }
    // A time that `percent` (0 to 100) of all values do not exceed: at least the value of that rank
    // and at most 0.1 % more. 0 when nothing was recorded.
    [[nodiscard]] std::uint64_t percentile_ns(double percent) const noexcept;

private:
    static constexpr unsigned digits_bits = 10;  // 1,024 steps: three decimal digits.
    static constexpr std::uint64_t exact_end = std::uint64_t{2} << digits_bits;

    // How often a value is halved until it is one of `exact_end`.
    static constexpr unsigned halvings(std::uint64_t value) noexcept {
        const auto width = static_cast<unsigned>(std::bit_width(value));
        return width > digits_bits + 1 ? width - (digits_bits + 1) : 0;
    }
    static constexpr std::size_t bucket_of(std::uint64_t value) noexcept {
        const unsigned shift = halvings(value);
        return (std::size_t{shift} << digits_bits) + (value >> shift);
    }
    // The greatest value that is counted in `bucket`.
    static constexpr std::uint64_t bucket_end(std::size_t bucket) noexcept {
        if (bucket < exact_end) return bucket;
        const auto shift = static_cast<unsigned>(bucket >> digits_bits) - 1;
        const std::uint64_t mantissa = bucket - (std::size_t{shift} << digits_bits);
        return ((mantissa + 1) << shift) - 1;
    }

    static constexpr std::size_t buckets =
        (std::size_t{37 - (digits_bits + 1)} << digits_bits) + exact_end;
    static_assert(value_max_ns < std::uint64_t{1} << 37U);

    std::vector<std::uint64_t> counts_;
    std::uint64_t count_ = 0;
    std::uint64_t max_ns_ = 0;
};

}  // namespace load
