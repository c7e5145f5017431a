"""Which inputs an output has, with which weights; and the kinds that can be wired, by name.

A kind `k` is the module `rtl/wired/kind_k.py` with a function `sums(graph, connections, offsets,
bounds)`: of each output the term that is its sum with its offset, which keeps to its range of
`bounds`; and a function `reach(row, x)`: the range of a sum for inputs of the range x.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from functools import cache
from typing import Protocol

from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Range

Connections = tuple[tuple[tuple[int, int], ...], ...]
"""Of each output, its inputs by number, each at most once, and their weights."""
Row = Sequence[tuple[int, int]]


class WiredKind(Protocol):
    """What the module of a kind has."""

    def sums(
        self,
        graph: AdderGraph,
        connections: Connections,
        offsets: Sequence[int],
        bounds: Sequence[Range],
    ) -> list[GraphTerm]: ...

    def reach(self, row: Row, x: Range) -> Range: ...


@cache
def wired_kinds() -> tuple[str, ...]:
    """The kinds that can be wired, in alphabetical order."""
    import rtl.wired

    names = (module.name for module in pkgutil.iter_modules(rtl.wired.__path__))
    return tuple(sorted({n.removeprefix("kind_") for n in names if n.startswith("kind_")}))


@cache
def wired_kind(kind: str) -> WiredKind:
    """The module of `kind`; raises ValueError that lists the known ones."""
    if kind not in wired_kinds():
        raise ValueError(f"kind {kind!r} cannot be wired: choose one of {', '.join(wired_kinds())}")
    module: WiredKind = importlib.import_module(f"rtl.wired.kind_{kind}")
    return module
