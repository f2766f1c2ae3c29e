#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# echo.py - an echo server in Python: echo.py [ADDRESS], until SIGTERM or SIGINT.
import signal
import sys

from ioring import Ring

ACCEPT = 0
BUFFER_BYTES = 65_536


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:5000"
    running = [True]
    buffers = {}  # By the connection's descriptor.

    with Ring() as ring, ring.listen(address) as listener:
        def stop(*_):
            running[0] = False
            ring.wake()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        print(f"listening on {listener.address} (backend {ring.backend}: {ring.reason})",
              flush=True)
        ring.accept_multishot(listener.fd, user_data=ACCEPT)
        # A connection has one operation in flight: 2 * fd receives, 2 * fd + 1 sends.
        while running[0]:
            ring.submit_and_wait(seconds=1)
            for done in ring.completions():
                if done.user_data == ACCEPT:
                    if done.res >= 0:
                        buffers[done.res] = bytearray(BUFFER_BYTES)
                        ring.recv(done.res, buffers[done.res], user_data=2 * done.res)
                    if not done.more:
                        ring.accept_multishot(listener.fd, user_data=ACCEPT)
                    continue
                fd, sent = divmod(done.user_data, 2)
                if done.res <= 0:
                    del buffers[fd]
                    ring.close_now(fd)
                elif sent:
                    ring.recv(fd, buffers[fd], user_data=2 * fd)
                else:
                    data = memoryview(buffers[fd])[:done.res]
                    ring.send(fd, data, user_data=2 * fd + 1)


if __name__ == "__main__":
    main()
