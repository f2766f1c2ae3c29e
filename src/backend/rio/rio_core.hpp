// SPDX-License-Identifier: MIT
// rio_core.hpp - Registered I/O kept in order: sockets, buffers, requests and their completions.
//
// One completion queue for all sockets. Each socket that is attached has a request queue with room
// for few requests; what is submitted beyond that waits here, in order. A request that the system
// has cannot be taken back: it ends when its completion is taken out of the queue, and until then
// its socket's slot, its buffer's registration and its share of the queue stay as they are.
//
// What ends is told to an `observer`, from within reap(), flush(), attach(), close(), and
// shut_down(), and never twice. It must not call the core from there.
//
// When the completion queue is corrupt nothing is known any more of what the system does. The core
// is dead then: every request ends with -EIO, every later call is refused with -EIO, and what the
// system may still write to stays registered for good.
//
// Threads: one at a time. RIO's queues are not guarded by the system.
#pragma once

#include <cstdint>
#include <string>

#include "backend/emulation/growing_array.hpp"
#include "backend/rio/queue_budget.hpp"
#include "backend/rio/registrations.hpp"
#include "backend/rio/rio_system.hpp"

namespace ioring::backends::rio {

// A slot and its generation, which is another one when the slot is used again.
struct reference {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;  // 0 is never given out.

    [[nodiscard]] std::uint64_t packed() const noexcept {
        return (std::uint64_t{generation} << 32U) | slot;
    }
    [[nodiscard]] static reference unpacked(std::uint64_t both) noexcept {
        return {static_cast<std::uint32_t>(both), static_cast<std::uint32_t>(both >> 32U)};
    }
    friend bool operator==(reference, reference) noexcept = default;
};

struct transfer {
    direction way = direction::receive;
    bool wait_all = false;     // Of a receive. A send always moves all of its bytes.
    std::uint32_t buffer = 0;  // As in add_buffer().
    std::byte* data = nullptr;
    std::uint32_t bytes = 0;
    std::uint64_t cookie = 0;  // What observer::ended() is told.
};

class observer {
public:
    observer() = default;
    observer(const observer&) = delete;
    observer& operator=(const observer&) = delete;
    // A request is over: the bytes it moved, or -errno (-ECANCELED where its socket was closed).
    virtual void ended(std::uint64_t cookie, std::int32_t res) noexcept = 0;
    // The last request of a socket that was closed earlier is over.
    virtual void closed(std::uint64_t cookie) noexcept = 0;

protected:
    ~observer() = default;
};

struct core_options {
    // Of one socket, with the system at a time.
    std::uint32_t receives_max = 1;
    std::uint32_t sends_max = 1;
    // How the completion queue tells that it is not empty any more; not told when there is no port
    // in it.
    abi::notification::by_completion_port port{};
};

class core {
public:
    static constexpr std::uint32_t connections_max = 1U << 24U;
    static constexpr std::uint32_t requests_max = 1U << 20U;
    // How often attaching is tried while the system says that it is short of room.
    static constexpr std::uint32_t attach_tries_max = 4;

    core(const system& on, observer& who) noexcept : system_(on), observer_(who) {}
    core(const core&) = delete;
    core& operator=(const core&) = delete;
    ~core() { (void)shut_down(); }

    // Makes the completion queue. 0, -EINVAL (a limit of 0), or what the system says.
    std::int32_t set_up(const core_options& options) noexcept;

    // Gives `socket` a request queue; from now on it belongs to the core, and close() closes it.
    // 0, -EIO, -ENOBUFS (connections_max, or no room in the system), -ENOMEM, or what it says. On
    // error the socket is as it was.
    std::int32_t attach(abi::socket socket, std::uint64_t cookie, reference& out) noexcept;
    // Closes the socket. What waited here ends with -ECANCELED now, what the system has when that
    // gives it back. True: it is all over. False: observer::closed() will be told. -EBADF by
    // `error` for a reference that is stale.
    bool close(reference which, std::int32_t& error) noexcept;
    [[nodiscard]] bool is_attached(reference which) const noexcept {
        return find(which) != nullptr;
    }

    // As registrations::add() and remove(), and -EIO.
    std::int32_t add_buffer(std::uint32_t slot, std::byte* data, std::size_t bytes) noexcept;
    std::int32_t remove_buffer(std::uint32_t slot) noexcept { return buffers_.remove(slot); }

    // Takes a request, which goes to the system at the next flush() or later, and ends once.
    // Otherwise: -EIO, -EBADF (the reference is stale, or the socket is being closed), -EFAULT (the
    // bytes are not within that buffer), -ENOBUFS (requests_max), -ENOMEM.
    //
    // A send whose buffer another socket is sending from ends with -EBUSY; behind one of its own
    // socket it waits.
    std::int32_t submit(reference socket, const transfer& asked, reference& out) noexcept;
    // Takes a request back that still waits here; it does not end. False: the system has it, or it
    // is over.
    bool withdraw(reference which) noexcept;
    // Hands to the system what it has room for. Once a batch: of several requests of one socket
    // and direction, all but the last are deferred.
    void flush() noexcept;
    // Takes up to `budget` completions out of the queue, and goes on as flush() does. Returns how
    // many.
    std::uint32_t reap(std::uint32_t budget) noexcept;
    // The queue may hold completions that reap() has not looked at.
    [[nodiscard]] bool has_more() const noexcept { return has_more_; }
    // Asks for the notification, if anything can come and it was not asked for already. Only then
    // may one sleep, and only after reap() found nothing more.
    void arm() noexcept;
    // The notification came: it is used up.
    void notified() noexcept;

