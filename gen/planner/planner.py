"""From a network and a device to a plan: folds, FIFO depths, exact cycles, predicted cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf

from gen.cost.cost import CostModel, buffer_costs
from gen.cost.wired_features import Graphs
from gen.engine import schedule
from gen.engine.assemble import assemble
from gen.engine.stream_cycles import FifoCycles
from gen.engine.units import engine
from gen.plan.lower import LoweredLayer, lower
from gen.plan.plan import Cost, Fold, Plan, PlannedLayer
from gen.planner.fast_cycles import fast_fifos
from gen.planner.fold_candidates import BYTE, FoldCandidate
from gen.planner.fold_optimiser import FoldOptimiser, ResourceBudget, total
from gen.support.devices import Device
from gen.support.errors import DoesNotFitError, PlanError
from model.spec import Add, Network
from model.store import content_hash

TRIES = 8
"""Choices of folds, each with more kept free for the FIFOs of the one before."""
GRAPHS = 16
"""Choices of folds, each with the graphs of adders counted that the one before has."""
Depths = Mapping[str, tuple[int | None, int | None]]
"""Depths of the two FIFOs before each join, by its name: 0 for none, None for unbounded."""


class Planner:
    """Plans of one network on one device; the fold candidates of its layers are priced once.

    port: as for `plan`. graphs: what wired layers are counted from while folds are chosen, see
    gen.cost.wired_features.
    """

    def __init__(
        self, network: Network, device: Device, model: CostModel | None = None, *,
        port: int = BYTE, graphs: Graphs = "none",
    ) -> None:  # fmt: skip
        if port < BYTE or port % BYTE:
            raise PlanError(f"--port {port}: must be a multiple of 8 bits")
        self.device, self.network_hash = device, content_hash(network)
        self.layers = lower(network)
        self._optimiser = FoldOptimiser(self.layers, device, model, port=port, graphs=graphs)

    def plan(
        self, *, fps: float | None = None, mhz: float | None = None, dsps: int | None = None,
        luts: float | None = None, exact: bool = True,
    ) -> Plan:  # fmt: skip
        """See `plan`."""
        _check_limits(fps, mhz, dsps, luts)
        cycles = None
        if fps is not None:
            cycles = self._cycles(fps, mhz or self.device.mhz)
        layers, budget = self.layers, ResourceBudget.of(self.device, dsps, luts)
        chosen, fifos, speed = self._choose(budget, cycles, exact)
        return Plan(
            network_hash=self.network_hash,
            device=self.device.name,
            stages=tuple(
                PlannedLayer(layer.name, layer.kind, o.fold, o.cycles, o.cost)
                for layer, o in zip(layers, chosen, strict=True)
            ),
            fifos=fifos,
            cycles_latency=speed.latency,
            cycles_interval=speed.interval,
            cost=total(chosen),
        )

    def _cycles(self, fps: float, mhz: float) -> int:
        """Of an image at `fps` images a second; DoesNotFitError where a layer needs more."""
        cycles = int(mhz * 1e6 / fps)
        name, floor = self._optimiser.slowest
        if cycles < floor:
            raise DoesNotFitError(
                f"--fps {fps:g} at {mhz:g} MHz is {cycles} cycles an image: layer {name} needs at "
                f"least {floor}; ask for fewer images a second, at most {int(mhz * 1e6 / floor):,}"
            )
        return cycles

    def _choose(
        self, budget: ResourceBudget, cycles: int | None, exact: bool
    ) -> tuple[list[FoldCandidate], dict[str, tuple[int, int]], schedule.Cycles]:
        """Candidates with their residual FIFOs and forks in the cost, FIFO depths, and cycles.

        What FIFOs take is known only once all is chosen. Where it does not fit beside the layers,
        these choose again from what the FIFOs leave.
        """
        layers, reserved = self.layers, Cost()
        for _ in range(TRIES):
            try:
                chosen = self._counted(budget.without(reserved), cycles, exact)
            except DoesNotFitError as error:
                if reserved == Cost():
                    raise
                raise DoesNotFitError(f"{error}; {_beside(reserved)}", error.ratio) from None
            folds = {layer.name: o.fold for layer, o in zip(layers, chosen, strict=True)}
            if exact:
                chosen = [self._with_weights(*pair) for pair in zip(layers, chosen, strict=True)]
            fifos, speed = size_fifos(layers, folds) if exact else fast_fifos(layers, folds)
            if not fifos:
                return chosen, {}, speed
            more = buffer_costs(layers, folds, fifos, self.device, self._optimiser.model)
            chosen = [
                replace(o, cost=o.cost + more.get(layer.name, Cost()))
                for layer, o in zip(layers, chosen, strict=True)
            ]
            if budget.exceeded(total(chosen)) is None:
                return chosen, fifos, speed
            reserved = reserved.largest(sum(more.values(), Cost()))
        raise DoesNotFitError(f"does not fit {self.device.name}; {_beside(reserved)}")

    def _counted(
        self, budget: ResourceBudget, cycles: int | None, exact: bool
    ) -> list[FoldCandidate]:
        """The optimiser's choice; if `exact`, one whose graphs of adders have all been counted."""
        chosen = self._optimiser.choose(budget, cycles)
        for _ in range(GRAPHS):
            if not (exact and self._optimiser.count(chosen)):
                break
            chosen = self._optimiser.choose(budget, cycles)
        return chosen

    def _with_weights(self, layer: LoweredLayer, option: FoldCandidate) -> FoldCandidate:
        """`option` with the blocks of RAM that these weights need: constant bits need none.

        The optimiser counts by shape alone, as which bits are constant depends on the fold.
        """
        spared = blocks_spared(layer, option.fold, self.device)
        return replace(option, cost=option.cost + Cost(bram=-spared))


