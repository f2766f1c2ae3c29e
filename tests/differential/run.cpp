// SPDX-License-Identifier: MIT
// run.cpp - one run from its first socket to its last byte.
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "differential/random.hpp"
#include "differential/runner.hpp"
#include "ioring/prep.hpp"

namespace ioring::differential {
namespace {

constexpr std::size_t arena_bytes = std::size_t{1} << 20U;
constexpr std::size_t records_bytes = 4096;  // A page: 256 buffers.
constexpr std::byte untouched{0xEE};
constexpr std::uint32_t tag_of_the_end = 1'000'000;
constexpr std::uint32_t tag_of_the_rest = 1'100'000;

volatile std::sig_atomic_t broken_pipes = 0;

}  // namespace

void watch_sigpipe() {
    ::signal(SIGPIPE, [](int) { broken_pipes = 1; });
}

std::uint64_t hash_of(std::span<const std::byte> bytes, std::uint64_t before) noexcept {
    std::uint64_t hash = mix(before + bytes.size());
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes.data(), 8);
        hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15ULL;
        hash ^= hash >> 32U;
    }
    for (const std::byte each : bytes) {
        hash = (hash ^ static_cast<std::uint64_t>(each)) * 0x9e37'79b9'7f4a'7c15ULL;
    }
    return hash ^ (hash >> 29U);
}

runner::runner() : arena_(arena_bytes, untouched) {}

runner::~runner() {
    for (void* const page : records_) ::munmap(page, records_bytes);
}

std::span<std::byte> runner::take_memory(std::size_t bytes) {
    constexpr std::size_t alignment = 16;
    const std::size_t rounded = (bytes + alignment) / alignment * alignment;
    if (arena_used_ + rounded > arena_.size()) {
        large_.emplace_back(rounded, untouched);
        return {large_.back().data(), bytes};
    }
    const std::span taken{arena_.data() + arena_used_, bytes};
    arena_used_ += rounded;
    return taken;
}

std::span<std::byte> runner::pattern(std::uint32_t tag, std::size_t bytes) {
    const std::span memory = take_memory(bytes);
    std::uint64_t word = mix(tag);
    for (std::size_t index = 0; index < bytes; ++index) {
        memory[index] = static_cast<std::byte>(word >> 56U);
        word = word * 6364136223846793005ULL + 1442695040888963407ULL;
    }
    return memory;
}

void runner::note_record(std::uint32_t id, std::uint64_t signature) {
    trace_.steps.push_back({id, signature, trace_.events.size()});
    if (options_->texts) trace_.texts.emplace_back();
}

void runner::say(std::string text) {
    if (!options_->texts) return;
    std::string& line = trace_.texts.back();
    if (!line.empty()) line += "\n";
    line += text;
}

bool runner::begin() {
    std::string why;
    queues_ = queues{set_up_by_name(
        options_->backend, {.sq_entries = program_->sq_entries, .cq_entries = program_->cq_entries},
        why)};
    if (!queues_.valid()) {
        complain("no backend " + std::string{options_->backend} + ": " + why);
        return false;
    }
    for (const connection_kind each : program_->connections) sockets_.open_pair(each);
    for (const listener_kind each : program_->listeners) sockets_.open_listener(each);
    sockets_.open_other();
    add_groups();
    return true;
}

