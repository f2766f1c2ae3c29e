// SPDX-License-Identifier: MIT
// endpoint.hpp - the address of a socket, how to write one, and how to ask for one by name.
//
// An endpoint is a plain value that holds the operating system's own address structure, so it can
// be handed to SQEs (`data()`, `size()`) and filled by the system (`data()`, `capacity`,
// `resize()`).
//
// Threads: values without shared state; every function may be called from any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

namespace ioring {

// What kind of address.
enum class address_family : std::uint8_t {
    unspecified,  // None, or one that is not listed here.
    ipv4,         // 32 bits and a port.
    ipv6,         // 128 bits, a port, perhaps a zone.
    local,        // A Unix-domain path or name.
};

// An address, or none: 128 bytes and their size.
class endpoint {
public:
    // Bytes for the system's address structure: enough for every family that any system has.
    static constexpr std::size_t capacity = 128;

    // No address at all: size() is 0, the family is unspecified.
    endpoint() noexcept = default;

    // Makes `out` the address that `text` writes:
    //   127.0.0.1:5000         IPv4; all of it, numbers without leading zeros
    //   [::1]:5000             IPv6, in brackets
    //   [fe80::1%eth0]:5000    a link-local one with its zone, an interface's name or number
    //   unix:/run/echo.sock    a local (Unix-domain) stream socket, by the path of its file
    //   unix:@echo             one of Linux's abstract names, which have no file
    // Port 0 means a free one, for listeners. A local path has at most 107 bytes (Darwin, BSD:
    // 103).
    //
    // Nothing is guessed: no names, no `*`, no missing host or port. Never blocks.
    // Errors: invalid_argument for all that is not written so; `out` is then unchanged and `why`,
    // when given, is a sentence that quotes the text and says what is wrong with it.
    [[nodiscard]] static std::error_code parse(std::string_view text, endpoint& out,
                                               std::string* why = nullptr) noexcept;

    // Its kind; unspecified also for what this class does not know or what is cut short.
    [[nodiscard]] address_family family() const noexcept;
    // The port in host order; 0 for families that have none.
    [[nodiscard]] std::uint16_t port() const noexcept;

    // The system's structure (`sockaddr`), `capacity` bytes of which size() are in use.
    [[nodiscard]] const void* data() const noexcept { return storage_.data(); }
    [[nodiscard]] void* data() noexcept { return storage_.data(); }
    // Bytes in use; 0: no address.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // Says how many bytes the system filled. A system reports a greater size than it was given room
    // for when it had to cut the address; it becomes `capacity`.
    void resize(std::size_t bytes) noexcept {
        size_ = static_cast<std::uint32_t>(bytes < capacity ? bytes : capacity);
    }

    // Whether both name the same place: padding and flow labels do not count.
    friend bool operator==(const endpoint& left, const endpoint& right) noexcept;

private:
    alignas(8) std::array<std::byte, capacity> storage_{};
    std::uint32_t size_ = 0;
};

// As parse() reads it. What parse() does not write reads `unspecified` (no address), `unix:` (a
// local socket without a name, such as a client's). A zone is written by name where the interface
// exists.
[[nodiscard]] std::string to_string(const endpoint& address);

// Why a name has no address, in the same numbers on every system. Compares equal to the std::errc
// named beside it.
enum class resolve_errc : int {
    host_not_found = 1,    // The name exists nowhere, or has no address.
    try_again,             // resource_unavailable_try_again: no server answered in time.
    server_failure,        // The name server refused or failed.
    no_address_of_family,  // address_family_not_supported
    failed,                // Anything else; the text says what the system said.
};

// The category of resolve_errc, "ioring.resolve"; its texts are sentences.
[[nodiscard]] const std::error_category& resolve_category() noexcept;

// So that a resolve_errc is a std::error_code.
[[nodiscard]] inline std::error_code make_error_code(resolve_errc code) noexcept {
    return {static_cast<int>(code), resolve_category()};
}

// Makes `out` the addresses of `host`, each with `port`: all of them, IPv4 and IPv6, in the order
// in which the system says they should be tried, none twice. `host` is a name ("localhost"), or a
// numeric address ("127.0.0.1", "::1", "[::1]", "fe80::1%eth0").
//
// Blocks for a name, perhaps for many seconds: it is getaddrinfo(), which may ask servers over the
// network and has no time-out of ours. Do not call it on a ring's thread while that ring has work.
// A numeric host never blocks.
//
// Errors: invalid_argument for what is neither a name nor a numeric address (an almost-address such
// as "127.1" is not looked up), resolve_errc, not_enough_memory, or the system's own. `out` is then
// unchanged and `why`, when given, is a sentence that quotes the host.
[[nodiscard]] std::error_code resolve(std::string_view host, std::uint16_t port,
                                      std::vector<endpoint>& out,
                                      std::string* why = nullptr) noexcept;

// How a listener is made. Every default is the same on every system.
struct listen_options {
    // Connections that wait to be accepted, 1 or more. The system silently takes its own limit for
    // a greater one (Linux: net.core.somaxconn, 4096; Darwin, BSD: kern.ipc.somaxconn, 128).
    int backlog = 4096;
    // Lets a restarted program listen at once on the port it had, although connections of its
    // previous life linger; never lets two programs have one address and port. POSIX: SO_REUSEADDR.
    // Windows, where that would let them: SO_EXCLUSIVEADDRUSE, whichever value this has. Nothing
    // for local sockets.
    bool reuse_address = true;
    // Lets several listeners that all say so share one port (SO_REUSEPORT). Linux spreads
    // connections over them, Darwin and BSD may give all to one. Not supported for local sockets
    // and by Windows.
    bool reuse_port = false;
    // For an IPv6 address: also accept IPv4, whose peers appear as ::ffff:a.b.c.d. The system's own
    // default is never used: without this, IPv6 means IPv6 only. For any other family it is an
    // error.
    bool dual_stack = false;
    // TCP_NODELAY, set on the listener once and inherited by what it accepts.
    bool no_delay = true;
    // Sizes of the kernel's socket buffers, inherited likewise; 0 leaves them to the system, which
    // then adapts them. Linux doubles the number and cuts it to net.core.rmem_max and wmem_max.
    int receive_buffer_bytes = 0;
    int send_buffer_bytes = 0;  // Likewise.
    // For a local socket's path: when the file is a socket on which nobody listens (its program
    // died), remove it and listen. A socket in use, or any other file, is never touched.
    bool unlink_existing = false;
};

// How a connected stream socket is set up. The same defaults as listen_options.
struct stream_options {
    bool no_delay = true;          // TCP_NODELAY; nothing for local sockets.
    int receive_buffer_bytes = 0;  // 0: left to the system.
    int send_buffer_bytes = 0;     // 0: left to the system.
};

}  // namespace ioring

template <>
struct std::is_error_code_enum<ioring::resolve_errc> : std::true_type {};
