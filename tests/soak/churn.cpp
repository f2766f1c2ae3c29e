// SPDX-License-Identifier: MIT
// churn.cpp - one ring and one manager through all rounds, and what they must have given back.
#include "soak/churn.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <thread>

#include "soak/crowd.hpp"
#include "soak/leftovers.hpp"

namespace ioring::soak {
namespace {

using std::chrono::seconds;

constexpr seconds round_length{4};
constexpr seconds round_bound{90};
[[maybe_unused]] constexpr std::size_t growth_max_kib = 8 * 1024;
// From then on all that grows by use has grown.
constexpr std::uint32_t rounds_of_growth = 3;

::sockaddr_in address_of(const endpoint& where) { return test_support::loopback(where.port()); }

// Holds a port at which nobody listens.
class closed_port {
public:
    closed_port() : socket_{test_support::tcp_socket()} {
        ::sockaddr_in address = test_support::loopback();
        ::socklen_t length = sizeof(address);
        auto* const generic = reinterpret_cast<::sockaddr*>(&address);
        (void)::bind(socket_.get(), generic, length);
        (void)::getsockname(socket_.get(), generic, &length);
        (void)endpoint::parse("127.0.0.1:" + std::to_string(ntohs(address.sin_port)), where_);
    }
    [[nodiscard]] const endpoint& where() const noexcept { return where_; }

private:
    test_support::descriptor_owner socket_;
    endpoint where_;
};

class world {
public:
    world(const settings& with, figures& out)
        : with_{with}, out_{out}, pace_{with.percent}, echo_{with.seed, lag_} {}

    outcome run(std::string& why) {
        const ring_options options{.sq_entries = 64, .backend = with_.backend};
        if (const auto error = ring::create(options, ring_, &why)) {
            return error == std::errc::not_supported || error == std::errc::operation_not_permitted
                       ? outcome::unavailable
                       : outcome::broken;
        }
        if (echo_.start(ring_, why)) return outcome::broken;
        out_.descriptors = descriptors_now();
        in_flight_ = ring_.in_flight();
        const clock::time_point end = clock::now() + seconds{with_.seconds};
        do {
            why = round(end);
            if (!why.empty()) {
                why += " (in round " + std::to_string(out_.rounds) + ")";
                return outcome::broken;
            }
        } while (clock::now() < end);
        echo_.end();
        if (ring_.in_flight() != 0) why = "operations are in flight after the manager's end";
        return why.empty() ? outcome::clean : outcome::broken;
    }

private:
    std::string round(clock::time_point end) {
        ++out_.rounds;
        lag_.clear();
        echo_.clear_ends();
        outbound_ = refused_ = 0;
        std::atomic<bool> over{false};
        crowd clients{address_of(echo_.address()), with_.seed + out_.rounds, pace_, lag_};
        // The last round leaves time for those that wait for a time-out.
        const auto left = std::max(end - clock::now() - seconds{3}, clock::duration{seconds{1}});
        std::thread talking{[&] {
            clients.run(std::min<clock::duration>(round_length, left), with_.together, over);
            ring_.wake();
        }};
        const bool ended = serve(over);
        talking.join();
        lag_.leave(lag_meter::of_server);
        add(clients.result());
        if (!clients.result().problem.empty() || !echo_.problem().empty()) {
            return clients.result().problem + "; " + echo_.problem();
        }
        if (!ended) return "connections are left at the round's end";
        if (auto wrong = compare_ends(clients.result()); !wrong.empty()) return wrong;
        return look_for_leftovers();
    }

    // Until all clients have ended, and all connections here. False when they do not.
    bool serve(const std::atomic<bool>& over) {
        const clock::time_point bound = clock::now() + round_bound;
        clock::time_point next_connect = clock::now();
        while (!over || echo_.sockets().size() != 0) {
            echo_.turn(milliseconds{20});
            lag_.mark(lag_meter::of_server);
            const clock::time_point now = clock::now();
            if (!over && now >= next_connect) {
                next_connect = now + milliseconds{25};
                const bool refuses = (outbound_ + refused_) % 2 != 0;
                ++(refuses ? refused_ : outbound_);
                echo_.connect(refuses ? manner::refused : manner::outbound, closed_.where());
            }
            if (!echo_.problem().empty() && over) return true;
            if (now > bound) return false;
        }
        return true;
    }

    // Each connection has two ends, and one end of its own at each.
    std::string compare_ends(const crowd_result& clients) {
        std::array<std::uint32_t, manners + 1> here{};
        std::transform(
            echo_.ends().begin(), echo_.ends().end(), here.begin(),
            [](const auto& each) { return std::accumulate(each.begin(), each.end(), 0U); });
        const std::uint64_t all_here = std::accumulate(here.begin(), here.end(), 0U);
        const std::uint64_t all = std::accumulate(clients.ended.begin(), clients.ended.end(), 0U);
        if (all_here != all + 2 * outbound_ + refused_) {
            return std::to_string(all_here) + " ends of " + std::to_string(all) + " clients, " +
                   std::to_string(outbound_) + " outbound and " + std::to_string(refused_) +
                   " refused ones";
        }
        count_own();
        // What a time-out has ended too early may not have said yet what it is.
        if (lag_.excuses()) return {};
        const auto of = [&](manner how) { return here[static_cast<std::size_t>(how)]; };
        const auto clients_of = [&](manner how) {
            return clients.ended[static_cast<std::size_t>(how)];
        };
        for (std::size_t how = 0; how < manners_of_clients; ++how) {
            const auto which = static_cast<manner>(how);
            if (which == manner::silent || which == manner::reset) continue;
            if (here[how] == clients.ended[how]) continue;
            return std::string{to_string(which)} + ": " + std::to_string(clients.ended[how]) +
                   " clients, " + std::to_string(here[how]) + " ends";
        }
        const std::uint32_t nameless = clients_of(manner::silent) + clients_of(manner::reset);
        if (of(manner::reset) + here[echo::unknown] != nameless)
            return "an end of a reset is missing";
        if (of(manner::outbound) != 2 * outbound_) return "an end of an outbound one is missing";
        if (of(manner::refused) != refused_) return "an end of a refused one is missing";
        return {};
    }

