// SPDX-License-Identifier: MIT
// transport.hpp - what the double stands on: sockets that move bytes, events, completion ports.
//
// Two of them exist: sockets in memory, on every system, and Winsock's. Nothing here blocks, and
// everything may be called from any thread.
#pragma once

#include <cstdint>

#include "backend/rio/rio_abi.hpp"

namespace ioring::rio_tests {

namespace abi = backends::rio::abi;

class transport {
public:
    struct moved {
        std::int32_t status = 0;  // 0, or a code of Winsock's.
        abi::dword bytes = 0;     // 0 of a receive: the end of the stream.
        bool blocks = false;      // Not now; neither of the others counts.
    };

    transport() = default;
    transport(const transport&) = delete;
    transport& operator=(const transport&) = delete;
    virtual ~transport() = default;

    virtual bool is_socket(abi::socket which) = 0;
    // Whether it was made with WSA_FLAG_REGISTERED_IO.
    virtual bool is_for_registered_io(abi::socket which) = 0;
    virtual moved receive(abi::socket from, char* data, abi::dword bytes) = 0;
    virtual moved send(abi::socket to, const char* data, abi::dword bytes) = 0;
    virtual std::int32_t close(abi::socket which) = 0;
    // Something waits for sockets: call rio_double::progress() as soon as one may be ready.
    virtual void watch() = 0;

    virtual void post(abi::handle port, void* key, void* overlapped) = 0;
    virtual void set_event(abi::handle event) = 0;
    virtual void reset_event(abi::handle event) = 0;

    virtual void set_last_error(std::int32_t code) = 0;
};

}  // namespace ioring::rio_tests
