// SPDX-License-Identifier: MIT
// udp_echo.cpp - datagrams go back to where they came from, from the address that they came to.
//
// udp_echo [ADDRESS [DATAGRAM_BYTES]]    127.0.0.1:5000; those that are longer (65507) are dropped
//
// One receive takes all that come (multishot recvmsg, Linux 6.0), each into a buffer of a group:
// a head, the sender's address, ancillary data that says which of our addresses was meant, the
// bytes. The answer is sent from there, with both handed back as they are. Where a backend has no
// such receive, 64 of one datagram each stand in for it. Either way a turn of the loop takes and
// answers what is there with one system call.
#if __has_include(<sys/socket.h>)
#include "udp_system_posix.hpp"
#else
#include "udp_system_windows.hpp"
#endif

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <span>
#include <system_error>
#include <vector>

#include <ioring/ioring.hpp>

namespace {

constexpr std::uint32_t datagrams_max = 256;  // Received and not yet sent back.
constexpr std::uint32_t single_receives = 64;
constexpr std::uint32_t control_bytes = 64;  // Room for IP_PKTINFO or IPV6_PKTINFO.
constexpr std::uint32_t address_bytes = sizeof(sockaddr_in6);

constexpr ioring::message_room around{.name_bytes = address_bytes, .control_bytes = control_bytes};
constexpr std::size_t around_bytes = around.bytes_before_payload();
// Where each has a receive of its own: address, ancillary data (which is aligned), datagram.
constexpr std::size_t control_at = 32;
constexpr std::size_t datagram_at = control_at + control_bytes;
static_assert(address_bytes <= control_at);

enum class op : std::uint8_t { recv_all, recv_one, send };

struct counters {
    unsigned long long datagrams = 0;
    unsigned long long bytes = 0;
    unsigned long long cut = 0;     // Longer than there was room for.
    unsigned long long failed = 0;  // Receives and sends.
    unsigned long long turns = 0;
};

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

// A bound socket that is told which of its addresses each datagram came to.
class udp_socket {
public:
    udp_socket(ioring::ring& ring, const ioring::endpoint& address) : ring_{ring} {
        const bool is_ipv6 = address.family() == ioring::address_family::ipv6;
        native_ = udp_system::open(is_ipv6 ? AF_INET6 : AF_INET);
        if (native_ == udp_system::no_socket) {
            throw std::system_error{udp_system::last_error(), "socket"};
        }
        const int room = 4 << 20;  // As much of it as the system allows: for bursts.
        set(SOL_SOCKET, SO_RCVBUF, room);
        set(SOL_SOCKET, SO_SNDBUF, room);
        if (is_ipv6) {
            set(IPPROTO_IPV6, IPV6_V6ONLY, 0);
            set(IPPROTO_IPV6, udp_system::tell_ipv6_address, 1);
        } else {
            set(IPPROTO_IP, IP_PKTINFO, 1);
        }
        const auto* const where = static_cast<const sockaddr*>(address.data());
        if (::bind(native_, where, static_cast<udp_system::address_length>(address.size())) != 0) {
            const std::error_code error = udp_system::last_error();
            udp_system::close(native_);
            throw std::system_error{error, "bind"};
        }
        number_ = ioring::ring::adopt(static_cast<std::intptr_t>(native_));
    }
    udp_socket(const udp_socket&) = delete;
    udp_socket& operator=(const udp_socket&) = delete;
    ~udp_socket() { ring_.close_now(number_); }

    [[nodiscard]] ioring::fd fd() const { return number_; }
    [[nodiscard]] ioring::endpoint local() const {
        ioring::endpoint address;
        auto bytes = static_cast<udp_system::address_length>(ioring::endpoint::capacity);
        if (::getsockname(native_, static_cast<sockaddr*>(address.data()), &bytes) == 0) {
            address.resize(static_cast<std::size_t>(bytes));
        }
        return address;
    }

private:
    // What a system does not know is done without.
    void set(int level, int name, int value) const {
        ::setsockopt(native_, level, name, reinterpret_cast<const char*>(&value), sizeof value);
    }

