// SPDX-License-Identifier: MIT
// ring_sockets_linux_test.cpp - sockets, listeners and the ids of registered ones, on the kernel's
// io_uring.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>

#include "ring/ring_test_support.hpp"

namespace ioring::ring_tests {
namespace {

enum class op : std::uint8_t { accept, connect, send, recv, close, other };

// A listener and both ends of one connection to it.
class ring_sockets : public testing::Test {
protected:
    void SetUp() override {
        ours_ = make_ring({.sq_entries = 64, .connections_max = 8, .backend = "uring"});
        std::string why;
        ASSERT_FALSE(ours_.create_listener("127.0.0.1:0", {}, listener_, &why)) << why;
    }

    void TearDown() override {
        for (const fd each : opened_) (void)ours_.close_now(each);
    }

    struct pair {
        fd client;
        fd server;
    };

    pair connect_pair() {
        pair both;
        EXPECT_FALSE(ours_.open_socket(address_family::ipv4, both.client));
        EXPECT_NE(nullptr, ours_.prepare_accept(listener_, user_data{op::accept}));
        EXPECT_NE(nullptr, ours_.prepare_connect(both.client, listener_.local_endpoint(),
                                                 user_data{op::connect}));
        const std::vector<cqe> all = complete(ours_, 2);
        EXPECT_EQ(0, with_user_data(all, user_data{op::connect}).res);
        both.server = fd{with_user_data(all, user_data{op::accept}).res};
        EXPECT_TRUE(both.server.valid());
        opened_.push_back(both.client);
        opened_.push_back(both.server);
        return both;
    }

    int send(fd from, std::string_view text) {
        EXPECT_NE(nullptr, ours_.prepare_send(from, bytes_of(text), user_data{op::send}));
        return complete_one(ours_).res;
    }

    int recv(fd to, std::string& into) {
        EXPECT_NE(nullptr, ours_.prepare_recv(to, bytes_of(into), user_data{op::recv}));
        return complete_one(ours_).res;
    }

