# amaranth: UnusedElaboratable=no
"""Streams lose, double and reorder nothing, ever; broken ones do, and are found out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import signed, unsigned

from gen.support.cache import Cache
from sim.formal.proof import Property, holds_always
from tests.formal import claims, mutants

CLAIMS = {
    "widen 2": lambda: claims.widen(factor=2),
    "widen 3 of 2 lanes": lambda: claims.widen(factor=3, width=2),
    "narrow 2": lambda: claims.narrow(factor=2),
    "narrow 3 of 2 lanes": lambda: claims.narrow(factor=3, width=2),
    "converters 3 to 2": lambda: claims.converters(before=3, after=2),
    "fifo 2": lambda: claims.fifo(depth=2),
    "fifo 4 of 2 bits": lambda: claims.fifo(depth=4, bits=2),
    "fork": lambda: claims.fork(bits=3),
    "outlet": lambda: claims.outlet(bits=3),
    "join": lambda: claims.join(bits=1),
    "join, scaled": lambda: claims.join(bits=2, factor=3, shift=1),
    "head of 1": lambda: claims.head(classes=1),
    "head of 3": lambda: claims.head(classes=3),
    "head of 2 bytes": lambda: claims.head(classes=2, shape=signed(9)),
    "word_head of 1": lambda: claims.word_head(classes=1),
    "word_head of 3": lambda: claims.word_head(classes=3),
    "word_head of 4, unsigned": lambda: claims.word_head(classes=4, shape=unsigned(1)),
    "pool, all of an image": lambda: claims.pool(size=(2, 2)),
    "pool, rows kept": lambda: claims.pool(size=(4, 4)),
    "pool, some left over": lambda: claims.pool(size=(3, 5), bits=2),
    "pool, in a block": lambda: claims.pool(size=(2, 4), style="block"),
    "pool, in a block, some left over": lambda: claims.pool(size=(3, 5), style="block"),
    "pool, in a block, too close": lambda: claims.pool(size=(4, 2), kernel=(2, 1), style="block"),
    "pool, sums": lambda: claims.pool(op="sum", size=(2, 4), bits=2),
    "pool, sums of two lanes": lambda: claims.pool(op="sum", size=(2, 4), bits=2, lanes=2),
    "pool, two signed lanes": lambda: claims.pool(bits=2, lanes=2, sign=True),
    "pool, sums of two signed lanes": lambda: claims.pool(op="sum", bits=2, lanes=2, sign=True),
    "head, unsigned": lambda: claims.head(classes=2, shape=unsigned(2)),
}

NEEDED: dict[str, dict[str, Any]] = {
    "skips bytes": {"shape": signed(9)},
    "forgets what is left over": {"size": (3, 5)},
    "takes lanes of a sum's width": {"op": "sum", "bits": 2, "lanes": 2},
    "forgets the sign": {"op": "sum", "bits": 2, "sign": True},
}
"""What a component must be for a change to show: two bytes a score, rows and columns left over,
sums wider than their inputs in two lanes, or of signed ones."""


@pytest.mark.parametrize("name", CLAIMS)
def test_nothing_is_lost_doubled_or_reordered(name: str, tmp_path: Path) -> None:
    verdict = holds_always(CLAIMS[name](), cache=Cache(tmp_path))
    assert verdict, verdict


@pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for name, changes in mutants.STREAMS.items() for change in changes],
    ids=lambda value: getattr(value, "what", value),
)
def test_broken_streams_are_found_out(name: str, change: mutants.Change, tmp_path: Path) -> None:
    claim: Property = claims.STREAMS[name](change.apply(), **NEEDED.get(change.what, {}))
    verdict = holds_always(claim, cache=Cache(tmp_path))
    assert not verdict
    assert verdict.trace
    assert all(cycle.keys() == verdict.trace[0].keys() for cycle in verdict.trace)
    assert f"cycle {len(verdict.trace) - 1}: " in str(verdict)
