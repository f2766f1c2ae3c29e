# SPDX-License-Identifier: MIT
# macho_self_test.py - what is no program for macOS does not pass for one.
import os
import struct
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["IORING_SOURCE_DIR"], "tests", "cross"))
import macho  # noqa: E402  The folder is known only now.

FLAGS = 0x200085


def dylib(name):
    text = name.encode() + b"\0"
    text += b"\0" * (-len(text) % 8)
    return struct.pack("<6I", 0xC, 24 + len(text), 24, 2, 0, 0) + text


def build_version(platform, oldest):
    return struct.pack("<6I", 0x32, 24, platform, oldest, oldest, 0)


MAIN = struct.pack("<2I2Q", 0x80000028, 24, 0x1000, 0)
SIGNATURE = struct.pack("<4I", 0x1D, 16, 0x4000, 0x100)
SYSTEM = dylib("/usr/lib/libSystem.B.dylib")
MACOS_13 = build_version(1, 13 << 16)
COMMANDS = (MAIN, MACOS_13, SYSTEM, SIGNATURE)


def program(*commands, magic=0xFEEDFACF, cpu=0x0100000C, file_type=2, flags=FLAGS, count=None):
    text = b"".join(commands)
    count = len(commands) if count is None else count
    return struct.pack("<8I", magic, cpu, 0, file_type, count, len(text), flags, 0) + text


class MachoTest(unittest.TestCase):
    def assert_wrong(self, pattern, data, arch="arm64"):
        with self.assertRaisesRegex(macho.Wrong, pattern):
            macho.check(data, arch)

    def test_a_program_passes(self):
        macho.check(program(*COMMANDS), "arm64")
        macho.check(program(MAIN, MACOS_13, SYSTEM, cpu=0x01000007), "x86_64")

    def test_other_files_are_no_programs(self):
        self.assert_wrong("0 bytes", b"")
        with open(sys.executable, "rb") as native:
            self.assert_wrong("no 64-bit Mach-O", native.read(4096))
        self.assert_wrong("file of type 1", program(*COMMANDS, file_type=1))

    def test_the_cpu_is_the_one_asked_for(self):
        self.assert_wrong("not for x86_64", program(*COMMANDS), "x86_64")
        self.assert_wrong("not for arm64", program(*COMMANDS, cpu=0x01000007))

    def test_each_flag_counts(self):
        for flag, pattern in ((0x1, "undefined"), (0x4, "dynamic"), (0x200000, "position")):
            self.assert_wrong(pattern, program(*COMMANDS, flags=FLAGS & ~flag))

    def test_each_command_counts(self):
        for missing, pattern in ((MAIN, "entry point"), (MACOS_13, "not for macOS 13.0"),
                                 (SYSTEM, "needs the libraries"), (SIGNATURE, "not signed")):
            rest = [command for command in COMMANDS if command is not missing]
            self.assert_wrong(pattern, program(*rest))

    def test_another_system_or_version_is_named(self):
        for other in (build_version(2, 13 << 16), build_version(1, 14 << 16)):
            self.assert_wrong("not for macOS 13.0", program(MAIN, other, SYSTEM, SIGNATURE))

    def test_a_further_library_is_named(self):
        foreign = dylib("/opt/homebrew/lib/libfmt.dylib")
        self.assert_wrong("homebrew", program(*COMMANDS, foreign))

    def test_a_truncated_file_is_an_error(self):
        whole = program(*COMMANDS)
        self.assert_wrong("after its end", whole[:-1])
        self.assert_wrong("fewer load commands", program(*COMMANDS, count=9))
        self.assert_wrong("a size of 0", program(struct.pack("<2I", 0xC, 0)))


if __name__ == "__main__":
    unittest.main()