    void count_own() {
        out_.connections[static_cast<std::size_t>(manner::outbound)] += outbound_;
        out_.connections[static_cast<std::size_t>(manner::refused)] += refused_;
        out_.clean[static_cast<std::size_t>(manner::outbound)] += outbound_;
        out_.clean[static_cast<std::size_t>(manner::refused)] += refused_;
    }

    void add(const crowd_result& clients) {
        for (std::size_t how = 0; how < manners; ++how) {
            out_.connections[how] += clients.ended[how];
            out_.clean[how] += clients.clean[how];
        }
        client_bytes_ += clients.bytes;
        out_.bytes_verified = client_bytes_ + echo_.verified_bytes();
        client_excuses_ += clients.excused;
        out_.excused = client_excuses_ + echo_.excused();
    }

    std::string look_for_leftovers() {
        // Places come free with the poll() after the one that told the end.
        echo_.turn(milliseconds{0});
        const manager_usage used = echo_.sockets().usage();
        if (used.sockets != 0) return "places are taken";
        if (used.buffers_lent != 0) return std::to_string(used.buffers_lent) + " buffers are lent";
        if (used.chunks_held != 0) return std::to_string(used.chunks_held) + " chunks are held";
        if (used.records != 0) return std::to_string(used.records) + " records are in use";
        if (used.timers != 0) return "timers are armed";
        if (used.owned_bytes != 0) return "bytes are owned by nobody";
        if (ring_.in_flight() != in_flight_) {
            return std::to_string(ring_.in_flight()) + " operations are in flight, " +
                   std::to_string(in_flight_) + " in the beginning";
        }
        const std::size_t descriptors = descriptors_now();
        if (descriptors != out_.descriptors) {
            return std::to_string(descriptors) + " descriptors, " +
                   std::to_string(out_.descriptors) + " in the beginning:" + describe_descriptors();
        }
        out_.resident_last_kib = resident_kib_now();
        if (out_.rounds <= rounds_of_growth) out_.resident_first_kib = out_.resident_last_kib;
#if defined(IORING_SOAK_COUNTS_ALLOCATIONS)
        if (out_.resident_last_kib > out_.resident_first_kib + growth_max_kib) {
            return "memory grows: " + std::to_string(out_.resident_first_kib) + " KiB, now " +
                   std::to_string(out_.resident_last_kib);
        }
#endif
        return {};
    }

    const settings& with_;
    figures& out_;
    pace pace_;
    lag_meter lag_;
    closed_port closed_;
    ring ring_;
    echo echo_;
    std::uint64_t in_flight_ = 0;
    std::uint32_t outbound_ = 0;
    std::uint32_t refused_ = 0;
    std::uint64_t client_bytes_ = 0;
    std::uint32_t client_excuses_ = 0;
};

// What the library makes once a process is there after this.
void warm_up(const settings& with) {
    ring made;
    const ring_options options{.backend = with.backend};
    if (ring::create(options, made)) return;
    lag_meter lag;
    echo once{1, lag};
    std::string why;
    (void)once.start(made, why);
    std::thread{[] {}}.join();
    (void)descriptors_now();
}

}  // namespace

outcome churn(const settings& with, figures& out, std::string& why) {
    warm_up(with);
    const std::size_t descriptors = descriptors_now();
    const std::size_t mappings = shared_mappings_now();
    const std::uint64_t allocations = allocations_now();
    const clock::time_point start = clock::now();
    const std::chrono::nanoseconds cpu_start = cpu_time();
    outcome result = outcome::clean;
    {
        world all{with, out};
        result = all.run(why);
    }
    out.seconds = std::chrono::duration<double>(clock::now() - start).count();
    out.cpu_seconds = std::chrono::duration<double>(cpu_time() - cpu_start).count();
    if (result != outcome::clean) return result;
    const auto is_as_before = [&](const char* what, std::uint64_t before, std::uint64_t now) {
        if (before == now) return true;
        why = std::string{what} + ": " + std::to_string(now) + " at the end, " +
              std::to_string(before) + " before the beginning";
        return false;
    };
    const bool all = is_as_before("descriptors", descriptors, descriptors_now()) &&
                     is_as_before("shared mappings", mappings, shared_mappings_now()) &&
                     is_as_before("allocations", allocations, allocations_now());
    return all ? outcome::clean : outcome::broken;
}

}  // namespace ioring::soak
