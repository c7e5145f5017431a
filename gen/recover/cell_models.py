"""Verilog of a netlist with LUTs, carries and flip-flops replaced by their yosys models.

Blocks of RAM and multipliers stay instances (`RecoveredVerilog.blocks`): a simulation adds their
models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gen.host.hashes import of_file
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import Device, FamilyName
from model.errors import ShiftaddError

ECP5_BLOCKS = ("DP16KD", "MULT18X18D")
ICE40_BLOCKS = ("SB_RAM40_4K", "SB_MAC16")
GOWIN_BLOCKS = ("SP", "SPX9", "SDPX9B", "DPB", "DPX9B", "MULT9X9", "MULT18X18", "MULT36X36")
BLOCKS = (*ECP5_BLOCKS, *ICE40_BLOCKS, *GOWIN_BLOCKS)
MODELS: Mapping[FamilyName, tuple[str, ...]] = {
    "ecp5": (
        "read_verilog -overwrite +/ecp5/cells_sim.v",
        "read_verilog -overwrite -lib +/ecp5/cells_bb.v",
    ),
    "ice40": (),  # cell by cell, see ice40_model
    "gowin": (
        "read_verilog -overwrite +/gowin/cells_sim.v",
        "blackbox SP SPX9",
        "read_verilog -overwrite -lib +/gowin/cells_xtra_gw1n.v",
    ),
}
"""yosys' models of the cells of a family, those of blocks without content."""
ICE40_MACROS = """\
`define SB_DFF_INIT initial Q = 0;
`define ICE40_DEFAULT_ASSIGNMENT_V(v)
`define ICE40_DEFAULT_ASSIGNMENT_0
`define ICE40_DEFAULT_ASSIGNMENT_1
"""
"""Macros that models of single iCE40 cells need from the head of yosys' file."""
SECONDS = 600


class RecoverError(ShiftaddError, ValueError):
    """What was built cannot be read back here; the message says why and what would help."""


@dataclass(frozen=True)
class RecoveredVerilog:
    """Verilog of module `top`, and the types of the blocks that it has instances of."""

    verilog: str
    blocks: tuple[str, ...]


def computed(source: Path, top: str, device: Device, cache: Cache) -> RecoveredVerilog:
    """The netlist in Verilog `source` with its cells replaced by their models. Raises ToolError."""
    models = _ice40_models(source.read_text(encoding="utf-8")) if device.family == "ice40" else {}
    lib = {"blocks.v": "-lib ", "cells.v": ""}
    script = [*MODELS[device.family], *(f"read_verilog {lib[name]}{name}" for name in models)]
    script += [f"read_verilog {source.name}", f"hierarchy -check -top {top}", "proc -norom"]
    script += ["flatten", "opt_clean -purge", "write_verilog -noattr computed.v"]

    def make(folder: Path) -> float:
        (folder / "computed.ys").write_text("\n".join(script) + "\n")
        for name, text in models.items():
            (folder / name).write_text(text)
        return tools.run(
            "yosys",
            ["computed.ys"],
            step="cell models",
            folder=folder,
            log=folder / "computed.log",
            timeout=SECONDS,
            inputs=(source,),
        )

    inputs = {
        "source": of_file(source),
        "script": script,
        "models": models,
        "tool": tools.version("yosys"),
    }
    text = (cache.step("computed", inputs, make).folder / "computed.v").read_text()
    used = set(re.findall(r"^ *(\w+) (?:#\(|\\|\w+ *\()", text, re.MULTILINE))
    return RecoveredVerilog(text, tuple(block for block in BLOCKS if block in used))


def _ice40_models(netlist: str) -> dict[str, str]:
    """Files with the models of the cells that a netlist uses: cells.v and, for BLOCKS, blocks.v."""
    models: dict[str, str] = {}
    for cell in sorted(set(re.findall(r"^\s*(SB_\w+)", netlist, re.MULTILINE))):
        name = "blocks.v" if cell in BLOCKS else "cells.v"
        models[name] = models.get(name, ICE40_MACROS) + ice40_model(cell) + "\n"
    return models


def ice40_model(cell: str) -> str:
    """yosys' model of one type of cell; its whole file, with SPRAM, takes 16 seconds to read."""
    import pyosys

    text = (Path(pyosys.__file__).parent / "share" / "ice40" / "cells_sim.v").read_text()
    module = re.search(rf"^module {cell}\b.*?^endmodule", text, re.MULTILINE | re.DOTALL)
    assert module, f"no model of {cell} in yosys"
    return module[0]
