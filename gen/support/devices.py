"""The FPGAs: the resources of each, and the arguments that the tools need for it.

Resources are those of the vendors' data sheets. A board is here only another name of its device.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from operator import itemgetter
from typing import Literal, TypeVar

from gen.support.board_files import BoardEntry, board_entries
from gen.support.package_pins import (
    CABGA256,
    CABGA381,
    CM81,
    CSFBGA285,
    CT256,
    QN88,
    SG48,
    TQ144,
)
from model.errors import RequestError
from rtl.block_ram import SHAPES

FamilyName = Literal["ecp5", "ice40", "gowin"]
RESOURCE_NAMES = {
    "lut": "LUTs", "ff": "flip-flops", "dsp": "multipliers", "bram": "blocks of RAM",
}  # fmt: skip
"""What a device has, by the names of its fields here."""
T = TypeVar("T")


@dataclass(frozen=True)
class Family:
    """What all devices of one family share.

    bram_bits: of one block. bram_shapes: (depth, width) of one block at each port width that yosys
    maps to. bram_price: price of one in yosys' library. distributed_ram: LUTs can be memories.
    multiplier: widest signed operands of one hardware multiplier. half: those of half a one, which
    can be used alone; 0 where there are none. paired: widest operands of two products of one layer
    that share a multiplier (gen.flow.passes.mac_halves). packs: one multiplication may form two
    products (rtl.pe.mult). bram_parts: in a memory of several blocks, the multiplexer between them
    stands behind their output registers (`rtl.block_ram.part_rows`). staged: deep lanes are its
    slowest paths, and have a register within (rtl.pe.shift).
    """

    bram_bits: int
    bram_shapes: tuple[tuple[int, int], ...]
    bram_price: int
    distributed_ram: bool
    multiplier: tuple[int, int]
    half: int = 0
    paired: int = 0
    packs: bool = False
    bram_parts: bool = False
    staged: bool = False


_BLOCK_4K = ((256, 16), (512, 8), (1024, 4), (2048, 2), (4096, 1))  # the last with a multiplexer
FAMILIES: dict[FamilyName, Family] = {
    "ecp5": Family(18432, SHAPES, 128, True, (18, 18), packs=True, bram_parts=True),
    "ice40": Family(4096, _BLOCK_4K, 64, False, (16, 16), paired=8),
    "gowin": Family(18432, SHAPES, 128, True, (18, 18), half=9, staged=True),
}


@dataclass(frozen=True)
class Device:
    """One FPGA in one package and speed grade.

    lut: 4-input LUTs (iCE40: logic cells). dsp: hardware multipliers of `Family.multiplier`, or
    halves where the family has these. bram: memory blocks. mhz: clock that place and route is asked
    for. part, synth: arguments that tell nextpnr and yosys the part. pins: where the AXI-Stream
    ports go, in the order of the ports.
    """

    name: str
    family: FamilyName
    lut: int
    ff: int
    dsp: int
    bram: int
    mhz: float
    part: tuple[str, ...]
    clock_pin: str
    pins: tuple[str, ...]
    synth: tuple[str, ...] = ()

    @property
    def bram_bits(self) -> int:
        return FAMILIES[self.family].bram_bits

    @property
    def bram_parts(self) -> bool:
        return FAMILIES[self.family].bram_parts

    @property
    def staged(self) -> bool:
        return FAMILIES[self.family].staged

    @property
    def distributed_ram(self) -> bool:
        return FAMILIES[self.family].distributed_ram

    @property
    def multiplier(self) -> tuple[int, int]:
        return FAMILIES[self.family].multiplier

    def multipliers(self, a: int, b: int) -> int:
        """Units of `dsp` that one product takes, of operands that one multiplier holds."""
        half = FAMILIES[self.family].half
        return 1 if max(a, b) <= half or not half else 2

    def shared(self, a: int, b: int) -> int:
        """Products of one layer that share one multiplier: 2 where halves hold the operands."""
        return 2 if max(a, b) <= FAMILIES[self.family].paired else 1

    def packs(self, x_bits: int, w_bits: int, symmetric: bool) -> bool:
        """Whether one multiplier forms an input's products by two weights, see rtl.pe.mult."""
        family = FAMILIES[self.family]
        return family.packs and x_bits + 2 * w_bits + (not symmetric) <= min(family.multiplier)

    def brams(self, depth: int, width: int) -> int:
        """Blocks that yosys takes for a memory of `depth` words of `width` bits.

        As its pass memory_libmap does, which takes the shape of least price. Where the depth needs
        several parts, each bit of the multiplexer between them adds half for each part but one.
        """
        family = FAMILIES[self.family]
        return _blocks(family.bram_shapes, family.bram_price, depth, width)


