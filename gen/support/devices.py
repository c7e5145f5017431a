"""The FPGAs: what each one has, and what the tools want to be told about it.

Resources are those of the vendors' data sheets, pins those of the package that an ordinary design
may use. A board is here only another name of its device.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from operator import itemgetter
from typing import Literal, TypeVar

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

    bram_shapes: (depth, width) of one block at each port width that yosys maps to.
    bram_price: at which yosys counts one. multiplier: widest signed operands of one hardware
    multiplier. bram_parts: what chooses among parts of a deep memory stands behind the registers of
    its blocks (`rtl.block_ram.part_rows`).
    """

    bram_bits: int
    bram_shapes: tuple[tuple[int, int], ...]
    bram_price: int
    distributed_ram: bool
    multiplier: tuple[int, int]
    bram_parts: bool = False


_BLOCK_4K = ((256, 16), (512, 8), (1024, 4), (2048, 2), (4096, 1))  # the last with a multiplexer
FAMILIES: dict[FamilyName, Family] = {
    "ecp5": Family(18432, SHAPES, 128, True, (18, 18), bram_parts=True),
    "ice40": Family(4096, _BLOCK_4K, 64, False, (16, 16)),
    "gowin": Family(18432, SHAPES, 128, True, (18, 18)),
}


@dataclass(frozen=True)
class Device:
    """One FPGA in one package and speed grade.

    lut: 4-input LUTs (iCE40: logic cells). dsp: hardware multipliers of `Family.multiplier`.
    bram: memory blocks. mhz: clock asked of place and route. part, synth: arguments that tell
    nextpnr and yosys the part. pins: where the AXI-Stream ports go, in the order of the ports.
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
    def distributed_ram(self) -> bool:
        return FAMILIES[self.family].distributed_ram

    @property
    def multiplier(self) -> tuple[int, int]:
        return FAMILIES[self.family].multiplier

    def brams(self, depth: int, width: int) -> int:
        """Blocks that yosys takes for a memory of `depth` words of `width` bits.

        As its pass memory_libmap does: of all shapes the one of the least price. Parts of the depth
        lie side by side, and each bit that is chosen among them costs a half for each part but one.
        """
        family = FAMILIES[self.family]
        return _blocks(family.bram_shapes, family.bram_price, depth, width)


@cache
def _blocks(shapes: tuple[tuple[int, int], ...], price: int, depth: int, width: int) -> int:
    def priced(shape: tuple[int, int]) -> tuple[float, int]:
        parts = ceil(depth / shape[0])
        blocks = ceil(parts * width / shape[1])
        return blocks * price + (parts - 1) * width / 2, blocks

    return min(map(priced, reversed(shapes)), key=itemgetter(0))[1]  # of equals, the deepest


_CABGA381 = (  # the header pins of a ULX3S
    "B11 A10 A9 B9 A7 C8 C6 A6 A4 A2 C4 F4 G3 H4 U18 N17 N16 L16 H18 F17 D18 C18 B15 B17 "
    "C11 A11 B10 C10 A8 B8 C7 B6 A5 B1 B4 E3 F3 G5 U17 P16 M17 L17 H17 G18 E17 D17 C15 C17"
)
_CABGA256 = (  # the edge of an iCESugar-pro
    "A8 B8 A7 B7 A6 B6 A5 B5 A4 B4 A3 B3 A2 B1 B2 C1 C2 D1 D3 E1 E2 F1 F2 G1 G2 H2 J1 J2 K1 K2 L1"
)
_CSFBGA285 = (  # the header pins and the DDR3 of an OrangeCrab
    "N17 M18 B10 B9 C8 B8 A8 H2 J2 L4 N3 N4 H4 G4 N15 N16 R17 C9 C10 C4 D2 D3 A3 A4 D4 C3 B2 B1"
)


def _ecp5(
    size: str,
    lut: int,
    dsp: int,
    bram: int,
    package: str = "CABGA381",
    speed: str = "6",
    clock_pin: str = "G2",
    pins: str = _CABGA381,
) -> Device:
    suffix = "" if package == "CABGA381" else f"-{package.lower()}"
    part = (f"--{size}k", "--package", package, "--speed", speed)
    sizes = (lut, lut, dsp, bram)
    name = f"lfe5u-{size}f{suffix}"
    return Device(name, "ecp5", *sizes, 150.0, part, clock_pin, tuple(pins.split()))


_QN88 = "25 26 27 28 29 30 33 34 35 40 41 42 51 53 54 55 56 57 68 69 70 71 72 73 74 75 48 49 31 32"
_SG48 = "2 3 4 6 9 10 11 12 13 18 19 20 21 23 25 26 27 28 31 32 34 36 37 38 42 43 44 45 46 47 48"
_CT256 = (
    "A16 A15 B15 B13 B14 B12 B11 A11 B10 A10 C9 A9 B9 B8 A7 B7 C7 A6 C6 B6 C5 A5 C4 B5 C3 B4 B3 "
    "A2 A1 R15 P16 P15 N16 M15 M16 L16 K15 K16 K14 J14 G14 F14 J15 H14"
)
_TQ144 = (
    "112 113 114 115 116 117 118 119 62 61 60 56 48 47 45 44 78 79 80 81 87 88 90 91 99 98 97 96"
)
_CM81 = (
    "A2 A1 B1 C2 C1 D2 D1 E2 E1 G2 H1 J1 H2 H9 D9 D8 C9 A9 B8 A8 B7 A7 B6 A6 G1 J3 J4 G9 J9 E8 J2"
)

DEVICES = {
    d.name: d
    for d in (
        # the tools place 24,288 LUTs on a 12F, which is a 25F die; the data sheet promises half
        _ecp5("12", 12144, 28, 32),
        _ecp5("25", 24288, 28, 56),
        _ecp5("45", 43848, 72, 108),
        _ecp5("85", 83640, 156, 208),
        _ecp5("25", 24288, 28, 56, "CABGA256", "6", "P6", _CABGA256),
        _ecp5("25", 24288, 28, 56, "CSFBGA285", "8", "A9", _CSFBGA285),
        _ecp5("85", 83640, 156, 208, "CSFBGA285", "8", "A9", _CSFBGA285),
        Device(
            *("ice40-up5k", "ice40", 5280, 5280, 8, 30, 40.0, ("--up5k", "--package", "sg48")),
            clock_pin="35",
            pins=tuple(_SG48.split()),
            synth=("-device", "u", "-dsp"),
        ),
        Device(
            *("ice40-hx8k", "ice40", 7680, 7680, 0, 32, 100.0, ("--hx8k", "--package", "ct256")),
            clock_pin="J3",
            pins=tuple(_CT256.split()),
            synth=("-device", "hx"),
        ),
        Device(
            *("ice40-lp8k", "ice40", 7680, 7680, 0, 32, 70.0, ("--lp8k", "--package", "cm81")),
            clock_pin="B2",
            pins=tuple(_CM81.split()),
            synth=("-device", "lp"),
        ),
        Device(
            *("ice40-hx1k", "ice40", 1280, 1280, 0, 16, 100.0, ("--hx1k", "--package", "tq144")),
            clock_pin="21",
            pins=tuple(_TQ144.split()),
            synth=("-device", "hx"),
        ),
        Device(
            *("gw1nr-9", "gowin", 8640, 6480, 20, 26, 80.0),
            ("--device", "GW1NR-LV9QN88PC6/I5", "--vopt", "family=GW1N-9C"),
            clock_pin="52",
            pins=tuple(_QN88.split()),
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
    """The device or board called `name`, in any case; RequestError lists the known ones."""
    boards = {board: DEVICES[on] for board, on in BOARDS.items()}
    return named("device or board", name, DEVICES | boards)


def named(what: str, name: str, known: Mapping[str, T]) -> T:
    """The one of `known` called `name`, in any case; RequestError lists them all."""
    key = name.strip().lower()
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key, known, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise RequestError(f"unknown {what} {name!r}: {hint}known are {', '.join(known)}")
