"""Verilog of what was built: the netlists of synthesis and routing, and the bitstream.

All come out as one module with the ports of the design, see `gen.recover.cell_models`.
"""

from __future__ import annotations

from gen.flow.build import Build, tool_names
from gen.flow.synth import Netlist
from gen.recover import ecp5, ecp5_config, gowin, ice40
from gen.recover.cell_models import RecoveredVerilog, RecoverError, computed
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import Device

READ_BACK = {"ice40": ice40.read_back, "gowin": gowin.read_back}
"""Families whose bitstreams become Verilog again, all but their multipliers."""


def absent(device: Device, level: str) -> str | None:
    """Why a level cannot be had of a device here, and how to get a tool that it wants; None if it
    can: whether its routed netlist can be read at all, and whether the tools are there."""
    if level == "routed" and device.family != "ecp5":
        return f"{device.name}: only of ECP5 is the netlist read that routing leaves"
    needed = {"rtl": (), "netlist": ("yosys",)}.get(level, tool_names(device))
    if level == "bitstream" and device.family == "ice40":
        needed = (*needed, ice40.VLOG)
    return next((why for tool in needed if (why := tools.missing(tool)) is not None), None)


def check(device: Device, level: str) -> None:
    """Raises RecoverError where a level cannot be recovered, before anything is built."""
    if (why := absent(device, level)) is not None:
        other = level == "routed" and device.family in READ_BACK
        raise RecoverError(f"{why}; take --level bitstream" if other else why)


def needs_plan_without_multipliers(device: Device, level: str) -> bool:
    """Whether a plan must do without multipliers, which this level of the device does not show."""
    return level == "bitstream" and device.family in READ_BACK


def netlist(synthesised: Netlist, device: Device, *, cache: Cache) -> RecoveredVerilog:
    """The netlist of synthesis. Raises ToolError."""
    return computed(synthesised.path.with_name("netlist.v"), synthesised.top, device, cache)


def routed(built: Build, device: Device, *, cache: Cache) -> RecoveredVerilog:
    """The netlist after place and route, of an ECP5 built with `routed_netlist`.

    Raises RecoverError for another family, ToolError.
    """
    check(device, "routed")
    source = ecp5.as_verilog(built.files["routed"], built.top, cache)
    return computed(source, built.top, device, cache)


def bitstream(built: Build, device: Device, *, cache: Cache) -> RecoveredVerilog:
    """Verilog recovered from the bitstream, with the names of its pins.

    On ECP5 the routed netlist, after the bitstream was compared with it: see
    `gen.recover.ecp5_config`.
    Raises RecoverError: multipliers on other families (which come out without their function), a
    program that is missing; DisagreementError, ToolError.
    """
    check(device, "bitstream")
    if device.family not in READ_BACK:
        ecp5_config.compare_bitstream(built, cache)
        return routed(built, device, cache=cache)
    if built.measured.dsp:
        raise RecoverError(
            f"{device.name}: {built.measured.dsp} multipliers, which cannot be read back out of a "
            "bitstream; plan without them (--dsps 0)"
        )
    return computed(READ_BACK[device.family](built, device, cache), built.top, device, cache)