    ioring::ring& ring_;
    udp_system::native_socket native_;
    ioring::fd number_;
};

// A datagram that came and goes back: where its parts are, as long as it is sent.
struct slot {
    msghdr message{};
    iovec piece{};
    std::span<std::byte> memory;  // A chunk of the group, or this slot's own.
};

void point(slot& at, std::span<std::byte> name, std::span<std::byte> control,
           std::span<std::byte> payload) {
    // Systems differ in the widths of the lengths.
    at.piece = {.iov_base = payload.data(), .iov_len = payload.size()};
    at.message = {};
    at.message.msg_name = name.data();
    at.message.msg_namelen = static_cast<decltype(at.message.msg_namelen)>(name.size());
    at.message.msg_control = control.empty() ? nullptr : control.data();
    at.message.msg_controllen = static_cast<decltype(at.message.msg_controllen)>(control.size());
    at.message.msg_iov = &at.piece;
    at.message.msg_iovlen = 1;
}

// What operations in flight point at. It must outlive the ring, whose end waits for them.
struct memory {
    ioring::buffer_group group;
    msghdr pattern{};  // How much room each datagram of the group has for names.
    std::vector<slot> slots{datagrams_max};
    std::vector<std::byte> bytes;  // Of the slots, where there is no such receive.
};

class echo {
public:
    echo(ioring::ring& ring, ioring::fd socket, std::uint32_t datagram_bytes, memory& of)
        : ring_{ring},
          socket_{socket},
          datagram_bytes_{datagram_bytes},
          group_{of.group},
          pattern_{of.pattern},
          slots_{of.slots},
          memory_{of.bytes} {
        pattern_.msg_namelen = static_cast<decltype(pattern_.msg_namelen)>(address_bytes);
        pattern_.msg_controllen = static_cast<decltype(pattern_.msg_controllen)>(control_bytes);
        const auto bytes = static_cast<std::uint32_t>(around_bytes + datagram_bytes);
        const ioring::group_options wanted{.buffers = datagrams_max,
                                           .buffer_bytes = bytes,
                                           .incremental = false,
                                           .plain_buffer_bytes = bytes};
        if (ioring::buffer_group::create(ring, wanted, group_)) {
            receive_singly();
        } else {
            for (std::uint32_t each = datagrams_max; each-- > 0;) free_.push_back(each);
            must_arm_ = true;
        }
    }

    // Whether anything is to be prepared that found no room before.
    void arm() {
        if (must_arm_) arm_all();
        while (!unarmed_.empty() && arm_one(unarmed_.back())) unarmed_.pop_back();
    }
    void handle(const ioring::cqe& done) {
        const std::uint32_t which = ioring::user_data::decode<op>(done.user_data).slot;
        switch (ioring::user_data::decode<op>(done.user_data).kind) {
            case op::recv_all: came_of_many(done); break;
            case op::recv_one: came(which, done.res); break;
            case op::send: went(which, done.res); break;
        }
    }
    void end_turn() {
        if (!is_single_) group_.publish();
        ++count_.turns;
    }
    [[nodiscard]] const counters& count() const { return count_; }
    [[nodiscard]] bool is_single() const { return is_single_; }

private:
    // --- many by one receive ---

    void arm_all() {
        if (is_single_ || group_.posted() == 0) return;  // A send gives a buffer back.
        if (ring_.prepare_recvmsg_multishot(socket_, &pattern_, group_.id(),
                                            ioring::user_data{op::recv_all},
                                            ioring::msg_flag::trunc) != nullptr) {
            must_arm_ = false;
        }
    }

    void came_of_many(const ioring::cqe& done) {
        if (!done.more()) must_arm_ = true;
        if (done.res == -EINVAL && count_.datagrams == 0) return receive_singly();
        const std::span<std::byte> chunk = group_.take(done);
        ioring::received_message message;
        if (!ioring::received_message::read(chunk, around, message)) {
            if (done.res != -ENOBUFS) failed(done.res);
            if (!chunk.empty()) group_.recycle_later(chunk);
            return;
        }
        if (message.is_cut()) {
            ++count_.cut;
            group_.recycle_later(chunk);
            return;
        }
        const std::uint32_t which = free_.back();  // There are as many as buffers.
        free_.pop_back();
        slots_[which].memory = chunk;
        point(slots_[which], message.name, message.control, message.payload);
        send(which);
    }

    // --- one by each receive ---