def blocks_spared(layer: LoweredLayer, fold: Fold, device: Device) -> int:
    """Blocks of RAM of a weight memory that these weights do not need: bits that are the same in
    all rows lie in none."""
    if layer.window is None or layer.blocks or fold.weights in ("logic", "wired"):
        return 0
    layer_engine = engine(layer, fold)
    rows, width = layer_engine.weight_memory
    if len(rows) == 1:  # no memory
        return 0
    return device.brams(len(rows), width) - device.brams(
        len(rows), width - layer_engine.constant_bits
    )


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
    port: int = BYTE,
) -> Plan:
    """The fastest plan that fits, or the smallest of `fps` images a second at a clock of `mhz`.

    dsps, luts: use no more than these. model: cost model, the committed one unless given. exact:
    the schedule gives the cycles, and the blocks of RAM are those that these weights need. Without
    exact, blocks are those that weights of this shape may need, and cycles and FIFO depths those of
    `gen.planner.fast_cycles`. port: most bits of a word at the ports: wider ones
    are taken where an image has to come, or an answer to go, in fewer cycles. Raises PlanError for
    a wrong request, DoesNotFitError with resource and excess where nothing fits.
    """
    graphs: Graphs = "pixel" if exact else "none"
    planner = Planner(network, device, model, port=port, graphs=graphs)
    return planner.plan(fps=fps, mhz=mhz, dsps=dsps, luts=luts, exact=exact)


def _beside(reserved: Cost) -> str:
    return (
        f"its residual FIFOs take {reserved.lut:.0f} LUTs and {reserved.bram} blocks of RAM more; "
        "fewer residual blocks help, or fewer channels in them"
    )


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

    A first run of the schedule with unbounded FIFOs gives the most words in each. Then only the
    fuller side of a join, the shortcut, has a FIFO of that depth. Where that is slower or gets
    stuck, both sides have one.
    """
    joins = [layer.name for layer in layers if isinstance(layer.op, Add)]
    free, needs = _run(layers, folds, dict.fromkeys(joins, (None, None)))
    if not joins:
        return {}, free
    both = {j: (needs[j, "a"], needs[j, "b"]) for j in joins}
    single = {j: (a, 0) if a > b else (0, b) for j, (a, b) in both.items()}
    try:
        speed, _ = _run(layers, folds, single)
        if speed.interval <= free.interval:
            return single, speed
    except schedule.Stuck:
        pass
    speed, _ = _run(layers, folds, both)
    return both, speed


def _run(
    layers: tuple[LoweredLayer, ...], folds: dict[str, Fold], fifos: Depths
) -> tuple[schedule.Cycles, dict[tuple[str, str], int]]:
    """Cycles, and the most words in each FIFO by join and side."""
    assembly = assemble(layers, folds, fifos)
    graph, cycle_models = assembly.graph()
    cycles = schedule.run(
        graph,
        words_in=assembly.bytes_in // assembly.word_in,
        words_out=assembly.bytes_out // assembly.word_out,
        complete=bool(fifos),
    )
    needs: dict[tuple[str, str], int] = {}
    for place, name in assembly.fifos.items():
        model = cycle_models[name]
        assert isinstance(model, FifoCycles)
        needs[place] = model.needed(cycles.ran)
    return cycles, needs
