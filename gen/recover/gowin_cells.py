"""Cells of a GW1N tile as Verilog of yosys' Gowin cells, one function for each kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gen.flow.netlist import instance
from gen.recover.cell_models import RecoverError
from gen.recover.gowin_fuses import Fuses, Wire

RESETS = {"R": "RESET", "S": "SET", "P": "PRESET", "C": "CLEAR"}
MODES = {"WT": 1, "RBW": 2}
MODELLED = {
    *("GSR", "MODE", "OUTREG_ASYNC", "DBLWA", "DBLWB"),
    *(f"CS{port}_{bit}" for port in "AB" for bit in range(3)),
    *(f"DP{port}_{what}" for port in "AB" for what in ("DATA_WIDTH", "MODE", "REGMODE")),
    *(f"DP{port}_{what}" for port in "AB" for what in ("BEHB", "BELB")),
}
"""Attributes of block RAM that the models here take into account."""


@dataclass(frozen=True, eq=False)
class TileReader:
    """One tile of the bitstream. net: expression of the driver of a wire."""

    fuses: Fuses
    row: int
    column: int
    net: Callable[[Wire], str]

    def wire(self, name: str) -> Wire:
        return self.fuses.wire(self.row, self.column, name)

    def read(self, *names: str) -> list[str]:
        """The drivers of wires of the tile, as expressions."""
        return [self.net(self.wire(name)) for name in names]

    def bits(self, n: int) -> int:
        return self.fuses.lut(self.row, self.column, n)


def lut(at: TileReader, n: int, out: str = "") -> str:
    """A LUT; `out`: what it drives instead of its own wire."""
    out = out or at.wire(f"F{n}")
    pins = dict(zip("ABCD", at.read(*(f"{pin}{n}" for pin in "ABCD")), strict=True))
    links = {"F": out, **{f"I{i}": pins[pin] for i, pin in enumerate("ABCD")}}
    return instance("LUT4", f"LUT_{out}", {"INIT": f"16'h{at.bits(n):04x}"}, links)


def mux(at: TileReader, n: int) -> str:
    """OF0, 2, 4 and 6 choose between two LUTs, odd ones between those, OF7 between two tiles."""
    beside = TileReader(at.fuses, at.row, at.column + 1, at.net)
    pairs = {1: ("OF2", "OF0"), 3: ("OF5", "OF1"), 5: ("OF6", "OF4")}
    if n == 7:
        ins = [*beside.read("OF3"), *at.read("OF3")]
    else:
        ins = at.read(*pairs.get(n, (f"F{n}", f"F{n + 1}")))
    out = at.wire(f"OF{n}")
    links = {"O": out, "I0": ins[0], "I1": ins[1], "S0": at.read(f"SEL{n}")[0]}
    return instance("MUX2", f"MUX_{out}", {}, links)


def alu_sum(at: TileReader, n: int) -> str:
    """The sum of an ALU: its LUT, inverted by the carry."""
    out = at.wire(f"F{n}")
    half = f"{out}_half"
    (carry,) = at.read(f"CIN{n}")
    return f"wire {half};\n{lut(at, n, half)}\nassign {out} = {half} ^ {carry};"


def alu_carry(at: TileReader, n: int, out: Wire) -> str:
    """The carry out of an ALU: its carry in where the LUT gives 1, else the LUT's low four bits."""
    on, made = f"{out}_on", f"{out}_made"
    carry, a, b = at.read(f"CIN{n}", f"A{n}", f"B{n}")
    low = instance(
        "LUT2", f"LUT_{made}", {"INIT": f"4'h{at.bits(n) & 15:x}"}, {"F": made, "I0": a, "I1": b}
    )
    choice = f"assign {out} = {on} ? {carry} : {made};"
    return f"wire {on}, {made};\n{lut(at, n, on)}\n{low}\n{choice}"


def flop(at: TileReader, n: int, flags: frozenset[str]) -> str:
    """A flip-flop behind its LUT or, with the flag SD, behind the pin of the multiplexer."""
    (kind,) = flags - {"SD"}
    data = f"SEL{n}" if "SD" in flags else f"F{n}"
    d, ce, clk, lsr = at.read(data, f"CE{n // 2}", f"CLK{n // 2}", f"LSR{n // 2}")
    out, reset = at.wire(f"Q{n}"), RESETS.get(kind[-1])
    links = {"Q": out, "D": d, "CE": ce, "CLK": clk, **({reset: lsr} if reset else {})}
    return instance(f"{kind}E", f"DFF_{out}", {}, links)


