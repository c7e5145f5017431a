"""A whole network in simulation, against the golden model, image by image.

RTL, netlist and recovered bitstream are Verilog with the same ports, so the same function checks
each of them; `level` is only a name for the report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from model.errors import RequestError
from model.spec import Network
from sim.bench.simulators import BUILD, check_waves
from sim.verify.image_bench import ImageBench, ImageRun, SimulatedAccelerator
from sim.verify.locate import Mismatch
from sim.verify.simulation_result import SimulationResult

TIMEOUT = 200_000
LATENCIES = 4
"""Latencies of the accelerator without a transfer at the pins after which it counts as stopped;
stalls alone stretch one to about two."""
CHUNK = 64
TIMING_IMAGES = 4
STALL = 0.25


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
    """Checks `accelerator` against the golden model of `network` on integer `images` (N, H, W, C).

    Ends at the first time-out or, having simulated all images, with the first difference located.
    stalls: both sides pause at random in a quarter of the cycles.
    timeout: cycles without a transfer at the pins after which words count as stopped; None for
    TIMEOUT, or more where the accelerator's own latency asks for it.
    waves: .fst, .vcd or .saif file of the failing run, or of a short one without stalls if none
    fails.
    progress: called with images done and images in all. Raises SimulatorError, RequestError.
    """
    if len(images) == 0:
        raise RequestError("no images: a simulation needs at least one")
    check_waves(simulator, waves)
    start = time.perf_counter()
    patience = timeout or max(TIMEOUT, LATENCIES * accelerator.cycles_latency)
    bench = ImageBench(network, accelerator, simulator, patience, root)
    runs: list[ImageRun] = []
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
    runs: Sequence[ImageRun],
    timing: ImageRun,
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
        answers=tuple(said for run in runs for said in run.said),
    )
