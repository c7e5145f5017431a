# amaranth: UnusedElaboratable=no
"""The claims that the tests and the sweep of `make formal` prove, by name and parameters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from amaranth.hdl import Shape, signed, unsigned

import rtl.classifier_output
import rtl.classifier_word
import rtl.layer
import rtl.pool
import rtl.stage
import rtl.streams
from rtl.block import BlockDescription
from rtl.pe.element import PE, pe
from rtl.requantise import Requantiser
from rtl.skid import Skid
from rtl.wired.requantise import Staircase
from rtl.wired.unit import WiredLayer, WiredSums
from sim.formal.joints import Chain, Headed, Joined, Worded
from sim.formal.pools import Pooled
from sim.formal.proof import Property
from sim.formal.streams import Streams, lanes

KINDS = [
    ("mult", "dsp"),
    ("mult", "lut"),
    ("shift", "lut"),
    ("add", "lut"),
    ("sum", "lut"),
    ("max", "lut"),
]
WEIGHTLESS = ("sum", "max")


def element(
    kind: str,
    multiplier: str,
    *,
    simd: int = 1,
    x_bits: int,
    x_signed: bool,
    w_bits: int,
    levels: int = 1,
    symmetric: bool = False,
    w_signed: bool = True,
    staged: bool = False,
    make: type[PE] | None = None,
) -> PE:
    """An element whose acc holds some tens of slots of any numbers, in 64 bits at most."""
    weight = (1 << (w_bits - 1)) - 1 if kind == "shift" else w_bits
    return (make or pe(kind))(
        simd=simd,
        x_bits=x_bits,
        x_signed=x_signed,
        w_bits=0 if kind in WEIGHTLESS else w_bits,
        acc_bits=min(64, x_bits + weight + 6),
        multiplier=multiplier,  # type: ignore[arg-type]
        levels=levels,
        symmetric=symmetric,
        w_signed=w_signed,
        staged=staged,
    )


def widen(m: Any = rtl.streams, *, factor: int = 2, width: int = 1, bits: int = 1) -> Property:
    dut = m.Widen(shape=unsigned(bits), lanes=width, factor=factor).component()
    split = {"i": lanes(width), "o": lanes(width * factor)}
    return Streams(dut, split, most=2 * factor * width, patience=1)


def narrow(m: Any = rtl.streams, *, factor: int = 2, width: int = 1, bits: int = 1) -> Property:
    dut = m.Narrow(shape=unsigned(bits), lanes=width, factor=factor).component()
    split = {"i": lanes(width * factor), "o": lanes(width)}
    return Streams(dut, split, most=2 * factor * width, patience=factor)


def converters(*, before: int, after: int, bits: int = 1) -> Property:
    dut = Chain([c.component() for c in rtl.streams.converters(unsigned(bits), before, after)])
    split = {"i": lanes(before), "o": lanes(after)}
    return Streams(dut, split, most=2 * (before + after), patience=before + after)


def fifo(m: Any = rtl.streams, *, depth: int = 3, bits: int = 1) -> Property:
    dut = m.Fifo(shape=unsigned(bits), lanes=1, depth=depth).component()
    return Streams(dut, {"i": lanes(1), "o": lanes(1)}, most=depth + 1, patience=2)


def fork(m: Any = rtl.streams, *, bits: int = 1) -> Property:
    dut = m.Fork(shape=unsigned(bits), lanes=1).component()
    return Streams(dut, {"i": lanes(1), "o_a": lanes(1), "o_b": lanes(1)}, most=1, patience=1)


def outlet(m: Any = rtl.stage, *, bits: int = 1) -> Property:
    dut = Skid(bits)
    dut.outlet = m.Outlet
    return Streams(dut, {"i": lanes(1), "o": lanes(1)}, most=3, patience=1)


def join(m: Any = rtl.streams, *, bits: int = 1, factor: int = 1, shift: int = 0) -> Property:
    requant = rtl.stage.Requant(
        multipliers=[factor],
        offsets=[shift],
        shift=shift,
        lo=0,
        hi=(1 << (bits + 1)) - 1,
        out_bits=bits + 1,
        out_signed=False,
    )
    shapes = unsigned(bits), unsigned(bits)
    return Joined(m.Join(shapes=shapes, shifts=(0, 1), lanes=1, acc_bits=bits + 3, requant=requant))


def head(
    m: Any = rtl.classifier_output, *, classes: int = 2, shape: Shape | None = None
) -> Property:
    return Headed(
        m.ClassifierOutput(classes=classes, score_shape=signed(3) if shape is None else shape)
    )


def word_head(
    m: Any = rtl.classifier_word, *, classes: int = 3, shape: Shape | None = None
) -> Property:
    return Worded(
        m.ClassifierWord(classes=classes, score_shape=signed(2) if shape is None else shape)
    )


def pool(
    m: Any = rtl.pool,
    *,
    op: str = "max",
    size: tuple[int, int] = (2, 4),
    kernel: tuple[int, int] = (2, 2),
    bits: int = 1,
    lanes: int = 1,
    sign: bool = False,
    style: str = "logic",
) -> Property:
    """An image of a word a pixel; a sum is halved, and lane k has k added before."""
    low, high = (-1 << bits, (1 << bits) - 1) if sign else (0, (2 << bits) - 1)
    requant = rtl.stage.Requant(
        multipliers=[1] * lanes, offsets=list(range(lanes)), shift=1, lo=low, hi=high,
        out_bits=bits + 1, out_signed=sign,
    )  # fmt: skip
    return Pooled(
        m.BlockPool(
            op=op, height=size[0], width=size[1], channels=lanes, kernel=kernel, lanes=lanes,
            x_shape=Shape(bits, signed=sign), requant=requant if op == "sum" else None, style=style,
        )
    )  # fmt: skip


STREAMS: dict[str, Callable[..., Property]] = {
    "widen": widen,
    "narrow": narrow,
    "fifo": fifo,
    "fork": fork,
    "outlet": outlet,
    "join": join,
    "head": head,
    "word_head": word_head,
    "pool": pool,
}
"""Claims about stream components; the argument is the module that the component is taken from."""

BLOCK_CLAIMS: dict[type[BlockDescription], tuple[str, ...]] = {
    rtl.streams.Widen: ("widen",),
    rtl.streams.Narrow: ("narrow",),
    rtl.streams.Fifo: ("fifo",),
    rtl.streams.Fork: ("fork",),
    rtl.streams.Join: ("join",),
    rtl.classifier_output.ClassifierOutput: ("head",),
    rtl.classifier_word.ClassifierWord: ("word_head",),
    rtl.layer.Engine: ("outlet", "element", "requantiser"),
    rtl.pool.BlockPool: ("pool",),
}
"""Claims by block: names of STREAMS, `element` and `requantiser`. An engine is proven in
parts; as a whole it is simulated, in random configurations."""


def requantiser(make: Any = Requantiser, **change: Any) -> Requantiser:
    """A small requantiser of two channels and a table."""
    usual = {"lanes": 1, "x_bits": 6, "multipliers": [11, -5], "offsets": [100, -30], "shift": 4}
    usual |= {"lo": 0, "hi": 15, "out_bits": 4, "out_signed": False, "multiplier": "lut"}
    found: Requantiser = make(**usual | change)
    return found


WIRED_KINDS = ("mult", "shift", "add", "sum", "max")
WIRED_WEIGHTS = {
    "mult": ((3, -5, 6), (-7, 3, 0), (3, 2, -1)),
    "shift": ((1, -4, 2), (-1, 4, 0), (1, -4, -2)),
    "add": ((3, -5, 6), (2, 3, 0), (3, 2, 6)),
    "sum": ((0, 0, 0), (0, 0, 0), (0, 0, 0)),
    "max": ((0, 0, 0), (0, 0, 0), (0, 0, 0)),
}
"""Some that inputs of 2 to 4 bits exceed, and pairs that are alike."""


def wired_sums(kind: str, *, x_bits: int = 3, x_signed: bool = False, levels: int = 1) -> WiredSums:
    """Three inputs and outputs, the second of which lacks one."""
    rows = [[*enumerate(row)] for row in WIRED_WEIGHTS[kind]]
    return WiredSums(
        kind=kind,
        connections=(tuple(rows[0]), tuple(rows[1][:2]), tuple(rows[2])),
        offsets=(0, -3, 5),
        x_bits=x_bits,
        x_signed=x_signed,
        acc_bits=x_bits + 6,
        levels=levels,
    )


def wired_layer(
    kind: str, *, x_bits: int = 3, x_signed: bool = False, levels: int = 1
) -> WiredLayer:
    """These sums requantised to 3 bits: by a rising, a falling and a steep staircase."""
    steps = (
        Staircase(multiplier=13, offset=700, shift=8, lo=0, hi=7),
        Staircase(multiplier=-21, offset=900, shift=8, lo=0, hi=7),
        Staircase(multiplier=77, offset=-20, shift=5, lo=0, hi=7),
    )
    sums = wired_sums(kind, x_bits=x_bits, x_signed=x_signed, levels=levels)
    return WiredLayer(layer_sums=sums, steps=steps, out_bits=3, out_signed=False)
