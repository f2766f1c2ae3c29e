// SPDX-License-Identifier: MIT
// http_server.cpp - HTTP/1.1 on managed sockets: files, and bodies that come in any way.
//
// http_server FOLDER [ADDRESS [REQUEST_MS [IDLE_MS]]]
//
//     GET, HEAD /...      the folder's files; index.html for a folder's own name
//     POST, PUT /echo     the request's body while it comes; one of a told length without a copy
//     POST, PUT /digest   how long the body was, and its FNV-1a hash
//
// Files have entity tags: If-None-Match gets 304, and one Range of bytes (If-Range too) 206 or 416.
// A head must be whole REQUEST_MS (10 s) after its first byte, and a body must bring 1 KiB a second
// from then on: else 408. A connection that says nothing for IDLE_MS (60 s) is closed. Requests
// of a pipeline are answered one after the other; while much is unsent, the next stays unread.
//
// Files are opened component by component, none of them a symbolic link or "..", and read into the
// send buffer: one copy. Reading blocks the loop when the file is not in the page cache.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

#include <ioring/ioring.hpp>

#include "http_answer.hpp"
#include "http_files.hpp"
#include "http_range.hpp"
#include "http_request.hpp"
#include "times.hpp"

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t connections_max = 10'000;
constexpr std::uint32_t buffer_bytes = 128U << 10U;
constexpr std::size_t answer_bytes_max = 2048;  // A head, and the body of an error.
constexpr std::size_t chunk_frame_bytes = 32;   // More than what stands around a chunk.
constexpr std::uint64_t body_bytes_max = 1U << 30U;
constexpr std::uint64_t body_bytes_per_s = 1024;

// --- a connection ---

enum class stage : std::uint8_t { head, body, file };
enum class route : std::uint8_t { files, echo, digest };

struct connection {
    stage at = stage::head;
    route to = route::files;
    bool is_chunked = false;  // The body, and so the answer of echo.
    bool keep_alive = false;  // Another request may follow.
    http::head_reader head;
    http::body_reader body;
    std::uint64_t body_bytes = 0;
    std::uint64_t hash = 0;
    http::file source;
    std::uint64_t source_at = 0;
    std::uint64_t source_end = 0;
    std::uint64_t timer_bytes = 0;  // body_bytes when its time began.
};

class server {
public:
    server(ioring::socket_manager& sockets, const char* root, std::chrono::milliseconds patience)
        : files_{root},
          patience_{sockets, connections_max, patience},
          connections_(connections_max) {}
    [[nodiscard]] bool has_files() const { return static_cast<bool>(files_); }

    void handle(const ioring::socket_event& event) {
        switch (event.type) {
            case ioring::event_type::accepted:
                event.socket->set_user(&connections_[event.socket->id().slot]);
                of(*event.socket) = {};
                break;
            case ioring::event_type::received:
            case ioring::event_type::writable:
            case ioring::event_type::peer_closed: serve(*event.socket); break;
            case ioring::event_type::closed:
                patience_.end(*event.socket);
                of(*event.socket).source = {};
                break;
            case ioring::event_type::timer:
                if (ioring::socket* const late = patience_.late(event)) time_is_over(*late);
                break;
            default: break;
        }
    }

private:
    static connection& of(ioring::socket& at) { return *static_cast<connection*>(at.user()); }

    // Goes on as far as there are bytes and room.
    void serve(ioring::socket& at) {
        connection& it = of(at);
        while (at.is_open()) {
            bool goes_on = false;
            switch (it.at) {
                case stage::head: goes_on = read_head(at, it); break;
                case stage::body: goes_on = read_body(at, it); break;
                case stage::file: goes_on = send_file(at, it); break;
            }
            if (goes_on) continue;
            // Nobody will send what is missing; a file goes on when there is room.
            if (it.at != stage::file && at.peer_has_ended() && at.readable().empty()) at.close();
            return;
        }
    }

