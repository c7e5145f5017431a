"""From Verilog to a bitstream and its measured cost; every step is cached by its inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path

from gen.flow.expected import expected_seconds, in_words, keep, luts, runs
from gen.flow.pack import BITSTREAM_FILE, pack
from gen.flow.place import PlacedDesign, pinned, place
from gen.flow.routing import NETLIST_FILE
from gen.flow.seeds import AT_ONCE, SeedClock, place_seeds
from gen.flow.slowest_path import SlowestPath
from gen.flow.synth import Netlist, synthesise
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import Device
from model.errors import RequestError

LONG = 10.0
"""Seconds from which on a step says how long it will take."""
RAM16X4 = ("TRELLIS_DPR16X4", "RAM16SDP4")


@dataclass(frozen=True)
class MeasuredCost:
    """Cost and clock after place and route. Units as in `Device`. mhz: clock that was asked for.

    ram16x4: memories of 16 × 4 bits made of LUTs, which are part of lut.
    """

    lut: int
    ff: int
    dsp: int
    bram: int
    ram16x4: int
    fmax_mhz: float
    mhz: float
    seed: int

    @property
    def timing_met(self) -> bool:
        return self.fmax_mhz >= self.mhz


@dataclass(frozen=True)
class Build:
    """A built design. files: netlist, report, log and bitstream. cells: of each type, by yosys.

    seconds: per step, as measured when the step was built, which may be in an earlier run. seeds:
    clock of each placement that was tried. slowest: the path that sets the clock of the best. core:
    it has more ports than there are pins, so it was placed without pins, and has no bitstream.
    """

    device: Device
    top: str
    measured: MeasuredCost
    cells: Mapping[str, int]
    files: Mapping[str, Path]
    seconds: Mapping[str, float]
    cached: bool
    tools: tuple[str, ...]
    seeds: tuple[SeedClock, ...] = ()
    slowest: SlowestPath | None = None
    core: bool = False


def build(
    verilog: str,
    top: str,
    device: Device,
    *,
    mhz: float | None = None,
    seeds: int = 1,
    bitstream: bool = True,
    pins: str | None = None,
    routed_netlist: bool = False,
    cache: Path = Path("build/cache"),
    timeout: float = 3600.0,
    progress: Callable[[str], None] = lambda step: None,
) -> Build:
    """Synthesise, place, route and pack module `top` of `verilog`.

    mhz: clock to ask for instead of the device's. seeds: placements to try, two at a time; the
    fastest is taken.
    pins: a board's constraints, instead of the device's pins in the order of the ports.
    routed_netlist: keep it, too, as file "routed"; on ECP5 it has seven times the size of the rest.
    cache: folder of built steps. timeout: seconds for each run of a tool. progress: called with the
    name of each step. Raises MissingToolError, before all steps; DoesNotFitError, ToolError; or
    RequestError for a wrong request.
    """
    if mhz is not None and not 0 < mhz < inf:
        raise RequestError(f"--mhz {mhz:g}: must be more than 0")
    if seeds < 1:
        raise RequestError(f"{seeds} seeds: at least 1 placement is needed")
    mhz = device.mhz if mhz is None else mhz
    versions = tool_versions(device)  # first of all: synthesis takes minutes
    steps = Cache(cache)
    progress("synthesis")
    netlist = synthesise(verilog, top, device, cache=steps, timeout=timeout)

    core = device.family == "ecp5" and pins is None and not pinned(netlist.ports, device)

    def placed(seed: int, stopped: Callable[[], bool]) -> PlacedDesign:
        return place(
            netlist, device, mhz=mhz, seed=seed, pins=pins, routed_netlist=routed_netlist,
            core=core, cache=steps, timeout=timeout, stopped=stopped,
        )  # fmt: skip

    tried = place_seeds(placed, seeds, _with_time(progress, netlist, device, seeds, cache))
    for one in tried:
        if not one.entry.cached:
            keep(cache, device.family, luts(netlist.cells), one.entry.seconds)
    best = max(tried, key=lambda p: p.fmax_mhz)
    entries = [netlist.entry, *(p.entry for p in tried)]
    files = _files(netlist, best)
    if routed_netlist:
        files["routed"] = best.entry.folder / NETLIST_FILE
    seconds = {"synthesis": netlist.entry.seconds, "place": sum(p.entry.seconds for p in tried)}
    if bitstream and not core:
        progress("bitstream")
        packed = pack(best, device, cache=steps, timeout=timeout)
        entries.append(packed)
        files["bitstream"] = packed.folder / BITSTREAM_FILE[device.family]
        seconds["bitstream"] = packed.seconds
    return Build(
        device=device,
        top=top,
        measured=_measured(netlist, best, mhz),
        cells=netlist.cells,
        files=files,
        seconds=seconds,
        cached=all(e.cached for e in entries),
        tools=versions,
        seeds=tuple(SeedClock(p.seed, p.fmax_mhz) for p in tried),
        slowest=best.slowest,
        core=core,
    )


def _with_time(
    progress: Callable[[str], None], netlist: Netlist, device: Device, seeds: int, cache: Path
) -> Callable[[str], None]:
    """`progress` that says of the first step how long all placements will take, if that is long."""
    size, rounds = luts(netlist.cells), -(-seeds // AT_ONCE)
    seconds = rounds * expected_seconds(device.family, size, runs(cache, device.family))
    words = f", {in_words(seconds)} for {size:,} LUTs" if seconds >= LONG else ""
    said: list[str] = []

    def say(step: str) -> None:
        progress(step if said else step + words)
        said.append(step)

    return say


def tool_names(device: Device) -> tuple[str, ...]:
    """All tools in the flow of a device's family."""
    packer = {"ecp5": "ecppack", "ice40": "icepack", "gowin": "gowin_pack"}[device.family]
    return "yosys", f"nextpnr-{device.family}", packer


def tool_versions(device: Device) -> tuple[str, ...]:
    """`package version` of each. MissingToolError where one is missing or too old."""
    return tuple(dict.fromkeys(map(tools.version, tool_names(device))))


def _files(netlist: Netlist, placed: PlacedDesign) -> dict[str, Path]:
    return {
        "netlist": netlist.path,
        "report": placed.entry.folder / "report.json",
        "log": placed.entry.folder / "place.log",
    }


def _measured(netlist: Netlist, placed: PlacedDesign, mhz: float) -> MeasuredCost:
    used = placed.used
    return MeasuredCost(
        lut=used["lut"],
        ff=used["ff"],
        dsp=used["dsp"],
        bram=used["bram"],
        ram16x4=sum(netlist.cells.get(cell, 0) for cell in RAM16X4),
        fmax_mhz=placed.fmax_mhz,
        mhz=mhz,
        seed=placed.seed,
    )
