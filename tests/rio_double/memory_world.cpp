// SPDX-License-Identifier: MIT
// memory_world.cpp - sockets, ports and events that are nothing but memory, under the double.
//
// A stream holds a fixed number of bytes, so that sends wait. Bytes that arrive let the double go
// on in the thread that sent them.
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "world.hpp"

namespace ioring::rio_tests {
namespace {

constexpr std::size_t stream_bytes = 64 * 1024;
constexpr auto wait_max = std::chrono::milliseconds(world::wait_ms_max);

thread_local std::int32_t last_error_of_thread = 0;

struct end_point {
    abi::socket peer = abi::invalid_socket;
    bool registered_io = false;
    std::deque<char> incoming;
    bool ended = false;  // No more will come in.
    bool reset = false;
    bool peer_gone = false;
};

class memory_transport final : public transport {
public:
    abi::socket open(bool registered_io) {
        const std::lock_guard lock(mutex_);
        const abi::socket made = next_;
        next_ += 4;
        sockets_[made].registered_io = registered_io;
        return made;
    }
    void join(abi::socket one, abi::socket other) {
        const std::lock_guard lock(mutex_);
        sockets_.at(one).peer = other;
        sockets_.at(other).peer = one;
    }

    bool is_socket(abi::socket which) override {
        const std::lock_guard lock(mutex_);
        return sockets_.count(which) != 0;
    }
    bool is_for_registered_io(abi::socket which) override {
        const std::lock_guard lock(mutex_);
        return sockets_.at(which).registered_io;
    }

    moved receive(abi::socket from, char* data, abi::dword bytes) override {
        const std::lock_guard lock(mutex_);
        end_point& here = sockets_.at(from);
        if (here.reset) return {.status = abi::code::connection_reset};
        if (here.incoming.empty()) return {.blocks = !here.ended};
        const std::size_t count = std::min<std::size_t>(bytes, here.incoming.size());
        const auto last = here.incoming.begin() + static_cast<std::ptrdiff_t>(count);
        std::copy(here.incoming.begin(), last, data);
        here.incoming.erase(here.incoming.begin(), last);
        changed_.notify_all();
        return {.bytes = static_cast<abi::dword>(count)};
    }

    moved send(abi::socket to, const char* data, abi::dword bytes) override {
        const std::lock_guard lock(mutex_);
        end_point& here = sockets_.at(to);
        if (here.reset || here.peer_gone) return {.status = abi::code::connection_reset};
        if (here.peer == abi::invalid_socket) return {.status = abi::code::not_connected};
        end_point& there = sockets_.at(here.peer);
        if (there.ended) return {.status = abi::code::shut_down};
        const std::size_t room = stream_bytes - there.incoming.size();
        if (room == 0) return {.blocks = true};
        const std::size_t count = std::min<std::size_t>(bytes, room);
        there.incoming.insert(there.incoming.end(), data, data + count);
        changed_.notify_all();
        return {.bytes = static_cast<abi::dword>(count)};
    }

    std::int32_t close(abi::socket which) override {
        const std::lock_guard lock(mutex_);
        const auto found = sockets_.find(which);
        if (found == sockets_.end()) return abi::code::not_socket;
        if (const auto peer = sockets_.find(found->second.peer); peer != sockets_.end()) {
            peer->second.ended = true;
            peer->second.peer_gone = true;
            peer->second.peer = abi::invalid_socket;
        }
        sockets_.erase(found);
        changed_.notify_all();
        return 0;
    }
    void end(abi::socket by) {
        const std::lock_guard lock(mutex_);
        sockets_.at(sockets_.at(by).peer).ended = true;
        changed_.notify_all();
    }
    void reset(abi::socket by) {
        {
            const std::lock_guard lock(mutex_);
            sockets_.at(sockets_.at(by).peer).reset = true;
        }
        close(by);
    }
    // Whoever sends or receives looks again after each change, so that nobody has to watch.
    void watch() override {}

    void post(abi::handle port, void* key, void* overlapped) override {
        const std::lock_guard lock(mutex_);
        ports_.at(port).push_back({.came = true, .key = key, .overlapped = overlapped});
        changed_.notify_all();
    }
    void set_event(abi::handle event) override { change_event(event, true); }
    void reset_event(abi::handle event) override { change_event(event, false); }
    void set_last_error(std::int32_t code) override { last_error_of_thread = code; }

