"""Toggles of a netlist by kind of cell, counted while it classifies images.

The simulation has no delays: every net settles at once, so glitches are not counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from gen.cost.power import CARRY
from gen.engine.elaborate import Accelerator
from gen.flow.synth import Netlist, synthesise
from gen.host.hashes import of_file
from gen.recover.cell_models import computed
from gen.support.cache import Cache, sources
from gen.support.devices import Device
from model import temporary
from model.errors import RequestError
from model.spec import Network
from sim.bench.simulators import BUILD
from sim.bench.streams import run_streams
from sim.bench.wrapper import StreamCase
from sim.energy import netlist as netlists
from sim.energy import saif
from sim.energy.netlist import KINDS, NamedNetlist, named
from sim.verify.image_bench import ImageBench
from sim.verify.levels import with_models
from sim.verify.network import LATENCIES, TIMEOUT

DEVICE = "device0"
"""Instance of the accelerator in sim.bench.wrapper."""
_INNER = re.compile(r"\\(c\d+\.[^ ]+) ")


@dataclass(frozen=True)
class Toggles:
    """Activity of a design in `cycles` clock cycles. nets: toggles of the nets that each kind of
    cell drives, those of the inputs left out; a carry counts as CARRY of a net. deep: those behind
    logic times the LUTs before the last one, to which glitches are in proportion. accesses: of
    ports of blocks of RAM. cells: number of each kind."""

    cycles: float
    nets: Mapping[str, float]
    deep: float
    accesses: float
    cells: Mapping[str, int]

    def per(self, count: float) -> Toggles:
        """Divided by `count`, of images or of cycles."""
        nets = {kind: n / count for kind, n in self.nets.items()}
        deep, accesses = self.deep / count, self.accesses / count
        return Toggles(self.cycles / count, nets, deep, accesses, self.cells)


def image_toggles(
    network: Network,
    accelerator: Accelerator,
    device: Device,
    images: torch.Tensor,
    *,
    cache: Path,
    progress: Callable[[str], None] = lambda step: None,
    root: Path = BUILD,
) -> Toggles:
    """Toggles an image of the netlist of `accelerator`, back to back on `images` (N, H, W, C).

    Raises RequestError where an answer differs from the golden model, SimulatorError, ToolError.
    """
    steps = Cache(cache)
    progress("synthesis")
    made = synthesise(accelerator.verilog, accelerator.top, device, cache=steps)
    text, names = simulated(made, device, steps)
    hardware = replace(accelerator, verilog=text, probes=())
    patience = max(TIMEOUT, LATENCIES * accelerator.cycles_latency)
    bench = ImageBench(network, hardware, "verilator", patience, root)
    progress("simulation")
    with temporary.folder() as folder:
        run = bench.run(images, 0, 0.0, waves=folder / "activity.saif")
        if run.bad:
            raise RequestError(
                f"{len(run.bad)} of {len(images)} images differ from the golden model: energy is "
                "counted of hardware that is right; see `shiftadd simulate --level netlist`"
            )
        return counted(folder / "activity.saif", names).per(len(images))


def stream_toggles(design: str, top: str, device: Device, *, cache: Path, root: Path) -> Toggles:
    """Toggles a cycle of a design with streams `i` and `o` that sends one word 0, on which it runs
    until then."""
    steps = Cache(cache)
    text, names = simulated(synthesise(design, top, device, cache=steps), device, steps)
    with temporary.folder() as folder:
        waves = folder / "activity.saif"
        run_streams([StreamCase(text, top, [0], [0])], waves=waves, root=root)
        toggles = counted(waves, names)
    return toggles.per(toggles.cycles)


def simulated(netlist: Netlist, device: Device, cache: Cache) -> tuple[str, NamedNetlist]:
    """Verilog of a netlist with the models of its cells, whose nets are n<bit>; and their kinds.

    What lies inside a cell gets a name that Verilator does not trace: it takes most of the time.
    """
    names = named(netlist, device.family)

    def make(folder: Path) -> float:
        (folder / "named.v").write_text(names.verilog, encoding="utf-8")
        return 0.0

    inputs = {"netlist": of_file(netlist.path), "top": netlist.top, "by": sources(netlists)}
    source = cache.step("named", inputs, make).folder / "named.v"
    text = with_models(computed(source, netlist.top, device, cache))
    return _INNER.sub(lambda name: f"_{re.sub(r'[^0-9A-Za-z]', '_', name[1])} ", text), names


def counted(path: Path, names: NamedNetlist, cycle: int | None = None) -> Toggles:
    """Toggles in a SAIF file of a simulation. cycle: its period in the file's unit of time."""
    activity = saif.read(path, DEVICE)
    nets = activity.nets
    period = cycle or _period(activity)
    sums: dict[str, float] = dict.fromkeys(KINDS, 0.0)
    deep = 0.0
    for name, kind in names.drivers.items():
        if name in nets:  # one that nothing reads is no net
            count = nets[name].toggles * (CARRY if kind == "carry" else 1)
            sums[kind] += count
            deep += count * (names.levels.get(name, 1) - 1)
    high = sum(_enabled(port, activity) for port in names.ports) / period
    return Toggles(
        activity.duration / period,
        sums,
        deep,
        high,
        {kind: names.cells.get(kind, 0) for kind in KINDS},
    )


def _period(activity: saif.Activity) -> float:
    """Of the clock, which rises and falls once in it."""
    return 2 * activity.duration / max(1, activity.nets["clk"].toggles)


def _enabled(port: Sequence[str], activity: saif.Activity) -> float:
    """Time in which a port is accessed: of its enables that of the rarest, a bound."""
    times = [activity.nets[name].high for name in port if name in activity.nets]
    return min(times, default=activity.duration)
