// SPDX-License-Identifier: MIT
// test_support_posix_test.cpp - children, descriptors and folders of tests, and that they help.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "platform/test_support.hpp"

namespace ioring::platform::testing {
namespace {

constexpr unsigned nobody = 65'534;
constexpr int descriptors_looked_at = 1024;

bool moves_one_byte(int from, int to) {
    return ::send(from, "x", 1, MSG_NOSIGNAL) == 1 && receive_one(to) == 1;
}

}  // namespace

int open_descriptors() {
    int open = 0;
    for (int descriptor = 0; descriptor < descriptors_looked_at; ++descriptor) {
        if (::fcntl(descriptor, F_GETFD) != -1) ++open;
    }
    return open;
}

int run_in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(static_cast<unsigned>(patience.count()));
        ::_exit(body());
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void become_nobody() {
    if (::geteuid() != 0) return;
    if (::setgid(nobody) != 0 || ::setuid(nobody) != 0) ::_exit(101);
}

void use_up_descriptors() {
    const int lowest_free = ::dup(0);
    if (lowest_free < 0) return;
    ::close(lowest_free);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = static_cast<rlim_t>(lowest_free);
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

temporary_folder::temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ioring-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::path(std::string_view file) const {
    return path_ + '/' + std::string{file};
}

endpoint temporary_folder::local(std::string_view file) const {
    return address_of("unix:" + path(file));
}

bool becomes_readable(int descriptor) {
    pollfd entry{};
    entry.fd = descriptor;
    entry.events = POLLIN;
    const auto wait = std::chrono::milliseconds{patience}.count();
    return ::poll(&entry, 1, static_cast<int>(wait)) == 1;
}

bool accept_one(int listener, descriptor_guard& out, endpoint* peer) {
    return becomes_readable(listener) && !accept_stream(listener, out.slot(), peer);
}

int receive_one(int socket) {
    char byte = 0;
    return becomes_readable(socket) ? static_cast<int>(::recv(socket, &byte, 1, 0)) : -2;
}

bool echoes(int left, int right) {
    return moves_one_byte(left, right) && moves_one_byte(right, left);
}

namespace {

TEST(test_support, a_child_reports_its_result_and_its_death) {
    EXPECT_EQ(0, run_in_child([] { return 0; }));
    EXPECT_EQ(7, run_in_child([] { return 7; }));
    EXPECT_EQ(128 + SIGKILL, run_in_child([] { return ::raise(SIGKILL); }));
}

TEST(test_support, an_open_descriptor_is_counted) {
    const int before = open_descriptors();
    const descriptor_guard one{::dup(0)};
    ASSERT_LE(0, one.get());
    EXPECT_EQ(before + 1, open_descriptors());
}

TEST(test_support, used_up_descriptors_are_used_up) {
    EXPECT_EQ(0, run_in_child([] {
                  use_up_descriptors();
                  return ::dup(0) == -1 && errno == EMFILE ? 0 : 1;
              }));
}

}  // namespace
}  // namespace ioring::platform::testing
