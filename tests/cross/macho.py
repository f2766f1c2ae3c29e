#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# macho.py - checks that a file is a program that macOS would load, by its head alone.
#
# usage: macho.py arm64|x86_64 PROGRAM
import struct
import sys

MAGIC_64 = 0xFEEDFACF
CPU_TYPES = {"arm64": 0x0100000C, "x86_64": 0x01000007}
FILE_TYPE_PROGRAM = 2
FLAG_NO_UNDEFINED, FLAG_DYNAMIC, FLAG_PIE = 0x1, 0x4, 0x200000
COMMAND_LOAD_DYLIB, COMMAND_MAIN = 0xC, 0x80000028
COMMAND_CODE_SIGNATURE, COMMAND_BUILD_VERSION = 0x1D, 0x32
PLATFORM_MACOS = 1
MACOS_OLDEST = (13, 0)
# The only library of the system that a program of ours needs; it is part of every macOS.
DYLIBS_ALLOWED = {"/usr/lib/libSystem.B.dylib"}

HEADER = struct.Struct("<8I")
COMMAND_HEAD = struct.Struct("<2I")


class Wrong(Exception):
    """Why macOS would not load the file, or not as we want it."""


def load_commands(data, count, bytes_total):
    """Pairs of each load command's number and its whole text."""
    at, end = HEADER.size, HEADER.size + bytes_total
    if end > len(data):
        raise Wrong("its load commands go on after its end")
    for _ in range(count):
        if at + COMMAND_HEAD.size > end:
            raise Wrong("it has fewer load commands than it says")
        command, size = COMMAND_HEAD.unpack_from(data, at)
        if size < COMMAND_HEAD.size or at + size > end:
            raise Wrong(f"its load command {command:#x} has a size of {size}")
        yield command, data[at:at + size]
        at += size


def name_in(command):
    """The library that a load command names."""
    (offset,) = struct.unpack_from("<I", command, 8)
    return command[offset:].split(b"\0", 1)[0].decode()


def check_head(data, arch):
    if len(data) < HEADER.size:
        raise Wrong(f"it has {len(data)} bytes")
    magic, cpu, _, file_type, count, bytes_total, flags, _ = HEADER.unpack_from(data)
    if magic != MAGIC_64:
        raise Wrong(f"it is no 64-bit Mach-O: it begins with {magic:#010x}")
    if cpu != CPU_TYPES[arch]:
        raise Wrong(f"it is for the CPU type {cpu:#x}, not for {arch}")
    if file_type != FILE_TYPE_PROGRAM:
        raise Wrong(f"it is a file of type {file_type}, no program")
    for flag, what in ((FLAG_NO_UNDEFINED, "has undefined names"),
                       (FLAG_DYNAMIC, "is not for the dynamic linker"),
                       (FLAG_PIE, "is not position independent")):
        if not flags & flag:
            raise Wrong(f"it {what}: its flags are {flags:#x}")
    return count, bytes_total


def check_commands(commands, arch):
    numbers = {command for command, _ in commands}
    if COMMAND_MAIN not in numbers:
        raise Wrong("it has no entry point")
    # An arm64 Mac runs signed programs only; an ad hoc signature by the linker will do.
    if arch == "arm64" and COMMAND_CODE_SIGNATURE not in numbers:
        raise Wrong("it is not signed")
    versions = [struct.unpack_from("<2I", text, 8) for command, text in commands
                if command == COMMAND_BUILD_VERSION]
    oldest = MACOS_OLDEST[0] << 16 | MACOS_OLDEST[1] << 8
    if versions != [(PLATFORM_MACOS, oldest)]:
        raise Wrong(f"it is not for macOS {MACOS_OLDEST[0]}.{MACOS_OLDEST[1]}: {versions}")
    dylibs = {name_in(text) for command, text in commands if command == COMMAND_LOAD_DYLIB}
    if dylibs != DYLIBS_ALLOWED:
        raise Wrong(f"it needs the libraries {sorted(dylibs)}")


def check(data, arch):
    """Raises Wrong unless `data` is a program for macOS on `arch`."""
    count, bytes_total = check_head(data, arch)
    check_commands(list(load_commands(data, count, bytes_total)), arch)


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in CPU_TYPES:
        sys.exit(f"usage: macho.py {'|'.join(CPU_TYPES)} PROGRAM")
    arch, path = sys.argv[1:]
    try:
        with open(path, "rb") as file:
            check(file.read(), arch)
    except (OSError, Wrong) as problem:
        sys.exit(f"{path}: {problem}")
    print(f"{path}: a program for macOS {MACOS_OLDEST[0]}.{MACOS_OLDEST[1]}, {arch}")


if __name__ == "__main__":
    main()
