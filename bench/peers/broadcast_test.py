#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# broadcast_test.py - everybody hears every byte that one says; who leaves does not end the others.
"""Usage: broadcast_test.py LOAD SERVER"""
import json
import os
import signal
import socket
import subprocess
import sys

DEADLINE_SECONDS = 60


def main():
    load, server = sys.argv[1:]
    process = subprocess.Popen([server, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        if not line:
            sys.exit(77 if process.wait(5) == 77 else "the server did not start")
        port = line.split(":")[1].split(" ")[0]
        for listeners, size, depth in ((1, 1, 1), (7, 64, 4), (100, 20_000, 16)):
            done = subprocess.run(
                [load, "--port", port, "--connections", str(listeners), "--size", str(size),
                 "--depth", str(depth), "--duration", "0.2", "--warmup", "0.05"],
                capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
            assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
            marks, report = done.stdout.splitlines()[:2], json.loads(done.stdout.splitlines()[2])
            assert marks == ["measuring", "measured"], marks
            # Every message is delivered to every listener.
            assert report["messages"] > 0 and report["messages"] % listeners == 0, report
        # The speaker does not hear itself.
        with socket.create_connection(("127.0.0.1", int(port)), DEADLINE_SECONDS) as alone:
            alone.sendall(b"hello")
            alone.settimeout(0.2)
            try:
                heard = alone.recv(10)
            except TimeoutError:
                heard = None
            assert heard is None, heard
        # All have left: nothing may stay open but its own.
        for _ in range(200):
            if len(os.listdir(f"/proc/{process.pid}/fd")) < 40:
                break
            socket.create_connection(("127.0.0.1", int(port)), DEADLINE_SECONDS).close()
        else:
            sys.exit("connections stay open after their end")
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=10)
        assert process.returncode == 0, process.returncode
        assert json.loads(out)["messages"] > 0, out
    finally:
        process.kill()


if __name__ == "__main__":
    main()
