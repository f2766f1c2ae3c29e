// SPDX-License-Identifier: MIT
// trials.cpp - the experiments.
#include "backend/uring/trials.hpp"

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <utility>

#include "backend/uring/mapping.hpp"
#include "ioring/prep.hpp"

namespace ioring::backends::uring {
namespace {

constexpr int yes = 1;
constexpr int no = 0;

// What of `error` (an errno) says that nothing can be known now.
int exhausted(int error) noexcept {
    const bool resources =
        error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
    return resources ? -error : no;
}

int more_with(const std::optional<cqe>& done, std::int32_t res) noexcept {
    if (!done) return no;
    if (done->res < 0) return exhausted(-done->res);
    return done->res == res && done->more() ? yes : no;
}

struct socket_pair {
    descriptor ours;
    descriptor theirs;
};

int make_pair(socket_pair& out) noexcept {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return -errno;
    }
    out.ours = descriptor{ends[0]};
    out.theirs = descriptor{ends[1]};
    return 0;
}

bool write_all(int file, const char* text, std::size_t bytes) noexcept {
    return ::send(file, text, bytes, MSG_NOSIGNAL) == static_cast<ssize_t>(bytes);
}

// A listener in the abstract namespace, under a name that the system picks: no network, no file.
int make_listener(descriptor& out, sockaddr_un& address, socklen_t& address_bytes) noexcept {
    descriptor made{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (made.get() < 0) return -errno;
    address = {};
    address.sun_family = AF_UNIX;
    auto* const name = reinterpret_cast<sockaddr*>(&address);
    if (::bind(made.get(), name, sizeof(sa_family_t)) != 0) return -errno;
    if (::listen(made.get(), /*backlog=*/1) != 0) return -errno;
    address_bytes = sizeof address;
    if (::getsockname(made.get(), name, &address_bytes) != 0) return -errno;
    out = std::move(made);
    return 0;
}

int try_accept_multishot(trial_ring& trial) noexcept {
    descriptor listener;
    sockaddr_un address;
    socklen_t address_bytes = 0;
    if (const int error = make_listener(listener, address, address_bytes); error != 0) {
        return exhausted(-error);
    }
    const descriptor client{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (client.get() < 0) return exhausted(errno);
    if (::connect(client.get(), reinterpret_cast<sockaddr*>(&address), address_bytes) != 0) {
        return exhausted(errno);
    }
    sqe entry;
    prep_accept_multishot(entry, fd{listener.get()}, socket_flag::cloexec, /*user_data=*/0);
    const std::optional<cqe> done = trial.run(entry);
    if (!done) return no;
    if (done->res < 0) return exhausted(-done->res);
    const descriptor accepted{done->res};
    return done->more() ? yes : no;
}

int try_poll_multishot(trial_ring& trial) noexcept {
    const descriptor event{::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK)};
    if (event.get() < 0) return exhausted(errno);
    sqe entry;
    prep_poll_multishot(entry, fd{event.get()}, poll_event::in, /*user_data=*/0);
    const int result = more_with(trial.run(entry), poll_event::in);
    trial.cancel_everything();
    return result;
}

int try_timeout_multishot(trial_ring& trial) noexcept {
    const kernel_timespec time{.tv_sec = 0, .tv_nsec = 1000};
    sqe entry;
    prep_timeout(entry, &time, /*completions=*/2, timeout_flag::multishot, /*user_data=*/0);
    const std::optional<cqe> first = trial.run(entry);
    if (!first || first->res != -ETIME || !first->more()) return no;
    const std::optional<cqe> second = trial.next();
    return second && second->res == -ETIME && !second->more() ? yes : no;
}

int try_cancel_any(trial_ring& trial) noexcept {
    socket_pair pair;
    if (const int error = make_pair(pair); error != 0) return exhausted(-error);
    std::byte byte{};
    sqe entry;
    prep_recv(entry, fd{pair.ours.get()}, {&byte, 1}, /*msg_flags=*/0, /*user_data=*/0);
    trial.submit(entry);
    prep_cancel_fd(entry, fd{pair.ours.get()}, cancel_flag::all, /*user_data=*/0);
    const std::optional<cqe> done = trial.run(entry);
    // Nothing but this ends the recv before `byte` goes away.
    ::shutdown(pair.ours.get(), SHUT_RDWR);
    trial.cancel_everything();
    return done && done->res == 1 ? yes : no;
}

int try_msg_ring(trial_ring& trial) noexcept {
    sqe entry;
    constexpr std::uint64_t posted_user_data = 0;
    prep_msg_ring(entry, fd{trial.get()}, /*res=*/7, posted_user_data, /*msg_ring_flags=*/0,
                  /*user_data=*/0);
    const std::optional<cqe> done = trial.run(entry);
    return done && done->res == 0 ? yes : no;
}

// One group of one buffer, and a connection to receive into it from.
struct group_trial {
    // Below 64, Linux 6.1 goes on where the last group of that number had stopped, and this one's
    // buffer would be behind that.
    static constexpr std::uint16_t group = 64;
    static constexpr std::size_t page_bytes = 65'536;  // Of any architecture's pages one at least.

    trial_ring& trial;
    mapping memory;  // The records, then the buffer.
    socket_pair pair;
    bool added = false;

    explicit group_trial(trial_ring& on) noexcept : trial{on} {}
    group_trial(const group_trial&) = delete;
    group_trial& operator=(const group_trial&) = delete;
    ~group_trial() {
        // The kernel writes into `memory` only while a recv is in flight.
        trial.cancel_everything();
        if (!added) return;
        buffer_ring_registration registration{};
        registration.group = group;
        (void)trial.calls().register_(trial.get(), register_code::unregister_buffer_ring,
                                      &registration, 1);
    }

    // 0 or -errno: -EINVAL when the kernel knows no such groups.
    int set_up(std::uint16_t flags) noexcept {
        if (const int error = make_pair(pair); error != 0) return error;
        if (const int error = mapping::of_zeroes(2 * page_bytes, memory); error != 0) return error;
        buffer_ring_registration registration{};
        registration.records = ioring::detail::address_of(memory.data());
        registration.entries = 1;
        registration.group = group;
        registration.flags = flags;
        if (const int error =
                trial.calls().register_(trial.get(), register_code::buffer_ring, &registration, 1);
            error != 0) {
            return error;
        }
        added = true;
        auto* const record = memory.at<buffer_record>(0);
        record->addr = ioring::detail::address_of(memory.data() + page_bytes);
        record->bytes = 64;
        record->id = 5;
        // The tail: one buffer is there.
        auto* const tail = memory.at<std::atomic<std::uint16_t>>(offsetof(buffer_record, resv));
        tail->store(1, std::memory_order_release);
        return 0;
    }

    // Receives two bytes that are there already.
    std::optional<cqe> receive(std::uint16_t transfer_flags) noexcept {
        if (!write_all(pair.theirs.get(), "ab", 2)) return std::nullopt;
        sqe entry;
        prep_recv_select(entry, fd{pair.ours.get()}, group, /*bytes_max=*/0, /*msg_flags=*/0,
                         /*user_data=*/0);
        entry.ioprio = transfer_flags;
        return trial.run(entry);
    }
};

int try_group(trial_ring& trial, std::uint16_t ring_flags, std::uint16_t transfer_flags,
              std::uint32_t wanted_flags) noexcept {
    group_trial attempt{trial};
    if (const int error = attempt.set_up(ring_flags); error != 0) return exhausted(-error);
    const std::optional<cqe> done = attempt.receive(transfer_flags);
    if (!done || done->res != 2 || !done->has_buffer() || done->buffer_id() != 5) return no;
    return (done->flags & wanted_flags) == wanted_flags ? yes : no;
}

int try_buffer_rings(trial_ring& trial) noexcept {
    return try_group(trial, /*ring_flags=*/0, /*transfer_flags=*/0, /*wanted_flags=*/0);
}

int try_recv_multishot(trial_ring& trial) noexcept {
    return try_group(trial, /*ring_flags=*/0, transfer_flag::multishot, cqe_flag::more);
}

int try_incremental_buffers(trial_ring& trial) noexcept {
    return try_group(trial, buffer_ring_incremental, /*transfer_flags=*/0, cqe_flag::buffer_more);
}

int try_bundles(trial_ring& trial) noexcept {
    return try_group(trial, /*ring_flags=*/0, transfer_flag::bundle, /*wanted_flags=*/0);
}

int try_send_vectorized(trial_ring& trial) noexcept {
    socket_pair pair;
    if (const int error = make_pair(pair); error != 0) return exhausted(-error);
    std::array<char, 2> text{'a', 'b'};
    const std::array<iovec, 2> pieces{iovec{&text[1], 1}, iovec{&text[0], 1}};
    sqe entry;
    prep_send_vectorized(entry, fd{pair.ours.get()}, pieces.data(), pieces.size(),
                         msg_flag::no_signal, /*user_data=*/0);
    const std::optional<cqe> done = trial.run(entry);
    std::array<char, 4> got{};
    const ssize_t bytes = ::recv(pair.theirs.get(), got.data(), got.size(), MSG_DONTWAIT);
    return done && done->res == 2 && bytes == 2 && got[0] == 'b' && got[1] == 'a' ? yes : no;
}

// An unconnected socket is enough: a kernel that cannot says -EINVAL or -EOPNOTSUPP, others that
// there is no connection.
int try_send_zero_copy(trial_ring& trial) noexcept {
    descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (socket.get() < 0) socket = descriptor{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (socket.get() < 0) return exhausted(errno);
    const std::array<std::byte, 1> bytes{};
    sqe entry;
    prep_send_zc(entry, fd{socket.get()}, bytes, msg_flag::no_signal, /*zc_flags=*/0,
                 /*user_data=*/0);
    const std::optional<cqe> done = trial.run(entry);
    if (done && done->more()) trial.next();  // The notification: `bytes` may go.
    return done && (done->res == -EPIPE || done->res == -ENOTCONN) ? yes : no;
}

constexpr std::array trials{
    feature_trial{feature::cancel_any, try_cancel_any},
    feature_trial{feature::accept_multishot, try_accept_multishot},
    feature_trial{feature::poll_multishot, try_poll_multishot},
    feature_trial{feature::timeout_multishot, try_timeout_multishot},
    feature_trial{feature::buffer_rings, try_buffer_rings},
    feature_trial{feature::recv_multishot, try_recv_multishot},
    feature_trial{feature::incremental_buffers, try_incremental_buffers},
    feature_trial{feature::bundles, try_bundles},
    feature_trial{feature::send_vectorized, try_send_vectorized},
    feature_trial{feature::send_zero_copy, try_send_zero_copy},
    feature_trial{feature::msg_ring, try_msg_ring},
};

}  // namespace

std::span<const feature_trial> feature_trials() noexcept { return trials; }

}  // namespace ioring::backends::uring
