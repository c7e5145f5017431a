"""An accelerator below RTL, to be simulated: as synthesised, as routed, and from its bitstream.

All have the ports of the accelerator, so `sim.verify.network.simulate` checks them like the RTL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gen.engine.elaborate import Accelerator
from gen.flow.build import build
from gen.flow.synth import synthesise
from gen.recover import recover
from gen.recover.cell_models import (
    ECP5_BLOCKS,
    GOWIN_BLOCKS,
    ICE40_MACROS,
    RecoveredVerilog,
    ice40_model,
)
from gen.support.cache import Cache
from gen.support.devices import Device
from model.errors import RequestError

LEVELS = ("rtl", "netlist", "routed", "bitstream")


@dataclass(frozen=True)
class LeftOutLevel:
    """A level that `--level all` does not have, and why."""

    level: str
    why: str

    def __str__(self) -> str:
        return f"level {self.level} was left out: {self.why}"


def requested_levels(level: str, device: Device) -> tuple[str, ...]:
    """The levels that --level names: one, or all available. RequestError for another word."""
    if level == "all":
        return available(device)
    if level not in LEVELS:
        raise RequestError(f"--level {level}: must be one of {', '.join(LEVELS)}, or all")
    return (level,)


def available(device: Device) -> tuple[str, ...]:
    """The levels that can be simulated of a device with the tools of this machine."""
    absent = {one.level for one in unavailable(device)}
    return tuple(level for level in LEVELS if level not in absent)


def unavailable(device: Device) -> tuple[LeftOutLevel, ...]:
    """The others of LEVELS."""
    reasons = ((level, recover.absent(device, level)) for level in LEVELS)
    return tuple(LeftOutLevel(level, why) for level, why in reasons if why is not None)


def at_level(
    accelerator: Accelerator,
    device: Device,
    level: str,
    *,
    cache: Path,
    progress: Callable[[str], None] = lambda step: None,
) -> Accelerator:
    """`accelerator` with the Verilog of `level`; below RTL without probes, as layers are gone.

    On ECP5, bitstream is the routed netlist once more, after the bitstream has been compared with
    it (`gen.recover.ecp5_config`). Raises RecoverError where a level is not available, ToolError.
    """
    if level == "rtl":
        return accelerator
    recover.check(device, level)
    steps, text, top = Cache(cache), accelerator.verilog, accelerator.top
    if level == "netlist":
        progress("synthesis")
        recovered = recover.netlist(synthesise(text, top, device, cache=steps), device, cache=steps)
    else:
        built = build(
            text,
            top,
            device,
            bitstream=level == "bitstream",
            routed_netlist=device.family == "ecp5",
            cache=cache,
            progress=progress,
        )
        progress("reading it back")
        read = recover.routed if level == "routed" else recover.bitstream
        recovered = read(built, device, cache=steps)
    return replace(accelerator, verilog=with_models(recovered), probes=())


def with_models(recovered: RecoveredVerilog) -> str:
    """Verilog with the models of its blocks: yosys' own for iCE40, ours for ECP5 and Gowin."""
    texts = []
    for file, blocks in (("ecp5_blocks.v", ECP5_BLOCKS), ("gowin_blocks.v", GOWIN_BLOCKS)):
        if set(recovered.blocks) & set(blocks):
            texts.append(Path(__file__).with_name(file).read_text())
    ice40 = [block for block in recovered.blocks if block.startswith("SB_")]
    if ice40:
        texts += [ICE40_MACROS, *map(ice40_model, ice40)]
    return "".join(f"{text}\n" for text in (*texts, recovered.verilog))
