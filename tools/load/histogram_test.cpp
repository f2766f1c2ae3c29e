// SPDX-License-Identifier: MIT
// histogram_test.cpp - the histogram against exact percentiles of the same values.
#include "histogram.hpp"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace load {
namespace {

constexpr double percents[] = {0, 1, 25, 50, 90, 99, 99.9, 99.99, 99.999, 100};

std::uint64_t exact(const std::vector<std::uint64_t>& sorted, double percent) {
    const double rank = std::ceil(percent / 100.0 * static_cast<double>(sorted.size()));
    return sorted[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void expect_like(const histogram& times, std::vector<std::uint64_t> values) {
    std::sort(values.begin(), values.end());
    ASSERT_EQ(values.size(), times.count());
    EXPECT_EQ(values.back(), times.max_ns());
    for (const double percent : percents) {
        const std::uint64_t expected = exact(values, percent);
        const std::uint64_t got = times.percentile_ns(percent);
        EXPECT_GE(got, expected) << percent;
        EXPECT_LE(static_cast<double>(got), static_cast<double>(expected) * 1.001) << percent;
    }
}

TEST(histogram, an_empty_one_says_zero) {
    const histogram times;
    EXPECT_EQ(0U, times.count());
    EXPECT_EQ(0U, times.percentile_ns(50));
    EXPECT_EQ(0U, times.max_ns());
}

TEST(histogram, percentiles_are_within_a_thousandth_of_the_exact_ones) {
    std::mt19937_64 random{2024};
    std::uniform_real_distribution<double> exponent{0, 11};         // 1 ns to 100 s
    std::lognormal_distribution<double> like_latencies{11.9, 1.0};  // about 150 us
    for (const std::size_t count : {1UL, 2UL, 10UL, 999UL, 200'000UL}) {
        histogram wide;
        histogram narrow;
        std::vector<std::uint64_t> wide_values;
        std::vector<std::uint64_t> narrow_values;
        for (std::size_t i = 0; i < count; ++i) {
            wide_values.push_back(static_cast<std::uint64_t>(std::pow(10, exponent(random))));
            narrow_values.push_back(static_cast<std::uint64_t>(like_latencies(random)) + 1);
            wide.record(wide_values.back());
            narrow.record(narrow_values.back());
        }
        expect_like(wide, wide_values);
        expect_like(narrow, narrow_values);
    }
}

TEST(histogram, small_values_and_bucket_borders_are_exact_enough) {
    for (std::uint64_t power = 0; power < 37; ++power) {
        for (const std::int64_t step : {-1, 0, 1}) {
            const std::uint64_t value =
                std::min(histogram::value_max_ns,
                         (std::uint64_t{1} << power) + static_cast<std::uint64_t>(step));
            histogram times;
            times.record(value);
            times.record(histogram::value_max_ns);  // So that the maximum does not hide it.
            const std::uint64_t got = times.percentile_ns(50);
            EXPECT_GE(got, value);
            EXPECT_LE(got, value < 2'048 ? value : value + value / 1'000) << value;
        }
    }
}

TEST(histogram, a_value_beyond_the_scale_is_kept_as_the_maximum) {
    histogram times;
    times.record(5 * histogram::value_max_ns);
    times.record(10);
    EXPECT_EQ(10U, times.percentile_ns(50));
    EXPECT_EQ(5 * histogram::value_max_ns, times.max_ns());
    EXPECT_EQ(5 * histogram::value_max_ns, times.percentile_ns(100));
}

TEST(histogram, merging_is_as_recording_together) {
    std::mt19937_64 random{7};
    histogram parts[3];
    std::vector<std::uint64_t> values;
    for (int i = 0; i < 30'000; ++i) {
        values.push_back(1 + random() % 10'000'000);
        parts[i % 3].record(values.back());
    }
    histogram whole;
    for (const histogram& part : parts) whole.merge(part);
    expect_like(whole, values);
    whole.clear();
    EXPECT_EQ(0U, whole.count());
    EXPECT_EQ(0U, whole.percentile_ns(99));
}

TEST(histogram, several_at_once_count_as_several) {
    histogram times;
    times.record(100, 99);
    times.record(1'000'000);
    EXPECT_EQ(100U, times.count());
    EXPECT_EQ(100U, times.percentile_ns(99));
    EXPECT_EQ(1'000'000U, times.percentile_ns(99.5));
}

}  // namespace
}  // namespace load
