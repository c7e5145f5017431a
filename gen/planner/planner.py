"""From a network and a device to a plan: folding, FIFO depths, exact cycles, predicted cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from gen.cost.cost import CostModel
from gen.engine import schedule
from gen.engine.assemble import assemble
from gen.engine.cycle_models import FifoTiming
from gen.engine.units import engine
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.planner.fast_cycles import fast_cycles
from gen.planner.fold_candidates import FoldCandidate
from gen.planner.fold_optimiser import FoldOptimiser, ResourceBudget, total
from gen.support.devices import Device
from gen.support.errors import PlanError
from model.spec import Add, Network
from model.store import content_hash

Depths = Mapping[str, tuple[int | None, int | None]]
"""Of the FIFOs before each join, by its name: 0 for none, None for unbounded."""


class Planner:
    """Plans of one network on one device; what its layers may fold into is priced once for all."""

    def __init__(self, network: Network, device: Device, model: CostModel | None = None) -> None:
        self.device, self.network_hash = device, content_hash(network)
        self.layers = lower(network)
        self._chooser = FoldOptimiser(self.layers, device, model)

    def plan(
        self, *, fps: float | None = None, mhz: float | None = None, dsps: int | None = None,
        luts: float | None = None, exact: bool = True,
    ) -> Plan:  # fmt: skip
        """See `plan`."""
        _check_limits(fps, mhz, dsps, luts)
        cycles = None
        if fps is not None:
            cycles = int((mhz or self.device.mhz) * 1e6 / fps)
        layers = self.layers
        chosen = self._chooser.choose(ResourceBudget.of(self.device, dsps, luts), cycles)
        folds = {layer.name: o.fold for layer, o in zip(layers, chosen, strict=True)}
        if exact:
            chosen = [self._as_filled(*one) for one in zip(layers, chosen, strict=True)]
        joined = any(isinstance(layer.op, Add) for layer in layers)
        fast = not exact and not joined
        fifos, timing = ({}, fast_cycles(layers, folds)) if fast else size_fifos(layers, folds)
        return Plan(
            network_hash=self.network_hash,
            device=self.device.name,
            stages=tuple(
                PlannedLayer(layer.name, layer.kind, o.fold, o.cycles, o.cost)
                for layer, o in zip(layers, chosen, strict=True)
            ),
            fifos=fifos,
            cycles_latency=timing.latency,
            cycles_interval=timing.interval,
            cost=total(chosen),
        )

    def _as_filled(self, layer: LoweredLayer, option: FoldCandidate) -> FoldCandidate:
        """`option` with the blocks of RAM that its weights need: constant bits need none.

        The choice goes by shapes, for what the weights are like depends on the folding.
        """
        if option.fold.weights == "logic":
            return option
        made = engine(layer, option.fold)
        rows, width = made.weight_memory
        if len(rows) == 1:  # no memory
            return option
        counted, needed = (
            self.device.brams(len(rows), bits) for bits in (width, width - made.constant_bits)
        )
        return replace(option, cost=option.cost + Cost(bram=needed - counted))


def plan(
    network: Network,
    device: Device,
    *,
    fps: float | None = None,
    mhz: float | None = None,
    dsps: int | None = None,
    luts: float | None = None,
    model: CostModel | None = None,
    exact: bool = True,
) -> Plan:
    """The fastest plan that fits, or the smallest of `fps` images a second at a clock of `mhz`.

    dsps, luts: use no more than these. model: of cost, the committed one unless given. exact: run
    the schedule for the cycles, and count the blocks of RAM that these weights need; without, the
    cycles are those of `gen.planner.fast_cycles`, where no join needs a FIFO, and blocks are those
    that weights of this shape may need. Raises PlanError with resource and excess where nothing
    fits.
    """
    made = Planner(network, device, model)
    return made.plan(fps=fps, mhz=mhz, dsps=dsps, luts=luts, exact=exact)


def _check_limits(
    fps: float | None, mhz: float | None, dsps: int | None, luts: float | None
) -> None:
    """PlanError for a limit that is no limit."""
    for name, value, unit in (("fps", fps, " images a second"), ("mhz", mhz, "")):
        if value is not None and not 0 < value < inf:
            raise PlanError(f"--{name} {value:g}: must be more than 0{unit}")
    for name, value in (("dsps", dsps), ("luts", luts)):
        if value is not None and not value >= 0:
            raise PlanError(f"--{name} {value:g}: must be at least 0")


def size_fifos(
    layers: tuple[LoweredLayer, ...], folds: dict[str, Fold]
) -> tuple[dict[str, tuple[int, int]], schedule.Cycles]:
    """FIFO depths at the joins, and the exact cycles with them.

    A first run with unbounded FIFOs tells how full each one gets; only the fuller side of a join,
    the shortcut, keeps its FIFO. If that costs throughput or blocks, both sides keep theirs.
    """
    joins = [layer.name for layer in layers if isinstance(layer.op, Add)]
    free, needs = _run(layers, folds, dict.fromkeys(joins, (None, None)))
    if not joins:
        return {}, free
    both = {j: (needs[f"{j}_fifo_a"], needs[f"{j}_fifo_b"]) for j in joins}
    single = {j: (a, 0) if a > b else (0, b) for j, (a, b) in both.items()}
    try:
        timing, _ = _run(layers, folds, single)
        if timing.interval <= free.interval:
            return single, timing
    except schedule.Stuck:
        pass
    timing, _ = _run(layers, folds, both)
    return both, timing


def _run(
    layers: tuple[LoweredLayer, ...], folds: dict[str, Fold], fifos: Depths
) -> tuple[schedule.Cycles, dict[str, int]]:
    built = assemble(layers, folds, fifos)
    graph, timings = built.graph()
    cycles = schedule.run(graph, bytes_in=built.bytes_in, bytes_out=built.bytes_out)
    needs = {k: v.needed for k, v in timings.items() if isinstance(v, FifoTiming)}
    return cycles, needs
