# SPDX-License-Identifier: MIT
# windows_choice_test.py - Windows' tools say which backend they took and why not Registered I/O.
#
# Under Wine, which has none. On a Windows that has it these would say other things.
import os
import subprocess
import unittest

import echo_support as support

DOCTOR = os.path.join(support.BIN_DIR, "ioring-doctor.exe")
CAUSE = "WSAIoctl gives no function table of Registered I/O (10045)"
REFUSAL = CAUSE + "; use the backend iocp"


def run(program, *options, variable=None):
    """Status, standard output and standard error; `variable` is IORING_BACKEND's value."""
    environment = {k: v for k, v in os.environ.items() if k != "IORING_BACKEND"}
    if variable is not None:
        environment["IORING_BACKEND"] = variable
    done = subprocess.run([*support.EMULATOR, program, *options], capture_output=True,
                          timeout=support.WAIT_S, check=False, env=environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class WindowsChoice(unittest.TestCase):
    def test_the_doctor_names_completion_ports_and_the_reason_against_rio(self):
        status, out, err = run(DOCTOR)
        self.assertEqual((0, ""), (status, err))
        self.assertRegex(out, r"(?m)^chosen +iocp, because ")
        self.assertRegex(out, r"(?m)^  iocp +works: ")
        self.assertIn(REFUSAL, " ".join(out.split()))

    def test_rio_by_name_fails_loudly(self):
        status, out, err = run(support.ECHO, "--backend", "rio", "--port", "0")
        self.assertEqual((1, ""), (status, out))
        self.assertIn(REFUSAL, err)

    def test_rio_preferred_serves_by_completion_ports_and_keeps_the_reason(self):
        environment = dict(os.environ, IORING_BACKEND="prefer:rio")
        server = support.Server(self, env=environment)
        self.assertIn("(backend iocp: ", server.first_line)
        self.assertIn(f"while rio: {CAUSE})", server.first_line)
        peer = server.connect()
        peer.sendall(b"over there")
        self.assertEqual(b"over there", support.read_exactly(peer, 10))
        peer.close()
        server.stop()


if __name__ == "__main__":
    support.main()
