// SPDX-License-Identifier: MIT
// sharded_server.cpp - a thread for each core, without a lock: each owns connections and data.
//
//     sharded_server [ADDRESS [THREADS]]     127.0.0.1:0 and 2 by default; prints the address it
//     got
//
// Commands, one a line: `hit KEY` counts a hit of that number and answers `KEY COUNT`, `where`
// tells which thread has this connection, `quit` ends it. Answers come in the order of the
// questions.
//
// A connection lives on the thread that accepted it, and never moves; the system spreads them over
// the threads' listeners of one port (SO_REUSEPORT). A count lives on the thread that its key
// names. Where that is another one, the question travels there by ring::post() and the answer back
// the same way: 12 bytes each, and the other's wait ends. See docs/threads.md.
#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ioring/ioring.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t shards_max = 64;
constexpr std::uint32_t connections_max = 1000;  // Of each shard.
constexpr std::uint32_t key_bits = 24;
constexpr std::size_t line_bytes_max = 256;

// What shards post to each other. slot and generation are those of the connection that asks; the
// result is the key and, above it, the shard that asks, or the count.
enum class message : std::uint8_t { question = 1, answer };

std::atomic<bool> stopping{false};
std::atomic<ioring::ring*> first_ring{nullptr};

void stop(int) {
    stopping = true;
    if (ioring::ring* const ring = first_ring) ring->wake();
}

class shard {
public:
    // On its own thread, as all but wake() and post(). Throws std::system_error.
    shard(std::uint32_t index, std::uint32_t shards, std::string_view address)
        : index_{index},
          shards_{shards},
          // Hardly ever full: a connection has one question on its way.
          ring_{ioring::ring::create({.posts_max = 2 * shards * connections_max})},
          sockets_{ring_, {.sockets_max = connections_max, .idle_timeout = 60s}},
          asked_(connections_max) {
        listener_ = sockets_.listen(address, {.reuse_port = true});
    }

    [[nodiscard]] std::string address() const {
        return to_string(sockets_.local_endpoint(listener_));
    }
    [[nodiscard]] ioring::ring& ring() noexcept { return ring_; }

    // Serves until `stopping`, and ends its connections in order.
    void run(const std::array<shard*, shards_max>& all) {
        while (!stopping && !sockets_.error()) {
            const auto timeout = late_.empty() ? ioring::ring::forever : 1ms;
            for (const ioring::socket_event& event : sockets_.poll(timeout)) handle(event, all);
            for (const late_answer& each : std::exchange(late_, {})) answer(*each.to, each);
        }
        stopping = true;
        // Who learns it tells the others, whose waits would not end.
        for (std::uint32_t other = 0; other < shards_; ++other) all[other]->ring().wake();
        report_ = sockets_.drain(2s);
    }
    [[nodiscard]] const ioring::drain_report& report() const noexcept { return report_; }

private:
    // Of a connection. Its line stays unread until the answer is there: so the connection does not
    // end before, although its peer may have said all that it will.
    struct question {
        bool is_open = false;
        std::uint32_t key = 0;
        std::size_t line_bytes = 0;
    };
    // For a shard that has more posts to read than it may.
    struct late_answer {
        shard* to = nullptr;
        std::uint64_t name = 0;
        std::uint32_t count = 0;
    };

    void handle(const ioring::socket_event& event, const std::array<shard*, shards_max>& all) {
        switch (event.type) {
            case ioring::event_type::accepted: asked_[event.socket->id().slot] = {}; return;
            case ioring::event_type::received: return serve(*event.socket, all);
            case ioring::event_type::completion: return came(event.done, all);
            default: return;
        }
    }

    // The whole lines that are there, until one has to ask another shard.
    void serve(ioring::socket& client, const std::array<shard*, shards_max>& all) {
        question& asked = asked_[client.id().slot];
        while (!asked.is_open) {
            const std::span<const std::byte> come = client.readable();
            const std::string_view text{reinterpret_cast<const char*>(come.data()), come.size()};
            const std::size_t end = text.find('\n');
            if (end == std::string_view::npos) {
                if (text.size() > line_bytes_max) client.abort();
                return;
            }
            const std::string_view line = text.substr(0, end);
            if (line == "quit") return client.close();
            // Without room for an answer the line stays, and is announced again.
            if (client.writable(line_bytes_max).empty()) return;
            if (line == "where") {
                write(client, std::to_string(index_));
            } else if (!read_key(line, asked.key)) {
                write(client, "error: no such command");
            } else if (const std::uint32_t owner = asked.key % shards_; owner == index_) {
                tell(client, asked.key, ++counts_[asked.key]);
            } else if (ask(*all[owner], client.id(), asked.key)) {
                asked.is_open = true;
                asked.line_bytes = end + 1;
                return;
            } else {
                write(client, "error: busy");
            }
            client.consume(end + 1);
        }
    }

    static bool read_key(std::string_view line, std::uint32_t& key) {
        if (!line.starts_with("hit ")) return false;
        const auto [end, error] = std::from_chars(line.data() + 4, line.data() + line.size(), key);
        return error == std::errc{} && end == line.data() + line.size() && key < 1U << key_bits;
    }

    [[nodiscard]] bool ask(shard& owner, ioring::socket_id client, std::uint32_t key) const {
        const ioring::user_data name{message::question, client.slot, client.generation};
        return owner.ring().post(name, static_cast<std::int32_t>(index_ << key_bits | key));
    }

