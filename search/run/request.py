"""What is asked of a search, checked before anything is spent."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gen.limits import SURE
from gen.support.devices import Device, device
from model import data as datasets
from model.data import Dataset
from model.data.summary import DataSummary, summarise
from model.errors import RequestError
from search.evolve.evolve import SAMPLERS
from search.evolve.goal import FRONT, Goal
from search.evolve.objectives import Limits
from search.evolve.scoring import split
from search.space import space_files
from search.space.space import Space
from search.supernet.sharing import SHARING

SUPERNETS = Path("build/supernets")


@dataclass(frozen=True)
class SearchBudget:
    """What a search may spend. population: networks of a generation. generations: in each round.

    Each network is scored at every share of the board. trained: networks of those so found that
    are fine-tuned, for `epochs` each; of these the best go on, over `rungs` in all (see
    search.run.halving). finalists: points of these that are built. Later rounds, which only look
    for what is better known by then, have half as many of both. probes: networks fine-tuned
    beforehand, for as many epochs, to learn what inherited accuracies are worth. teacher_epochs: of
    the network that all these are distilled from. supernet_epochs: of the supernet, unless it is
    there.
    """

    population: int = 48
    generations: int = 20
    trained: int = 30
    finalists: int = 8
    rounds: int = 2
    epochs: int = 3
    rungs: int = 3
    teacher_epochs: int = 12
    supernet_epochs: int = 10
    probes: int = 12

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            least = {"population": 4, "probes": 0}.get(name, 1)
            if value < least:
                raise RequestError(f"--{name.replace('_', '-')} {value}: at least {least}")


SMALL = SearchBudget(
    40, 24, trained=36, finalists=8, epochs=6, teacher_epochs=40, supernet_epochs=40, probes=24
)
BUDGETS = {"8x8": SMALL}
"""By name of the space; other built-in ones have that of SearchBudget()."""
FEW, SUITED, MOST_TIMES = 10_000, 1_500, 10
"""Training images up to which SMALL suits other spaces; below SUITED, epochs are more in
proportion, up to so many times, because each is so much shorter."""


def budget_for(space: Space, images: int) -> SearchBudget:
    """What a search of `space` spends by default on so many training images."""
    if space.name in space_files.built_in():
        return BUDGETS.get(space.name, SearchBudget())
    if images > FEW:
        return SearchBudget()
    times = min(MOST_TIMES, max(1, SUITED // images))
    named = ("epochs", "teacher_epochs", "supernet_epochs")
    longer = {name: times * getattr(SMALL, name) for name in named}
    return replace(SMALL, **longer)


def minutes(seconds: float) -> str:
    """As --time takes them."""
    return f"{seconds / 60:.0f}m" if seconds >= 600 else f"{seconds / 60:.1f}m"


@dataclass(frozen=True)
class Request:
    """A checked request. data: name, or absolute path. space: the whole one of the supernet.

    kinds: only networks whose layers are of these (`Space.restrict`), or all if empty. split: the
    data that the search may see. summary: of all of the data.
    """

    data: str
    board: str
    space: Space
    kinds: tuple[str, ...]
    sampler: str
    sharing: str
    seed: int
    limits: Limits
    goal: Goal
    budget: SearchBudget
    given: Mapping[str, int]
    """Of the budget, what was asked for."""
    seconds: float | None
    """That the search may take once its supernet is there; None: the budget says."""
    split: Dataset = field(repr=False, compare=False)
    summary: DataSummary
    space_file: str = ""
    """Absolute path of the space; empty for a built-in one."""
    compute: str = "cpu"
    """Where networks are trained and scored: "cpu" or "cuda"."""

    @staticmethod
    def make(
        data: str, board: str, space: str | None, kinds: Sequence[str], sampler: str,
        sharing: str, seed: int, limits: Limits, budget: Mapping[str, int | None],
        goal: Goal = FRONT, seconds: float | None = None,
    ) -> Request:  # fmt: skip
        """Raises ShiftaddError for an unknown board, data set, space, kind or sampler."""
        luts = min(device(board).lut, limits.max_luts or device(board).lut)
        if sampler not in SAMPLERS:
            raise RequestError(f"--sampler {sampler}: must be one of {', '.join(SAMPLERS)}")
        if sharing not in SHARING:
            raise RequestError(f"--sharing {sharing}: must be one of {', '.join(SHARING)}")
        whole = datasets.load(data)
        named = space_files.load(space) if space else space_files.for_data(whole, luts)
        if (named.shape, named.input_bits) != (whole.shape, whole.format.bits):
            raise RequestError(
                f"space {named.name} is for {named.shape} at {named.input_bits} bits, {data} has "
                f"{whole.shape} at {whole.format.bits}; give another --space"
            )
        known = {one.name for one in fields(SearchBudget)}
        given = {n: v for n, v in budget.items() if n in known and v is not None}
        made = Request(
            data=whole.source or data,
            board=board,
            space=space_files.with_classes(named, len(whole.classes)),
            kinds=tuple(sorted(set(kinds))),
            sampler=sampler,
            sharing=sharing,
            seed=seed,
            limits=limits,
            goal=goal,
            given=given,
            seconds=seconds,
            split=split(whole),
            summary=summarise(whole),
            space_file=str(Path(space).resolve()) if space and Path(space).is_file() else "",
            budget=replace(budget_for(named, len(whole.train_labels)), **given),
        )
        made.searched  # noqa: B018 (raises where a kind is unknown)
        return made

    @cached_property
    def searched(self) -> Space:
        """The networks that may be found."""
        return self.space.restrict(self.kinds) if self.kinds else self.space

    @property
    def sure(self) -> Limits:
        """The limits, with room for the error of predicted clocks."""
        return self.limits.sure(SURE[self.device.family].clock)

    @property
    def device(self) -> Device:
        return device(self.board)

    @property
    def supernet_folder(self) -> Path:
        """Where its supernet is kept: it depends on what the data are, on space and sharing, not on
        the board."""
        what = [self.split.digest, asdict(self.space), self.sharing, self.seed]
        text = json.dumps([*what, self.budget.supernet_epochs], sort_keys=True)
        return SUPERNETS / f"{self.space.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    def as_dict(self) -> dict[str, Any]:
        """For run.json, as plain values."""
        return {
            "data": self.data, "board": self.board, "space": self.space.name,
            "kinds": list(self.kinds or self.space.kinds), "sampler": self.sampler,
            "sharing": self.sharing, "seed": self.seed, "limits": asdict(self.limits),
            "goal": asdict(self.goal),
            "time": None if self.seconds is None else minutes(self.seconds),
            "budget": asdict(self.budget) if self.seconds is None else dict(self.given),
            **({} if self.compute == "cpu" else {"compute": self.compute}),
        }  # fmt: skip
