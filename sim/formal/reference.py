"""What a kind computes, by its definition and not by its hardware: what proofs compare with.

One reference a kind, found by name as sim/formal/reference_<kind>.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from amaranth.hdl import Mux, Value

from model.kinds import part_of


@dataclass(frozen=True)
class Reference:
    """What a kind computes. weight: the number that an index below 2^bits stands for, given the
    bits. term: of an input and an index, exact. largest: takes the largest and not the sum.
    negated: the terms of the element are those of the kind with the other sign."""

    weight: Callable[[int, int], int]
    term: Callable[[Value, Value], Value]
    largest: bool = False
    negated: bool = False

    def total(self, terms: Sequence[Value]) -> Value:
        """Of all terms, exact: the sum, or the largest."""
        level = list(terms)
        while len(level) > 1:
            pairs = zip(level[::2], level[1::2], strict=False)
            merged = [Mux(a > b, a, b) if self.largest else a + b for a, b in pairs]
            level = merged + level[2 * len(merged) :]
        return level[0]


def twos(index: int, bits: int) -> int:
    """The number that an index stands for in two's complement."""
    return index - (1 << bits) if index >> (bits - 1) else index


@cache
def reference(kind: str) -> Reference:
    """That of `kind`. Raises KindError that names the missing file."""
    described: Reference = part_of("sim.formal", "reference_", kind).REFERENCE  # type: ignore[attr-defined]
    return described
