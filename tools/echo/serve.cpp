// SPDX-License-Identifier: MIT
// serve.cpp - makes what each thread needs, in the order in which it can be refused, and runs it.
#include "echo/serve.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "common/affinity.hpp"
#include "common/command_line.hpp"
#include "common/descriptors.hpp"
#include "common/error_text.hpp"
#include "echo/connections.hpp"
#include "echo/fleet.hpp"
#include "echo/managed.hpp"
#include "echo/own_ring.hpp"
#include "echo/own_ring_multishot.hpp"
#include "echo/report.hpp"
#include "echo/server.hpp"
#include "echo/shared_pool.hpp"
#include "ioring/buffer_group.hpp"
#include "ioring/buffer_pool.hpp"
#include "ioring/ring.hpp"

namespace echo {
namespace {

namespace tools = ioring::tools;

constexpr std::uint32_t slab_buffers = 256;

// What lives as long as a thread serves, whatever its strategy; the parts of a strategy are made
// after it and end before it.
struct foundation {
    foundation(fleet& of, std::uint32_t number) : all{of}, index{number} {}
    foundation(const foundation&) = delete;
    foundation& operator=(const foundation&) = delete;
    // The handlers know the ring.
    ~foundation() { all.stop().detach(ring); }

    fleet& all;
    const std::uint32_t index;  // Of the thread.
    ioring::ring ring;
    ioring::listener listener;
    ioring::endpoint address;  // Where it listens.
    std::uint32_t connections = 0;
};

// A wrong size is the user's, all else the system's.
refusal refuse(std::error_code error, std::string sentence) {
    return {std::move(sentence),
            error == std::errc::invalid_argument ? tools::exit_usage : tools::exit_failed};
}

// As many connections as were asked for, or as the descriptor limit allows when none were.
std::optional<refusal> size_up(const settings& wanted, std::uint32_t& connections) {
    std::string why;
    connections = wanted.connections.value_or(settings::connections_default);
    while (!tools::ensure_descriptors(std::uint64_t{wanted.threads} * connections, why)) {
        if (wanted.connections || connections == 1) return refusal{why};
        connections /= 2;
    }
    return std::nullopt;
}

// `open` listens at one endpoint: its error, and why. The first thread finds the one that can be
// had, the others share it.
template <class Open>
std::optional<refusal> listen(const settings& wanted, const foundation& base, Open&& open) {
    std::vector<ioring::endpoint> endpoints;
    std::string why;
    if (base.index != 0) {
        endpoints.push_back(base.all.address());
    } else if (tools::find_endpoints(wanted.where, endpoints, why)) {
        return refusal{why};
    }
    const ioring::listen_options options{
        .reuse_port = wanted.threads > 1, .dual_stack = wanted.dual_stack, .unlink_existing = true};
    std::string first_why;
    for (const ioring::endpoint& address : endpoints) {
        if (!open(address, options, why)) return std::nullopt;
        if (first_why.empty()) first_why = why;
    }
    return refusal{first_why};
}

std::optional<refusal> prepare(const settings& wanted, foundation& base) {
    std::string why;
    if (wanted.cpu && !tools::pin_to_cpu(*wanted.cpu + static_cast<int>(base.index), why)) {
        return refusal{why};
    }
    if (auto refused = size_up(wanted, base.connections)) return refused;
    const ioring::ring_options options{
        .connections_max = base.connections, .spin = wanted.spin, .backend = wanted.backend};
    if (ioring::ring::create(options, base.ring, &why)) return refusal{why};
    // --backend null is refused before; the environment may choose it too.
    if (std::string_view{base.ring.backend_info().name} == "null") return refusal{null_refusal};
    base.all.stop().attach(base.ring);
    return std::nullopt;
}

std::optional<refusal> listen_raw(const settings& wanted, foundation& base) {
    const auto open = [&](const auto& address, const auto& options, std::string& why) {
        return base.ring.create_listener(address, options, base.listener, &why);
    };
    auto refused = listen(wanted, base, open);
    base.address = base.listener.local_endpoint();
    return refused;
}

void announce(const foundation& base) {
    const ioring::backend_info& backend = base.ring.backend_info();
    fmt::print("listening on {} (backend {}: {})\n", to_string(base.address), backend.name,
               backend.reason);
    std::fflush(stdout);
}

// Whether to serve: all threads listen.
bool begin(const foundation& base) {
    if (!base.all.begin_together(base.index, base.address)) return false;
    if (base.index == 0) announce(base);
    return true;
}

// What the loop tells its surroundings, and what it leaves.
template <class Strategy>
class observer {
public:
    observer(const settings& wanted, foundation& base, const Strategy& strategy)
        : wanted_{wanted}, base_{base}, strategy_{strategy}, start_{take()}, previous_{start_} {}

