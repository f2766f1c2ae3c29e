// SPDX-License-Identifier: MIT
// ring_buffer_model_test.cpp - a ring_buffer against a plain deque, over random operations.
//
// Each run has another seed and prints it when it fails; IORING_TEST_SEED repeats one.
// IORING_TEST_OPERATIONS makes the run longer (for soak).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <random>
#include <string>

#include "ioring/ring_buffer.hpp"

namespace ioring {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
    const char* const text = std::getenv(name);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// The model: what the buffer must hold, and the few facts about it that are not bytes.
struct model {
    std::deque<std::byte> bytes;
    std::uint64_t head = 0;
    std::uint64_t tail = 0;
    bool lent = false;
    std::uint8_t next = 0;  // Of the bytes to be written.
};

class model_run {
public:
    model_run(std::uint64_t seed, std::size_t capacity) : random_{seed}, capacity_{capacity} {
        std::string why;
        EXPECT_FALSE(ring_buffer::create(capacity, {}, buffer_, &why)) << why;
    }

    // Nothing is in flight: what is lent would be leaked.
    ~model_run() { EXPECT_TRUE(buffer_.commit_write(0)); }
    model_run(const model_run&) = delete;
    model_run& operator=(const model_run&) = delete;

    void step() {
        switch (random_() % 8) {
            case 0:
            case 1:
            case 2: return write();
            case 3:
            case 4:
            case 5: return read();
            case 6: return misuse();
            default: return random_() % 2 == 0 ? lend() : rewind();
        }
    }

    void check() {
        ASSERT_EQ(model_.head, buffer_.head());
        ASSERT_EQ(model_.tail, buffer_.tail());
        ASSERT_EQ(model_.bytes.size(), buffer_.readable_bytes());
        ASSERT_EQ(capacity_ - model_.bytes.size(), buffer_.writable_bytes());
        ASSERT_EQ(model_.bytes.empty(), buffer_.empty());
        ASSERT_EQ(model_.bytes.size() == capacity_, buffer_.full());
        ASSERT_EQ(model_.lent, buffer_.lent());
        const std::byte* const begin = buffer_.memory().data();
        ASSERT_LT(buffer_.read_offset(), capacity_);
        ASSERT_LT(buffer_.write_offset(), capacity_);
        ASSERT_EQ(begin + buffer_.read_offset(), buffer_.readable().data());
        ASSERT_EQ(begin + buffer_.write_offset(), buffer_.writable().data());
        ASSERT_EQ(buffer_.readable_bytes(), buffer_.readable().size());
        ASSERT_EQ(buffer_.writable_bytes(), buffer_.writable().size());
    }

    // Costs as much as there is to read.
    void check_bytes() {
        const auto readable = buffer_.readable();
        ASSERT_TRUE(
            std::equal(readable.begin(), readable.end(), model_.bytes.begin(), model_.bytes.end()));
    }

private:
    // Mostly small, rarely anything, sometimes all: the rarer the larger a page is.
    std::size_t some(std::size_t most) {
        const std::uint64_t choice = random_() % (ring_buffer::granularity() / 16);
        if (choice == 0) return random_() % (most + 1);
        if (choice < 4) return most;
        return std::min<std::size_t>(most, random_() % 64);
    }

    void write() {
        const std::size_t count = some(buffer_.writable_bytes());
        const auto bytes = buffer_.writable().first(count);
        detail::reclaim(bytes);  // As a kernel, when it is lent.
        for (std::byte& each : bytes) each = std::byte{model_.next++};
        model_.bytes.insert(model_.bytes.end(), bytes.begin(), bytes.end());
        ASSERT_TRUE(buffer_.commit_write(count));
        model_.tail += count;
        model_.lent = false;
    }

    void read() {
        const std::size_t count = some(buffer_.readable_bytes());
        const auto bytes = buffer_.readable().first(count);
        const auto expected = model_.bytes.begin();
        ASSERT_TRUE(std::equal(bytes.begin(), bytes.end(), expected));
        model_.bytes.erase(expected, expected + static_cast<std::ptrdiff_t>(count));
        ASSERT_TRUE(buffer_.commit_read(count));
        model_.head += count;
    }

    void misuse() {
        const std::uint64_t beyond = 1 + random_() % 1000;
        if (random_() % 2 == 0) {
            ASSERT_FALSE(buffer_.commit_write(buffer_.writable_bytes() + beyond));
        } else {
            ASSERT_FALSE(buffer_.commit_read(buffer_.readable_bytes() + beyond));
        }
    }

    void lend() {
        const bool possible = !model_.lent && model_.bytes.size() < capacity_;
        const auto lent = buffer_.begin_write();
        ASSERT_EQ(possible ? buffer_.writable().size() : 0, lent.size());
        model_.lent = model_.lent || possible;
    }

    void rewind() {
        const bool possible = !model_.lent && model_.bytes.empty();
        ASSERT_EQ(possible, buffer_.rewind());
        if (possible) {
            ASSERT_EQ(0u, buffer_.read_offset());
        }
    }

    std::mt19937_64 random_;
    std::size_t capacity_;
    ring_buffer buffer_;
    model model_;
};

TEST(ring_buffer_model, behaves_as_a_deque_over_millions_of_operations) {
    const std::uint64_t seed = number_from_environment("IORING_TEST_SEED", std::random_device{}());
    const std::uint64_t operations = number_from_environment("IORING_TEST_OPERATIONS", 3'000'000);
    SCOPED_TRACE("IORING_TEST_SEED=" + std::to_string(seed));
    const std::size_t page = ring_buffer::granularity();
    for (const std::size_t pages : {1U, 3U, 16U}) {
        SCOPED_TRACE("pages: " + std::to_string(pages));
        model_run run{seed + pages, pages * page};
        for (std::uint64_t operation = 0; operation < operations / 3; ++operation) {
            ASSERT_NO_FATAL_FAILURE(run.step());
            ASSERT_NO_FATAL_FAILURE(run.check());
            if (operation % 1024 != 0) continue;
            ASSERT_NO_FATAL_FAILURE(run.check_bytes());
        }
        ASSERT_NO_FATAL_FAILURE(run.check_bytes());
    }
}

}  // namespace
}  // namespace ioring
