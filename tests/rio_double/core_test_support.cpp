// SPDX-License-Identifier: MIT
// core_test_support.cpp - setting up the core, waiting for endings, looking after it.
#include "core_test_support.hpp"

#include <cstring>
#include <utility>

namespace ioring::rio_tests {

void core_test::SetUp() {
    std::string why;
    world_ = GetParam().make(why);
    if (world_ == nullptr) GTEST_SKIP() << why;
    if (world_->the_double() == nullptr) GTEST_SKIP() << "no double";
    port_ = world_->make_port();
}

void core_test::start(std::uint32_t receives_max, std::uint32_t sends_max) {
    core_ = std::make_unique<core>(world_->system(), told_);
    core_options options;
    options.receives_max = receives_max;
    options.sends_max = sends_max;
    options.port = {.port = port_, .key = this, .overlapped = overlapped_.data()};
    ASSERT_EQ(0, core_->set_up(options));
    for (std::uint32_t slot = 0; slot < buffers_count; ++slot) {
        ASSERT_EQ(0, core_->add_buffer(slot, at(slot), buffer_bytes));
    }
}

void core_test::TearDown() {
    if (world_ == nullptr) return;
    if (core_ != nullptr) {
        for (std::uint32_t round = 0; round < rounds_max && !core_->shut_down(); ++round) {
            if (core_->dead()) break;
            sleep_once();
            (void)core_->reap(8);
        }
    }
    core_.reset();
    for (const abi::socket each : peers_) (void)world_->system().close_socket(each);
    world_->close_port(port_);
    for (const auto& [cookie, times] : told_.times) EXPECT_EQ(1, times) << cookie;
    rio_double* const double_ = world_->the_double();
    if (double_ == nullptr) return;
    EXPECT_EQ(std::vector<std::string>{}, double_->violations());
    if (!may_be_left_) {
        EXPECT_EQ("", double_->leftovers());
    }
}

core_test::socket core_test::attach(std::uint64_t cookie) {
    const world::pair both = world_->connect(true);
    socket made;
    made.peer = both.peer;
    peers_.push_back(both.peer);
    EXPECT_EQ(0, core_->attach(both.rio, cookie, made.id));
    return made;
}

std::int32_t core_test::receive(const socket& on, std::uint32_t buffer, std::uint32_t offset,
                                std::uint32_t bytes, std::uint64_t cookie, bool wait_all) {
    return core_->submit(on.id,
                         {.way = direction::receive,
                          .wait_all = wait_all,
                          .buffer = buffer,
                          .data = at(buffer, offset),
                          .bytes = bytes,
                          .cookie = cookie},
                         last_);
}

std::int32_t core_test::send(const socket& on, std::uint32_t buffer, std::string_view text,
                             std::uint64_t cookie) {
    std::memcpy(at(buffer), text.data(), text.size());
    return core_->submit(on.id,
                         {.way = direction::send,
                          .buffer = buffer,
                          .data = at(buffer),
                          .bytes = static_cast<std::uint32_t>(text.size()),
                          .cookie = cookie},
                         last_);
}

// As the backend does it: asks, and sleeps only if it was given something to sleep on.
void core_test::sleep_once() {
    core_->arm();
    if (core_->dead() || core_->in_flight() == 0) return;
    ASSERT_TRUE(world_->wait_for(port_, world::wait_ms_max).came) << "nothing wakes it";
    core_->notified();
}

endings core_test::finish(std::size_t count) {
    core_->flush();
    (void)core_->reap(64);
    for (std::uint32_t round = 0; told_.all.size() < count && !core_->dead(); ++round) {
        if (round == rounds_max || core_->in_flight() == 0 || HasFatalFailure()) {
            ADD_FAILURE() << "only " << told_.all.size() << " of " << count << " have ended";
            break;
        }
        sleep_once();
        (void)core_->reap(64);
    }
    return std::exchange(told_.all, {});
}

endings core_test::reap() {
    (void)core_->reap(64);
    return std::exchange(told_.all, {});
}

}  // namespace ioring::rio_tests
