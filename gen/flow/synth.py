"""Synthesis: Verilog to a netlist of one family's cells, with yosys."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gen.flow import netlist as netlists
from gen.flow.passes import carries, mac_halves, odd_chains, registers
from gen.support import tools
from gen.support.cache import Cache, CacheEntry, sources
from gen.support.devices import Device

FEWEST = 9
"""Flip-flops of an iCE40 that share an enable or a reset, at least. Fewer are told by the LUT in
front of them, which is idle before many: those signals cost a LUT each, and their way to a tile is
slow, which held loop counters back: digits_hybrid at 20,000 images/s on an UP5K, mean of three
placements: 45.4 MHz and 4,122 LCs without, 49.2 and 4,134 for enables alone, 55.8 and 4,101."""
FLIP_FLOPS = (
    "dfflegalize -cell $_DFF_?_ 0 -cell $_DFFE_?P_ 0 -cell $_DFF_?P?_ 0 -cell $_DFFE_?P?P_ 0 "
    "-cell $_SDFF_?P?_ 0 -cell $_SDFFCE_?P?P_ 0 -cell $_DLATCH_?_ x "
    f"-mince {FEWEST} -minsrst {FEWEST}"
)
"""What synth_ice40 does to flip-flops, with the limits; it offers that of enables only."""
OPTIONS = {
    "ecp5": ("synth_ecp5",),
    "ice40": ("synth_ice40",),
    "gowin": ("synth_gowin",),
}
# Picoseconds of logic within which abc9 maps for area. On ECP5 conv layers of 2,300 LUTs, mean of
# three placements: 6667 97 MHz, 3000 107, 2300 124, without 124 but 3 % more LUTs, and 70 instead
# of 51 a lane of shift (from 2200 on). Gowin: 9000 128 and 168 MHz, without 117 and 126. iCE40:
# UP5K 47 MHz with 25000, 52 without, and no fewer cells.
DELAY = {
    "ecp5": ("scratchpad -set abc9.D 2300",),
    "ice40": (),
    "gowin": ("scratchpad -set abc9.D 9000",),
}
ADDSUB = (Path(__file__).parent / "addsub.v").read_text()
SHARE = (
    # a + b and a − b of an AddSub in rtl/terms.py become one carry chain with an inverting input
    "proc *addsub*",
    "wreduce *addsub*",
    "techmap -map addsub.v *addsub*",
    "opt_clean *addsub*",
    "share -aggressive *addsub*",
    "opt_clean *addsub*",
)
NARROW = (
    # yosys leaves products of less than 11 bits to LUTs; here each that one multiplier holds is
    # meant for one, of which two share an SB_MAC16 (gen.flow.passes.mac_halves); but a product by a
    # power of two is a shift
    "opt_expr t:$mul",
    "wreduce t:$mul",
    "select -set narrow t:$mul r:A_WIDTH<=16 %i r:B_WIDTH<=16 %i",
    "techmap -map +/mul2dsp.v -map +/ice40/dsp_map.v -D DSP_A_MAXWIDTH=16 -D DSP_B_MAXWIDTH=16 "
    "-D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_NAME=$__MUL16X16 @narrow",
    "chtype -set $mul t:$__soft_mul",  # the narrow rest of a product that is wider than one
    "select a:mul2dsp",
    "setattr -unset mul2dsp",
    "select -clear",
)
PASSES: dict[str, tuple[Callable[[dict[str, Any]], object], ...]] = {
    "ecp5": (registers.absorb, odd_chains.move_up, carries.start_chains),
    "ice40": (mac_halves.pair,),
    "gowin": (),
}
"""Our own, over the netlist, before it is written as Verilog."""
PASS_FILES = {
    "ecp5": (carries, netlists, odd_chains, registers),
    "ice40": (mac_halves, netlists),
    "gowin": (),
}
WRITE = ("read_json netlist.json", "write_verilog -noattr netlist.v")


@dataclass(frozen=True)
class Netlist:
    """Cells of one family. path: yosys JSON, with netlist.v beside it, which simulates with yosys'
    models of the cells. cells: number of each type. ports: pins, bits of a bus as name[i]."""

    top: str
    path: Path
    entry: CacheEntry
    cells: Mapping[str, int]
    ports: tuple[str, ...]


def script(top: str, device: Device) -> tuple[str, ...]:
    """Commands of yosys that read design.v and write netlist.json."""
    synth = " ".join((*OPTIONS[device.family], *device.synth, "-top", top))
    steps: tuple[str, ...] = (synth,)
    if device.family == "ice40":
        steps = (f"{synth} -run begin:map_ffs", FLIP_FLOPS, f"{synth} -run map_ffs:json")
    return (
        "read_verilog design.v",
        *SHARE,
        *DELAY[device.family],
        *(NARROW if "-dsp" in device.synth else ()),
        *steps,
        "write_json netlist.json",
    )


def synthesise(
    verilog: str, top: str, device: Device, *, cache: Cache, timeout: float = 3600.0
) -> Netlist:
    """Netlist of module `top`, flat. Raises ToolError; ValueError when `top` is no plain name."""
    if not re.fullmatch(r"[A-Za-z_]\w*", top):
        raise ValueError(f"top module {top!r}: must be a plain Verilog name")
    commands = script(top, device)

    def make(folder: Path) -> float:
        (folder / "design.v").write_text(verilog)
        (folder / "addsub.v").write_text(ADDSUB)
        seconds = _yosys(folder, "synth", commands, timeout)
        _rewrite(folder / "netlist.json", top, *PASSES[device.family])
        seconds += _yosys(folder, "write", WRITE, timeout)
        if device.family == "ecp5":
            _rewrite(folder / "netlist.json", top, carries.name_open_pins)
        return seconds

    inputs = {
        "verilog": hashlib.sha256(verilog.encode()).hexdigest(),
        "commands": (*commands, *WRITE),
        "techmap": ADDSUB,
        "tool": tools.version("yosys"),
        "passes": sources(*PASS_FILES[device.family]),
    }
    entry = cache.step("synth", inputs, make)
    return read(entry, top)


def read(entry: CacheEntry, top: str) -> Netlist:
    """The netlist of a built synthesis step."""
    path = entry.folder / "netlist.json"
    module = json.loads(path.read_text())["modules"][top]
    cells = Counter(c["type"] for c in module["cells"].values() if c["type"] != "$scopeinfo")
    return Netlist(top, path, entry, dict(sorted(cells.items())), _pins(module["ports"]))


def _pins(ports: Mapping[str, Mapping[str, list[object]]]) -> tuple[str, ...]:
    return tuple(
        name if len(port["bits"]) == 1 else f"{name}[{i}]"
        for name, port in ports.items()
        for i in range(len(port["bits"]))
    )


def _yosys(folder: Path, name: str, commands: Sequence[str], timeout: float) -> float:
    (folder / f"{name}.ys").write_text("\n".join(commands) + "\n")
    return tools.run(
        "yosys",
        [f"{name}.ys"],
        step="synthesis",
        folder=folder,
        log=folder / f"{name}.log",
        timeout=timeout,
    )


def _rewrite(path: Path, top: str, *passes: Callable[[dict[str, Any]], object]) -> None:
    if not passes:
        return
    netlist = json.loads(path.read_text(encoding="utf-8"))
    for change in passes:
        change(netlist["modules"][top])
    path.write_text(json.dumps(netlist), encoding="utf-8")
