"""Place and route with nextpnr, and the resources and clock that it reports."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gen.flow.routing import NETLIST_FILE, PINS_FILE, attempts, hopeless
from gen.flow.slowest_path import SlowestPath, slowest_path
from gen.flow.synth import Netlist
from gen.support import tools
from gen.support.cache import Cache, CacheEntry
from gen.support.devices import RESOURCE_NAMES, Device
from gen.support.errors import DoesNotFitError
from gen.support.tools import HopelessError, ToolError
from model.errors import ShiftaddError

RESOURCES: dict[str, dict[str, dict[str, int]]] = {
    "ecp5": {
        "lut": {"TRELLIS_COMB": 1},
        "ff": {"TRELLIS_FF": 1},
        "dsp": {"MULT18X18D": 1},
        "bram": {"DP16KD": 1},
    },
    "ice40": {
        "lut": {"ICESTORM_LC": 1},
        "dsp": {"ICESTORM_DSP": 1},
        "bram": {"ICESTORM_RAM": 1},
    },
    "gowin": {
        "lut": {"LUT4": 1},
        "ff": {"DFF": 1},
        "dsp": {"MULT18X18": 2, "MULT9X9": 1},
        "bram": {"BSRAM": 1},
    },
}
"""Figure → resource in nextpnr's report → units of the device that one of them takes.