def lut_ram(at: TileReader, n: int) -> str:
    """One of the four bits of a RAM16: a LUT that is written through the pins of LUTs 4 and 5."""
    read, write = (at.read(*(f"{pin}{i}" for pin in "DCBA")) for i in (n, 4))
    data, clk, enable = at.read(f"{'ABCD'[n]}5", "CLK2", "LSR2")
    out = at.wire(f"F{n}")
    links = {"DO": out, "DI": data, "RAD": _bus(read), "WAD": _bus(write), "CLK": clk}
    settings = {"INIT_0": f"16'h{at.bits(n):04x}"}
    return instance("RAM16SDP1", f"RAM_{out}", settings, links | {"WRE": enable})


def block_ram(at: TileReader) -> str:
    """A block with two ports of up to 18 bits; or one that writes and one that reads 36 bits, which
    use the data pins of both.

    A word of 36 bits in one port of an SP is two of 18, one in each port.
    """
    has = at.fuses.block_ram(at.row, at.column)
    if other := set(has) - MODELLED:
        raise RecoverError(f"block RAM at {at.row}, {at.column}: no model of {', '.join(other)}")
    wide = {has.get("DBLWA"), has.get("DBLWB")}
    if wide not in ({None}, {"X36"}):
        raise RecoverError(f"block RAM at {at.row}, {at.column}: no model of 36 bits on one side")
    links: dict[str, str] = {}
    options: dict[str, int] = {}
    for i, port in enumerate("AB"):
        links |= _ram_port(at, port, has)
        options |= {
            f"BIT_WIDTH_{i}": int(has.get(f"DP{port}_DATA_WIDTH", 18)),
            f"WRITE_MODE{i}": MODES.get(has.get(f"DP{port}_MODE", ""), 0),
            f"READ_MODE{i}": int(f"DP{port}_REGMODE" in has),
            f"BLK_SEL_{i}": sum((f"CS{port}_{b}" not in has) << b for b in range(3)),
        }
    kind = "DPX9B"
    if "X36" in wide:
        kind, links, options = _simple(links, options)
    words = at.fuses.contents(at.row, at.column)
    settings = {name: str(value) for name, value in options.items()}
    settings |= {f"INIT_RAM_{i:02X}": f"288'h{word:x}" for i, word in enumerate(words) if word}
    return instance(kind, f"BSRAM_{at.row}_{at.column}", settings, links)


def _ram_port(at: TileReader, port: str, has: dict[str, str]) -> dict[str, str]:
    wires = at.fuses.db[at.row, at.column].bels["BSRAM"].portmap
    links = {
        f"{pin}{port}": at.read(wires[f"{pin}{port}"])[0]
        for pin in ("CLK", "CE", "WRE", "OCE", "RESET")
    }
    for bus, size in (("AD", 14), ("DI", 18), ("DO", 18), ("BLKSEL", 3)):
        nets = at.read(*(wires[f"{bus}{port}{i}"] for i in reversed(range(size))))
        if bus == "AD" and f"DP{port}_BEHB" in has:  # all bytes are enabled
            nets[-2:] = ["1'b1", "1'b1"]
        links[f"{bus}{port}"] = _bus(nets)
    return links


def _simple(
    links: dict[str, str], options: dict[str, int]
) -> tuple[str, dict[str, str], dict[str, int]]:
    """A port that writes and one that reads 36 bits."""
    links = dict(links)
    links["DI"] = _bus([links.pop("DIB"), links.pop("DIA")])
    links["DO"] = _bus([links.pop("DOB"), links.pop("DOA")])
    links["CEA"] = f"{links['CEA']} & {links.pop('WREA')}"
    links["OCE"] = links.pop("OCEB")
    del links["OCEA"], links["WREB"]
    kept = {"BIT_WIDTH_0": 36, "BIT_WIDTH_1": 36, "READ_MODE": options["READ_MODE1"]}
    return "SDPX9B", links, kept | {n: v for n, v in options.items() if n.startswith("BLK")}


def _bus(nets: list[str]) -> str:
    return f"{{{', '.join(nets)}}}"
