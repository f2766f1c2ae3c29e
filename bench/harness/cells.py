# SPDX-License-Identifier: MIT
# cells.py - what is measured: loads, strategies and their programs.
import dataclasses
import os


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


DEFAULT_CELLS = "1/64/1,50/64/1,50/64/16,50/16384/16,1000/64/1"
QUICK_CELLS = "50/64/1,50/16384/16"

# A strategy: the options of ioring-echo, and the peer that does the same by hand.
STRATEGIES = {
    "own-ring": (["--strategy", "own-ring"], ["peer_uring_own_ring"]),
    "own-ring-overlap": (
        ["--strategy", "own-ring", "--overlap"],
        ["peer_uring_own_ring", "--overlap"],
    ),
    "own-ring-multishot": (["--strategy", "own-ring-multishot"], ["peer_uring_own_multishot"]),
    "shared-pool": (["--strategy", "shared-pool"], ["peer_uring_shared"]),
    "epoll-own-ring": (
        ["--backend", "epoll", "--strategy", "own-ring"], ["peer_epoll_et"]),
    "epoll-own-ring-multishot": (
        ["--backend", "epoll", "--strategy", "own-ring-multishot"], ["peer_epoll_et"]),
    "epoll-shared-pool": (
        ["--backend", "epoll", "--strategy", "shared-pool"], ["peer_epoll_et"]),
}
DEFAULT_STRATEGIES = "own-ring,own-ring-multishot,shared-pool,epoll-own-ring,epoll-shared-pool"


def target_of(strategy, target):
    """The ratio to the peer that a strategy may have; `target` is that of io_uring's."""
    return target + EPOLL_ALLOWANCE if strategy.startswith("epoll-") else target


# A kernel in user space may cost this much more.
EPOLL_ALLOWANCE = 0.05

# Measured once a round with --reference: other servers by hand, and those on other libraries.
REFERENCES = {
    "epoll-et": ["peer_epoll_et"],
    "round-robin": ["peer_round_robin"],
    "liburing": ["peer_liburing"],
    "libuv": ["peer_libuv"],
    "libevent": ["peer_libevent"],
    "asio": ["peer_asio"],
}
# Never sleeps, so that it is always 100 % busy and its cost follows from its rate.
SPINNING = "round-robin"


class Programs:
    """Where the programs of a build are."""

    def __init__(self, build_dir):
        self.build_dir = build_dir

    def ours(self, strategy):
        echo = os.path.join(self.build_dir, "bin", "ioring-echo")
        return [echo, "--host", "127.0.0.1", "--port", "0", "--json", *STRATEGIES[strategy][0]]

    def peer(self, strategy):
        return self._peer(STRATEGIES[strategy][1])

    def reference(self, name):
        return self._peer(REFERENCES[name])

    def _peer(self, words):
        return [os.path.join(self.build_dir, "bench", words[0]), *words[1:]]

    def client(self, cell):
        load = os.path.join(self.build_dir, "bin", "ioring-load")
        return [
            *(load, "--host", "127.0.0.1", "--json"),
            *("--connections", str(cell.connections)),
            *("--size", str(cell.size)),
            *("--depth", str(cell.depth)),
        ]

    def micro(self, name):
        return os.path.join(self.build_dir, "bench", f"micro_{name}")

    def missing(self, wanted):
        """Those of the commands `wanted` whose program is not there."""
        return sorted({words[0] for words in wanted if not os.access(words[0], os.X_OK)})
