# SPDX-License-Identifier: MIT
# cells.py - the loads: connections, message size, depth.
import dataclasses


@dataclasses.dataclass(frozen=True)
class Cell:
    """One load: connections, message size in bytes, messages in flight per connection."""

    connections: int
    size: int
    depth: int

    @staticmethod
    def parse(text):
        parts = text.split("/")
        if len(parts) != 3 or not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise ValueError(f"`{text}` is no CONNECTIONS/SIZE/DEPTH")
        return Cell(*map(int, parts))

    def __str__(self):
        return f"{self.connections}/{self.size}/{self.depth}"

    def memory_bytes(self):
        """About what the system, server and client together need for it at most: all that is in
        flight lies in two sockets, a receive buffer and a send buffer, and half of that again is
        the system's overhead; each connection has a buffer besides."""
        in_flight = self.connections * self.size * self.depth
        return 6 * in_flight + self.connections * 131_072


# Those that decide, by issue and docs/benchmarks.
DEFAULT_CELLS = ("1/64/1,50/64/1,50/64/16,50/16384/16,1000/64/1,1000/1024/1,1000/16384/16,"
                 "10000/64/1")
QUICK_CELLS = "50/64/1,50/16384/16"


def full_grid(memory_bytes):
    """The deciding cells, then all others that half of `memory_bytes` can hold; and those that it
    cannot."""
    deciding = [Cell.parse(word) for word in DEFAULT_CELLS.split(",")]
    grid = [Cell(connections, size, depth) for connections in (1, 50, 1000, 10000)
            for size in (64, 1024, 16384) for depth in (1, 16)]
    others = [cell for cell in grid if cell not in deciding]
    fit = [cell for cell in others if cell.memory_bytes() <= memory_bytes / 2]
    return deciding + fit, [cell for cell in others if cell not in fit]
