"""The configuration in the bitstream of a GW1N-9: cells, wires and contents of block RAM.

apycula's tables and the decoder of gowin_unpack give bels and pips. gowin_unpack itself (0.32) does
not decode all of it: contents and widths of block RAM, functions of ALUs that nextpnr changed,
contents of distributed RAM, long wires, which clock spine is tapped. These are read here.
"""

from __future__ import annotations

import contextlib
import importlib.resources
import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

Wire = str
"""R<row>C<column>_<name>, VCC or VSS."""
ROWS, ROW_BITS = 64, 288
"""INIT_RAM rows of a block, and bits of one, every ninth a parity bit."""
INIT_HEIGHT = 256
"""Lines of the bitstream that hold the contents of one row of blocks."""


@dataclass(frozen=True)
class Tile:
    """bels: flags or modes of each by name. pips: source by destination. taps: by destination, the
    clock spines of which any may be meant, as they have the same fuses.
    """

    bels: dict[str, set[Any]]
    pips: dict[str, str]
    taps: dict[str, list[str]]


class Fuses:
    """The bitstream in file `path`; `chip` is apycula's name of the die, `part` the full one."""

    def __init__(self, path: Path, chip: str, part: str) -> None:
        from apycula import bslib, chipdb

        with importlib.resources.as_file(
            importlib.resources.files("apycula") / f"{chip}.msgpack.xz"
        ) as file:
            self.db = chipdb.load_chipdb(file)
        self.chip, self.part = chip, part
        self.bitmap = bslib.read_bitstream(str(path))[0]
        self.bits = chipdb.tile_bitmap(self.db, self.bitmap)

    def pin(self, number: str) -> tuple[int, int, str]:
        """Row, column (from 0) and A or B of the pad behind a pin of the package."""
        from apycula import gowin_unpack

        package, device, _ = self.db.packages[self.part]
        row, column, pad = gowin_unpack.tbrl2rc(self.db, self.db.pinout[device][package][number][0])
        return row, column, pad

    def tiles(self) -> Iterator[tuple[int, int, Tile]]:
        """Row and column (from 0) of each tile with what it configures."""
        from apycula import gowin_unpack

        gowin_unpack._device = self.chip  # as its main does
        for row, column in self.bits:
            with contextlib.redirect_stdout(io.StringIO()):
                bels, pips, clocks = gowin_unpack.parse_tile_(
                    self.db, row, column, self.bits[row, column], self.bits, noiostd=False
                )
            pips = {to: by for to, by in pips.items() if not self._isolated(row, column, to)}
            taps = {to: self._alike(row, column, to, by) for to, by in clocks.items()}
            yield row, column, Tile(bels, pips | clocks, taps)

    def _isolated(self, row: int, column: int, wire: str) -> bool:
        """Whether this end of a long wire does not drive it."""
        tile, alone = self.bits[row, column], self.db[row, column].alonenode_6.get(wire)
        return bool(alone) and all(tile[r][c] for r, c in alone[0][1])

    def _alike(self, row: int, column: int, to: str, by: str) -> list[str]:
        """Sources of a clock wire that have the same fuses as `by`."""
        sources = self.db[row, column].clock_pips.get(to, {})
        return [name for name, fuses in sources.items() if fuses == sources.get(by)]

    def wire(self, row: int, column: int, name: str) -> Wire:
        """The chip-wide name of a wire that a tile knows as `name`."""
        from apycula import chipdb

        global_name: str = chipdb.wire2global(row + 1, column + 1, self.db, name)
        return self._alias.get(global_name, global_name)

    @cached_property
    def _alias(self) -> dict[Wire, Wire]:
        """Names of wires that lead through more than one tile."""
        from apycula import chipdb

        alias: dict[Wire, Wire] = {}
        for _, parts in self.db.nodes.values():
            names = [f"R{r + 1}C{c + 1}_{w}" for r, c, w in sorted(parts, key=lambda p: len(p[2]))]
            alias |= dict.fromkeys(names[1:], names[0])
        for row in range(self.db.rows):
            for column in range(self.db.cols):
                for i in (1, 2):
                    for way, r, c in (("N", 0, 1), ("S", 2, 1), ("W", 1, 0), ("E", 1, 2)):
                        name = chipdb.wire2global(row + r, column + c, self.db, f"{way}1{i}1")
                        own = "SN" if way in "NS" else "EW"
                        alias[name] = f"R{row + 1}C{column + 1}_{own}{i}0"
        return alias | self._long_wires()

    def _long_wires(self) -> dict[Wire, Wire]:
        """Long wires: one down a column, driven at either end, with a branch in each row."""
        alias: dict[Wire, Wire] = {}
        for (_, column, i), wire in self.db.segments.items():
            at = f"C{column + 1}_"
            root = f"R{wire['min_y'] + 1}{at}LONG{i}"
            for end in ("top", "bottom"):
                alias[f"R{wire[f'{end}_row'] + 1}{at}{wire[f'{end}_wire']}"] = root
            for row in range(wire["min_y"] + 1, wire["max_y"] + 2):
                alias[f"R{row}{at}LT0{1 if i < 4 else 4}"] = root
                branch = f"R{row}{at}LBO{i // 4}"
                for x in range(wire["min_x"], wire["max_x"] + 1):
                    alias[f"R{row}C{x + 1}_LB{i}1"] = branch
        return alias

    def lut(self, row: int, column: int, number: int) -> int:
        """The 16 bits of a LUT. A fuse is a 0."""
        tile, flags = self.bits[row, column], self.db[row, column].bels[f"LUT{number}"].flags
        return sum(
            1 << bit for bit, fuses in flags.items() if not all(tile[r][c] for r, c in fuses)
        )

    def block_ram(self, row: int, column: int) -> dict[str, str]:
        """Attributes by name of a block of RAM, whose fuses lie in three tiles."""
        attributes: dict[str, str] = {}
        for name, values in self._ram_fuses(row, column).items():
            every = set().union(*values.values())
            is_set = {(c, y, x) for c, y, x in every if self.bits[row, c][y][x]}
            for value, fuses in values.items():
                if fuses == is_set:
                    attributes[name] = value
        return attributes

    def _ram_fuses(self, row: int, column: int) -> dict[str, dict[str, set[tuple[int, int, int]]]]:
        """(tile column, line, bit) of the fuses of a block, by attribute and value."""
        from apycula import attrids

        names = {number: name for name, number in attrids.bsram_attrids.items()}
        values = {number: value for value, number in attrids.bsram_attrvals.items()}
        table: dict[str, dict[str, set[tuple[int, int, int]]]] = {}
        for c in range(column, column + 3):
            for key, fuses in self.db.shortval[self.db[row, c].ttyp]["BSRAM_DP"].items():
                attribute, value = self.db.rev_logicinfo("BSRAM")[max(key)]
                of = table.setdefault(names[attribute], {}).setdefault(values[value], set())
                of |= {(c, y, x) for y, x in fuses}
        return table

    def contents(self, row: int, column: int) -> list[int]:
        """INIT_RAM rows of a block of RAM: those of an X9 type."""
        top = self.db.height + INIT_HEIGHT * sorted(self.db.simplio_rows).index(row)
        left = sum(self.db[0, c].width for c in range(column))
        if len(self.bitmap) <= top:
            return [0] * ROWS
        total = 0
        for i, (line, bit) in enumerate(self._places):
            total |= int(self.bitmap[top + line][left + bit]) << i
        return [total >> i * ROW_BITS & (1 << ROW_BITS) - 1 for i in range(ROWS)]

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Line and column of each bit of a block's contents, as gowin_pack puts them."""
        lines, places = self.db.rev_logicinfo("BSRAM_INIT"), []
        for i in range(ROWS * ROW_BITS):
            half, bit = divmod(i, 18)
            address = half * 16 + bit - (bit > 8) - (bit in (8, 17))
            quad = {0x30: 0xC0, 0x20: 0x40, 0x10: 0x80, 0x00: 0x00}[address & 0x30]
            line = INIT_HEIGHT - 1 - quad - (address >> 6 & 0x3F)
            places.append((line, lines[bit * 4 + (address >> 12)][0] - 1))
        return places
