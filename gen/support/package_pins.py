"""Pins of the FPGAs' packages that an ordinary design may use, in the order of its ports."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

SITES = Path(__file__).with_name("package_sites.json")


@cache
def sites(device: str) -> frozenset[str]:
    """All pins of a device's package that a signal can be on (`python -m
    tests.support.package_sites` makes the table of what the tools know)."""
    return frozenset(json.loads(SITES.read_text(encoding="utf-8"))[device].split())


CABGA381 = (  # the header pins of a ULX3S
    "B11 A10 A9 B9 A7 C8 C6 A6 A4 A2 C4 F4 G3 H4 U18 N17 N16 L16 H18 F17 D18 C18 B15 B17 "
    "C11 A11 B10 C10 A8 B8 C7 B6 A5 B1 B4 E3 F3 G5 U17 P16 M17 L17 H17 G18 E17 D17 C15 C17"
)
CABGA256 = (  # the edge of an iCESugar-pro
    "A8 B8 A7 B7 A6 B6 A5 B5 A4 B4 A3 B3 A2 B1 B2 C1 C2 D1 D3 E1 E2 F1 F2 G1 G2 H2 J1 J2 K1 K2 L1"
)
CSFBGA285 = (  # the header pins and the DDR3 of an OrangeCrab
    "N17 M18 B10 B9 C8 B8 A8 H2 J2 L4 N3 N4 H4 G4 N15 N16 R17 C9 C10 C4 D2 D3 A3 A4 D4 C3 B2 B1"
)

QN88 = "25 26 27 28 29 30 33 34 35 40 41 42 51 53 54 55 56 57 68 69 70 71 72 73 74 75 48 49 31 32"
SG48 = "2 3 4 6 9 10 11 12 13 18 19 20 21 23 25 26 27 28 31 32 34 36 37 38 42 43 44 45 46 47 48"
CT256 = (
    "A16 A15 B15 B13 B14 B12 B11 A11 B10 A10 C9 A9 B9 B8 A7 B7 C7 A6 C6 B6 C5 A5 C4 B5 C3 B4 B3 "
    "A2 A1 R15 P16 P15 N16 M15 M16 L16 K15 K16 K14 J14 G14 F14 J15 H14"
)
TQ144 = (
    "112 113 114 115 116 117 118 119 62 61 60 56 48 47 45 44 78 79 80 81 87 88 90 91 99 98 97 96"
)
CM81 = (
    "A2 A1 B1 C2 C1 D2 D1 E2 E1 G2 H1 J1 H2 H9 D9 D8 C9 A9 B8 A8 B7 A7 B6 A6 G1 J3 J4 G9 J9 E8 J2"
)