    static std::string_view input_of(const ioring::socket& at) {
        const auto bytes = at.readable();
        return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    }

    bool read_head(ioring::socket& at, connection& it) {
        const std::string_view input = input_of(at);
        if (input.empty()) return false;
        const http::progress done = it.head.read(input, head_);
        if (done.what == http::outcome::partial) {
            if (done.bytes == 0 && at.peer_has_ended() && input.size() == at.unread_bytes()) {
                at.close();  // It will never be whole.
                return false;
            }
            be_patient(at, it);
            at.consume(done.bytes);
            return done.bytes != 0;
        }
        // Without room for its answer the request waits, is announced again, and read again.
        if (at.writable(answer_bytes_max).empty()) return false;
        if (done.what == http::outcome::bad) return refuse(at, it, done.status);
        patience_.end(at);
        it.keep_alive = head_.keep_alive;
        it.is_chunked = head_.is_chunked;
        it.to = route_of(head_.path);
        if (it.to == route::files) return answer_file(at, it, done.bytes);
        if (head_.method != "POST" && head_.method != "PUT") {
            return refuse(at, it, 405, done.bytes, "Allow: POST, PUT\r\n");
        }
        begin_body(at, it, done.bytes);
        return at.is_open();
    }

    static route route_of(std::string_view path) {
        if (path == "/echo") return route::echo;
        return path == "/digest" ? route::digest : route::files;
    }

    // --- files ---

    bool answer_file(ioring::socket& at, connection& it, std::size_t head_bytes) {
        const bool is_head = head_.method == "HEAD";
        if (head_.method != "GET" && !is_head) {
            return refuse(at, it, 405, head_bytes, "Allow: GET, HEAD\r\n");
        }
        if (head_.path.empty() || head_.path.front() != '/') return refuse(at, it, 400, head_bytes);
        http::found what = files_.find(head_.path);
        if (what.status == 301 && head_.path.size() > answer_bytes_max / 2) what.status = 404;
        if (what.status != 200) return refuse(at, it, what.status, head_bytes);
        const http::selection part = http::select(head_, what.tag(), what.bytes);
        if (part.status == 416) {
            char field[64];
            std::snprintf(field, sizeof field, "Content-Range: bytes */%llu\r\n",
                          static_cast<unsigned long long>(what.bytes));
            return refuse(at, it, 416, head_bytes, field);
        }
        if (head_.has_body()) it.keep_alive = false;  // Nobody asked for it: it is not read.
        http::text out = begin_answer(at, it, part.status);
        describe(out, what, part);
        at.commit_write(out.size());
        at.consume(head_bytes);
        if (is_head || part.first == part.end) return next(at, it);
        it.source = std::move(what.opened);
        it.source_at = part.first;
        it.source_end = part.end;
        it.at = stage::file;
        return true;
    }

    static void describe(http::text& out, const http::found& what, const http::selection& part) {
        out << "ETag: " << what.tag() << "\r\n";
        if (part.status == 304) {
            out << "\r\n";
            return;
        }
        out << "Accept-Ranges: bytes\r\nContent-Type: " << what.type << "\r\n";
        if (part.status == 206) {
            out << "Content-Range: bytes ";
            out.number(part.first) << "-";
            out.number(part.end - 1) << "/";
            out.number(what.bytes) << "\r\n";
        }
        out << "Content-Length: ";
        out.number(part.end - part.first) << "\r\n\r\n";
    }

