// SPDX-License-Identifier: MIT
// trace_fuzz.cpp - any bytes are a trace that is read to its end, or are refused with a reason.
//
// The input follows a good header (every other time a header of its own), so that the records are
// reached.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "ioring/names.hpp"
#include "ioring/trace.hpp"

namespace {

namespace format = ioring::trace;

void demand(bool holds) {
    if (!holds) std::abort();
}

void check(const format::record& each, std::size_t file_bytes) {
    demand(format::to_string(each.kind) != "?");
    demand(each.offset + sizeof(format::record_header) + each.body.size() <= file_bytes);
    if (each.kind == format::kind::sqe) {
        demand(each.number > 0);
        demand(!to_string(each.as<ioring::sqe>()).empty());
    }
    if (each.kind == format::kind::cqe) {
        demand(!to_string(each.as<format::cqe_body>().entry).empty());
    }
    if (each.kind == format::kind::sent || each.kind == format::kind::received) {
        (void)each.after<format::memory_body>();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<std::byte> file;
    if (size > 0 && data[0] % 2 == 0) {
        const format::file_header header;
        const auto bytes = std::as_bytes(std::span{&header, 1});
        file.assign(bytes.begin(), bytes.end());
        ++data;
        --size;
    }
    const auto* const input = reinterpret_cast<const std::byte*>(data);
    file.insert(file.end(), input, input + size);
    format::reader reader;
    std::string why;
    if (format::reader::open(file, reader, why)) {
        demand(!why.empty());
        return 0;
    }
    format::record each;
    std::size_t bytes = reader.header().header_bytes;
    for (;;) {
        const format::reader::outcome outcome = reader.next(each, why);
        if (outcome == format::reader::outcome::end) {
            demand(bytes == file.size());
            return 0;
        }
        if (outcome != format::reader::outcome::record) {
            demand(!why.empty());
            demand(reader.next(each, why) == outcome);
            return 0;
        }
        demand(each.offset == bytes);
        bytes += sizeof(format::record_header) + each.body.size();
        check(each, file.size());
    }
}
