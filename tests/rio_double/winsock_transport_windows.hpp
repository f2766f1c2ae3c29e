// SPDX-License-Identifier: MIT
// winsock_transport_windows.hpp - real sockets under the double: plain calls that do not wait.
//
// A thread waits for the sockets whose requests could not go on. What is done to a socket here is
// invisible to its completion port. Wine ignores WSA_FLAG_REGISTERED_IO, so that a socket counts as
// made with it unless it was made here without.
#pragma once

#include <winsock2.h>

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "rio_double.hpp"

namespace ioring::rio_tests {

class winsock_transport final : public transport {
public:
    winsock_transport();
    ~winsock_transport() override;
    // From now on `upper` is told of sockets that are ready; nobody else may be.
    void serve(rio_double* upper);
    // Not any more.
    void stop();

    [[nodiscard]] SOCKET open(bool registered_io);

    bool is_socket(abi::socket which) override;
    bool is_for_registered_io(abi::socket which) override;
    moved receive(abi::socket from, char* data, abi::dword bytes) override;
    moved send(abi::socket to, const char* data, abi::dword bytes) override;
    std::int32_t close(abi::socket which) override;
    void watch() override;
    void post(abi::handle port, void* key, void* overlapped) override;
    void set_event(abi::handle event) override { ::SetEvent(event); }
    void reset_event(abi::handle event) override { ::ResetEvent(event); }
    void set_last_error(std::int32_t code) override { ::WSASetLastError(code); }

private:
    void let_not_wait(SOCKET which);
    void run();
    [[nodiscard]] moved result_of(int count) const;

    std::mutex mutex_;  // Never held while the double is called.
    std::set<SOCKET> without_flag_;
    std::set<SOCKET> nonblocking_;
    rio_double* upper_ = nullptr;
    std::atomic<bool> ends_{false};
    std::atomic<bool> woken_{false};
    SOCKET bell_ = INVALID_SOCKET;  // A datagram to itself ends the thread's wait.
    std::thread thread_;
};

}  // namespace ioring::rio_tests
