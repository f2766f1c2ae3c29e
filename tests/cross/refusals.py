#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# refusals.py - the compiler for macOS builds what macOS has, and refuses what only Linux has.
#
# usage: refusals.py C_COMPILER
#
# A cross build that took its headers from this machine, or linked whatever is asked for, would
# prove nothing. In C: the headers and stubs are the same, and no libc++ needs to be there.
import os
import subprocess
import sys
import tempfile

# Each a program, and what the compiler's refusal must name; None: it builds.
PROGRAMS = {
    "what macOS has": ("""
        #include <mach/mach_init.h>
        #include <mach/vm_map.h>
        #include <sys/event.h>
        #include <sys/socket.h>
        int main() {
            const int queue = kqueue();
            const int on = 1;
            vm_address_t address = 0;
            return setsockopt(queue, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) +
                   vm_allocate(mach_task_self(), &address, 4096, VM_FLAGS_ANYWHERE);
        }""", None),
    "a header that only Linux has": ("#include <sys/epoll.h>\nint main() {}", "sys/epoll.h"),
    "a header of this machine": ("#include <linux/io_uring.h>\nint main() {}", "linux/io_uring.h"),
    "a name that only Linux has": ("""
        #include <sys/socket.h>
        int main() { return SOCK_CLOEXEC; }""", "SOCK_CLOEXEC"),
    "a function that only Linux has, declared by hand": ("""
        int accept4(int, void*, void*, int);
        int main() { return accept4(0, 0, 0, 0); }""", "accept4"),
}


def build(compiler, folder, text):
    source = os.path.join(folder, "program.c")
    with open(source, "w", encoding="utf-8") as file:
        file.write(text)
    return subprocess.run([compiler, source, "-o", source + ".out"],
                          capture_output=True, text=True, timeout=100, check=False)


def problem_of(done, refusal):
    if refusal is None:
        return f"did not build:\n{done.stderr}" if done.returncode else None
    if done.returncode == 0:
        return "was built"
    return None if refusal in done.stderr else f"was refused for something else:\n{done.stderr}"


def main():
    compiler = sys.argv[1]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        for what, (text, refusal) in PROGRAMS.items():
            problem = problem_of(build(compiler, folder, text), refusal)
            print(f"{what}: {problem or ('refused' if refusal else 'built')}")
            failed = failed or problem is not None
    sys.exit(failed)


if __name__ == "__main__":
    main()
