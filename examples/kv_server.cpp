// SPDX-License-Identifier: MIT
// kv_server.cpp - a key-value store that speaks Redis's protocol, on managed sockets.
//
// kv_server [ADDRESS [REQUEST_MS [IDLE_MS]]]. Commands: PING ECHO GET SET (EX, PX, NX, XX) DEL
// EXISTS INCR INCRBY DECR APPEND STRLEN MGET MSET EXPIRE PEXPIRE TTL PERSIST DBSIZE FLUSHALL SELECT
// COMMAND CONFIG QUIT.
//
// A request is read where it was received. While much is unsent to a client, its next ones stay
// unread. Clients that say nothing for IDLE_MS (5 minutes), that have begun a request and not ended
// it REQUEST_MS (10 s) later, however busily they drip, or that do not take their answers for
// thirty seconds, are dropped: in silence, as Redis does it. What is no request gets Redis's error,
// and the connection ends, for nobody knows where the next one begins.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <ioring/ioring.hpp>

#include "kv_protocol.hpp"
#include "times.hpp"

namespace {

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

constexpr std::uint32_t sockets_max = 10'000;
constexpr std::uint32_t buffer_bytes = kv::request_bytes_max;  // And of what is unsent.
// Of one answer; and while so much is unsent, a client's next request waits.
constexpr std::uint32_t answers_bytes_max = buffer_bytes / 2;

// --- the store ---

struct value {
    std::string text;
    std::optional<clock_type::time_point> expires{};
};

class store {
public:
    // Nothing when it is not there or its time is over.
    value* find(const std::string& key) {
        const auto at = values_.find(key);
        if (at == values_.end()) return nullptr;
        if (at->second.expires && *at->second.expires <= clock_type::now()) {
            values_.erase(at);
            return nullptr;
        }
        return &at->second;
    }
    value& operator[](const std::string& key) {
        if (value* const there = find(key)) return *there;
        return values_[key];
    }
    bool erase(const std::string& key) { return find(key) != nullptr && values_.erase(key) == 1; }
    void clear() { values_.clear(); }
    [[nodiscard]] std::size_t size() const { return values_.size(); }

private:
    std::unordered_map<std::string, value> values_;
};

// --- the commands ---

using kv::answer;
using kv::read_number;

class commands {
public:
    // False: the client wants to go.
    bool run(const kv::request& asked, answer& out) {
        std::string name{asked.words[0]};
        std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) {
            return static_cast<char>(std::toupper(letter));
        });
        const auto found = std::find_if(table.begin(), table.end(),
                                        [&](const command& each) { return each.name == name; });
        if (found == table.end()) {
            out.error("unknown command '" + name + "'");
        } else if (asked.words.size() < found->words_min || asked.words.size() > found->words_max) {
            out.error("wrong number of arguments for '" + name + "'");
        } else {
            words_ = &asked.words;
            (this->*found->does)(out);
        }
        return name != "QUIT";
    }

