// SPDX-License-Identifier: MIT
// main.cpp - `differential --one uring --other epoll --programs N`: runs random programs on both.
//
// Each worker is a process of its own with every J-th seed, so that a crash names its program. Exit
// status: 0 no divergence, 1 some, 2 wrong arguments, 77 a backend that this machine does not have.
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "differential/pair.hpp"

namespace ioring::differential {
namespace {

constexpr std::size_t jobs_max = 64;
constexpr std::size_t lengths_max = 128;
constexpr unsigned stuck_s = 60;

struct settings {
    std::string_view one = "uring";
    std::string_view other = "epoll";
    std::uint64_t seed = 1;
    std::uint64_t programs = 1000;
    std::uint64_t jobs = 1;
    std::uint64_t findings_max = 3;
    bool table = false;
    bool show = false;  // Print the program of `seed` and what both did, whether it differs or not.
    bool shrink = true;
    bool strict_coverage = false;
};

struct shared_state {
    coverage counts;
    std::array<std::atomic<std::uint64_t>, jobs_max> current;     // The seed each worker is at.
    std::array<std::atomic<std::uint64_t>, lengths_max> lengths;  // Programs by operations.
    std::atomic<std::uint64_t> connections[16];
    std::atomic<std::uint64_t> done;
    std::atomic<std::uint64_t> findings;
};

shared_state& share() {
    void* const memory = ::mmap(nullptr, sizeof(shared_state), PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return *new (memory) shared_state;
}

void tell(const settings& with, std::uint64_t seed, backend_pair& pair, const program& found) {
    // What does not differ every time is told as it is: it is a finding too.
    const std::string first = pair.last_report();
    bool again = false;
    for (int attempt = 0; attempt < 3 && !again; ++attempt) again = pair.run(found).has_value();
    const program smallest = again && with.shrink ? pair.shrink(found) : found;
    std::string text;
    for (int attempt = 0; attempt < 20 && text.empty(); ++attempt) text = pair.explain(smallest);
    if (text.empty()) text = first + "  which is, when it goes well:\n" + pair.show(found);
    std::printf("DIVERGENCE of %.*s and %.*s at seed %llu%s\n%s\n",
                static_cast<int>(with.one.size()), with.one.data(),
                static_cast<int>(with.other.size()), with.other.data(),
                static_cast<unsigned long long>(seed), again ? "" : ", which was not repeatable",
                text.c_str());
    std::fflush(stdout);
}

int work(const settings& with, std::uint64_t worker, shared_state& shared) {
    backend_pair pair;
    std::string why;
    if (!pair.set_up(with.one, with.other, why)) return 2;
    for (std::uint64_t seed = with.seed + worker; seed < with.seed + with.programs;
         seed += with.jobs) {
        if (shared.findings.load() >= with.findings_max) break;
        shared.current[worker].store(seed);
        ::alarm(stuck_s);
        const program made = generate(seed);
        const auto found = pair.run(made, &shared.counts);
        ++shared.lengths[std::min<std::size_t>(pair.operations(), lengths_max - 1)];
        ++shared.connections[std::min<std::size_t>(made.connections.size(), 15)];
        ++shared.done;
        if (!found) continue;
        ++shared.findings;
        ::alarm(0);
        tell(with, seed, pair, made);
    }
    return 0;
}

// The middle of a histogram.
template <class Counts>
std::size_t median_of(const Counts& counts) {
    std::uint64_t total = 0;
    for (const auto& each : counts) total += each.load();
    std::uint64_t below = 0;
    std::size_t index = 0;
    for (const auto& each : counts) {
        below += each.load();
        if (below * 2 > total) return index;
        ++index;
    }
    return 0;
}

// Of the workers that have ended.
double cpu_seconds() {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval& of) {
        return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) * 1e-6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int show(const settings& with) {
    backend_pair pair;
    std::string why;
    if (!pair.set_up(with.one, with.other, why)) {
        std::printf("skipped: %s\n", why.c_str());
        return 77;
    }
    std::printf("%s", pair.show(generate(with.seed)).c_str());
    return 0;
}

int sweep(const settings& with) {
    backend_pair probe;
    std::string why;
    if (!probe.set_up(with.one, with.other, why)) {
        std::printf("skipped: %s\n", why.c_str());
        return 77;
    }
    shared_state& shared = share();
    const auto started = std::chrono::steady_clock::now();
    std::vector<pid_t> workers;
    for (std::uint64_t worker = 0; worker < with.jobs; ++worker) {
        const pid_t child = ::fork();
        if (child == 0) std::_Exit(work(with, worker, shared));
        workers.push_back(child);
    }
    bool broken = false;
    for (std::size_t worker = 0; worker < workers.size(); ++worker) {
        int status = 0;
        ::waitpid(workers[worker], &status, 0);
        if (status == 0) continue;
        broken = true;
        std::printf(
            "CRASH, or no end within %u s, at seed %llu (status %d): repeat it with "
            "--seed %llu --programs 1\n",
            stuck_s, static_cast<unsigned long long>(shared.current[worker].load()), status,
            static_cast<unsigned long long>(shared.current[worker].load()));
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    if (with.table) std::printf("%s", shared.counts.report().c_str());
    const std::uint64_t findings = shared.findings.load();
    std::printf(
        "%.*s against %.*s: %llu programs from seed %llu, median %zu operations over %zu "
        "connections, %.1f s (%.0f/s, %.2f ms of CPU each): %llu divergences%s\n",
        static_cast<int>(with.one.size()), with.one.data(), static_cast<int>(with.other.size()),
        with.other.data(), static_cast<unsigned long long>(shared.done.load()),
        static_cast<unsigned long long>(with.seed), median_of(shared.lengths),
        median_of(shared.connections), took.count(),
        static_cast<double>(shared.done.load()) / took.count(),
        cpu_seconds() * 1e3 / static_cast<double>(std::max<std::uint64_t>(shared.done.load(), 1)),
        static_cast<unsigned long long>(findings), broken ? " and a crash" : "");
    if (with.strict_coverage && shared.counts.unreached() > 0) broken = true;
    return findings == 0 && !broken ? 0 : 1;
}

bool parse_number(std::string_view text, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

bool parse(int count, char** arguments, settings& out) {
    for (int index = 1; index < count; ++index) {
        const std::string_view name = arguments[index];
        if (name == "--table") {
            out.table = true;
            continue;
        }
        if (name == "--no-shrink") {
            out.shrink = false;
            continue;
        }
        if (name == "--show") {
            out.show = true;
            continue;
        }
        if (name == "--strict-coverage") {
            out.strict_coverage = true;
            continue;
        }
        if (++index >= count) return false;
        const std::string_view value = arguments[index];
        bool known = true;
        if (name == "--one")
            out.one = value;
        else if (name == "--other")
            out.other = value;
        else if (name == "--seed")
            known = parse_number(value, out.seed);
        else if (name == "--programs")
            known = parse_number(value, out.programs);
        else if (name == "--jobs")
            known = parse_number(value, out.jobs);
        else if (name == "--findings")
            known = parse_number(value, out.findings_max);
        else
            known = false;
        if (!known) return false;
    }
    return out.jobs >= 1 && out.jobs <= jobs_max;
}

}  // namespace
}  // namespace ioring::differential

int main(int count, char** arguments) {
    ioring::differential::settings with;
    if (!ioring::differential::parse(count, arguments, with)) {
        std::fputs(
            "usage: differential [--one BACKEND] [--other BACKEND] [--seed S] [--programs N]\n"
            "         [--jobs J] [--findings F] [--table] [--no-shrink] [--strict-coverage] "
            "[--show]\n",
            stderr);
        return 2;
    }
    ioring::differential::watch_sigpipe();
    return with.show ? ioring::differential::show(with) : ioring::differential::sweep(with);
}
