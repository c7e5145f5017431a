# amaranth: UnusedElaboratable=no
"""`make formal`: all proofs at all widths. Status 1 if one fails or is not decided in time.

Proofs done before are kept under build/formal, so an interrupted sweep goes on where it was.
Groups of proofs may be named: python -m tests.formal lanes streams
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, product
from typing import Any

from amaranth.hdl import signed, unsigned
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gen.support.tools import ToolError
from sim.formal.elements import Element, Lane
from sim.formal.proof import Verdict, holds_after, holds_always, holds_until, stands_still
from sim.formal.requantise import Requantised
from sim.formal.sums import Form, Merge, TreeClaim, merges
from sim.formal.wired import WiredClaim
from tests.formal import claims
from tests.formal.claims import KINDS, WEIGHTLESS, element, requantiser

Proof = tuple[str, Callable[[], Verdict]]
WIDTHS = {"w_bits": range(2, 9), "x_bits": range(1, 9), "x_signed": (False, True)}


def grid(**axes: Any) -> Iterator[dict[str, Any]]:
    """All combinations of one value from each axis."""
    for values in product(*axes.values()):
        yield dict(zip(axes, values, strict=True))


def named(*words: Any, **values: Any) -> str:
    return " ".join([*map(str, words), *(f"{name} {value}" for name, value in values.items())])


def of_kinds(**axes: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Kind, multiplier and all combinations; kinds without weights with one width of them."""
    for kind, multiplier in KINDS:
        own = {**axes, "w_bits": [0]} if kind in WEIGHTLESS else axes
        for values in grid(**own):
            yield kind, multiplier, values


def lanes() -> Iterator[Proof]:
    """Terms of a lane, for all inputs and weights."""
    for kind, multiplier, values in of_kinds(**WIDTHS):
        if kind not in WEIGHTLESS:
            claim = Lane(kind, element(kind, multiplier, **values))
            yield named(kind, multiplier, **values), partial(holds_after, claim, 0)


def adders() -> Iterator[Proof]:
    """Adders of one to four lanes."""
    for kind, multiplier, values in of_kinds(**WIDTHS):
        pairs: dict[tuple[Form, Form], None] = {}
        for simd in range(1, 5):
            pairs |= dict.fromkeys(merges(element(kind, multiplier, simd=simd, **values)))
        for a, b in pairs:
            claim = Merge(kind, element(kind, multiplier, **values), (a, b))
            yield (
                named(kind, multiplier, f"{a} and {b}", **values),
                partial(holds_after, claim, 0),
            )


def trees() -> Iterator[Proof]:
    """The sum of one to four lanes of narrow terms; the number of terms follows from the weight."""
    axes = {"simd": range(1, 5), "levels": range(1, 4), "w_bits": range(2, 9)}
    for kind, multiplier, values in of_kinds(**axes, x_bits=[2], x_signed=[True]):
        claim = TreeClaim(kind, element(kind, multiplier, **values))
        yield (
            named(kind, multiplier, **values),
            partial(holds_after, claim, claim.cycles),
        )


def elements() -> Iterator[Proof]:
    """Whole elements at once, with a cycle in which they stand still."""
    axes = {"simd": [1, 2], "levels": [1, 2], "w_bits": [2, 3], "x_bits": [1, 2, 3]}
    small = list(of_kinds(**axes, x_signed=[False, True]))
    wide = [e for e in of_kinds(**WIDTHS, simd=[1, 2, 4]) if e[0] in WEIGHTLESS]
    for kind, multiplier, values in small + wide:
        claim = Element(kind, element(kind, multiplier, **values))
        yield (
            named(kind, multiplier, **values),
            partial(holds_after, claim, claim.cycles),
        )


def pairs() -> Iterator[Proof]:
    """Two sums of the products of one multiplier."""
    axes = {"w_bits": [2, 3, 4], "x_bits": [1, 2, 4, 6], "x_signed": [False, True]}
    for values in grid(**axes, symmetric=[False, True]):
        claim = Element("mult", element("mult", "packed", **values))
        yield named("mult packed", **values), partial(holds_after, claim, claim.cycles)


def staged() -> Iterator[Proof]:
    """Elements of shift with a register within their lanes."""
    axes = {"simd": [1, 2], "w_bits": [2, 3, 4, 5], "x_bits": [1, 2, 3]}
    for values in grid(**axes, x_signed=[False, True]):
        claim = Element("shift", element("shift", "lut", staged=True, **values))
        yield named("shift staged", **values), partial(holds_after, claim, claim.cycles)


def enables() -> Iterator[Proof]:
    """No register changes while the element, or the requantiser, is not enabled."""
    axes = {"simd": range(1, 5), "levels": range(1, 4), "w_bits": [2, 5, 8]}
    for kind, multiplier, values in of_kinds(**axes, x_bits=[8], x_signed=[False, True]):
        dut = element(kind, multiplier, **values)
        yield named(kind, multiplier, **values), partial(stands_still, dut)
    for name, values in _requantisers():
        yield name, partial(_stands_still, values)


def _stands_still(values: dict[str, Any]) -> Verdict:
    return stands_still(requantiser(**values).component())


def requantisers() -> Iterator[Proof]:
    """Results of the requantiser, for all sums. Where constants are stored: any pattern of enable
    and valid for two rounds of the channels at few bits, each channel for itself at many.
    """
    for name, values in _requantisers():
        unit = requantiser(**values)
        if not unit.stored:
            claim = Requantised(unit)
            yield name, partial(holds_after, claim, claim.cycles)
        elif unit.x_bits <= 8:
            claim, cycles = Requantised(unit), unit.latency + 2 * unit.depth + 1
            yield name, partial(holds_until, claim, cycles)
        else:
            yield from _channels(name, values)


