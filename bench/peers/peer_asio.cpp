// SPDX-License-Identifier: MIT
// peer_asio.cpp - echo on Asio, the session of its tutorial, told that there is one thread.
#include <asio.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "peer.hpp"

namespace peer {
namespace {

using asio::ip::tcp;

constexpr std::size_t buffer_bytes = 65'536;

class session : public std::enable_shared_from_this<session> {
public:
    session(tcp::socket socket, counters& counted)
        : socket_(std::move(socket)), counted_(counted), buffer_(buffer_bytes) {}

    void read() {
        socket_.async_read_some(
            asio::buffer(buffer_),
            [self = shared_from_this()](asio::error_code error, std::size_t got) {
                if (error) return;  // The session ends with its last handler.
                ++self->counted_.messages;
                self->counted_.bytes += got;
                self->write(got);
            });
    }

private:
    void write(std::size_t bytes) {
        asio::async_write(socket_, asio::buffer(buffer_.data(), bytes),
                          [self = shared_from_this()](asio::error_code error, std::size_t) {
                              if (!error) self->read();
                          });
    }

    tcp::socket socket_;
    counters& counted_;
    std::vector<std::byte> buffer_;
};

class server {
public:
    server(int listener, int stop, counters& counted)
        : acceptor_(context_, protocol_of(listener), listener),
          stop_(context_, stop),
          counted_(counted) {}

    void run() {
        stop_.async_wait(asio::posix::stream_descriptor::wait_read,
                         [this](asio::error_code) { context_.stop(); });
        accept();
        context_.run();
    }

private:
    static tcp protocol_of(int listener) {
        sockaddr_storage bound{};
        socklen_t size = sizeof bound;
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
        return bound.ss_family == AF_INET6 ? tcp::v6() : tcp::v4();
    }

    void accept() {
        acceptor_.async_accept([this](asio::error_code error, tcp::socket socket) {
            if (!error) {
                ++counted_.connections;
                std::make_shared<session>(std::move(socket), counted_)->read();
            }
            accept();
        });
    }

    asio::io_context context_{ASIO_CONCURRENCY_HINT_UNSAFE};
    tcp::acceptor acceptor_;
    asio::posix::stream_descriptor stop_;
    counters& counted_;
};

}  // namespace
}  // namespace peer

int main(int argc, char** argv) {
    const peer::options wanted = peer::parse_options(argc, argv);
    const int stop = peer::open_stop_signal();
    const int listener = peer::open_listener(wanted, /*nonblocking=*/true);
    peer::counters counted;
    peer::server server(listener, stop, counted);
    const int version = ASIO_VERSION;
    peer::announce(listener, "asio " + std::to_string(version / 100'000) + "." +
                                 std::to_string(version / 100 % 1000) + "." +
                                 std::to_string(version % 100));
    server.run();
    peer::report("asio", counted);
    return 0;
}
