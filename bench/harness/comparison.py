# SPDX-License-Identifier: MIT
# comparison.py - how two programs compare, and how much one differs from itself.
import dataclasses
import statistics


# What differs more from itself measures nothing that matters here.
SPREAD_MAX = 0.05


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Ours against the peer, from rounds of peer, ours, peer again.

    ratio   the median over the rounds of ours / mean of the two peers
    spread  the median over the rounds of |peer again / peer - 1|: what the peer differs from itself
    """

    rounds: int
    ours: float
    peer: float
    ratio: float
    spread: float

    def is_met(self, target):
        return self.ratio - self.spread <= target

    def is_fine(self):
        """Whether the yardstick was steady enough to say anything about a few per cent."""
        return self.spread <= SPREAD_MAX


def compare(rounds):
    """`rounds` are (peer, ours, peer again); None when there is none."""
    if not rounds:
        return None
    return Comparison(
        rounds=len(rounds),
        ours=statistics.median(ours for _, ours, _ in rounds),
        peer=statistics.median(value for peer, _, again in rounds for value in (peer, again)),
        ratio=statistics.median(2 * ours / (peer + again) for peer, ours, again in rounds),
        spread=statistics.median(abs(again / peer - 1) for peer, _, again in rounds),
    )


def spread_of(pairs):
    """How much a server differs from itself: the median of |again / first - 1| over the pairs
    (first, again), or None when there is none."""
    return median_of(abs(again / first - 1) for first, again in pairs if first and again)


def median_of(values):
    """The median of those values that are there, or None."""
    there = [value for value in values if value is not None]
    return statistics.median(there) if there else None


def half_range_between_quartiles(values):
    """How far repetitions lie apart, as a share of their median; None for fewer than four."""
    if len(values) < 4:
        return None
    low, _, high = statistics.quantiles(values, n=4)
    middle = statistics.median(values)
    return (high - low) / 2 / middle if middle else None