def _channels(name: str, values: dict[str, Any]) -> Iterator[Proof]:
    """The word of each channel in the second round, from reset with no gap."""
    depth = requantiser(**values).depth
    for channel in range(depth):
        unit = requantiser(**values)
        claim, cycle = Requantised(unit, steady=True), unit.latency + depth + channel
        yield (
            named(name, channel=channel),
            partial(holds_until, claim, cycle + 1, skip=cycle),
        )


def streams() -> Iterator[Proof]:
    """Streams, for ever."""
    makes: list[tuple[Callable[..., Any], dict[str, Any]]] = [
        (claims.widen, {"factor": range(2, 9), "width": [1, 2], "bits": [1, 2]}),
        (claims.narrow, {"factor": range(2, 9), "width": [1, 2], "bits": [1, 2]}),
        (claims.converters, {"before": [2, 3, 4, 6], "after": [2, 3, 4, 6]}),
        (claims.fifo, {"depth": range(2, 9), "bits": [1]}),
        (claims.fork, {"bits": range(1, 9)}),
        (claims.outlet, {"bits": range(1, 9)}),
        (claims.join, {"bits": [1, 2], "factor": [1, 3], "shift": [0, 1]}),
        (
            claims.pool,
            {"op": ["max", "sum"], "size": [(2, 2), (2, 4), (3, 5), (4, 6)], "bits": [1, 2]},
        ),
        (claims.pool, {"size": [(2, 4), (3, 5), (4, 6)], "style": ["block"]}),
        (claims.pool, {"size": [(3, 3), (6, 7)], "kernel": [(3, 3), (1, 3), (3, 1)]}),
        (claims.head, {"classes": range(1, 5), "shape": [signed(3), unsigned(2), signed(9)]}),
    ]
    for make, axes in makes:
        for values in grid(**axes):
            if values.get("before") != values.get("after") or make is not claims.converters:
                claim = make(**values)
                yield named(make.__name__, **values), partial(holds_always, claim)


def wired() -> Iterator[Proof]:
    """Layers whose weights are wiring, with and without their requantisers."""
    makes: dict[str, Callable[..., Any]] = {"sums": claims.wired_sums, "layer": claims.wired_layer}
    for kind in claims.WIRED_KINDS:
        for v in grid(x_bits=range(1, 5), x_signed=[False, True], levels=[1, 2, 3]):
            for name, make in makes.items():
                claim = WiredClaim(make(kind, **v))
                yield named(kind, name, **v), partial(holds_after, claim, claim.cycles)


def _requantisers() -> Iterator[tuple[str, dict[str, Any]]]:
    factors = {
        "one": [1],
        "a factor": [201],
        "powers": [4, -8],
        "two digits": [1025, -31],
        "bytes": [201, 77],
        "two lanes": [201, -77, 13, 5],
    }
    ends = [{"lo": 0, "hi": 255, "out_bits": 8}, {"lo": -8, "hi": 7, "out_bits": 4}]
    ends += [{"lo": 3, "hi": 200, "out_bits": 8}]
    axes = {"factors": factors, "shift": [0, 9], "ends": ends}
    # a signed product of 32 bits, not in partial ones, is too much for SAT
    dsp = grid(**axes, x_bits=[4, 8, 12, 19], multiplier=["dsp"])
    lut = grid(**axes, x_bits=[4, 8, 12, 19, 32], multiplier=["lut"])
    for v in chain(dsp, lut):
        some = factors[v["factors"]]
        values = {
            "lanes": 2 if len(some) > 2 else 1,
            "multipliers": some,
            "offsets": [100, -30, 7, 0][: len(some)],
            "out_signed": v["ends"]["lo"] < 0,
            **{name: v[name] for name in ("x_bits", "shift", "multiplier")},
            **v["ends"],
        }
        yield named(v["factors"], **{n: x for n, x in v.items() if n != "factors"}), values


GROUPS: dict[str, Callable[[], Iterator[Proof]]] = {
    make.__name__: make
    for make in (
        lanes,
        adders,
        trees,
        elements,
        pairs,
        staged,
        enables,
        requantisers,
        streams,
        wired,
    )
}


def outcome(proof: Proof) -> tuple[str, float, str]:
    """Name, seconds, and what is wrong, if anything."""
    what, prove = proof
    try:
        verdict = prove()
    except ToolError as error:
        return what, 0.0, f"not decided: {error.reason}"
    return what, verdict.seconds, "" if verdict else str(verdict)


def run(name: str, table: Table) -> list[str]:
    """Does all proofs of a group and adds its line to the table; what is not proven."""
    proofs = list(GROUPS[name]())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = pool.map(outcome, proofs)
        bar = track(done, f"{name:12}", total=len(proofs), console=Console(stderr=True))
        results = list(bar)
    failures = [f"{name}: {what}: {wrong}" for what, _, wrong in results if wrong]
    slowest, most, _ = max(results, key=lambda result: result[1])
    seconds = sum(taken for _, taken, _ in results)
    table.add_row(
        name, str(len(proofs)), str(len(failures)), f"{seconds:.0f}", f"{most:.1f}", slowest
    )
    return failures


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in GROUPS]
    if unknown:
        print(f"unknown group {unknown[0]!r}: choose of {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    table = Table("proofs of", "number", "failed", "seconds", "at most", "the slowest")
    failures: list[str] = []
    for name in names or GROUPS:
        failures += run(name, table)
    Console().print(table)
    print("\n".join(failures), end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