    void receive_singly() {
        is_single_ = true;
        must_arm_ = false;
        const std::size_t each_bytes = (datagram_at + datagram_bytes_ + 15) / 16 * 16;
        memory_.resize(single_receives * each_bytes);
        for (std::uint32_t each = 0; each < single_receives; ++each) {
            slots_[each].memory = std::span{memory_}.subspan(each * each_bytes, each_bytes);
            unarmed_.push_back(each);
        }
    }
    bool arm_one(std::uint32_t which) {
        slot& at = slots_[which];
        point(at, at.memory.first(address_bytes), at.memory.subspan(control_at, control_bytes),
              at.memory.subspan(datagram_at, datagram_bytes_));
        return ring_.prepare_recvmsg(socket_, &at.message,
                                     ioring::user_data{op::recv_one, which}) != nullptr;
    }
    void came(std::uint32_t which, std::int32_t result) {
        slot& at = slots_[which];
        if (result < 0) failed(result);
        const bool is_cut = (at.message.msg_flags & udp_system::message_cut) != 0;
        if (result >= 0 && is_cut) ++count_.cut;
        if (result < 0 || is_cut) return unarmed_.push_back(which);
        at.piece.iov_len = static_cast<std::size_t>(result);
        send(which);
    }

    // --- both ---

    void send(std::uint32_t which) {
        ++count_.datagrams;
        count_.bytes += slots_[which].piece.iov_len;
        slots_[which].message.msg_flags = 0;
        // The loop leaves room for one entry for each completion that it looks at.
        ring_.prepare_sendmsg(socket_, &slots_[which].message, ioring::user_data{op::send, which},
                              ioring::msg_flag::no_signal);
    }
    void went(std::uint32_t which, std::int32_t result) {
        if (result < 0) ++count_.failed;  // No way there: a datagram may be lost.
        if (is_single_) return unarmed_.push_back(which);
        group_.recycle_later(slots_[which].memory);
        free_.push_back(which);
    }
    // Some pass: no memory, or somebody's refusal of what was sent. Others do not.
    void failed(std::int32_t result) {
        ++count_.failed;
        if (result == -EBADF || result == -ENOTSOCK || result == -EINVAL || result == -EFAULT) {
            throw std::system_error{ioring::error_of(result), "receive"};
        }
    }

    ioring::ring& ring_;
    ioring::fd socket_;
    std::size_t datagram_bytes_;
    ioring::buffer_group& group_;
    msghdr& pattern_;
    std::vector<slot>& slots_;
    std::vector<std::byte>& memory_;
    std::vector<std::uint32_t> free_;     // Of slots, while one receive serves all.
    std::vector<std::uint32_t> unarmed_;  // Slots that shall receive.
    bool is_single_ = false;
    bool must_arm_ = false;
    counters count_;
};

void serve(const ioring::endpoint& address, std::uint32_t datagram_bytes) {
    memory in_flight;
    ioring::ring ring = ioring::ring::create({.sq_entries = 1024});
    const udp_socket socket{ring, address};
    echo of{ring, socket.fd(), datagram_bytes, in_flight};
    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n", to_string(socket.local()).c_str(),
                ring.backend_info().name, ring.backend_info().reason);
    std::fflush(stdout);
    while (running) {
        of.arm();
        const auto error = ioring::error_of(ring.submit_and_wait(1));
        if (error && error != std::errc::interrupted &&
            error != std::errc::device_or_resource_busy &&
            error != std::errc::resource_unavailable_try_again) {
            running = nullptr;  // The handler must not find a ring that is gone.
            throw std::system_error{error, "the ring has failed"};
        }
        for (const ioring::cqe& done : ring.completions()) {
            of.handle(done);
            if (ring.submission_queue_space() == 0) break;  // The rest has its turn.
        }
        of.end_turn();
    }
    const counters& count = of.count();
    std::printf("%llu datagrams, %llu bytes, %llu cut, %llu failed, %llu turns, %s\n",
                count.datagrams, count.bytes, count.cut, count.failed, count.turns,
                of.is_single() ? "one for each receive" : "many for each receive");
}

}  // namespace

int main(int argc, char** argv) try {
    ioring::endpoint address;
    std::string why;
    if (ioring::endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:5000", address, &why)) {
        std::fprintf(stderr, "udp_echo: %s\n", why.c_str());
        return 1;
    }
    const int bytes = argc > 2 ? std::atoi(argv[2]) : 65'507;
    serve(address, static_cast<std::uint32_t>(std::min(std::max(bytes, 1), 65'507)));
    return 0;
} catch (const std::exception& failure) {
    std::fprintf(stderr, "udp_echo: %s\n", failure.what());
    return 1;
}
