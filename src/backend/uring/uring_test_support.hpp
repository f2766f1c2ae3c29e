// SPDX-License-Identifier: MIT
// uring_test_support.hpp - rings on older kernels, children, and what a process has open.
#pragma once

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "backend/backend_test_support.hpp"
#include "backend/uring/old_kernels_test_support.hpp"
#include "backend/uring/uring.hpp"
#include "backend/uring/uring_backend.hpp"

namespace ioring::backends::uring {

inline constexpr backend_options small_ring{.sq_entries = 8, .cq_entries = 16};

// A test that runs on every one of them.
class each_kernel : public testing::TestWithParam<old_kernel> {
protected:
    [[nodiscard]] static program make(const backend_options& options = small_ring) {
        return program{set_up_with(set_up_masked, options, GetParam().mask)};
    }
};

inline std::string kernel_name(const testing::TestParamInfo<old_kernel>& info) {
    return info.param.name;
}

[[nodiscard]] inline program make_program(const backend_options& options = small_ring) {
    return program{set_up_with(set_up, options)};
}

[[nodiscard]] inline uring_backend& uring_of(const program& of) {
    return static_cast<uring_backend&>(*of);
}

inline std::size_t open_descriptors() {
    using iterator = std::filesystem::directory_iterator;
    // Without the iterator's own.
    return static_cast<std::size_t>(std::distance(iterator{"/proc/self/fd"}, iterator{})) - 1;
}

// Mappings of rings. The rest of a process's mappings comes and goes with its heap.
inline std::size_t ring_mappings() {
    std::ifstream maps{"/proc/self/maps"};
    std::size_t count = 0;
    for (std::string line; std::getline(maps, line);) {
        if (line.find("io_uring") != std::string::npos) ++count;
    }
    return count;
}

struct child_result {
    int status = -1;   // What the child returned, or -1 when it crashed or hung.
    std::string text;  // What it wrote.
};

// Runs `body` in a forked child. What it throws away there does not touch the test.
inline child_result in_child(const std::function<int(std::string& text)>& body) {
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) return {};
    const pid_t child = ::fork();
    if (child == 0) {
        ::alarm(30);
        std::string text;
        const int status = body(text);
        const auto written = ::write(pipe[1], text.data(), text.size());
        ::_exit(written == static_cast<ssize_t>(text.size()) ? status : 125);
    }
    ::close(pipe[1]);
    child_result result;
    std::array<char, 512> chunk{};
    for (ssize_t got = 0; (got = ::read(pipe[0], chunk.data(), chunk.size())) > 0;) {
        result.text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    ::close(pipe[0]);
    int status = 0;
    if (child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status)) {
        result.status = WEXITSTATUS(status);
    }
    return result;
}

// From now on this process's io_uring_setup(), or another call, is refused with `error`, as by a
// container.
inline bool forbid_io_uring(std::uint32_t error, long call = call_setup) {
    std::array filter{
        sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program_of_filter{filter.size(), filter.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program_of_filter) == 0;
}

// From now on the sysctl kernel.io_uring_disabled reads as `value` for this process alone; the real
// one is the whole machine's. False where mounts are forbidden.
inline bool show_disabled_sysctl(char value) {
    if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    const std::string path = (std::filesystem::temp_directory_path() /
                              ("io_uring_disabled." + std::to_string(::getpid())))
                                 .string();
    std::ofstream{path} << value << '\n';
    const bool shown =
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount(path.c_str(), "/proc/sys/kernel/io_uring_disabled", nullptr, MS_BIND, nullptr) == 0;
    std::filesystem::remove(path);
    return shown;
}

}  // namespace ioring::backends::uring
