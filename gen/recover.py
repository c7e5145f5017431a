"""Verilog of what was built: the netlist of synthesis, and what a bitstream holds.

Both come out as one module with the ports of the design, in which LUTs, carries and flip-flops have
become what they compute. Blocks of RAM and multipliers stay instances (`blocks`), whose models a
simulation adds.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from gen import tools
from gen.build import Build
from gen.cache import Cache
from gen.devices import Device
from gen.routing import PINS_FILE
from gen.synth import Netlist

FAMILIES = ("ecp5", "ice40")
"""Those of whose cells there are models."""
ECP5_MODELS = (
    "read_verilog -overwrite +/ecp5/cells_sim.v",
    "read_verilog -overwrite -lib +/ecp5/cells_bb.v",
)
BLOCKS = ("DP16KD", "MULT18X18D", "SB_RAM40_4K", "SB_MAC16")
ICE40_MACROS = """\
`define SB_DFF_INIT initial Q = 0;
`define ICE40_DEFAULT_ASSIGNMENT_V(v)
`define ICE40_DEFAULT_ASSIGNMENT_0
`define ICE40_DEFAULT_ASSIGNMENT_1
"""
"""What the models of single cells want from the head of yosys' file: no defaults."""
VLOG = "icebox_vlog"
SECONDS = 600


class RecoverError(ValueError):
    """What was built cannot be read back here; the message says why and what would help."""


@dataclass(frozen=True)
class Recovered:
    """Verilog of module `top`, and the types of the blocks that it has instances of."""

    verilog: str
    blocks: tuple[str, ...]


def check(device: Device, level: str) -> None:
    """Raises RecoverError where a level below RTL cannot be had, before anything is built."""
    if device.family not in FAMILIES:
        raise RecoverError(
            f"{device.name}: no models of all cells of {device.family}; take --level rtl"
        )
    if level == "bitstream":
        if device.family != "ice40":
            raise RecoverError(
                f"{device.name}: only bitstreams of iCE40 are read back; take --level netlist"
            )
        if (absent := tools.missing(VLOG)) is not None:
            raise RecoverError(absent)


def netlist(found: Netlist, device: Device, *, cache: Cache) -> Recovered:
    """The netlist of synthesis. Raises RecoverError for a family without models, ToolError."""
    check(device, "netlist")
    return _computed(found.path.with_name("netlist.v"), found.top, device, cache)


def bitstream(built: Build, device: Device, *, cache: Cache) -> Recovered:
    """What the bitstream of an iCE40 says, by icebox_vlog, with the names of its pins.

    Raises RecoverError: another family, multipliers (which come out without their function), or a
    program that is missing.
    """
    check(device, "bitstream")
    if built.measured.dsp:
        raise RecoverError(
            f"{device.name}: {built.measured.dsp} multipliers, which cannot be read back out of a "
            "bitstream; plan without them (--dsps 0)"
        )
    pins, bits = built.files["log"].with_name(PINS_FILE["ice40"]), built.files["bitstream"]
    package = device.part[device.part.index("--package") + 1]

    def make(folder: Path) -> float:
        def run(tool: str, *arguments: str) -> float:
            return tools.run(
                tool,
                arguments,
                step="unpack",
                folder=folder,
                log=folder / f"{tool}.log",
                timeout=SECONDS,
                inputs=(bits, pins),
            )

        seconds = run("icepack", "-u", bits.name, "top.asc")
        options = ("-s", "-c", "-n", built.top, "-p", pins.name, "-d", package)
        seconds += run(VLOG, "top.v", *options, "top.asc")
        # escaped names of buses are plain names
        text = re.sub(r"\\(\w+) ", r"\1 ", (folder / "top.v").read_text())
        (folder / "recovered.v").write_text(text)
        return seconds

    inputs = {"bitstream": _hash(bits), "pins": _hash(pins), "top": built.top}
    entry = cache.step("unpack", inputs, make)
    return _computed(entry.folder / "recovered.v", built.top, device, cache)


def _computed(source: Path, top: str, device: Device, cache: Cache) -> Recovered:
    """`source` with its cells replaced by what they compute."""
    models: dict[str, str] = {}
    script = list(ECP5_MODELS)
    if device.family == "ice40":
        used = sorted(set(re.findall(r"^\s*(SB_\w+)", source.read_text(), re.MULTILINE)))
        for cell in used:
            name = "blocks.v" if cell in BLOCKS else "cells.v"
            models[name] = models.get(name, ICE40_MACROS) + ice40_model(cell) + "\n"
        lib = {"blocks.v": "-lib ", "cells.v": ""}
        script = [f"read_verilog {lib[name]}{name}" for name in models]
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
        "source": _hash(source),
        "script": script,
        "models": models,
        "tool": tools.version("yosys"),
    }
    text = (cache.step("computed", inputs, make).folder / "computed.v").read_text()
    return Recovered(text, tuple(block for block in BLOCKS if re.search(rf"\b{block}\b", text)))


def ice40_model(cell: str) -> str:
    """yosys' model of one type of cell. The whole file takes 16 seconds to read: it has SPRAM."""
    import pyosys

    text = (Path(pyosys.__file__).parent / "share" / "ice40" / "cells_sim.v").read_text()
    found = re.search(rf"^module {cell}\b.*?^endmodule", text, re.MULTILINE | re.DOTALL)
    assert found, f"no model of {cell} in yosys"
    return found[0]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