    bool send_file(ioring::socket& at, connection& it) {
        const auto room = at.writable();
        if (room.empty()) return false;
        const std::uint64_t left = it.source_end - it.source_at;
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), left));
        const ssize_t got =
            ::pread(it.source.number(), room.data(), wanted, static_cast<off_t>(it.source_at));
        if (got <= 0) {  // It has become shorter: the client must see that something is missing.
            at.abort();
            return false;
        }
        at.commit_write(static_cast<std::size_t>(got));
        it.source_at += static_cast<std::uint64_t>(got);
        return it.source_at < it.source_end || next(at, it);
    }

    // --- bodies ---

    void begin_body(ioring::socket& at, connection& it, std::size_t head_bytes) {
        if (!head_.is_chunked && head_.body_bytes > body_bytes_max) {
            refuse(at, it, 413);
            return;
        }
        it.at = stage::body;
        it.body_bytes = 0;
        it.hash = 0xcbf29ce484222325U;
        it.body.begin(head_, body_bytes_max);
        const bool is_awaited = head_.expects_continue && !head_.is_1_0 && head_.has_body() &&
                                at.readable().size() == head_bytes;
        http::text out{at.writable(answer_bytes_max)};
        if (is_awaited) out << "HTTP/1.1 100 Continue\r\n\r\n";
        if (it.to == route::echo) {
            start_line(out, it, 200);
            if (it.is_chunked) {
                out << "Transfer-Encoding: chunked\r\n\r\n";
            } else {
                out << "Content-Length: ";
                out.number(head_.body_bytes) << "\r\n\r\n";
            }
        }
        at.commit_write(out.size());
        at.consume(head_bytes);
        be_patient(at, it);
    }

    bool read_body(ioring::socket& at, connection& it) {
        if (it.to == route::echo) return it.is_chunked ? echo_chunks(at, it) : echo_bytes(at, it);
        if (at.writable(answer_bytes_max).empty()) return false;
        const http::progress done = it.body.read(input_of(at), [&it](std::string_view piece) {
            it.body_bytes += piece.size();
            for (const char each : piece) {
                it.hash = (it.hash ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
            }
        });
        if (done.what == http::outcome::bad) return refuse(at, it, done.status);
        if (done.what == http::outcome::whole) return answer_digest(at, it, done.bytes);
        at.consume(done.bytes);
        return done.bytes != 0;
    }

    bool answer_digest(ioring::socket& at, connection& it, std::size_t input_bytes) {
        char line[64];
        const int bytes = std::snprintf(line, sizeof line, "%llu %016llx\n",
                                        static_cast<unsigned long long>(it.body_bytes),
                                        static_cast<unsigned long long>(it.hash));
        http::text out = begin_answer(at, it, 200);
        out << "Content-Type: text/plain\r\nContent-Length: ";
        out.number(static_cast<std::uint64_t>(bytes)) << "\r\n\r\n" << line;
        at.commit_write(out.size());
        at.consume(input_bytes);
        return next(at, it);
    }

    bool echo_bytes(ioring::socket& at, connection& it) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::uint64_t>(at.readable().size(), it.body.left()));
        const std::size_t taken = at.forward(wanted);  // From where it was received.
        it.body.took(taken);
        it.body_bytes += taken;
        if (it.body.left() == 0) return next(at, it);
        return taken != 0;
    }

    bool echo_chunks(ioring::socket& at, connection& it) {
        // A piece of the input needs no more room than it has, and a frame that it lacks.
        const std::string_view input = input_of(at);
        if (input.empty()) return false;
        const auto room = at.writable(2 * chunk_frame_bytes);
        if (room.empty()) return false;
        http::text out{room};
        const http::progress done = it.body.read(
            input.substr(0, room.size() - chunk_frame_bytes), [&](std::string_view piece) {
                it.body_bytes += piece.size();
                out.number(piece.size(), 16) << "\r\n" << piece << "\r\n";
            });
        if (done.what == http::outcome::bad) {  // Too late for a status: it must not look whole.
            at.abort();
            return false;
        }
        if (done.what == http::outcome::whole) out << "0\r\n\r\n";
        at.commit_write(out.size());
        at.consume(done.bytes);
        return done.what == http::outcome::whole ? next(at, it) : true;
    }

    // --- answers ---

    static http::text& start_line(http::text& out, const connection& it, int status) {
        out << "HTTP/1.1 ";
        out.number(static_cast<std::uint64_t>(status))
            << " " << http::reason_of(status) << "\r\nServer: ioring\r\nDate: " << http::date_now()
            << "\r\nConnection: " << (it.keep_alive ? "keep-alive" : "close") << "\r\n";
        return out;
    }
    static http::text begin_answer(ioring::socket& at, const connection& it, int status) {
        http::text out{at.writable(answer_bytes_max)};
        return start_line(out, it, status);
    }

    // An answer without a file. The connection goes on only where the request was in order and
    // had no body: `head_bytes` of it are known to be all.
    bool refuse(ioring::socket& at, connection& it, int status, std::size_t head_bytes = 0,
                std::string_view fields = {}) {
        const bool is_whole = head_bytes != 0;
        if (!is_whole || head_.has_body()) it.keep_alive = false;
        patience_.end(at);
        http::text out = begin_answer(at, it, status);
        out << fields;
        if (status == 301) out << "Location: " << head_.path << "/\r\n";
        const std::string_view reason = http::reason_of(status);
        out << "Content-Type: text/plain\r\nContent-Length: ";
        out.number(reason.size() + 5) << "\r\n\r\n";
        if (!is_whole || head_.method != "HEAD") {
            out.number(static_cast<std::uint64_t>(status)) << " " << reason << "\n";
        }
        at.commit_write(out.size());
        at.consume(head_bytes);
        return next(at, it);
    }

    // The answer is complete. Whether there may be another request.
    bool next(ioring::socket& at, connection& it) {
        patience_.end(at);
        it.source = {};
        it.at = stage::head;
        if (it.keep_alive) return true;
        at.close();  // Sends what is unsent, and reads past what we do not want to know.
        return false;
    }

    // --- time ---

    void be_patient(const ioring::socket& at, connection& it) {
        if (patience_.begin(at)) it.timer_bytes = it.body_bytes;
    }
    void time_is_over(ioring::socket& at) {
        if (!at.is_open()) return;
        connection& it = of(at);
        if (at.writable(answer_bytes_max).empty()) {  // The one that is late is not alone.
            be_patient(at, it);
            return;
        }
        if (it.at == stage::head) {
            refuse(at, it, 408);
            return;
        }
        // A body that we do not take, because its echo is not taken, is not late.
        const auto least =
            body_bytes_per_s * static_cast<std::uint64_t>(patience_.time().count()) / 1000;
        if (it.body_bytes - it.timer_bytes >= least || at.unread_bytes() != 0) {
            be_patient(at, it);
        } else if (it.to == route::echo) {
            at.abort();  // Its answer has begun.
        } else {
            refuse(at, it, 408);
        }
    }

    http::folder files_;
    times::patience patience_;  // With requests that have begun.
    std::vector<connection> connections_;
    http::head head_;
};

std::atomic<ioring::ring*> running{nullptr};

void stop(int) {
    if (ioring::ring* const ring = running.exchange(nullptr)) ring->wake();
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc < 2) {
        std::fprintf(stderr, "usage: %s FOLDER [ADDRESS [REQUEST_MS [IDLE_MS]]]\n", argv[0]);
        return 2;
    }
    ioring::ring ring = ioring::ring::create();
    ioring::socket_manager sockets{ring,
                                   {.sockets_max = connections_max,
                                    .buffer_bytes = buffer_bytes,
                                    .allow_half_open = true,
                                    .idle_timeout = times::argument(argc, argv, 4, 60s)}};
    server of{sockets, argv[1], times::argument(argc, argv, 3, 10s)};
    if (!of.has_files()) {
        std::fprintf(stderr, "%s: %s\n", argv[1], std::strerror(errno));
        return 1;
    }
    const auto listener = sockets.listen(argc > 2 ? argv[2] : "127.0.0.1:8080");
    running = &ring;
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::printf("listening on %s (backend %s: %s)\n",
                to_string(sockets.local_endpoint(listener)).c_str(), ring.backend_info().name,
                ring.backend_info().reason);
    std::fflush(stdout);

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
