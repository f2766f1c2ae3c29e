// SPDX-License-Identifier: MIT
// test_support.hpp - what the tests of this folder share: children, descriptors, folders, seeds.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "ioring/endpoint.hpp"
#include "platform/descriptor_guard.hpp"

namespace ioring::platform::testing {

// No wait of a test is longer than this.
inline constexpr std::chrono::seconds patience{5};

// Descriptors that this process has open.
[[nodiscard]] int open_descriptors();

// Runs `body` in a forked child and returns its result, 0 to 100: for tests that change limits,
// rights or memory of the process. A child that is killed (after `patience` it is) gives 128 + the
// signal.
[[nodiscard]] int run_in_child(const std::function<int()>& body);

// Gives up root's rights, for good, if this process has them.
void become_nobody();

// Makes descriptors run out: no more can be opened than are open now.
void use_up_descriptors();

// A new empty folder, removed with its files.
class temporary_folder {
public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;
    ~temporary_folder();

    [[nodiscard]] std::string path(std::string_view file) const;
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] endpoint local(std::string_view file) const;

private:
    std::string path_;
};

// Numbers that differ from run to run, and are the same again with IORING_TEST_SEED=<the printed
// seed>.
class random_numbers {
public:
    random_numbers();
    [[nodiscard]] std::uint64_t seed() const { return seed_; }
    // From 0 to `limit` - 1.
    [[nodiscard]] std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

private:
    std::uint64_t seed_;
    std::mt19937_64 engine_;
};

// Must succeed: `text` is the test's own.
[[nodiscard]] endpoint address_of(std::string_view text);

// Whether `descriptor` can be read from, or accepted from, within `patience`.
[[nodiscard]] bool becomes_readable(int descriptor);

// Accepts a connection, if one comes within `patience`.
[[nodiscard]] bool accept_one(int listener, descriptor_guard& out, endpoint* peer = nullptr);

// What recv() of one byte says: 1, 0 at the end of the stream, -1; or -2 when nothing comes within
// `patience`.
[[nodiscard]] int receive_one(int socket);

// One byte through a connection, both ways: whether it really works.
[[nodiscard]] bool echoes(int left, int right);

}  // namespace ioring::platform::testing