void runner::add_groups() {
    if (!options_->common.has(feature::buffer_rings)) return;
    for (const group_plan& plan : program_->groups) {
        if (plan.incremental && !options_->common.has(feature::incremental_buffers)) continue;
        group_state group;
        group.plan = plan;
        group.memory.assign(std::size_t{plan.buffers} * plan.buffer_bytes, untouched);
        group.offsets.assign(plan.buffers, 0);
        if (groups_.size() == records_.size()) {
            void* const page = ::mmap(nullptr, records_bytes, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            if (page == MAP_FAILED) std::abort();
            records_.push_back(page);
        }
        group.records = records_[groups_.size()];
        std::memset(group.records, 0, records_bytes);
        backends::buffer_ring ring{group.records, plan.buffers,
                                   static_cast<std::uint16_t>(groups_.size()), plan.incremental};
        const int added = queues_->register_(backends::register_op::add_buffer_ring, &ring, 0);
        if (added < 0) complain("add_buffer_ring: " + std::to_string(added));
        for (std::uint32_t id = 0; id < plan.buffers; ++id) {
            post_buffer(group, static_cast<std::uint16_t>(id));
        }
        groups_.push_back(std::move(group));
    }
}

// The kernel's format: {addr, len, bid, tail}; the tail is that of the first record.
void runner::post_buffer(group_state& group, std::uint16_t id) {
    struct record {
        std::uint64_t addr;
        std::uint32_t len;
        std::uint16_t bid;
        std::uint16_t tail;
    };
    static_assert(sizeof(record) == 16);
    auto* const records = static_cast<record*>(group.records);
    record& slot = records[group.tail & (group.plan.buffers - 1)];
    std::byte* const data = group.memory.data() + std::size_t{id} * group.plan.buffer_bytes;
    slot.addr = detail::address_of(data);
    slot.len = group.plan.buffer_bytes;
    slot.bid = id;
    group.offsets[id] = 0;
    ++group.posted;
    ++group.tail;
    __atomic_store_n(&records[0].tail, group.tail, __ATOMIC_RELEASE);
}

trace runner::run(const program& of, const run_options& options) {
    program_ = &of;
    options_ = &options;
    is_uring_ = options.backend.starts_with("uring");
    trace_ = {};
    if (begin()) {
        step_through();
        // Now and then the ring goes with everything in flight.
        if (mix(of.seed ^ 0x0e0d) % 5 == 0) {
            end_abruptly();
        } else {
            end_cancelled();
        }
    }
    if (broken_pipes != 0) complain("SIGPIPE was raised");
    broken_pipes = 0;
    mailbox_ = queues{};
    queues_ = queues{};
    sockets_.clear();
    operations_.clear();
    renamed_.clear();
    groups_.clear();
    batch_.clear();
    reaped_.clear();
    large_.clear();
    std::fill_n(arena_.begin(), arena_used_, untouched);
    arena_used_ = 0;
    return std::move(trace_);
}

void runner::step_through() {
    for (std::size_t index = 0; index < program_->steps.size();) take_step(index);
    note_record(tag_of_the_end, 0);
    say("submit();");
    flush();
}

void runner::take_step(std::size_t& index) {
    const step& from = program_->steps[index];
    if (is_entry(from.what)) return take_chain(index);
    ++index;
    if (from.what == verb::submit) {
        note_record(from.id, 1);
        say("submit();");
        flush();
    } else {
        take_direct(from);
    }
}

// Everything that is in flight is cancelled, and posts its last completion.
void runner::end_cancelled() {
    note_record(tag_of_the_end + 1, 0);
    say("cancel everything, until all has ended;");
    for (std::uint32_t round = 0; round < 4; ++round) {
        const bool alive =
            std::ranges::any_of(operations_, [](const auto& each) { return each.second.left > 0; });
        if (!alive) break;
        operation cancel;
        cancel.what = verb::cancel_any;
        cancel.prompt = true;
        const std::uint32_t tag = tag_of_the_end + round;
        prep_cancel_everything(cancel.entry, tag);
        add(cancel, tag);
        push_operation(tag);
        flush();
    }
    for (const auto& [tag, each] : operations_) {
        if (each.left > 0) {
            complain("tag " + std::to_string(tag) + " (" + std::string{to_string(each.what)} +
                     ") has never posted its last completion");
        }
    }
    queues_.destroy();
    read_the_rest();
}

void runner::end_abruptly() {
    note_record(tag_of_the_end + 1, 0);
    say("destroy the ring, whatever is in flight;");
    mailbox_ = queues{};
    queues_.destroy();
}

// What was sent and not received is still there.
void runner::read_the_rest() {
    note_record(tag_of_the_rest, 0);
    say("read what is left in each connection;");
    std::array<std::byte, 4096> chunk{};
    for (std::size_t index = 0; index < sockets_.size(); ++index) {
        const auto name = static_cast<std::int32_t>(index);
        const socket_slot& slot = sockets_.at(name);
        if (slot.fd < 0 || slot.kind != socket_kind::stream) continue;
        event rest{.tag = tag_of_the_rest + static_cast<std::uint32_t>(index)};
        ssize_t got = 0;
        while ((got = ::recv(slot.fd, chunk.data(), chunk.size(), MSG_DONTWAIT)) > 0) {
            rest.res += static_cast<std::int32_t>(got);
            rest.content = hash_of({chunk.data(), static_cast<std::size_t>(got)}, rest.content);
        }
        if (got < 0) rest.content = mix(rest.content + static_cast<std::uint64_t>(errno));
        trace_.events.push_back(rest);
    }
}

}  // namespace ioring::differential
