// SPDX-License-Identifier: MIT
// winsock_world_windows.cpp - real sockets, ports and events, with a double's table or a real one.
#include "winsock_world_windows.hpp"

#include <winsock2.h>

#include <cstdio>
#include <cstdlib>

#include "winsock_transport_windows.hpp"

namespace ioring::rio_tests {
namespace {

void require(bool done, const char* what) {
    if (done) return;
    std::fprintf(stderr, "%s failed with %d\n", what, ::WSAGetLastError());
    std::abort();
}

class sockets_world : public world {
public:
    pair connect(bool registered_io) override {
        const SOCKET listener = ::socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
        auto* const address = reinterpret_cast<sockaddr*>(&here);
        int bytes = sizeof here;
        require(::bind(listener, address, bytes) == 0, "bind");
        require(::listen(listener, 1) == 0, "listen");
        require(::getsockname(listener, address, &bytes) == 0, "getsockname");
        const SOCKET ours = open(registered_io);
        require(::connect(ours, address, bytes) == 0, "connect");
        const SOCKET theirs = ::accept(listener, nullptr, nullptr);
        require(theirs != INVALID_SOCKET, "accept");
        ::closesocket(listener);
        const DWORD wait_ms = wait_ms_max;
        const auto* const wait = reinterpret_cast<const char*>(&wait_ms);
        ::setsockopt(theirs, SOL_SOCKET, SO_RCVTIMEO, wait, sizeof wait_ms);
        ::setsockopt(theirs, SOL_SOCKET, SO_SNDTIMEO, wait, sizeof wait_ms);
        return {ours, theirs};
    }
    void send(abi::socket by, std::string_view bytes) override {
        note(by, "send");
        while (!bytes.empty()) {
            const int count = ::send(by, bytes.data(), static_cast<int>(bytes.size()), 0);
            if (count <= 0) return;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
    }
    std::string receive(abi::socket by, std::size_t bytes) override {
        note(by, "recv");
        std::string all(bytes, '\0');
        std::size_t done = 0;
        while (done < bytes) {
            const int count = ::recv(by, &all[done], static_cast<int>(bytes - done), 0);
            if (count <= 0) break;
            done += static_cast<std::size_t>(count);
        }
        all.resize(done);
        return all;
    }
    void end(abi::socket by) override { ::shutdown(by, SD_SEND); }
    void reset(abi::socket by) override {
        const linger hard{1, 0};
        ::setsockopt(by, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&hard), sizeof hard);
        ::closesocket(by);
    }
    // What both ends buffer on any system that this has seen.
    std::size_t room_max() const override { return std::size_t{16} << 20U; }

    abi::handle make_port() override {
        return ::CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
    }
    void close_port(abi::handle port) override { ::CloseHandle(port); }
    packet wait_for(abi::handle port, unsigned timeout_ms) override {
        DWORD bytes = 0;
        ULONG_PTR key = 0;
        OVERLAPPED* of = nullptr;
        const bool came = ::GetQueuedCompletionStatus(port, &bytes, &key, &of, timeout_ms) != 0;
        return {
            .came = came || of != nullptr, .key = reinterpret_cast<void*>(key), .overlapped = of};
    }
    abi::handle make_event() override { return ::CreateEventW(nullptr, TRUE, FALSE, nullptr); }
    void close_event(abi::handle event) override { ::CloseHandle(event); }
    bool wait_for_event(abi::handle event, unsigned timeout_ms) override {
        return ::WaitForSingleObject(event, timeout_ms) == WAIT_OBJECT_0;
    }

protected:
    virtual SOCKET open(bool registered_io) = 0;
    virtual void note(abi::socket on, const char* name) = 0;
};

class winsock_world;
winsock_world* the_world = nullptr;  // For the functions of `system`, which have no argument.

class winsock_world final : public sockets_world {
public:
    winsock_world() {
        the_world = this;
        transport_.serve(&double_);
        system_.table = double_.table();
        system_.last_error = []() noexcept -> std::int32_t { return ::WSAGetLastError(); };
        system_.open_socket = []() noexcept -> abi::socket { return the_world->open(true); };
        system_.close_socket = [](abi::socket which) noexcept {
            return the_world->double_.close_socket(which);
        };
        system_.negative_errno = [](std::int32_t code) noexcept { return -code; };
    }
    ~winsock_world() override {
        transport_.stop();  // It calls the double.
        the_world = nullptr;
    }
    const backends::rio::system& system() override { return system_; }
    rio_double* the_double() override { return &double_; }

protected:
    SOCKET open(bool registered_io) override { return transport_.open(registered_io); }
    void note(abi::socket on, const char* name) override { double_.note_plain_call(on, name); }

private:
    winsock_transport transport_;
    rio_double double_{transport_};
    backends::rio::system system_;
};

class real_world final : public sockets_world {
public:
    explicit real_world(const backends::rio::system& loaded) : system_(loaded) {
        system_.negative_errno = [](std::int32_t code) noexcept { return -code; };
    }
    const backends::rio::system& system() override { return system_; }
    rio_double* the_double() override { return nullptr; }

protected:
    SOCKET open(bool registered_io) override {
        return registered_io ? system_.open_socket()
                             : ::WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                            WSA_FLAG_OVERLAPPED);
    }
    void note(abi::socket, const char*) override {}

private:
    backends::rio::system system_;
};

}  // namespace

std::unique_ptr<world> make_winsock_world() { return std::make_unique<winsock_world>(); }

std::unique_ptr<world> make_real_world(std::string& why) {
    WSADATA about{};
    require(::WSAStartup(MAKEWORD(2, 2), &about) == 0, "WSAStartup");
    backends::rio::system loaded;
    if (!backends::rio::load(loaded, why)) return nullptr;
    return std::make_unique<real_world>(loaded);
}

}  // namespace ioring::rio_tests
