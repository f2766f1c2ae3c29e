// SPDX-License-Identifier: MIT
// sqe_machine_test.cpp - the fuzzer's machine on inputs of fixed seeds: no input crashes, hangs or
// loses a completion.
#include "fuzz/sqe_machine.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace ioring::fuzz {
namespace {

constexpr std::uint32_t inputs = 1500;

// Random bytes alone are refused at their first field, so most entries are nearly right.
sqe random_entry(std::mt19937_64& random) {
    constexpr std::array known{
        opcode::nop,     opcode::read_fixed,   opcode::write_fixed,    opcode::poll_add,
        opcode::send,    opcode::poll_remove,  opcode::sendmsg,        opcode::recvmsg,
        opcode::timeout, opcode::accept,       opcode::timeout_remove, opcode::async_cancel,
        opcode::connect, opcode::link_timeout, opcode::close,          opcode::shutdown,
        opcode::recv,    opcode::msg_ring,     opcode::socket,         opcode::send_zc,
        opcode::bind,    opcode::listen};
    const auto dice = [&](std::uint64_t below) { return random() % below; };
    sqe entry;
    entry.op = known[dice(known.size())];
    entry.fd = static_cast<std::int32_t>(dice(16));
    entry.addr = random();
    entry.len = static_cast<std::uint32_t>(dice(3) == 0 ? random() : dice(200));
    if (entry.op == opcode::timeout || entry.op == opcode::link_timeout) entry.len = 1;
    if (dice(2) == 0) entry.off = dice(2) == 0 ? random() : dice(4);
    if (dice(2) == 0) entry.op_flags = 1U << dice(16);
    if (dice(3) == 0) entry.ioprio = static_cast<std::uint16_t>(dice(64));
    if (dice(3) == 0) entry.flags = static_cast<std::uint8_t>(4U << dice(5));
    if (dice(30) == 0) entry.buf_index = static_cast<std::uint16_t>(random());
    if (dice(30) == 0) entry.file_index = static_cast<std::int32_t>(random());
    return entry;
}

std::vector<std::uint8_t> random_input(std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::vector<std::uint8_t> input{static_cast<std::uint8_t>(random())};
    for (std::uint64_t records = 4 + random() % 40; records > 0; --records) {
        const auto kind = static_cast<std::uint8_t>(random());
        input.push_back(kind);
        if (kind % 8 >= 5) continue;
        const sqe entry = random_entry(random);
        const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&entry);
        input.insert(input.end(), bytes, bytes + sizeof entry);
    }
    return input;
}

void run_all(std::string_view backend) {
    for (std::uint64_t seed = 1; seed <= inputs; ++seed) {
        SCOPED_TRACE(seed);
        sqe_machine::run(backend, random_input(seed));
    }
}

TEST(sqe_machine, entries_of_any_bytes_end_on_epoll) { run_all("epoll"); }
TEST(sqe_machine, entries_of_any_bytes_end_on_poll) { run_all("poll"); }

}  // namespace
}  // namespace ioring::fuzz