Counted when nextpnr has packed. lut is what the device has of: on ECP5 every TRELLIS_COMB, be it
logic, half a carry pair or RAM; on iCE40 every logic cell, also one with only a flip-flop (which
therefore has no figure here); on Gowin a LUT4 for each ALU, too, and 8 with 6 flip-flops for each
RAM16SDP4. (Its report after routing leaves these out, but has a LUT4 for each flip-flop whose input
passes through one.)
"""


CLOCKS = {"clk", "aclk"}
"""What the clock of a design may be called."""


class StoppedError(ShiftaddError):
    """A placement was ended because nobody waits for it any more."""


@dataclass(frozen=True)
class PlacedDesign:
    """A routed design. used: units per figure of RESOURCES. fmax_mhz: over all clocks.

    slowest: the path that sets the clock, where nextpnr names one.
    """

    used: Mapping[str, int]
    fmax_mhz: float
    seed: int
    entry: CacheEntry
    slowest: SlowestPath | None = None


def pinned(pins: Sequence[str], device: Device) -> bool:
    """Whether a device has a pin for each of `pins`."""
    return len(pins) - any(pin in CLOCKS for pin in pins) <= len(device.pins)


def constraints(pins: Sequence[str], device: Device) -> str:
    """Pin constraints in the format of the family: clk on the clock pin, the others in order."""
    if not pinned(pins, device):
        raise _too_large(device, "pins", len(pins), len(device.pins) + 1)
    rest = iter(device.pins)
    sites = {pin: device.clock_pin if pin in CLOCKS else next(rest) for pin in pins}
    line = {
        "ecp5": 'LOCATE COMP "{0}" SITE "{1}";\nIOBUF PORT "{0}" IO_TYPE=LVCMOS33;\n',
        "ice40": "set_io {0} {1}\n",
        "gowin": 'IO_LOC "{0}" {1};\nIO_PORT "{0}" IO_TYPE=LVCMOS33;\n',
    }[device.family]
    return "".join(line.format(pin, site) for pin, site in sites.items())


def place(
    netlist: Netlist,
    device: Device,
    *,
    mhz: float,
    seed: int,
    cache: Cache,
    timeout: float,
    pins: str | None = None,
    routed_netlist: bool = False,
    core: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> PlacedDesign:
    """Places and routes, asking for a clock of `mhz`. Raises DoesNotFitError or ToolError.

    pins: constraints, else those of `constraints`. routed_netlist: write NETLIST_FILE, too, which
    is left out otherwise, but for Gowin. A placement that cannot be routed is followed by others,
    which `seed` determines too: see `attempts`. core: a part of someone's design (ECP5): its ports
    are no pins, and it has no bitstream. stopped: asked each second; once it says True,
    nextpnr is ended, with StoppedError.
    """
    tool = f"nextpnr-{device.family}"
    flags = attempts(device, mhz, seed, core=core)
    if routed_netlist and device.family != "gowin":
        flags = [(*tried, "--write", NETLIST_FILE) for tried in flags]
    if pins is None:
        pins = "" if core else constraints(netlist.ports, device)

    def make(folder: Path) -> float:
        (folder / PINS_FILE[device.family]).write_text(pins)
        return _first_routed(tool, netlist, flags, folder, timeout, stopped)

    inputs = {
        "netlist": netlist.entry.files["netlist.json"],
        "top": netlist.top,
        "flags": flags,
        "pins": pins,
        "tool": tools.version(tool),
    }
    try:
        entry = cache.step("place", inputs, make)
    except ToolError as error:
        _explain(error, device)
        raise
    return _measure(entry, netlist, device, seed)


def _first_routed(
    tool: str, netlist: Netlist, tries: Sequence[Sequence[str]], folder: Path, timeout: float,
    stopped: Callable[[], bool],
) -> float:  # fmt: skip
    """Runs nextpnr with each of the flags until it can route; seconds of all these runs."""
    began = time.monotonic()
    source = ("--json", netlist.path.name, "--top", netlist.top)

    def given_up(log: str) -> bool:
        if stopped():
            raise StoppedError
        return hopeless(log)

    for flags in tries:
        try:
            tools.run(
                tool,
                (*source, *flags),
                step="place and route",
                folder=folder,
                log=folder / "place.log",
                timeout=timeout,
                inputs=(netlist.path,),
                hopeless=given_up,
            )
            break
        except HopelessError:
            if flags is tries[-1]:
                raise
    return time.monotonic() - began


def figures(netlist: Netlist, device: Device, counts: Mapping[str, int]) -> dict[str, int]:
    """Units of each figure that a netlist takes; counts: of resources, by nextpnr."""
    flops = sum(n for cell, n in netlist.cells.items() if cell.startswith("SB_DFF"))
    return {"ff": flops} | {  # nextpnr-ice40 counts logic cells only
        figure: sum(counts.get(name, 0) * units for name, units in parts.items())
        for figure, parts in RESOURCES[device.family].items()
    }


def utilisation(log: str) -> list[tuple[str, int, int]]:
    """Resources in a log of nextpnr: name, how many it uses, how many there are."""
    return [(name, int(used), int(has)) for name, used, has in _UTILISATION.findall(log)]


def _measure(entry: CacheEntry, netlist: Netlist, device: Device, seed: int) -> PlacedDesign:
    log = (entry.folder / "place.log").read_text(errors="replace")
    counts = {name: used for name, used, _ in utilisation(log)}
    used = figures(netlist, device, counts)
    for figure, count in used.items():
        if count > getattr(device, figure):
            raise _too_large(device, RESOURCE_NAMES[figure], count, getattr(device, figure))
    report = json.loads((entry.folder / "report.json").read_text())
    if not report["fmax"]:
        raise ValueError("no path between two registers, so there is no clock to measure")
    fmax = min(float(clock["achieved"]) for clock in report["fmax"].values())
    return PlacedDesign(used, fmax, seed, entry, slowest_path(report))


_UTILISATION = re.compile(r"^Info:\s+(\w+):\s+(\d+)/\s*(\d+)\s+\d+%", re.MULTILINE)


def _explain(error: ToolError, device: Device) -> None:
    """Raises DoesNotFitError when the log shows more of a resource used than there is."""
    log = error.log.read_text(errors="replace")
    figure_of = {n: f for f, parts in RESOURCES[device.family].items() for n in parts}
    over = [row for row in utilisation(log) if row[1] > row[2]]
    if not over:
        return
    name, used, has = max(over, key=lambda c: c[1] / max(c[2], 1))
    resource = RESOURCE_NAMES[figure_of[name]] if name in figure_of else name
    raise _too_large(device, resource, used, has) from error


def _too_large(device: Device, resource: str, used: int, available: int) -> DoesNotFitError:
    """A netlist is too large for a device."""
    return DoesNotFitError(
        f"does not fit {device.name}: {used} {resource} used, {available} available, "
        f"{used - available} too many; fold further, use fewer bits, or take a larger device",
        used / max(available, 1),
        resource=resource,
        used=used,
        available=available,
    )
