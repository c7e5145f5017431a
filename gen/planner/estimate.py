"""Predicted figures of a network on a device: resources, clock, cycles, time, energy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gen.cost.cost import CostModel, network_features
from gen.cost.energy import energy
from gen.cost.energy_45nm import energy as energy_45nm
from gen.cost.fit import CostSample
from gen.cost.fmax import clock_features, slowness
from gen.plan.lower import lower
from gen.plan.plan import Plan, inferences_per_s, latency_us
from gen.planner.fold_optimiser import ResourceBudget
from gen.planner.planner import Planner
from gen.support.devices import Device
from model.spec import Network


@dataclass(frozen=True)
class Estimate:
    """Prediction for one network, folded as `plan` says.

    energy_nj: of an image on the FPGA, back to back at fmax_mhz, see gen.cost.energy.
    energy_45nm_nj: by the table of the literature, see gen.cost.energy_45nm. idle_uw: µW while no
    image comes.
    """

    plan: Plan
    lut: float
    ff: float
    dsp: int
    bram: int
    fmax_mhz: float
    cycles_latency: int
    cycles_interval: int
    latency_us: float
    inferences_per_s: float
    energy_nj: float
    energy_45nm_nj: float
    idle_uw: float

    def as_dict(self) -> dict[str, Any]:
        """All figures but the plan, as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "plan"}


class Estimator:
    """Predictions for one network on one device or a share of it. model: as for `Planner`."""

    def __init__(self, network: Network, device: Device, model: CostModel | None = None) -> None:
        self.network, self.device, self.model = network, device, model
        self._planner = Planner(network, device, model)

    def estimate(
        self, *, share: float = 1.0, fps: float | None = None, dsps: int | None = None,
        luts: int | None = None, exact: bool = False,
    ) -> Estimate:  # fmt: skip
        """See `estimate`."""
        whole = ResourceBudget.of(self.device, dsps, luts)
        plan = self._planner.plan(
            fps=fps, dsps=int(share * whole.dsp), luts=share * whole.lut, exact=exact
        )
        return of_plan(self.network, plan, self.device, self.model)


def estimate(
    network: Network,
    device: Device,
    *,
    share: float = 1.0,
    fps: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    model: CostModel | None = None,
    exact: bool = False,
) -> Estimate:
    """Plans `network` within `share` (0 to 1) of the device's LUTs and multipliers, and predicts.

    Blocks of RAM and flip-flops stay whole. fps, dsps, luts, model, exact: as for
    `gen.planner.planner.plan`. Raises DoesNotFitError, or PlanError for a wrong request.
    """
    estimator = Estimator(network, device, model)
    return estimator.estimate(share=share, fps=fps, dsps=dsps, luts=luts, exact=exact)


def of_plan(
    network: Network, plan: Plan, device: Device, model: CostModel | None = None
) -> Estimate:
    """The prediction for an existing plan."""
    mhz = (model or CostModel.of(device)).fmax_mhz(plan.stages, plan.cost.lut, device)
    spent = energy(network, plan, mhz, device)
    return Estimate(
        plan=plan,
        lut=plan.cost.lut,
        ff=plan.cost.ff,
        dsp=plan.cost.dsp,
        bram=plan.cost.bram,
        fmax_mhz=mhz,
        cycles_latency=plan.cycles_latency,
        cycles_interval=plan.cycles_interval,
        latency_us=latency_us(plan.cycles_latency, mhz),
        inferences_per_s=inferences_per_s(plan.cycles_interval, mhz),
        energy_nj=spent.total,
        energy_45nm_nj=energy_45nm(network, plan).total,
        idle_uw=spent.idle_uw,
    )


def measured_sample(
    network: Network, plan: Plan, device: Device, measured: Mapping[str, Any], weight: float = 1.0
) -> CostSample:
    """A placed and routed network for CostModel.refit. measured: lut, ff, and fmax_mhz if known."""
    folds = {stage.name: stage.fold for stage in plan.stages}
    features, _ = network_features(lower(network), folds, device, plan.fifos)
    clock = clock_features(plan.stages, measured["lut"], device)
    figures = {name: float(measured[name]) for name in ("lut", "ff")}
    if measured.get("fmax_mhz"):
        figures["clock"] = slowness(measured["fmax_mhz"], device)
    return CostSample({**features, **clock}, figures, weight)
