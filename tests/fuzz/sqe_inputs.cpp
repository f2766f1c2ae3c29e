// SPDX-License-Identifier: MIT
// sqe_inputs.cpp - entries of known opcodes with fields of a likely size.
#include "fuzz/sqe_inputs.hpp"

#include <array>
#include <random>

#include "ioring/sqe.hpp"

namespace ioring::fuzz {
namespace {

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

}  // namespace

std::vector<std::uint8_t> nearly_right_input(std::uint64_t seed) {
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

}  // namespace ioring::fuzz