private:
    struct command {
        std::string_view name;
        std::size_t words_min;
        std::size_t words_max;
        void (commands::*does)(answer&);
    };
    static constexpr std::size_t any = kv::words_max;
    static const std::vector<command> table;

    [[nodiscard]] std::string_view word(std::size_t index) const { return (*words_)[index]; }
    [[nodiscard]] std::string key(std::size_t index = 1) const { return std::string{word(index)}; }
    [[nodiscard]] std::size_t count() const { return words_->size(); }
    [[nodiscard]] bool is(std::size_t index, std::string_view name) const {
        const std::string_view given = word(index);
        return given.size() == name.size() &&
               std::equal(given.begin(), given.end(), name.begin(), [](char left, char right) {
                   return std::toupper(static_cast<unsigned char>(left)) == right;
               });
    }

    void ping(answer& out) { count() > 1 ? out.bulk(word(1)) : out.simple("PONG"); }
    void echo(answer& out) { out.bulk(word(1)); }
    void ok(answer& out) { out.simple("OK"); }
    void nothing(answer& out) { out.array(0); }
    static void bulk_or_none(answer& out, const value* found) {
        found == nullptr ? out.none() : out.bulk(found->text);
    }
    void get(answer& out) { bulk_or_none(out, values_.find(key())); }
    void set(answer& out) {
        std::optional<clock_type::time_point> expires;
        for (std::size_t at = 3; at < count(); ++at) {
            std::int64_t time = 0;
            const bool there = values_.find(key()) != nullptr;
            if ((is(at, "NX") && there) || (is(at, "XX") && !there)) return out.none();
            if (is(at, "NX") || is(at, "XX")) continue;
            const bool seconds = is(at, "EX");
            if ((!seconds && !is(at, "PX")) || at + 1 == count()) return out.error("syntax error");
            if (!read_number(word(++at), time) || time <= 0 || time > 1'000'000'000) {
                return out.error("invalid expire time");
            }
            expires = clock_type::now() + (seconds ? 1s * time : 1ms * time);
        }
        values_[key()] = {std::string{word(2)}, expires};
        out.simple("OK");
    }
    void erase(answer& out) {
        std::int64_t gone = 0;
        for (std::size_t at = 1; at < count(); ++at) gone += values_.erase(key(at)) ? 1 : 0;
        out.number(gone);
    }
    void exists(answer& out) {
        std::int64_t there = 0;
        for (std::size_t at = 1; at < count(); ++at) there += values_.find(key(at)) ? 1 : 0;
        out.number(there);
    }
    void add(answer& out, std::int64_t step) {
        std::int64_t number = 0;
        value* const old = values_.find(key());
        if (old != nullptr && !read_number(old->text, number)) return out.error("not an integer");
        if (__builtin_add_overflow(number, step, &number)) return out.error("would overflow");
        values_[key()].text = std::to_string(number);
        out.number(number);
    }
    void increment(answer& out) { add(out, 1); }
    void decrement(answer& out) { add(out, -1); }
    void increment_by(answer& out) {
        std::int64_t step = 0;
        read_number(word(2), step) ? add(out, step) : out.error("not an integer");
    }
    void append(answer& out) {
        std::string& text = values_[key()].text;
        if (text.size() + word(2).size() > static_cast<std::size_t>(kv::word_bytes_max)) {
            return out.error("string exceeds maximum allowed size");
        }
        text += word(2);
        out.number(static_cast<std::int64_t>(text.size()));
    }
    void length(answer& out) {
        const value* const found = values_.find(key());
        out.number(found == nullptr ? 0 : static_cast<std::int64_t>(found->text.size()));
    }
    void get_many(answer& out) {
        out.array(count() - 1);
        for (std::size_t at = 1; at < count(); ++at) bulk_or_none(out, values_.find(key(at)));
    }
    void set_many(answer& out) {
        if (count() % 2 == 0) return out.error("wrong number of arguments for 'MSET'");
        for (std::size_t at = 1; at < count(); at += 2) {
            values_[key(at)] = {std::string{word(at + 1)}};
        }
        out.simple("OK");
    }
    void expire_in(answer& out, std::chrono::milliseconds unit) {
        std::int64_t time = 0;
        if (!read_number(word(2), time) || std::abs(time) > 1'000'000'000) {
            return out.error("not an integer");
        }
        value* const found = values_.find(key());
        if (found != nullptr) found->expires = clock_type::now() + unit * time;
        out.number(found != nullptr ? 1 : 0);
    }
    void expire(answer& out) { expire_in(out, 1s); }
    void expire_ms(answer& out) { expire_in(out, 1ms); }
    void time_left(answer& out) {
        const value* const found = values_.find(key());
        if (found == nullptr) return out.number(-2);
        if (!found->expires) return out.number(-1);
        out.number(
            std::chrono::ceil<std::chrono::seconds>(*found->expires - clock_type::now()).count());
    }
    void persist(answer& out) {
        value* const found = values_.find(key());
        const bool had_time = found != nullptr && found->expires;
        if (had_time) found->expires.reset();
        out.number(had_time ? 1 : 0);
    }
    void size(answer& out) { out.number(static_cast<std::int64_t>(values_.size())); }
    void clear(answer& out) {
        values_.clear();
        out.simple("OK");
    }

    store values_;
    const std::vector<std::string_view>* words_ = nullptr;
};

