"""Predicted beside measured: the report of one accelerator, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from gen.cost.cost import CostModel
from gen.cost.energy import energy, power_uw
from gen.cost.energy_45nm import energy as energy_45nm
from gen.flow.build import Build
from gen.flow.seeds import SeedClock, clock_lines
from gen.flow.slowest_path import SlowestPath
from gen.plan.plan import Plan, inferences_per_s, latency_us
from gen.support.devices import device
from gen.support.promises import Promise, again, kept
from model.errors import ShiftaddError
from model.files import write
from model.records import Count, FileHead, Whole, read
from model.spec import Network

FORMAT = "shiftadd-report"
VERSION = 1
FRAME_RATE = 30
"""Images a second, as a camera gives them, of which power is told unless another rate was asked."""
WAY_OUT = "compile the network again"


class ReportError(ShiftaddError, ValueError):
    """A report cannot be read; the message says why."""


@dataclass(frozen=True)
class Figures:
    """Cost and speed of an accelerator; None where unknown.

    cycles_latency: from the first byte in to the last byte out. cycles_interval: between images.
    latency_us and inferences_per_s hold at fmax_mhz. energy_nj: of an image on the FPGA, one after
    the other at fmax_mhz, see gen.cost.energy; energy_45nm_nj: by the table of the literature.
    idle_uw: µW while no image comes. Energies are predicted, never measured.
    """

    lut: Count | None = None
    ff: Count | None = None
    dsp: Whole | None = None
    bram: Whole | None = None
    fmax_mhz: Count | None = None
    cycles_latency: Whole | None = None
    cycles_interval: Whole | None = None
    latency_us: Count | None = None
    inferences_per_s: Count | None = None
    energy_nj: Count | None = None
    energy_45nm_nj: Count | None = None
    idle_uw: Count | None = None

    def power_uw(self, fps: float) -> float | None:
        """µW at `fps` images a second; None where that is unknown, or more than it can do."""
        return power_uw(self.energy_nj, self.idle_uw, self.inferences_per_s, fps)

    def as_dict(self) -> dict[str, Any]:
        """By their names."""
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """One network on one device. measured: None before it is built. seconds: per step.

    sha256: of the files in the folder of the report, by their names. promises: limits that were
    asked for, beside what was measured. advice: what would meet those that were missed. seeds:
    clock of each placement that was tried; `measured` is of the fastest, slowest_path what sets it.
    """

    network: str
    network_hash: str
    plan_hash: str
    device: str
    predicted: Figures
    measured: Figures | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, Count] = field(default_factory=dict)
    tools: tuple[str, ...] = ()
    sha256: Mapping[str, str] = field(default_factory=dict)
    promises: tuple[Promise, ...] = ()
    advice: tuple[str, ...] = ()
    seeds: tuple[SeedClock, ...] = ()
    slowest_path: SlowestPath | None = None

    @property
    def ok(self) -> bool:
        """Whether every limit that was measured is kept."""
        return kept(self.promises)

    @property
    def clock_lines(self) -> tuple[str, ...]:
        """What is known of the clock beside its figure, in words."""
        return clock_lines(self.seeds, self.slowest_path)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def with_cycles(report: Report, latency: int | None, interval: int | None) -> Report:
    """`report` with the cycles that a simulation measured; `report` itself without them."""
    if report.measured is None or latency is None or interval is None:
        return report
    mhz = report.measured.fmax_mhz or 0.0
    speed = _speed((latency, interval), mhz)
    measured = replace(
        report.measured,
        cycles_latency=latency,
        cycles_interval=interval,
        latency_us=speed[0],
        inferences_per_s=speed[1],
    )
    return replace(report, measured=measured, promises=again(report.promises, measured.as_dict()))


def report(
    network: str,
    plan: Plan,
    build: Build | None = None,
    *,
    cycles: tuple[int, int] | None = None,
    files: Mapping[str, Path] | None = None,
    seconds: Mapping[str, float] | None = None,
    spec: Network | None = None,
) -> Report:
    """What `plan` predicts for the network called `network` beside what `build` measured.

    spec: the network itself, of which energies are predicted; they stay open without it.
    cycles: latency and interval as simulated, when they were. Without them the measured cycles stay
    open, and latency and rate are those of the predicted cycles, which are exact, at the measured
    clock. files and seconds are added to those of the build.
    """
    target = device(plan.device)
    mhz = CostModel.of(target).fmax_mhz(plan.stages, plan.cost.lut, target)
    exact = plan.cycles_latency, plan.cycles_interval
    predicted = Figures(
        round(plan.cost.lut),
        round(plan.cost.ff),
        plan.cost.dsp,
        plan.cost.bram,
        mhz,
        *exact,
        *_speed(exact, mhz),
    )
    if spec:
        predicted = replace(predicted, **energies(spec, plan, mhz))
    paths = {**(build.files if build else {}), **(files or {})}
    return Report(
        network=network,
        network_hash=plan.network_hash,
        plan_hash=plan.hash,
        device=plan.device,
        predicted=predicted,
        measured=_measured(build, cycles, exact) if build else None,
        files={name: str(path) for name, path in paths.items()},
        seconds={**(seconds or {}), **(build.seconds if build else {})},
        tools=build.tools if build else (),
        seeds=build.seeds if build else (),
        slowest_path=build.slowest if build else None,
    )


def energies(network: Network, plan: Plan, mhz: float) -> dict[str, Any]:
    """Those of Figures, at a clock of `mhz`, by their names."""
    spent = energy(network, plan, mhz, device(plan.device))
    table = energy_45nm(network, plan).total
    return {"energy_nj": spent.total, "idle_uw": spent.idle_uw, "energy_45nm_nj": table}


def _measured(build: Build, cycles: tuple[int, int] | None, exact: tuple[int, int]) -> Figures:
    m = build.measured
    latency, rate = _speed(cycles or exact, m.fmax_mhz)
    return Figures(
        lut=m.lut,
        ff=m.ff,
        dsp=m.dsp,
        bram=m.bram,
        fmax_mhz=m.fmax_mhz,
        cycles_latency=cycles[0] if cycles else None,
        cycles_interval=cycles[1] if cycles else None,
        latency_us=latency,
        inferences_per_s=rate,
    )


def _speed(cycles: tuple[int, int], mhz: float) -> tuple[float, float]:
    return latency_us(cycles[0], mhz), inferences_per_s(cycles[1], mhz)


def save(report: Report, path: Path) -> None:
    """Writes a report as JSON; the keys always stand in the same order."""
    text = json.dumps({"format": FORMAT, "version": VERSION, **asdict(report)}, indent=1)
    write(path, text + "\n")


def load(path: Path) -> Report:
    """Reads a report; ReportError when the file is damaged, foreign, or of a newer version."""
    return read(path, Report, error=ReportError, head=FileHead(FORMAT, VERSION), way_out=WAY_OUT)
