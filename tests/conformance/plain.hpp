// SPDX-License-Identifier: MIT
// plain.hpp - the system's own calls on sockets, as the plain side of a test needs them.
//
// By the library's numbers, in plain_posix.cpp and plain_windows.cpp; without the library's ring.
// Results are 0 or more, or -errno. Only wait() waits.
#pragma once

#include <chrono>
#include <cstddef>
#include <utility>

#include "ioring/endpoint.hpp"

namespace ioring::conformance::plain {

// Blocking and close-on-exec.
[[nodiscard]] int open(address_family family, bool datagram = false);
void close(int number) noexcept;
int bind(int number, const endpoint& to);
int listen(int number, int backlog);
int connect(int number, const endpoint& to);
[[nodiscard]] int accept(int number);
// Two ends of a local stream; -errno twice where there is no such thing.
[[nodiscard]] std::pair<int, int> local_pair();
// The reading and the writing end of a pipe; -errno twice where it has no number.
[[nodiscard]] std::pair<int, int> pipe();

// As many bytes as go at once; -EAGAIN when that is none.
[[nodiscard]] std::ptrdiff_t send(int number, const char* data, std::size_t bytes);
[[nodiscard]] std::ptrdiff_t receive(int number, char* data, std::size_t bytes);
// Whether there is something to read (an end or an error included), or room to write.
enum class ready { to_read, to_write };
[[nodiscard]] bool wait(int number, ready what, std::chrono::milliseconds bound);
[[nodiscard]] std::size_t unread(int number);

int shut_down(int number, int how);
int set_no_delay(int number);
int set_buffers(int number, int bytes);
int set_receive_buffer(int number, int bytes);
// close() then sends a reset.
int set_linger_none(int number);
int set_nonblocking(int number);
// SO_ERROR, an errno value.
[[nodiscard]] int pending_error(int number);
[[nodiscard]] endpoint address(int number);
[[nodiscard]] endpoint peer_address(int number);
[[nodiscard]] bool is_open(int number);
[[nodiscard]] bool is_close_on_exec(int number);
[[nodiscard]] std::size_t open_descriptors();
[[nodiscard]] int process_id();

// What is wrong with the system itself, so that a test of the library would test that.
enum class flaw {
    forgets_resets,  // Wine 8: a reset that came while nobody received is told as an end.
    lacks_rio,       // Wine: there is no Registered I/O, which every Windows since 8 has.
};
[[nodiscard]] bool has_flaw(flaw which);

}  // namespace ioring::conformance::plain
