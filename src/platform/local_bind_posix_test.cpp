// SPDX-License-Identifier: MIT
// local_bind_posix_test.cpp - a stale socket file is taken over, and nothing else ever is.
#include "platform/local_bind.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <fstream>
#include <thread>
#include <vector>

#include "platform/sockaddr.hpp"
#include "platform/test_support.hpp"

namespace ioring::platform {
namespace {

using testing::accept_one;
using testing::echoes;
using testing::open_descriptors;
using testing::temporary_folder;

constexpr listen_options take_over{.unlink_existing = true};

class local_file : public ::testing::Test {
protected:
    std::error_code listen(const listen_options& options, descriptor_guard& out) {
        endpoint local;
        return open_listener(address_, options, out.slot(), local, &why_);
    }

    // A socket file whose program is gone.
    void leave_stale() {
        descriptor_guard socket;
        ASSERT_FALSE(listen({}, socket));
    }

    bool answers(int listener) {
        descriptor_guard client;
        descriptor_guard server;
        return !connect_blocking(address_, testing::patience, client.slot(), nullptr) &&
               accept_one(listener, server) && echoes(client.get(), server.get());
    }

    temporary_folder folder_;
    endpoint address_ = folder_.local("s");
    std::string why_;
};

TEST_F(local_file, that_is_stale_is_in_use_unless_it_may_be_removed) {
    leave_stale();
    descriptor_guard socket;
    EXPECT_EQ(std::errc::address_in_use, listen({}, socket));
    EXPECT_NE(std::string::npos, why_.find("remove the file")) << why_;
    EXPECT_FALSE(listen(take_over, socket)) << why_;
    EXPECT_TRUE(answers(socket.get()));
}

TEST_F(local_file, that_somebody_listens_on_is_left_to_them) {
    descriptor_guard first;
    ASSERT_FALSE(listen({}, first));
    descriptor_guard second;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, second));
    EXPECT_TRUE(answers(first.get()));
}

TEST_F(local_file, whose_socket_does_not_listen_yet_is_left_to_them) {
    descriptor_guard bound;
    ASSERT_FALSE(open_stream(address_family::local, bound.slot()));
    ASSERT_EQ(0, ::bind(bound.get(), as_sockaddr(address_), as_socklen(address_)));
    descriptor_guard second;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, second));
    ASSERT_EQ(0, ::listen(bound.get(), 16));
    EXPECT_TRUE(answers(bound.get()));
}

TEST_F(local_file, whose_listener_has_a_full_backlog_is_left_to_them) {
    descriptor_guard busy;
    ASSERT_FALSE(listen({.backlog = 1}, busy));
    std::vector<std::unique_ptr<descriptor_guard>> clients;
    // Until the listener takes no more: the next one would block.
    for (int client = 0; client < 16; ++client) {
        auto& socket = *clients.emplace_back(std::make_unique<descriptor_guard>());
        ASSERT_FALSE(open_stream(address_family::local, socket.slot(), /*nonblocking=*/true));
        if (::connect(socket.get(), as_sockaddr(address_), as_socklen(address_)) != 0) break;
    }
    descriptor_guard second;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, second));
    EXPECT_EQ(0, ::access(folder_.path("s").c_str(), F_OK));
}

TEST_F(local_file, that_is_no_socket_is_never_removed) {
    std::ofstream{folder_.path("s")} << "precious";
    descriptor_guard socket;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, socket));
    std::string content;
    std::ifstream{folder_.path("s")} >> content;
    EXPECT_EQ("precious", content);
}

TEST_F(local_file, that_is_a_link_is_never_removed_nor_what_it_points_to) {
    leave_stale();
    ASSERT_EQ(0, ::symlink(folder_.path("s").c_str(), folder_.path("link").c_str()));
    address_ = folder_.local("link");
    descriptor_guard socket;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, socket));
    EXPECT_EQ(0, ::access(folder_.path("link").c_str(), F_OK));
}

TEST_F(local_file, of_a_datagram_socket_is_never_removed) {
    const descriptor_guard datagram{::socket(AF_UNIX, SOCK_DGRAM, 0)};
    ASSERT_EQ(0, ::bind(datagram.get(), as_sockaddr(address_), as_socklen(address_)));
    descriptor_guard socket;
    EXPECT_EQ(std::errc::address_in_use, listen(take_over, socket));
    EXPECT_EQ(0, ::access(folder_.path("s").c_str(), F_OK));
}

TEST_F(local_file, that_does_not_exist_needs_no_removing) {
    descriptor_guard socket;
    const int before = open_descriptors();
    EXPECT_FALSE(listen(take_over, socket)) << why_;
    EXPECT_EQ(before + 1, open_descriptors());  // The folder's lock is let go.
    EXPECT_TRUE(answers(socket.get()));
}

TEST_F(local_file, in_a_folder_that_another_starter_keeps_locked_is_busy) {
    const descriptor_guard other{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY)};
    ASSERT_EQ(0, ::flock(other.get(), LOCK_EX));
    leave_stale();  // What needs no removing needs no lock.
    descriptor_guard socket;
    EXPECT_EQ(std::errc::device_or_resource_busy, listen(take_over, socket));
    EXPECT_NE(std::string::npos, why_.find("try again")) << why_;
    ASSERT_EQ(0, ::flock(other.get(), LOCK_UN));
    EXPECT_FALSE(listen(take_over, socket)) << why_;
}

TEST_F(local_file, that_many_threads_take_over_at_once_goes_to_one_that_answers) {
    constexpr int rounds = 100;
    constexpr std::size_t starters = 4;
    for (int round = 0; round < rounds; ++round) {
        ::unlink(folder_.path("s").c_str());
        leave_stale();
        std::vector<descriptor_guard> sockets(starters);
        std::vector<std::thread> threads;
        std::atomic<int> winners{0};
        std::atomic<std::size_t> ready{0};
        for (descriptor_guard& socket : sockets) {
            threads.emplace_back([&] {
                endpoint local;
                ++ready;
                while (ready < starters) std::this_thread::yield();
                if (!open_listener(address_, take_over, socket.slot(), local, nullptr)) ++winners;
            });
        }
        for (std::thread& thread : threads) thread.join();
        ASSERT_EQ(1, winners) << "round " << round;
        for (const descriptor_guard& socket : sockets) {
            if (socket.get() >= 0) {
                ASSERT_TRUE(answers(socket.get()));
            }
        }
    }
}

}  // namespace
}  // namespace ioring::platform