    ring ours_;
    listener listener_;
    std::vector<fd> opened_;
};

TEST_F(ring_sockets, connect_send_recv_and_the_end_of_stream) {
    const pair both = connect_pair();
    std::string into(16, '?');
    EXPECT_EQ(5, send(both.client, "hello"));
    EXPECT_EQ(5, recv(both.server, into));
    EXPECT_EQ("hello", into.substr(0, 5));
    EXPECT_EQ(0, ours_.shutdown_now(both.client, shutdown_how::write));
    EXPECT_EQ(0, recv(both.server, into));
    EXPECT_EQ(2, send(both.server, "ok"));
    EXPECT_EQ(2, recv(both.client, into));
}

TEST_F(ring_sockets, a_send_to_a_dead_peer_is_an_error_and_no_signal) {
    const pair both = connect_pair();
    ASSERT_EQ(0, ours_.shutdown_now(both.client, shutdown_how::both));
    EXPECT_EQ(-EPIPE, send(both.client, "x"));
}

TEST_F(ring_sockets, configure_socket_sets_options_and_names_bad_descriptors) {
    const pair both = connect_pair();
    EXPECT_FALSE(ours_.configure_socket(both.server, {.receive_buffer_bytes = 16'384}));
    EXPECT_EQ(std::errc::bad_file_descriptor, ours_.configure_socket(fd{-1}));
}

// Design section 5: a bad bind address silently means 0.0.0.0.
TEST_F(ring_sockets, a_malformed_address_is_an_error_and_never_any_address) {
    for (const char* const address : {"", ":80", "*:80", "localhost:80", "300.1.1.1:80", "1.2.3:80",
                                      "127.0.0.1", "127.0.0.1:", "127.0.0.1:66666", "[::1:80"}) {
        listener out;
        std::string why;
        EXPECT_EQ(std::errc::invalid_argument, ours_.create_listener(address, {}, out, &why))
            << address;
        EXPECT_FALSE(out.valid());
        EXPECT_NE("", why);
    }
}

TEST_F(ring_sockets, a_port_in_use_is_said_with_the_address) {
    listener out;
    std::string why;
    const std::string address = to_string(listener_.local_endpoint());
    EXPECT_EQ(std::errc::address_in_use, ours_.create_listener(address, {}, out, &why));
    EXPECT_NE(std::string::npos, why.find(address)) << why;
}

// Design section 5: IPv4 only.
TEST_F(ring_sockets, ipv6_and_local_listeners_accept) {
    const std::string file =
        (std::filesystem::temp_directory_path() / ("ioring_ring_test_" + std::to_string(getpid())))
            .string();
    for (const std::string& address : {std::string{"[::1]:0"}, "unix:" + file}) {
        listener other;
        std::string why;
        ASSERT_FALSE(ours_.create_listener(address, {}, other, &why)) << why;
        fd client;
        ASSERT_FALSE(ours_.open_socket(other.local_endpoint().family(), client));
        ASSERT_NE(nullptr, ours_.prepare_accept(other, 1));
        ASSERT_NE(nullptr, ours_.prepare_connect(client, other.local_endpoint(), 2));
        const std::vector<cqe> all = complete(ours_, 2);
        EXPECT_EQ(0, with_user_data(all, 2).res);
        EXPECT_LE(0, with_user_data(all, 1).res);
        EXPECT_EQ(0, ours_.close_now(client));
        EXPECT_EQ(0, ours_.close_now(fd{with_user_data(all, 1).res}));
    }
    EXPECT_FALSE(std::filesystem::exists(file));  // The listener has taken its file away.
}

TEST_F(ring_sockets, multishot_accept_goes_on_and_closing_the_listener_ends_it) {
    ASSERT_NE(nullptr, ours_.prepare_accept_multishot(listener_, user_data{op::accept}));
    for (int round = 0; round < 3; ++round) {
        fd client;
        ASSERT_FALSE(ours_.connect_now(std::array{listener_.local_endpoint()}, patience, client));
        const cqe done = complete_one(ours_);
        EXPECT_LE(0, done.res);
        EXPECT_TRUE(done.more());
        EXPECT_EQ(0, ours_.close_now(fd{done.res}));
        EXPECT_EQ(0, ours_.close_now(client));
    }
    const endpoint address = listener_.local_endpoint();
    ours_.close_listener(listener_);
    EXPECT_FALSE(listener_.valid());
    const cqe last = complete_one(ours_);
    EXPECT_EQ(-ECANCELED, last.res);
    EXPECT_FALSE(last.more());
    // io_uring alone would keep on accepting: the armed operation holds the socket.
    fd client;
    EXPECT_EQ(std::errc::connection_refused,
              ours_.connect_now(std::array{address}, patience, client));
    EXPECT_EQ(0U, ours_.in_flight());
}

TEST_F(ring_sockets, connect_now_tries_every_address_and_tells_of_each) {
    listener closed;
    ASSERT_FALSE(ours_.create_listener("127.0.0.1:0", {}, closed));
    const endpoint nobody = closed.local_endpoint();
    closed.close();
    fd client;
    endpoint which;
    ASSERT_FALSE(ours_.connect_now(std::array{nobody, listener_.local_endpoint()}, patience, client,
                                   &which));
    EXPECT_EQ(listener_.local_endpoint(), which);
    EXPECT_EQ(0, ours_.close_now(client));
    std::string why;
    EXPECT_EQ(std::errc::connection_refused,
              ours_.connect_now(std::array{nobody}, patience, client, nullptr, &why));
    EXPECT_NE(std::string::npos, why.find(to_string(nobody))) << why;
}

TEST_F(ring_sockets, prepare_close_cancels_what_is_in_flight_and_sends_the_fin) {
    const pair both = connect_pair();
    std::string into(16, '?');
    ASSERT_NE(nullptr, ours_.prepare_recv(both.server, bytes_of(into), user_data{op::recv}));
    ASSERT_EQ(1, ours_.submit());
    ASSERT_NE(nullptr, ours_.prepare_close(both.server, user_data{op::close}));
    const std::vector<cqe> all = complete(ours_, 2);
    EXPECT_EQ(-ECANCELED, with_user_data(all, user_data{op::recv}).res);
    EXPECT_EQ(0, with_user_data(all, user_data{op::close}).res);
    EXPECT_EQ(0, recv(both.client, into));  // The peer sees the end.
    opened_.pop_back();
    EXPECT_EQ(0U, ours_.in_flight());
}

TEST_F(ring_sockets, prepare_close_is_two_entries_or_none) {
    const pair both = connect_pair();
    while (ours_.submission_queue_space() > 1) ASSERT_NE(nullptr, ours_.prepare_nop(1));
    EXPECT_EQ(nullptr, ours_.prepare_close(both.server, user_data{op::close}));
    EXPECT_EQ(1U, ours_.submission_queue_space());
    EXPECT_EQ(5, [&] {
        (void)ours_.submit();
        ours_.advance_completion_queue(ours_.completion_queue_count());
        return send(both.client, "still");
    }());
}

// Design section 5: stale connection ids reach a recycled descriptor.
TEST_F(ring_sockets, a_stale_connection_id_reaches_nobody_else) {
    const pair both = connect_pair();
    std::string memory(4096, 'm');
    buffer_id buffer{};
    ASSERT_FALSE(ours_.register_buffer(bytes_of(memory), buffer));
    connection_id first;
    ASSERT_FALSE(ours_.register_socket(both.client, first));
    EXPECT_EQ(both.client, ours_.socket_of(first));
    ASSERT_FALSE(ours_.unregister_socket(first));
    EXPECT_EQ(std::errc::invalid_argument, ours_.unregister_socket(first));
    connection_id second;
    ASSERT_FALSE(ours_.register_socket(both.client, second));
    EXPECT_EQ(first.slot, second.slot);
    EXPECT_NE(first, second);

    ASSERT_NE(nullptr, ours_.prepare_send_buffer(first, buffer, 0, 1, 1));
    EXPECT_EQ(-EBADF, complete_one(ours_).res);
    ASSERT_NE(nullptr, ours_.prepare_recv_buffer(connection_id{}, buffer, 0, 1, 1));
    EXPECT_EQ(-EBADF, complete_one(ours_).res);
    ASSERT_NE(nullptr, ours_.prepare_recv_buffer({.slot = 9999, .generation = 1}, buffer, 0, 1, 1));
    EXPECT_EQ(-EBADF, complete_one(ours_).res);
    ASSERT_NE(nullptr, ours_.prepare_send_buffer(second, buffer, 0, 1, 1));
    EXPECT_EQ(1, complete_one(ours_).res);
}

TEST_F(ring_sockets, registers_as_many_sockets_as_were_asked_for_and_no_more) {
    std::vector<connection_id> all(8);
    for (connection_id& each : all) ASSERT_FALSE(ours_.register_socket(listener_, each));
    connection_id more;
    EXPECT_EQ(std::errc::no_buffer_space, ours_.register_socket(listener_, more));
    EXPECT_EQ(std::errc::bad_file_descriptor, ours_.register_socket(fd{}, more));
    for (const connection_id each : all) EXPECT_FALSE(ours_.unregister_socket(each));
    EXPECT_FALSE(ours_.register_socket(listener_, more));
}

TEST_F(ring_sockets, registered_buffers_move_bytes_and_check_every_range) {
    const pair both = connect_pair();
    connection_id client;
    connection_id server;
    ASSERT_FALSE(ours_.register_socket(both.client, client));
    ASSERT_FALSE(ours_.register_socket(both.server, server));
    std::string memory = "0123456789abcdef";
    std::array<buffer_id, 2> halves{};
    ASSERT_FALSE(ours_.register_buffers(bytes_of(memory), halves));

    ASSERT_NE(nullptr, ours_.prepare_send_buffer(client, halves[0], 4, 4, 1));
    EXPECT_EQ(4, complete_one(ours_).res);
    ASSERT_NE(nullptr, ours_.prepare_recv_buffer(server, halves[1], 2, 6, 2));
    EXPECT_EQ(4, complete_one(ours_).res);
    EXPECT_EQ(
        "0123456789"
        "4567"
        "ef",
        memory);

    struct bad {
        std::uint64_t offset;
        std::uint32_t bytes;
    };
    const bad all[] = {{0, 9}, {8, 1}, {7, 2}, {0, 0}, {~std::uint64_t{0}, 2}, {1U << 31U, 1}};
    for (const bad each : all) {
        ASSERT_NE(nullptr,
                  ours_.prepare_send_buffer(client, halves[0], each.offset, each.bytes, 3));
        EXPECT_EQ(-EFAULT, complete_one(ours_).res) << each.offset << '+' << each.bytes;
        ASSERT_NE(nullptr,
                  ours_.prepare_recv_buffer(server, halves[0], each.offset, each.bytes, 3));
        EXPECT_EQ(-EFAULT, complete_one(ours_).res) << each.offset << '+' << each.bytes;
    }
    ASSERT_FALSE(ours_.unregister_buffer(halves[0]));
    EXPECT_EQ(std::errc::invalid_argument, ours_.unregister_buffer(halves[0]));
    EXPECT_EQ(std::errc::invalid_argument, ours_.unregister_buffer(buffer_id::invalid));
    ASSERT_NE(nullptr, ours_.prepare_send_buffer(client, halves[0], 0, 1, 4));
    EXPECT_EQ(-EFAULT, complete_one(ours_).res);
    ASSERT_NE(nullptr, ours_.prepare_send_buffer(client, halves[1], 0, 1, 4));
    EXPECT_EQ(1, complete_one(ours_).res);
}

// Design section 5: a buffer id cut to 16 bits, a pool that dies at the 2049th buffer.
TEST_F(ring_sockets, more_than_65536_buffers_each_have_an_id_of_their_own) {
    constexpr std::size_t count = 70'000;
    std::string memory(count, ' ');
    std::vector<buffer_id> all(count);
    ASSERT_FALSE(ours_.register_buffers(bytes_of(memory), all));
    EXPECT_EQ(count, (std::set<buffer_id>{all.begin(), all.end()}.size()));
    const pair both = connect_pair();
    connection_id client;
    ASSERT_FALSE(ours_.register_socket(both.client, client));
    memory[69'999] = 'L';
    memory[69'999 - 65'536] = 'W';
    ASSERT_NE(nullptr, ours_.prepare_send_buffer(client, all.back(), 0, 1, 1));
    EXPECT_EQ(1, complete_one(ours_).res);
    std::string into(4, '?');
    EXPECT_EQ(1, recv(both.server, into));
    EXPECT_EQ('L', into.front());
    for (const buffer_id each : all) ASSERT_FALSE(ours_.unregister_buffer(each));
}

TEST_F(ring_sockets, memory_that_does_not_divide_is_refused) {
    std::string memory(10, ' ');
    std::array<buffer_id, 3> three{};
    EXPECT_EQ(std::errc::invalid_argument, ours_.register_buffers(bytes_of(memory), three));
    buffer_id one{};
    EXPECT_EQ(std::errc::invalid_argument, ours_.register_buffer({}, one));
}

TEST_F(ring_sockets, a_zero_copy_send_moves_the_bytes_and_tells_when_they_are_free) {
    const pair both = connect_pair();
    connection_id client;
    ASSERT_FALSE(ours_.register_socket(both.client, client));
    std::string memory(8192, 'z');
    buffer_id buffer{};
    ASSERT_FALSE(ours_.register_buffer(bytes_of(memory), buffer));
    ASSERT_NE(nullptr, ours_.prepare_send_buffer_zc(client, buffer, 100, 1000, 1));
    EXPECT_STREQ("buffers are pinned for send_zc", ours_.backend_info().registration);
    const cqe result = complete_one(ours_);
    EXPECT_EQ(1000, result.res);
    ASSERT_TRUE(result.more());
    const cqe notification = complete_one(ours_);
    EXPECT_NE(0U, notification.flags & cqe_flag::notification);
    EXPECT_FALSE(notification.more());
    std::string into(2000, '?');
    EXPECT_EQ(1000, recv(both.server, into));
    EXPECT_EQ(std::string(1000, 'z'), into.substr(0, 1000));
    ASSERT_FALSE(ours_.unregister_buffer(buffer));
    ASSERT_NE(nullptr, ours_.prepare_send_buffer_zc(client, buffer, 0, 1, 2));
    EXPECT_EQ(-EFAULT, complete_one(ours_).res);
    EXPECT_EQ(0U, ours_.in_flight());
}

TEST_F(ring_sockets, short_transfers_are_counted) {
    cqe done{.res = 3};
    EXPECT_FALSE(ours_.transferred_all(done, 4));
    EXPECT_TRUE(ours_.transferred_all(done, 3));
    done.res = -EPIPE;
    EXPECT_FALSE(ours_.transferred_all(done, 4));
    EXPECT_EQ(1U, ours_.counters().short_transfers);
}

TEST_F(ring_sockets, a_message_reaches_another_ring) {
    ring other = make_ring({.sq_entries = 8, .connections_max = 1, .backend = "uring"});
    ASSERT_EQ(0, other.submit());
    ASSERT_NE(nullptr, ours_.prepare_msg_ring(other, 77, /*target_user_data=*/5, /*user_data=*/6));
    EXPECT_EQ(0, complete_one(ours_).res);
    const cqe message = complete_one(other);
    EXPECT_EQ(77, message.res);
    EXPECT_EQ(5U, message.user_data);
    ASSERT_NE(nullptr, ours_.prepare_msg_ring(ring{}, 1, 2, 3));
    EXPECT_GT(0, complete_one(ours_).res);
}

}  // namespace
}  // namespace ioring::ring_tests