const std::vector<commands::command> commands::table{
    {"PING", 1, 2, &commands::ping},
    {"ECHO", 2, 2, &commands::echo},
    {"GET", 2, 2, &commands::get},
    {"SET", 3, 7, &commands::set},
    {"DEL", 2, any, &commands::erase},
    {"EXISTS", 2, any, &commands::exists},
    {"INCR", 2, 2, &commands::increment},
    {"DECR", 2, 2, &commands::decrement},
    {"INCRBY", 3, 3, &commands::increment_by},
    {"APPEND", 3, 3, &commands::append},
    {"STRLEN", 2, 2, &commands::length},
    {"MGET", 2, any, &commands::get_many},
    {"MSET", 3, any, &commands::set_many},
    {"EXPIRE", 3, 3, &commands::expire},
    {"PEXPIRE", 3, 3, &commands::expire_ms},
    {"TTL", 2, 2, &commands::time_left},
    {"PERSIST", 2, 2, &commands::persist},
    {"DBSIZE", 1, 1, &commands::size},
    {"FLUSHALL", 1, 2, &commands::clear},
    {"SELECT", 2, 2, &commands::ok},
    {"COMMAND", 1, any, &commands::nothing},
    {"CONFIG", 2, any, &commands::nothing},
    {"QUIT", 1, 1, &commands::ok},
};

// --- the server ---

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

class server {
public:
    server(ioring::socket_manager& sockets, std::chrono::milliseconds patience)
        : patience_{sockets, sockets_max, patience} {}

    void handle(const ioring::socket_event& event) {
        switch (event.type) {
            case ioring::event_type::closed: patience_.end(*event.socket); break;
            case ioring::event_type::received:
            case ioring::event_type::writable: serve(*event.socket); break;
            case ioring::event_type::timer:
                if (ioring::socket* const late = patience_.late(event)) late->close();
                break;
            default: break;
        }
    }

private:
    // Answers every whole request that is there, as far as there is room for answers.
    void serve(ioring::socket& client) {
        while (client.is_open()) {
            const auto bytes = client.readable();
            if (bytes.empty()) return;
            const std::string_view input{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
            const kv::request::state how = request_.read(input);
            if (how == kv::request::state::partial) return wait_for_rest(client);
            patience_.end(client);
            if (client.unsent_bytes() >= answers_bytes_max) return;  // A writable event follows.
            answer_.clear();
            const bool goes_on = answer_to(how);
            const auto text = answer_.text();
            client.write(std::as_bytes(std::span{text.data(), text.size()}));
            if (!goes_on) return client.close();  // Sends the answer first.
            client.consume(request_.bytes);
        }
    }

    // False: nothing can follow.
    bool answer_to(kv::request::state how) {
        if (how == kv::request::state::bad) {
            answer_.error("Protocol error: " + std::string{request_.problem});
            return false;
        }
        if (request_.words.empty()) return true;
        const bool goes_on = commands_.run(request_, answer_);
        if (answer_.text().size() > answers_bytes_max) {
            answer_.clear();
            answer_.error("the answer is too long");
        }
        return goes_on;
    }

    void wait_for_rest(ioring::socket& client) {
        const bool is_all = client.readable().size() == client.unread_bytes();
        if (client.peer_has_ended() && is_all) return client.close();
        patience_.begin(client);
    }

    times::patience patience_;  // With requests that have begun.
    commands commands_;
    kv::request request_;
    answer answer_;
};

}  // namespace

int main(int argc, char** argv) try {
    ioring::ring ring = ioring::ring::create();
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = sockets_max,
                                    .buffer_bytes = buffer_bytes,
                                    .send_high_bytes = answers_bytes_max,
                                    .send_low_bytes = answers_bytes_max / 2,
                                    .idle_timeout = times::argument(argc, argv, 3, 5min),
                                    .write_stall_timeout = 30s}};
    const auto listener = sockets.listen(argc > 1 ? argv[1] : "127.0.0.1:6379");
    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n",
                to_string(sockets.local_endpoint(listener)).c_str(), ring.backend_info().name,
                ring.backend_info().reason);
    std::fflush(stdout);

    server of{sockets, times::argument(argc, argv, 2, 10s)};
    while (running && !sockets.error()) {
        for (const ioring::socket_event& event : sockets.poll()) of.handle(event);
    }
    running = nullptr;  // The handler must not find a ring that is gone.
    const ioring::drain_report report = sockets.drain(5s);
    std::printf("drained %u, cut %u\n", report.drained, report.cut);
    return sockets.error() ? 1 : 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