    [[nodiscard]] counters& counted() noexcept { return counted_; }

    [[nodiscard]] surroundings around() noexcept {
        return {.stops_requested = [](void* self) { return of(self).base_.all.stop().count(); },
                .second_passed = [](void* self) { of(self).print_second(); },
                .stopping = [](void* self) { of(self).note_stop(); },
                .context = this,
                .reports = wanted_.stats && !wanted_.quiet};
    }

    void finish() const {
        const sample now = take();
        base_.all.finish(base_.index, {.total = difference(now, start_),
                                       .serving = serving_,
                                       .buffers = buffers_,
                                       .backend = base_.ring.backend_info().name,
                                       .seconds = now.when - start_.when});
    }

private:
    static observer& of(void* self) noexcept { return *static_cast<observer*>(self); }

    [[nodiscard]] sample take() const noexcept {
        return {clock::now(), counted_, base_.ring.counters(), tools::usage_now()};
    }

    void note_stop() {
        serving_ = difference(take(), start_);
        buffers_ = strategy_.describe();
    }

    void print_second() {
        const sample now = base_.all.publish(base_.index, take());
        if (base_.index != 0) return;
        fmt::print("{}\n", statistics_line(now, previous_, start_.when));
        std::fflush(stdout);
        previous_ = now;
    }