@cache
def _blocks(shapes: tuple[tuple[int, int], ...], price: int, depth: int, width: int) -> int:
    def price_of(shape: tuple[int, int]) -> tuple[float, int]:
        parts = ceil(depth / shape[0])
        blocks = ceil(parts * width / shape[1])
        return blocks * price + (parts - 1) * width / 2, blocks

    return min(map(price_of, reversed(shapes)), key=itemgetter(0))[1]  # of equals, the deepest


def _ecp5(
    size: str,
    lut: int,
    dsp: int,
    bram: int,
    package: str = "CABGA381",
    speed: str = "6",
    clock_pin: str = "G2",
    pins: str = CABGA381,
) -> Device:
    suffix = "" if package == "CABGA381" else f"-{package.lower()}"
    part = (f"--{size}k", "--package", package, "--speed", speed)
    sizes = (lut, lut, dsp, bram)
    name = f"lfe5u-{size}f{suffix}"
    return Device(name, "ecp5", *sizes, 150.0, part, clock_pin, tuple(pins.split()))


DEVICES = {
    d.name: d
    for d in (
        # the tools place 24,288 LUTs on a 12F, which is a 25F die; the data sheet promises half
        _ecp5("12", 12144, 28, 32),
        _ecp5("25", 24288, 28, 56),
        _ecp5("45", 43848, 72, 108),
        _ecp5("85", 83640, 156, 208),
        _ecp5("25", 24288, 28, 56, "CABGA256", "6", "P6", CABGA256),
        _ecp5("25", 24288, 28, 56, "CSFBGA285", "8", "A9", CSFBGA285),
        _ecp5("85", 83640, 156, 208, "CSFBGA285", "8", "A9", CSFBGA285),
        Device(
            *("ice40-up5k", "ice40", 5280, 5280, 8, 30, 40.0, ("--up5k", "--package", "sg48")),
            clock_pin="35",
            pins=tuple(SG48.split()),
            synth=("-device", "u", "-dsp"),
        ),
        Device(
            *("ice40-hx8k", "ice40", 7680, 7680, 0, 32, 100.0, ("--hx8k", "--package", "ct256")),
            clock_pin="J3",
            pins=tuple(CT256.split()),
            synth=("-device", "hx"),
        ),
        Device(
            *("ice40-lp8k", "ice40", 7680, 7680, 0, 32, 70.0, ("--lp8k", "--package", "cm81")),
            clock_pin="B2",
            pins=tuple(CM81.split()),
            synth=("-device", "lp"),
        ),
        Device(
            *("ice40-hx1k", "ice40", 1280, 1280, 0, 16, 100.0, ("--hx1k", "--package", "tq144")),
            clock_pin="21",
            pins=tuple(TQ144.split()),
            synth=("-device", "hx"),
        ),
        Device(
            *("gw1nr-9", "gowin", 8640, 6480, 40, 26, 80.0),
            ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
            clock_pin="52",
            pins=tuple(QN88.split()),
            synth=("-family", "gw1n"),
        ),
    )
}

BOARDS = {
    **{f"ulx3s-{size}f": f"lfe5u-{size}f" for size in ("12", "25", "45", "85")},
    "orangecrab": "lfe5u-25f-csfbga285",
    "orangecrab-85f": "lfe5u-85f-csfbga285",
    "colorlight-5a-75b": "lfe5u-25f-cabga256",
    "icesugar-pro": "lfe5u-25f-cabga256",
    "icebreaker": "ice40-up5k",
    "up5k-evn": "ice40-up5k",
    "upduino-v3": "ice40-up5k",
    "icesugar": "ice40-up5k",
    "hx8k-evn": "ice40-hx8k",
    "tinyfpga-bx": "ice40-lp8k",
    "icestick": "ice40-hx1k",
    "tang-nano-9k": "gw1nr-9",
    "up5k": "ice40-up5k",
    "hx8k": "ice40-hx8k",
    "lp8k": "ice40-lp8k",
}


def device(name: str) -> Device:
    """The device or board called `name`, in any case; RequestError lists the known ones.

    Own boards are read when no other has the name.
    """
    boards = {board: DEVICES[on] for board, on in BOARDS.items()}
    known = DEVICES | boards
    if name.strip().lower() not in known:
        known |= {own: own_device(own, *entry) for own, entry in board_entries().items()}
    return named("device or board", name, known)


def own_device(name: str, entry: BoardEntry, source: str) -> Device:
    """The device of the user's own board `name` in `source`; RequestError where it has none, or
    bears a name that is taken."""
    if name in DEVICES.keys() | BOARDS.keys():
        raise RequestError(f"{source}: board {name} comes with shiftadd; choose another name")
    try:
        return named("device", entry.device, DEVICES)
    except RequestError as error:
        raise RequestError(f"{source}: board {name}: {error}") from None


def named(kind: str, name: str, known: Mapping[str, T]) -> T:
    """The one of `known` called `name`, in any case; RequestError lists them all as a `kind`."""
    key = name.strip().lower()
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise RequestError(f"unknown {kind} {name!r}: {hint}known are {', '.join(known)}")
