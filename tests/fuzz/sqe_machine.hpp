// SPDX-License-Identifier: MIT
// sqe_machine.hpp - entries of any bytes on a kernel in user space: none may crash, hang or
// corrupt.
//
// An input is a header and records. A record is an entry's 64 raw bytes, or a turn of the backend.
// Of an entry the machine changes only what the contract makes the program's own affair:
//  - descriptors are folded to its own sockets, some of which are closed or no sockets;
//  - addresses of bytes are folded into an arena between two pages that nobody may touch; lengths
//    stay, so most transfers may run over the arena's end, which is -EFAULT;
//  - small structs (addresses, messages, pieces, times), where a bad pointer is allowed difference
//    9, are copies of exactly their size, so that AddressSanitizer sees a read past them;
//  - socket addresses are loopback ones, for no input may reach another machine;
//  - user_data is the entry's number, by which it must complete exactly once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backend/backend.hpp"
#include "ioring/sqe.hpp"

namespace ioring::fuzz {

class sqe_machine {
public:
    // Runs `input` on the backend called `backend` from set-up to the end. Throws
    // std::runtime_error when a promise is broken.
    static void run(std::string_view backend, std::span<const std::uint8_t> input);

    sqe_machine(const sqe_machine&) = delete;
    sqe_machine& operator=(const sqe_machine&) = delete;

private:
    sqe_machine(std::string_view backend, std::span<const std::uint8_t> input);
    ~sqe_machine();

    struct entry_state {
        bool finished = false;  // Its last completion has come.
        bool silent = false;    // It may succeed, or be cancelled, without one.
        bool is_poll = false;
        bool is_chained = false;  // To the next one.
    };

    void open_sockets();
    void add_group();
    void step();
    void push();
    void fold(sqe& entry);
    void fold_message(sqe& entry);
    void fold_pieces(sqe& entry);
    // To a socket address of `bytes` bytes.
    void fold_address(std::uint64_t& pointer, std::uint64_t bytes);
    void fold_time(std::uint64_t& pointer);
    void submit(bool with_completions);
    void turn(std::int64_t timeout_ns);
    void reap();
    void take(const cqe& done);
    void disturb(std::uint8_t argument);
    void finish();
    [[nodiscard]] bool is_anything_left() const;

    std::uint8_t next();
    [[nodiscard]] std::int32_t descriptor(std::uint32_t pick) const;
    [[nodiscard]] std::uint64_t in_arena(std::uint64_t address) const;
    // Zeroed memory of exactly that size, which lives as long as the machine.
    std::byte* keep(std::size_t bytes);
    template <class Type>
    Type* keep_copy(const Type& of);

    std::span<const std::uint8_t> input_;
    std::unique_ptr<backends::backend> backend_;
    std::byte* arena_ = nullptr;
    std::vector<std::int32_t> descriptors_;
    std::int32_t messages_ = -1;  // By which msg_ring names this ring.
    std::uint16_t port_ = 0;      // Of the listener.
    std::vector<std::unique_ptr<std::byte[]>> kept_;
    std::vector<entry_state> entries_;  // By user_data.
    std::size_t taken_ = 0;             // How many of them the backend has taken.
    bool renames_ = false;              // Polls may complete under another name.
};

}  // namespace ioring::fuzz