    void answer(shard& to, const late_answer& with) {
        if (!to.ring().post(with.name, static_cast<std::int32_t>(with.count))) {
            late_.push_back(with);
        }
    }

    // A message of another shard.
    void came(const ioring::cqe& done, const std::array<shard*, shards_max>& all) {
        const auto [kind, slot, generation] = ioring::user_data::decode<message>(done.user_data);
        const auto value = static_cast<std::uint32_t>(done.res);
        if (kind == message::question) {
            const ioring::user_data name{message::answer, slot, generation};
            shard* const asker = all[value >> key_bits];
            answer(*asker, {asker, name, ++counts_[value & ((1U << key_bits) - 1)]});
            return;
        }
        // Its connection may have ended since, and another have its place: the id knows.
        ioring::socket* const client = sockets_.find({slot, generation});
        if (client == nullptr) return;
        question& asked = asked_[slot];
        asked.is_open = false;
        tell(*client, asked.key, value);
        client->consume(asked.line_bytes);
        serve(*client, all);
    }

    static void tell(ioring::socket& client, std::uint32_t key, std::uint32_t count) {
        write(client, std::to_string(key) + ' ' + std::to_string(count));
    }
    // There is room: it was looked for before the question was taken.
    static void write(ioring::socket& client, std::string text) {
        text += '\n';
        client.write(std::as_bytes(std::span{text}));
    }
    std::uint32_t index_;
    std::uint32_t shards_;
    ioring::ring ring_;
    ioring::socket_manager sockets_;
    ioring::listener_id listener_;
    std::vector<question> asked_;  // By the slot of the connection.
    std::unordered_map<std::uint32_t, std::uint32_t> counts_;
    std::vector<late_answer> late_;
    ioring::drain_report report_;
};

// Waited for until so many have arrived.
class meeting {
public:
    explicit meeting(std::uint32_t expected) : missing_{expected} {}
    void arrive() {
        const std::lock_guard<std::mutex> lock{guard_};
        if (--missing_ == 0) complete_.notify_all();
    }
    void wait() {
        std::unique_lock<std::mutex> lock{guard_};
        complete_.wait(lock, [this] { return missing_ == 0; });
    }

private:
    std::mutex guard_;
    std::condition_variable complete_;
    std::uint32_t missing_;
};

// The shards of all threads. The first one lives on the main thread.
class server {
public:
    server(std::string_view address, std::uint32_t shards)
        : first_{0, shards, address}, shards_{shards}, begin_{1}, ended_{shards} {
        all_[0] = &first_;
        first_ring = &first_.ring();
    }
    ~server() { first_ring = nullptr; }

    // Starts the others; throws what one of them has thrown.
    void start() {
        std::vector<std::future<void>> ready;
        for (std::uint32_t index = 1; index < shards_; ++index) {
            std::promise<void> promise;
            ready.push_back(promise.get_future());
            threads_.emplace_back(
                [this, index, made = std::move(promise)]() mutable { live(index, made); });
        }
        std::exception_ptr failure;
        for (std::future<void>& each : ready) {
            try {
                each.get();
            } catch (...) {
                failure = std::current_exception();
            }
        }
        if (failure == nullptr) return;
        stopping = true;
        finish();
        std::rethrow_exception(failure);
    }

    // Returns when all have ended.
    void run() {
        std::printf("listening on %s (%u threads)\n", first_.address().c_str(), shards_);
        std::fflush(stdout);
        begin_.arrive();
        first_.run(all_);
        finish();
        std::printf("%u ended in order, %u cut\n", drained_ + first_.report().drained,
                    cut_ + first_.report().cut);
    }

private:
    void live(std::uint32_t index, std::promise<void>& ready) {
        try {
            shard own{index, shards_, first_.address()};
            all_[index] = &own;
            ready.set_value();
            begin_.wait();
            if (is_complete_) own.run(all_);
            drained_ += own.report().drained;
            cut_ += own.report().cut;
            ended_.arrive();
            ended_.wait();  // Until then others may post to its ring.
        } catch (...) {
            is_complete_ = false;
            ready.set_exception(std::current_exception());
            ended_.arrive();
        }
    }

    void finish() {
        if (!is_complete_) begin_.arrive();
        ended_.arrive();
        for (std::thread& each : threads_) each.join();
    }

    shard first_;
    std::uint32_t shards_;
    std::array<shard*, shards_max> all_{};
    meeting begin_;
    meeting ended_;
    std::atomic<bool> is_complete_{true};
    std::atomic<std::uint32_t> drained_{0};
    std::atomic<std::uint32_t> cut_{0};
    std::vector<std::thread> threads_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string_view address = argc > 1 ? argv[1] : "127.0.0.1:0";
    const unsigned long shards = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
    if (shards < 1 || shards > shards_max) {
        std::fprintf(stderr, "sharded_server: 1 to %u threads\n", shards_max);
        return 2;
    }
    try {
        server all{address, static_cast<std::uint32_t>(shards)};
        std::signal(SIGINT, stop);
        std::signal(SIGTERM, stop);
        all.start();
        all.run();
    } catch (const std::exception& failure) {
        std::fprintf(stderr, "sharded_server: %s\n", failure.what());
        return 1;
    }
    return 0;
}
