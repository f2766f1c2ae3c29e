// SPDX-License-Identifier: MIT
// trace.hpp - reading what the trace backend has recorded; docs/trace-format.md describes the file.
//
// A trace holds, in the order in which they happened, every enter of a backend with the SQEs that
// the program offered and the CQEs that were posted, the small structs and the first bytes of
// payload that they point at, and the calls beside it. "trace:FILE:BACKEND" as the name of a
// backend records; "replay:FILE" plays it back; ioring-trace prints it.
//
// Numbers are the recording machine's, little endian on every machine that we build for; a file of
// another byte order is refused. Nothing here allocates, but for the text of an error.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "ioring/sqe.hpp"

namespace ioring::trace {

// How a trace begins.
inline constexpr std::array<char, 8> magic{'I', 'O', 'R', 'T', 'R', 'A', 'C', 'E'};
inline constexpr std::uint32_t byte_order = 0x0102'0304;  // As the recording machine writes it.
inline constexpr std::uint16_t version = 1;               // Of the format.

// The first 32 bytes of a file.
struct file_header {
    std::array<char, 8> magic = trace::magic;      // Else it is no trace.
    std::uint32_t byte_order = trace::byte_order;  // Else it is refused.
    std::uint16_t version = trace::version;        // Else it is refused.
    std::uint16_t header_bytes = 32;               // The records begin there.
    std::uint32_t sq_entries = 0;                  // Of the recorded ring.
    std::uint32_t cq_entries = 0;                  // Of the recorded ring.
    std::uint32_t payload_bytes_max = 0;           // Of one transfer; the rest was not recorded.
    std::uint32_t reserved = 0;                    // 0
};
static_assert(sizeof(file_header) == 32);

// What a record tells of.
enum class kind : std::uint8_t {
    info = 1,      // info_body, then text: the features, a line feed, the backend's description
    enter = 2,     // enter_body
    sqe = 3,       // sqe; they count from 1 in the order of the file
    sent = 4,      // memory_body, then bytes that the program gave
    cqe = 5,       // cqe_body
    received = 6,  // memory_body, then bytes that the backend gave; before their CQE
    result = 7,    // result_body: the enter has ended
    call = 8,      // call_body, then the argument: a register_() call
    gap = 9,       // u32: so many CQEs came and went unseen
    end = 10,      // The ring was destroyed in order.
};

// What is before each record's body.
struct record_header {
    trace::kind kind = kind::end;            // What it tells of.
    std::array<std::uint8_t, 3> reserved{};  // 0
    std::uint32_t body_bytes = 0;            // Up to the next record.
    std::uint64_t time_ns = 0;               // Since the recording began.
};
static_assert(sizeof(record_header) == 16);

// Of kind::info.
struct info_body {
    std::array<std::uint64_t, 4> opcodes{};  // Bit n: the backend honours opcode n.
};

// Of kind::enter: what the ring asked of its backend.
struct enter_body {
    std::uint32_t to_submit = 0;     // SQEs offered.
    std::uint32_t min_complete = 0;  // CQEs to wait for.
    std::uint32_t flags = 0;         // The contract's, of backend.hpp.
    std::uint32_t wakes = 0;         // Since the enter before.
    std::int64_t timeout_ns = -1;    // -1: none
};
static_assert(sizeof(enter_body) == 24);

// What a piece of memory is.
enum class role : std::uint32_t {
    payload = 1,  // Bytes of a transfer, one after the other whatever pieces they lie in.
    address = 2,  // A sockaddr.
    time = 3,     // A kernel_timespec.
};

// Of kind::sent and kind::received: a piece of memory that an SQE points at.
struct memory_body {
    std::uint64_t number = 0;          // Of the SQE that points at it.
    trace::role role = role::payload;  // What the bytes are.
    std::uint32_t whole_bytes = 0;     // There were; what follows may be fewer.
};
static_assert(sizeof(memory_body) == 16);

// Of kind::cqe.
struct cqe_body {
    cqe entry;                 // As it was posted.
    std::uint64_t number = 0;  // Of its SQE; 0 when that cannot be told.
};
static_assert(sizeof(cqe_body) == 24);

// Of kind::result: what the enter gave.
struct result_body {
    std::int32_t result = 0;     // SQEs taken, or a negative errno.
    std::uint32_t sq_flags = 0;  // sq_flag, after it.
};

// Of kind::call: a call of the backend beside enter.
struct call_body {
    std::uint32_t operation = 0;  // backends::register_op
    std::uint32_t count = 0;      // Of what the argument points at.
    std::int32_t result = 0;      // What it gave.
    std::uint32_t reserved = 0;   // 0
};

// A record as the reader shows it. Its spans are the file's memory.
struct record {
    trace::kind kind = kind::end;     // What it tells of.
    std::uint64_t time_ns = 0;        // Since the recording began.
    std::uint64_t number = 0;         // Of an SQE: 1 for the first.
    std::uint64_t offset = 0;         // Where the record begins in the file.
    std::span<const std::byte> body;  // Without its header.

    // The body as its struct: the one that belongs to `kind`.
    template <class Body>
    [[nodiscard]] Body as() const noexcept;
    // What follows that struct.
    template <class Body>
    [[nodiscard]] std::span<const std::byte> after() const noexcept {
        return body.subspan(sizeof(Body));
    }
};

// Goes through a file that is in memory, which it does not own.
class reader {
public:
    // What next() has found.
    enum class outcome : std::uint8_t {
        record,     // `out` is the next one.
        end,        // There are no more.
        truncated,  // The last one is not whole: the recording was cut off.
        broken,     // This is no trace from here on.
    };

    // On error `out` is unchanged and `why` says what is wrong. Errors: invalid_argument (no
    // trace), not_supported (of another version or byte order).
    [[nodiscard]] static std::error_code open(std::span<const std::byte> file, reader& out,
                                              std::string& why);

    // That of the file; precondition: it was opened.
    [[nodiscard]] const file_header& header() const noexcept { return header_; }
    // Makes `out` the next record and goes on. `why` says where and what, for truncated and broken.
    [[nodiscard]] outcome next(record& out, std::string& why);

private:
    file_header header_;
    std::span<const std::byte> file_;
    std::size_t at_ = 0;
    std::uint64_t sqes_ = 0;
};

// "enter". Static; "?" for no kind.
[[nodiscard]] std::string_view to_string(kind which) noexcept;
[[nodiscard]] std::string_view to_string(role which) noexcept;

template <class Body>
Body record::as() const noexcept {
    Body made{};
    std::byte* const to = reinterpret_cast<std::byte*>(&made);
    for (std::size_t i = 0; i < sizeof made && i < body.size(); ++i) to[i] = body[i];
    return made;
}

}  // namespace ioring::trace