    // Closes every socket, and if nothing is in flight any more gives the queue and all
    // registrations back. False: the system still has requests, or the core is dead. Then reap()
    // and call it again; who cannot wait any longer leaves the buffers' memory allocated for good.
    [[nodiscard]] bool shut_down() noexcept;

    [[nodiscard]] bool dead() const noexcept { return dead_; }
    // Why it is dead, in words.
    [[nodiscard]] std::string death() const;
    // Requests that the system has.
    [[nodiscard]] std::uint32_t in_flight() const noexcept { return in_flight_; }
    [[nodiscard]] std::uint32_t connections() const noexcept { return connections_count_; }
    [[nodiscard]] const queue_budget& budget() const noexcept { return budget_; }

private:
    static constexpr std::uint32_t none = ~std::uint32_t{0};
    static constexpr std::uint32_t results_max = 32;  // Taken out of the queue by one call.

    enum class place : std::uint8_t { nowhere, waits_here, in_system };
    enum class phase : std::uint8_t { unused, open, draining };

    struct request {
        std::uint64_t cookie;
        std::uint32_t connection;
        std::uint32_t registration;
        std::uint32_t offset;
        std::uint32_t bytes;
        std::uint32_t next;  // Of its lane, or of the free ones.
        std::uint32_t previous;
        std::uint32_t generation;
        direction way;
        bool wait_all;
        place where;
    };

    // The requests of one direction of a socket.
    struct lane {
        std::uint32_t first;  // Of those that wait here.
        std::uint32_t last;
        std::uint32_t in_flight;
    };

    struct connection {
        abi::socket socket;
        abi::request_queue queue;
        std::uint64_t cookie;
        lane lanes[2];
        std::uint32_t generation;
        std::uint32_t next_free;
        std::uint32_t next_to_flush;
        phase now;
        bool to_flush;  // In that list, even when it is closed, or another one by now.
    };

    [[nodiscard]] const connection* find(reference wanted) const noexcept;
    [[nodiscard]] connection* find(reference wanted) noexcept {
        return const_cast<connection*>(static_cast<const core*>(this)->find(wanted));
    }
    [[nodiscard]] static lane& lane_of(connection& of, direction way) noexcept {
        return of.lanes[static_cast<std::size_t>(way)];
    }
    [[nodiscard]] std::uint32_t limit(direction way) const noexcept {
        return way == direction::send ? options_.sends_max : options_.receives_max;
    }
    [[nodiscard]] std::uint32_t share() const noexcept {
        return options_.receives_max + options_.sends_max;
    }
    [[nodiscard]] std::int32_t system_error() const noexcept {
        return system_.negative_errno(system_.last_error());
    }

    // Sockets (rio_connections.cpp).
    [[nodiscard]] std::int32_t take_slot(std::uint32_t& out) noexcept;
    [[nodiscard]] std::int32_t grow(std::uint32_t more) noexcept;
    [[nodiscard]] std::int32_t make_queue(abi::socket socket, reference who,
                                          abi::request_queue& out) noexcept;
    void drop_waiting(connection& of, std::int32_t res) noexcept;
    [[nodiscard]] bool free_if_idle(std::uint32_t slot) noexcept;

    // Requests (rio_requests.cpp).
    [[nodiscard]] std::uint32_t take_request() noexcept;
    void append(lane& to, std::uint32_t index) noexcept;
    void unlink(std::uint32_t index) noexcept;
    void recycle(std::uint32_t index) noexcept;
    void end(std::uint32_t index, std::int32_t res) noexcept;
    void mark(std::uint32_t slot) noexcept;
    void issue(std::uint32_t slot, direction way) noexcept;
    [[nodiscard]] std::uint32_t next_issuable(std::uint32_t slot, direction way) noexcept;
    [[nodiscard]] std::int32_t post(const connection& by, std::uint32_t index,
                                    abi::dword flags) noexcept;
    void commit(const connection& of, direction way) noexcept;

    // Completions (rio_core.cpp).
    void complete(const abi::result& done) noexcept;
    [[nodiscard]] std::int32_t result_of(const abi::result& done,
                                         const connection& of) const noexcept;
    void die(const char* what, std::int32_t code) noexcept;
    void tell(std::uint64_t cookie, std::int32_t res) noexcept;

    system system_;
    observer& observer_;
    core_options options_;
    abi::completion_queue completions_ = abi::invalid_completion_queue;
    queue_budget budget_;
    registrations buffers_{system_};

    emulation::growing_array<request> requests_;
    std::uint32_t requests_made_ = 0;
    std::uint32_t free_requests_ = none;
    emulation::growing_array<connection> connections_;
    std::uint32_t connections_made_ = 0;
    std::uint32_t connections_count_ = 0;
    std::uint32_t free_connections_ = none;
    std::uint32_t to_flush_ = none;
    std::uint32_t in_flight_ = 0;

    bool armed_ = false;
    bool has_more_ = false;
    bool telling_ = false;
    bool dead_ = false;
    const char* death_ = "";
    std::int32_t death_code_ = 0;
};

}  // namespace ioring::backends::rio
