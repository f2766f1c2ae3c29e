// SPDX-License-Identifier: MIT
// histogram.cpp - reading a histogram of times.
#include "histogram.hpp"

#include <cmath>

namespace load {

void histogram::merge(const histogram& other) noexcept {
    for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
}

void histogram::clear() noexcept {
    std::fill(counts_.begin(), counts_.end(), 0);
    count_ = 0;
    max_ns_ = 0;
}

std::uint64_t histogram::percentile_ns(double percent) const noexcept {
    if (count_ == 0) return 0;
    const double exact_rank = std::ceil(percent / 100.0 * static_cast<double>(count_));
    const std::uint64_t rank =
        std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(exact_rank, 1.0)), 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        // The last rank is the maximum itself, and no value is reported beyond it.
        if (seen >= rank)
            return seen == count_ && rank == count_ ? max_ns_ : std::min(bucket_end(i), max_ns_);
    }
    return max_ns_;
}

}  // namespace load
