# SPDX-License-Identifier: MIT
# machine.py - what the machine is, and how busy it is with other things.
import functools
import os
import platform
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def describe(source_dir, build_dir):
    """What a result depends on, as a dictionary of short texts."""
    return {
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "compiler": _compiler(build_dir),
        "flags": " ".join(
            _cache_entry(build_dir, name)
            for name in ("CMAKE_CXX_FLAGS", "CMAKE_CXX_FLAGS_RELEASE")
            if _cache_entry(build_dir, name)
        ),
        "commit": _git(source_dir, "rev-parse", "--short=12", "HEAD") or "unknown",
        "changed_files": len(_git(source_dir, "status", "--porcelain", "-uno").splitlines()),
        **_package_versions(),
    }


def _cpu_model():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _output(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # dpkg-query fails when one of several packages is missing, and tells of the others.
    return done.stdout.strip() if done.returncode == 0 or command[0] == "dpkg-query" else ""


def _git(source_dir, *arguments):
    return _output("git", "-C", source_dir, *arguments)


def _cache_entry(build_dir, name):
    try:
        with open(os.path.join(build_dir, "CMakeCache.txt"), encoding="utf-8") as cache:
            for line in cache:
                if line.startswith(name + ":"):
                    return line.split("=", 1)[1].strip()
    except OSError:
        pass
    return ""


def _compiler(build_dir):
    compiler = _cache_entry(build_dir, "CMAKE_CXX_COMPILER") or "c++"
    return (_output(compiler, "--version").splitlines() or ["unknown"])[0]


PACKAGES = {"liburing": "liburing-dev", "libuv": "libuv1-dev", "libevent": "libevent-dev",
            "asio": "libasio-dev", "google_benchmark": "libbenchmark-dev"}


def _package_versions():
    """Of those that are installed from Debian's packages; the others are unknown."""
    told = _output("dpkg-query", "-W", "-f", "${Package} ${Version}\\n", *PACKAGES.values())
    found = dict(line.split(" ", 1) for line in told.splitlines() if " " in line)
    return {name: found.get(package, "unknown") for name, package in PACKAGES.items()}


class ProcessTime:
    """CPU seconds of a process, all its threads, and the seconds they waited for a CPU."""

    def __init__(self, pid):
        # stat has every thread but counts in ticks; schedstat is exact but forgets ended threads.
        tasks = os.listdir(f"/proc/{pid}/task")
        running = waiting = 0
        for task in tasks:
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as text:
                fields = text.read().split()
            running += int(fields[0])
            waiting += int(fields[1])
        self.waiting_seconds = waiting / 1e9
        self.cpu_seconds = running / 1e9 if len(tasks) == 1 else _stat_seconds(pid)


def _stat_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as text:
        fields = text.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


@functools.cache  # They live as long as the kernel.
def _softirq_threads(cpus):
    """The kernel's thread of each CPU for network work that no interrupt had the time for."""
    names = {f"ksoftirqd/{cpu}" for cpu in cpus}
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as text:
                if text.read().strip() in names:
                    found.append(pid)
        except OSError:
            continue  # It has ended.
    return found


class CpuTime:
    """Busy and stolen seconds of some CPUs since boot, and those that went to the network: under
    loads of many connections that is the load's own work, and nobody else's."""

    def __init__(self, cpus):
        self.at = time.monotonic()
        self.busy_seconds = self.stolen_seconds = self.network_seconds = 0.0
        for pid in _softirq_threads(frozenset(cpus)):
            with open(f"/proc/{pid}/schedstat", encoding="ascii") as text:
                self.network_seconds += int(text.read().split()[0]) / 1e9
        names = {f"cpu{cpu}" for cpu in cpus}
        with open("/proc/stat", encoding="ascii") as text:
            for line in text:
                name, *fields = line.split()
                if name in names:
                    user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, fields[:8])
                    self.busy_seconds += (user + nice + system + irq + softirq) / TICKS_PER_SECOND
                    self.stolen_seconds += stolen / TICKS_PER_SECOND


# Shares of the measured CPUs' time above which a sample is made again. Ticks are coarse, hence the
# room for `foreign`; `waiting` and `stolen` are time that the measured processes did not get.
LIMITS = {"foreign": 0.04, "waiting": 0.02, "stolen": 0.01}


def disturbance(before, after, own_seconds, waiting_seconds, cpu_count):
    """How much else was going on, as shares of the CPUs' time."""
    elapsed = max(after.at - before.at, 1e-9) * cpu_count
    network = after.network_seconds - before.network_seconds
    foreign = after.busy_seconds - before.busy_seconds - own_seconds - network
    waiting_seconds -= network  # It ran where they would have.
    return {
        "foreign": round(max(foreign, 0.0) / elapsed, 4),
        "waiting": round(max(waiting_seconds, 0.0) / elapsed, 4),
        "stolen": round((after.stolen_seconds - before.stolen_seconds) / elapsed, 4),
    }


def is_disturbed(shares):
    return any(shares[name] > limit for name, limit in LIMITS.items())


def wait_until_quiet(cpus, seconds_max):
    """Returns once the CPUs were idle for half a second, or when the time is up."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        before = CpuTime(cpus)
        time.sleep(0.5)
        shares = disturbance(before, CpuTime(cpus), 0.0, 0.0, len(set(cpus)))
        if not is_disturbed(shares):
            return
