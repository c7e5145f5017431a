"""A whole network in simulation, against the golden model, image by image.

Level is only a name for the report: RTL, netlist and recovered bitstream are Verilog with the same
ports, so the same function proves each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch

from model import golden
from model.errors import RequestError
from model.spec import Network, infer
from sim.bench.simulators import BUILD, check_waves
from sim.bench.streams import StreamResult, run_streams
from sim.bench.wrapper import StreamCase, axi_stream
from sim.verify.axis_words import frame_difference, frames, input_words
from sim.verify.locate import Mismatch, ProbedStream, first_difference, stopping_layer

TIMEOUT = 200_000
LATENCIES = 4
"""How many may pass without a transfer at the pins; stalls alone stretch one to about two."""
CHUNK = 64
TIMING_IMAGES = 4
STALL = 0.25


class SimulatedAccelerator(Protocol):
    """Hardware of one network with AXI-Stream ports `s_axis_*` and `m_axis_*`, one byte wide.

    In: height·width·channels bytes an image. Out: for each class its score in little-endian two's
    complement bytes, then the index of the first largest score with tlast.
    """

    @property
    def verilog(self) -> str: ...
    @property
    def top(self) -> str: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...
    @property
    def cycles_latency(self) -> int: ...
    @property
    def probes(self) -> Sequence[ProbedStream]: ...


@dataclass(frozen=True)
class SimulationResult:
    """What a simulation showed. `mismatches` counts images, those that never came included.

    cycles_latency: from an image's first byte in to its last byte out, in an idle device.
    cycles_interval: between the last bytes of two images in steady state. Both without stalls, and
    None when words stopped.
    """

    level: str
    simulator: str
    images: int
    mismatches: int
    cycles_latency: int | None
    cycles_interval: int | None
    first_mismatch: Mismatch | None
    stopped: str | None
    """The layer at which words stopped, when a time-out ended the simulation."""
    unheld: int
    """Output bytes that were taken back or changed before they were accepted."""
    seed: int
    cycles: int
    cycles_per_second: float
    seconds: float

    @property
    def ok(self) -> bool:
        return not (self.mismatches or self.stopped or self.unheld)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _Run:
    """One simulation of some images: what was asked, what had to come and what came."""

    first: int
    images: torch.Tensor
    seed: int
    stall: float
    want: list[list[int]]
    result: StreamResult

    def frame(self, i: int) -> list[int | None]:
        size = len(self.want[0])
        return self.result.words[i * size : (i + 1) * size]

    @property
    def bad(self) -> list[int]:
        """Images, counted from 0 in this run, whose frame is wrong or missing."""
        return [i for i, want in enumerate(self.want) if self.frame(i) != want]


@dataclass(frozen=True)
class _Bench:
    """An accelerator and how it is simulated."""

    network: Network
    accelerator: SimulatedAccelerator
    simulator: str
    timeout: int
    root: Path

    @property
    def head(self) -> str:
        return self.network.nodes[-1].name

    def run(
        self,
        images: torch.Tensor,
        seed: int,
        stall: float,
        *,
        first: int = 0,
        probing: bool = False,
        waves: Path | None = None,
    ) -> _Run:
        """Simulate `images`, numbered from `first` on."""
        it = self.accelerator
        scores = golden.run(self.network, images)[self.head].flatten(1).numpy()
        want = frames(scores, it.bytes_out)
        case = StreamCase(
            it.verilog,
            it.top,
            input_words(images),
            [word for frame in want for word in frame],
            it.bytes_in,
            it.bytes_out,
            axi_stream("s_axis"),
            axi_stream("m_axis"),
            {p.prefix: p.lanes * p.bits for p in it.probes},
        )
        (result,) = run_streams(
            [case],
            simulator=self.simulator,
            seed=seed,
            stall_in=stall,
            stall_out=stall,
            timeout=self.timeout,
            probing=probing,
            waves=waves,
            root=self.root,
        )
        return _Run(first, images, seed, stall, want, result)

    def locate(self, run: _Run, waves: Path | None) -> tuple[Mismatch | None, str | None]:
        """Repeat a failing run with probes: its first differing value, and the layer it stopped at.

        Repeats only as many images as the failure needs, where they suffice to show it again.
        """
        short = run.images[: run.bad[0] + 1]
        again = run
        for images in (run.images,) if run.result.stopped else (short, run.images):
            again = self.run(images, run.seed, run.stall, probing=True, waves=waves)
            if again.bad:
                break
        mismatch = self._difference(again)
        mismatch = replace(mismatch, image=run.first + mismatch.image)
        if not run.result.stopped:
            return mismatch, None
        probes, records = self.accelerator.probes, again.result.probes
        return mismatch, stopping_layer(self.network, len(again.images), probes, records)

    def _difference(self, run: _Run) -> Mismatch:
        bad, probes = run.bad[0], self.accelerator.probes
        inside = first_difference(
            self.network, run.images, bad, probes, run.result.probes, run.seed
        )
        classes = infer(self.network)[self.head].shape[2]
        return inside or frame_difference(
            self.head, classes, run.want[bad], run.frame(bad), bad, run.seed
        )


def simulate(
    network: Network,
    accelerator: SimulatedAccelerator,
    images: torch.Tensor,
    *,
    level: str = "rtl",
    simulator: str = "verilator",
    seed: int = 0,
    stalls: bool = True,
    timeout: int | None = None,
    waves: Path | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    root: Path = BUILD,
) -> SimulationResult:
    """Prove `accelerator` equal to the golden model of `network` on integer `images` (N, H, W, C).

    Ends at the first time-out or, having simulated all images, with the first difference located.
    stalls: both sides pause at random in a quarter of the cycles.
    timeout: cycles without a transfer at the pins after which words count as stopped; None for
    TIMEOUT, or more where the accelerator's own latency asks for it.
    waves: .fst or .vcd file of the failing run, or of a short one without stalls if none fails.
    progress: called with images done and images in all. Raises SimulatorError, RequestError.
    """
    if len(images) == 0:
        raise RequestError("no images: a simulation needs at least one")
    check_waves(simulator, waves)
    start = time.perf_counter()
    patience = timeout or max(TIMEOUT, LATENCIES * accelerator.cycles_latency)
    bench = _Bench(network, accelerator, simulator, patience, root)
    runs: list[_Run] = []
    for first in range(0, len(images), CHUNK):
        part = images[first : first + CHUNK]
        runs.append(bench.run(part, seed + len(runs), STALL if stalls else 0.0, first=first))
        progress(min(first + CHUNK, len(images)), len(images))
        if runs[-1].result.stopped:
            break
    few = images[torch.arange(TIMING_IMAGES) % len(images)]
    fine = not any(run.bad for run in runs)
    timing = bench.run(few, seed, 0.0, waves=waves if fine else None)
    failing = next((run for run in (*runs, timing) if run.bad), None)
    mismatch, stopped = bench.locate(failing, waves) if failing else (None, None)
    seconds = time.perf_counter() - start
    return _report(level, simulator, seed, len(images), runs, timing, mismatch, stopped, seconds)


def _report(
    level: str,
    simulator: str,
    seed: int,
    images: int,
    runs: Sequence[_Run],
    timing: _Run,
    mismatch: Mismatch | None,
    stopped: str | None,
    seconds: float,
) -> SimulationResult:
    both = (*runs, timing)
    bad = {(run.first + i) % images for run in both for i in run.bad}
    done = sum(len(run.images) for run in runs)
    cycles = sum(run.result.cycles for run in both)
    moving = not any(run.result.stopped for run in both)
    return SimulationResult(
        level=level,
        simulator=simulator,
        images=images,
        mismatches=len(bad) + images - done,
        cycles_latency=timing.result.latency if moving else None,
        cycles_interval=timing.result.interval if moving else None,
        first_mismatch=mismatch,
        stopped=stopped,
        unheld=sum(len(run.result.unheld) for run in both),
        seed=seed,
        cycles=cycles,
        cycles_per_second=cycles / sum(run.result.seconds for run in both),
        seconds=seconds,
    )
