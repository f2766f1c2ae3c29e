// SPDX-License-Identifier: MIT
// fleet.cpp - how the threads begin together, and what they leave.
#include "echo/fleet.hpp"

#include <utility>

namespace echo {

void fleet::run() {
    serve_one_(*this, 0);
    for (std::thread& each : others_) each.join();
}

bool fleet::begin_together(std::uint32_t index, const ioring::endpoint& where) {
    if (index == 0) {
        address_ = where;  // Before the others are there to read it.
        for (std::uint32_t other = 1; other < size(); ++other) {
            others_.emplace_back([this, other] { serve_one_(*this, other); });
        }
    }
    std::unique_lock<std::mutex> lock{guard_};
    ++listening_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return refused_.has_value() || listening_ == size(); });
    return !refused_.has_value();
}

sample fleet::publish(std::uint32_t index, const sample& now) {
    const std::lock_guard<std::mutex> lock{guard_};
    published_[index] = now;
    sample all = now;
    for (std::uint32_t other = 0; other < size(); ++other) {
        if (other != index) add(all, published_[other]);
    }
    return all;
}

void fleet::finish(std::uint32_t index, thread_result result) {
    const std::lock_guard<std::mutex> lock{guard_};
    results_[index] = std::move(result);
}

void fleet::refuse(refusal why) {
    {
        const std::lock_guard<std::mutex> lock{guard_};
        if (!refused_) refused_ = std::move(why);
    }
    changed_.notify_all();
    stop_.request();
}

std::vector<thread_result> fleet::results() const {
    std::vector<thread_result> made;
    for (const std::optional<thread_result>& each : results_) {
        if (each) made.push_back(*each);
    }
    return made;
}

}  // namespace echo
