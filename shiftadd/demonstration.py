"""The demo: digits, a hybrid network of all three kinds, two FPGAs, proof and measured cost; a
short search for networks that beat it; the virtual board."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gen.boards import board as board_named
from gen.compile import REPORT
from gen.compile import compile as compile_network
from gen.deploy import bundle as bundles
from gen.deploy.examples import examples
from gen.report import Report, save, with_cycles
from gen.table import table
from model import data, terminal, zoo
from model.data import Dataset
from model.spec import Network
from model.train import TrainResult, train
from search.report.search_table import table as search_table
from search.results.search_result import SearchResult
from search.run.search import search
from sim.board.deploy import BoardRun, deploy
from sim.board.deploy import table as deploy_table
from sim.verify.network import simulate
from sim.verify.simulation_result import SimulationResult

ARCHITECTURE = "digits_hybrid"
EPOCHS = 60
BOARDS: dict[str, float | None] = {"ulx3s-25f": 200_000, "up5k": None}
"""Images a second to plan for; None for as many as fit."""
DEPLOYED, DEPLOYED_IMAGES = "icebreaker", 40
"""The board, a UP5K beside its serial link, that is run in Verilator; and what it is asked."""

SEARCHED = "up5k"
BUDGET = {
    "population": 24, "generations": 8, "trained": 12, "finalists": 8, "rounds": 1, "epochs": 4,
    "rungs": 2, "teacher_epochs": 12, "supernet_epochs": 20, "probes": 0,
}  # fmt: skip
"""A fifth of what `shiftadd search` scores, enough for a measured front of five points."""

Built = dict[str, tuple[Report, SimulationResult]]
"""By board."""


@dataclass(frozen=True)
class Demonstration:
    """What each step gave. network: folder."""

    trained: TrainResult
    network: Path
    built: Built
    searched: SearchResult
    deployed: BoardRun
    seconds: float

    @property
    def ok(self) -> bool:
        """Whether every image was equal to the golden model's, everywhere."""
        return (
            self.searched.ok
            and self.deployed.ok
            and all(proof.ok for _, proof in self.built.values())
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "train": {"arch": ARCHITECTURE} | self.trained.as_dict(self.network),
            "compile": {board: report.as_dict() for board, (report, _) in self.built.items()},
            "simulate": {board: proof.as_dict() for board, (_, proof) in self.built.items()},
            "deploy": self.deployed.as_dict(),
            "search": self.searched.as_dict(),
            "seconds": self.seconds,
        }


def demonstrate(*, out: Path, seed: int, quiet: bool) -> Demonstration:
    """Train, then for each of BOARDS plan, prove on every test image in RTL, place, route and pack.

    Then a search of BUDGET looks for other networks on SEARCHED, and the first one goes onto the
    virtual board DEPLOYED. Products land in `out`; a search that was cut short goes on.
    """
    began = time.monotonic()
    console = terminal.console(stderr=True, quiet=quiet)
    digits = data.load("digits")
    _say(console, "train")(f"{ARCHITECTURE} on {digits.name}")
    trained = train(
        zoo.load(ARCHITECTURE), digits, epochs=EPOCHS, seed=seed, out=out, resume=True, quiet=quiet
    )
    built = _build_all(trained.network, torch.from_numpy(digits.test_images), out, seed, console)
    _say(console, SEARCHED)("search for other networks")
    searched = search(
        data="digits", board=SEARCHED, out=out / "search", seed=seed, budget=BUDGET, resume=True,
        quiet=quiet,
    )  # fmt: skip
    deployed = _deploy(trained.network, digits, out / DEPLOYED, _say(console, DEPLOYED))
    seconds = time.monotonic() - began
    return Demonstration(trained, out / "network", built, searched, deployed, seconds)


def _say(console: Console, what: str) -> Callable[[str], None]:
    return lambda step: console.print(Text.assemble((what, "bold"), f" {step}"))


def _build_all(
    network: Network, images: torch.Tensor, out: Path, seed: int, console: Console
) -> Built:
    """All BOARDS at a time."""
    pool = ThreadPoolExecutor(len(BOARDS))
    try:
        jobs = [
            pool.submit(_build, network, board, images, out / board, seed, _say(console, board))
            for board in BOARDS
        ]
        return {board: job.result() for board, job in zip(BOARDS, jobs, strict=True)}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # all done, or one failed: not waited for


def _build(
    network: Network,
    board: str,
    images: torch.Tensor,
    out: Path,
    seed: int,
    say: Callable[[str], None],
) -> tuple[Report, SimulationResult]:
    report, accelerator = compile_network(
        network, board=board, out=out, fps=BOARDS[board], progress=say
    )
    say(f"RTL against the golden model, {len(images)} images")
    proof = simulate(network, accelerator, images, seed=seed)
    report = with_cycles(report, proof.cycles_latency, proof.cycles_interval)
    save(report, out / REPORT)
    return report, proof


def _deploy(network: Network, digits: Dataset, out: Path, say: Callable[[str], None]) -> BoardRun:
    """The network behind its serial link, in Verilator, asked by the program for real boards."""
    tests = examples(network, digits)
    bundle = bundles.make(
        network, board_named(DEPLOYED), tests, out / "deploy-virtual", place=False, progress=say
    )
    say(f"virtual board, {DEPLOYED_IMAGES} images over its serial line")
    return deploy(bundle, network, tests.first(DEPLOYED_IMAGES), virtual=True)


def tables(made: Demonstration) -> list[Table]:
    """Of all that was done, as they are printed one after the other."""
    reports = [table(report) for report, _ in made.built.values()]
    return [*reports, _summary(made), search_table(made.searched), deploy_table(made.deployed)]


def _summary(made: Demonstration) -> Table:
    """A row a board."""
    trained = made.trained
    drawn = Table(title=f"{ARCHITECTURE}: {trained.weights} weights, {made.seconds:.0f} s in all")
    for column in (
        "board",
        "accuracy",
        "images proven",
        "differ",
        "latency",
        "images/s",
        "bitstream",
    ):
        words = column in ("board", "bitstream")
        drawn.add_column(column, justify="left" if words else "right", overflow="fold")
    for board, (report, proof) in made.built.items():
        assert report.measured is not None
        drawn.add_row(
            board,
            f"{100 * trained.accuracy['integer']:.2f} %",
            str(proof.images),
            str(proof.mismatches),
            f"{report.measured.latency_us:.1f} µs",
            f"{report.measured.inferences_per_s:,.0f}",
            report.files.get("bitstream", "none"),
        )
    return drawn