    abi::handle make_port() {
        const std::lock_guard lock(mutex_);
        const abi::handle made = new_handle();
        ports_[made];
        return made;
    }
    void close_port(abi::handle port) {
        const std::lock_guard lock(mutex_);
        ports_.erase(port);
    }
    world::packet wait_for(abi::handle port, unsigned timeout_ms) {
        std::unique_lock lock(mutex_);
        std::deque<world::packet>& packets = ports_.at(port);
        (void)changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                [&] { return !packets.empty(); });
        if (packets.empty()) return {};
        const world::packet first = packets.front();
        packets.pop_front();
        return first;
    }
    abi::handle make_event() {
        const std::lock_guard lock(mutex_);
        return new_handle();
    }
    bool wait_for_event(abi::handle event, unsigned timeout_ms) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                 [&] { return set_events_.count(event) != 0; });
    }
    template <class Done>
    void wait_until(const Done& done) {
        const auto deadline = std::chrono::steady_clock::now() + wait_max;
        while (!done()) {
            std::unique_lock lock(mutex_);
            const auto step = std::chrono::milliseconds(1);
            (void)changed_.wait_for(lock, step);
            if (std::chrono::steady_clock::now() > deadline) std::abort();
        }
    }

private:
    abi::handle new_handle() { return reinterpret_cast<abi::handle>(std::uintptr_t{next_ += 4}); }
    void change_event(abi::handle event, bool on) {
        const std::lock_guard lock(mutex_);
        if (on) {
            set_events_.insert(event);
        } else {
            set_events_.erase(event);
        }
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<abi::socket, end_point> sockets_;
    std::map<abi::handle, std::deque<world::packet>> ports_;
    std::set<abi::handle> set_events_;
    std::uintptr_t next_ = 4;
};

class memory_world;
memory_world* the_world = nullptr;  // For the functions of `system`, which have no argument.

class memory_world final : public world {
public:
    memory_world() {
        the_world = this;
        system_.table = double_.table();
        system_.last_error = []() noexcept { return last_error_of_thread; };
        system_.open_socket = []() noexcept { return the_world->transport_.open(true); };
        system_.close_socket = [](abi::socket which) noexcept {
            return the_world->double_.close_socket(which);
        };
        // The code itself, so that tests see it: the table of errno is Windows' own.
        system_.negative_errno = [](std::int32_t code) noexcept { return -code; };
    }
    ~memory_world() override { the_world = nullptr; }

    const backends::rio::system& system() override { return system_; }
    rio_double* the_double() override { return &double_; }

    pair connect(bool registered_io) override {
        const pair made{transport_.open(registered_io), transport_.open(false)};
        transport_.join(made.rio, made.peer);
        return made;
    }
    void send(abi::socket by, std::string_view bytes) override {
        double_.note_plain_call(by, "send");
        while (!bytes.empty()) {
            transport::moved step;
            transport_.wait_until([&] {
                step = transport_.send(by, bytes.data(), static_cast<abi::dword>(bytes.size()));
                return !step.blocks;
            });
            if (step.status != 0) return;
            bytes.remove_prefix(step.bytes);
            double_.progress();
        }
    }
    std::string receive(abi::socket by, std::size_t bytes) override {
        double_.note_plain_call(by, "recv");
        std::string all(bytes, '\0');
        std::size_t count = 0;
        while (count < bytes) {
            transport::moved step;
            transport_.wait_until([&] {
                step = transport_.receive(by, &all[count], static_cast<abi::dword>(bytes - count));
                return !step.blocks;
            });
            if (step.status != 0 || step.bytes == 0) break;
            count += step.bytes;
            double_.progress();
        }
        all.resize(count);
        return all;
    }
    void end(abi::socket by) override {
        transport_.end(by);
        double_.progress();
    }
    void reset(abi::socket by) override {
        transport_.reset(by);
        double_.progress();
    }
    std::size_t room_max() const override { return stream_bytes; }

    abi::handle make_port() override { return transport_.make_port(); }
    void close_port(abi::handle port) override { transport_.close_port(port); }
    packet wait_for(abi::handle port, unsigned timeout_ms) override {
        return transport_.wait_for(port, timeout_ms);
    }
    abi::handle make_event() override { return transport_.make_event(); }
    void close_event(abi::handle) override {}
    bool wait_for_event(abi::handle event, unsigned timeout_ms) override {
        return transport_.wait_for_event(event, timeout_ms);
    }

private:
    memory_transport transport_;
    rio_double double_{transport_};
    backends::rio::system system_;
};

}  // namespace

std::unique_ptr<world> make_memory_world() { return std::make_unique<memory_world>(); }

}  // namespace ioring::rio_tests
