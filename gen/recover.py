"""Verilog of what was built: the netlist of synthesis, and what a bitstream holds.

All come out as one module with the ports of the design, see `gen.cell_models`.
"""

from __future__ import annotations

from gen import recover_gowin, recover_ice40, tools
from gen.build import Build
from gen.cache import Cache
from gen.cell_models import Recovered, RecoverError, computed
from gen.devices import Device
from gen.synth import Netlist

READ_BACK = {"ice40": recover_ice40.read_back, "gowin": recover_gowin.read_back}


def check(device: Device, level: str) -> None:
    """Raises RecoverError where a level below RTL cannot be had, before anything is built."""
    if level == "bitstream":
        if device.family not in READ_BACK:
            raise RecoverError(
                f"{device.name}: only bitstreams of iCE40 and Gowin are read back; "
                "take --level netlist"
            )
        if device.family == "ice40" and (absent := tools.missing(recover_ice40.VLOG)) is not None:
            raise RecoverError(absent)


def netlist(found: Netlist, device: Device, *, cache: Cache) -> Recovered:
    """The netlist of synthesis. Raises ToolError."""
    return computed(found.path.with_name("netlist.v"), found.top, device, cache)


def bitstream(built: Build, device: Device, *, cache: Cache) -> Recovered:
    """What the bitstream says, with the names of its pins.

    Raises RecoverError: a family that is not read back, multipliers (which come out without their
    function), or a program that is missing; ToolError.
    """
    check(device, "bitstream")
    if built.measured.dsp:
        raise RecoverError(
            f"{device.name}: {built.measured.dsp} multipliers, which cannot be read back out of a "
            "bitstream; plan without them (--dsps 0)"
        )
    return computed(READ_BACK[device.family](built, device, cache), built.top, device, cache)