    const settings& wanted_;
    foundation& base_;
    const Strategy& strategy_;
    counters counted_;
    sample start_;
    sample previous_;
    sample serving_;
    std::string buffers_;
};

// A ring that has failed is the end of all threads.
void look_at(std::error_code error, foundation& base) {
    if (!error) return;
    base.all.refuse({fmt::format("the ring has failed: {}", ioring::tools::error_text(error))});
}

template <class Strategy>
void run(const settings& wanted, foundation& base, connection_table& table, Strategy& strategy) {
    observer<Strategy> watching{wanted, base, strategy};
    const surroundings around = watching.around();
    server<Strategy> loop{base.ring, base.listener, table, strategy, watching.counted(), around};
    if (!begin(base)) return;
    look_at(loop.run(wanted.duration, wanted.drain), base);
    watching.finish();
}

// For the two strategies that give each connection a buffer of a pool.
template <class Strategy, class... Manner>
void serve_from_pool(const settings& wanted, foundation& base, Manner... manner) {
    connection_table table{base.connections};
    ioring::buffer_pool pool;
    std::string why;
    const ioring::pool_options options{
        .buffer_bytes = wanted.buffer_bytes,
        .slab_buffers = slab_buffers,
        .slabs_max = (base.connections + slab_buffers - 1) / slab_buffers};
    if (const auto error = ioring::buffer_pool::create(base.ring, options, pool, &why)) {
        return base.all.refuse(refuse(error, why));
    }
    Strategy strategy{base.ring, table, pool, manner...};
    return run(wanted, base, table, strategy);
}

void serve_by_multishot(const settings& wanted, foundation& base) {
    if (!base.ring.probe().has(ioring::feature::incremental_buffers)) {
        return base.all.refuse(
            {fmt::format("--strategy own-ring-multishot needs incremental buffer rings, which "
                         "backend {} has not here (Linux 6.12 has): use own-ring or shared-pool",
                         base.ring.backend_info().name)});
    }
    return serve_from_pool<own_ring_multishot>(wanted, base);
}

void serve_from_group(const settings& wanted, foundation& base) {
    connection_table table{base.connections};
    ioring::buffer_group group;
    std::string why;
    const ioring::group_options options{.buffers = shared_pool::chunks,
                                        .buffer_bytes = wanted.buffer_bytes,
                                        .posted_bytes_max = shared_pool::turn_bytes_max};
    if (const auto error = ioring::buffer_group::create(base.ring, options, group, &why)) {
        return base.all.refuse(refuse(error, why));
    }
    const bool vectorized = base.ring.probe().has(ioring::feature::send_vectorized);
    shared_pool strategy{base.ring, table, group, wanted.buffer_bytes, vectorized};
    return run(wanted, base, table, strategy);
}

void serve_managed(const settings& wanted, foundation& base) {
    ioring::socket_manager sockets;
    std::string why;
    const ioring::manager_options options{.sockets_max = base.connections,
                                          .buffer_bytes = wanted.buffer_bytes,
                                          .chunk_bytes = wanted.buffer_bytes};
    if (const auto error = ioring::socket_manager::create(base.ring, options, sockets, &why)) {
        return base.all.refuse(refuse(error, why));
    }
    ioring::listener_id listener;
    const auto open = [&](const auto& address, const auto& listening, std::string& reason) {
        return sockets.listen(address, listening, listener, &reason);
    };
    if (const auto refused = listen(wanted, base, open)) return base.all.refuse(*refused);
    base.address = sockets.local_endpoint(listener);
    managed_server loop{sockets, wanted.copy};
    observer<managed_server> watching{wanted, base, loop};
    if (!begin(base)) return;
    look_at(loop.run(wanted.duration, wanted.drain, watching.counted(), watching.around()), base);
    watching.finish();
}

void serve_raw(const settings& wanted, foundation& base) {
    if (const auto refused = listen_raw(wanted, base)) return base.all.refuse(*refused);
    switch (wanted.strategy) {
        case strategy_kind::own_ring:
            return serve_from_pool<own_ring>(wanted, base, wanted.overlap);
        case strategy_kind::own_ring_multishot: return serve_by_multishot(wanted, base);
        case strategy_kind::shared_pool: return serve_from_group(wanted, base);
    }
}

void serve_one(const settings& wanted, fleet& all, std::uint32_t index) {
    foundation base{all, index};
    if (const auto refused = prepare(wanted, base)) return all.refuse(*refused);
    wanted.mode == mode_kind::managed ? serve_managed(wanted, base) : serve_raw(wanted, base);
}

std::string manner_of(const settings& wanted) {
    if (wanted.mode == mode_kind::managed) {
        return wanted.copy ? "managed, copying" : "managed, forwarding";
    }
    if (wanted.strategy != strategy_kind::own_ring) return std::string{name_of(wanted.strategy)};
    return wanted.overlap ? "own-ring, overlapped" : "own-ring, late";
}

void print_report(const settings& wanted, const std::vector<thread_result>& results) {
    const thread_result& first = results.front();
    report what{.strategy = manner_of(wanted),
                .backend = first.backend,
                .seconds = first.seconds,
                .total = first.total,
                .serving = first.serving,
                .buffers = first.buffers,
                .accepted_by_thread = {}};
    for (const thread_result& each : results) {
        what.accepted_by_thread.push_back(each.total.counted.accepted);
        if (&each == &first) continue;
        add(what.total, each.total);
        add(what.serving, each.serving);
    }
    if (wanted.json) {
        fmt::print("{}\n", report_json(what));
    } else if (!wanted.quiet) {
        fmt::print("{}", report_text(what));
    }
    std::fflush(stdout);
}

}  // namespace

int serve(const settings& wanted) {
    fleet all{wanted.threads,
              [&wanted](fleet& of, std::uint32_t index) { serve_one(wanted, of, index); }};
    all.run();
    if (const auto results = all.results(); !results.empty()) print_report(wanted, results);
    if (!all.refused()) return tools::exit_done;
    return tools::complain(program, all.refused()->sentence, all.refused()->status);
}

}  // namespace echo
