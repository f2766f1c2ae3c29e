# SPDX-License-Identifier: MIT
# servers.py - who is measured: our strategies, hand-written yardsticks, servers on libraries.
import dataclasses
import os

OURS, HAND, LIBRARY = "ours", "hand-written", "library"


@dataclasses.dataclass(frozen=True)
class Server:
    """An echo server. `yardstick` names the hand-written one that does the same, which each of its
    rounds measures before and after."""

    name: str
    kind: str
    words: tuple
    yardstick: str = ""
    cells: tuple = ()  # Only these, when there are any.
    once: bool = False  # In the first round alone: that it serves is what counts.
    spins: bool = False  # Never sleeps: its cost follows from its rate.

    def serves(self, cell, round_index):
        return (not self.cells or str(cell) in self.cells) and (not self.once or round_index == 0)


ONE_CONNECTION = "1/64/1"
SPIN_US = "100000"

_ALL = (
    Server("own-ring", OURS, ("--strategy", "own-ring"), "hand-own-ring"),
    Server("own-ring-overlap", OURS, ("--strategy", "own-ring", "--overlap"),
           "hand-own-ring-overlap"),
    Server("own-ring-multishot", OURS, ("--strategy", "own-ring-multishot"),
           "hand-own-ring-multishot"),
    Server("shared-pool", OURS, ("--strategy", "shared-pool"), "hand-shared-pool"),
    Server("managed", OURS, ("--mode", "managed"), "hand-shared-pool"),
    Server("epoll-own-ring", OURS, ("--backend", "epoll", "--strategy", "own-ring"),
           "hand-epoll-et"),
    Server("epoll-own-ring-multishot", OURS,
           ("--backend", "epoll", "--strategy", "own-ring-multishot"), "hand-epoll-et", once=True),
    Server("epoll-shared-pool", OURS, ("--backend", "epoll", "--strategy", "shared-pool"),
           "hand-epoll-et"),
    Server("own-ring-spin", OURS, ("--strategy", "own-ring", "--spin", SPIN_US), "round-robin",
           cells=(ONE_CONNECTION,)),
    Server("hand-own-ring", HAND, ("peer_uring_own_ring",)),
    Server("hand-own-ring-overlap", HAND, ("peer_uring_own_ring", "--overlap")),
    Server("hand-own-ring-multishot", HAND, ("peer_uring_own_multishot",)),
    Server("hand-shared-pool", HAND, ("peer_uring_shared",)),
    Server("hand-epoll-et", HAND, ("peer_epoll_et",)),
    Server("hand-epoll-et-own", HAND, ("peer_epoll_et", "--own-buffers")),
    Server("hand-epoll-lt", HAND, ("peer_epoll_lt",)),
    Server("round-robin", HAND, ("peer_round_robin",), spins=True),
    Server("liburing", LIBRARY, ("peer_liburing",)),
    Server("libuv", LIBRARY, ("peer_libuv",)),
    Server("libevent", LIBRARY, ("peer_libevent",)),
    Server("asio", LIBRARY, ("peer_asio",)),
)
SERVERS = {server.name: server for server in _ALL}
DEFAULT_SERVERS = ",".join(name for name in SERVERS if not name.endswith("-overlap"))
QUICK_SERVERS = "own-ring,shared-pool,hand-own-ring,hand-shared-pool,asio"


def names_of(kind):
    return [name for name, server in SERVERS.items() if server.kind == kind]


def with_yardsticks(names):
    """`names` and those that they are measured beside, in the order of the table."""
    wanted = set(names) | {SERVERS[name].yardstick for name in names} - {""}
    return [name for name in SERVERS if name in wanted]


def round_of(names, cell, round_index):
    """(name, pass) of everything that one round measures, in order: each yardstick, what is
    compared with it, and the yardstick again, so that a drift of the machine meets both; then the
    others. The order of the groups turns with the rounds."""
    here = [SERVERS[name] for name in names if SERVERS[name].serves(cell, round_index)]
    groups = {}
    for server in here:
        if server.yardstick:
            groups.setdefault(server.yardstick, []).append(server.name)
    steps = [[(yardstick, 0), *((name, 0) for name in compared), (yardstick, 1)]
             for yardstick, compared in groups.items()]
    alone = [server.name for server in here if not server.yardstick and server.name not in groups]
    steps += [[(name, 0)] for name in alone]
    turn = round_index % len(steps) if steps else 0
    return [step for group in steps[turn:] + steps[:turn] for step in group]


class Programs:
    """Where the programs of a build are."""

    def __init__(self, build_dir):
        self.build_dir = build_dir

    def server(self, name):
        """The command of an echo server on a free port of loopback."""
        server = SERVERS[name]
        if server.kind == OURS:
            return [self.tool("ioring-echo"), "--host", "127.0.0.1", "--port", "0", "--json",
                    *server.words]
        return [self.bench(server.words[0]), *server.words[1:]]

    def client(self, cell, *more):
        return [
            *(self.tool("ioring-load"), "--host", "127.0.0.1", "--json", "--marks"),
            *("--connections", str(cell.connections)),
            *("--size", str(cell.size)),
            *("--depth", str(cell.depth)),
            *more,
        ]

    def tool(self, name):
        return os.path.join(self.build_dir, "bin", name)

    def bench(self, name):
        return os.path.join(self.build_dir, "bench", name)

    def micro(self, name):
        return self.bench(f"micro_{name}")

    def malloc_counter(self):
        """The library that counts allocations, or "" where it was not built."""
        path = os.path.join(self.build_dir, "tests", "e2e", "libioring_malloc_counter.so")
        return path if os.path.exists(path) else ""

    @staticmethod
    def missing(commands):
        """Those of `commands` whose program is not there."""
        return sorted({words[0] for words in commands if not os.access(words[0], os.X_OK)})
