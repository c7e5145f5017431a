"""Many networks: search, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from shiftadd.inputs import DataLike, file_name, source_of
from shiftadd.requests import BOARD, PathLike, check_file, check_folder, check_numbers, given_path
from shiftadd.results import ReportOutcome, SearchOutcome


def search(
    *,
    data: DataLike,
    board: str = BOARD,
    out: PathLike | None = None,
    resume: bool = False,
    force: bool = False,
    seed: int = 0,
    max_latency: float | None = None,
    max_luts: int | None = None,
    dsps: int | None = None,
    fps: float | None = None,
    goal: str = "front",
    min_accuracy: float | None = None,
    space: PathLike | None = None,
    kinds: Sequence[str] = (),
    sampler: str = "evolution",
    sharing: str = "heterogeneous",
    supernet: PathLike | None = None,
    time: float | None = None,
    population: int | None = None,
    generations: int | None = None,
    trained: int | None = None,
    finalists: int | None = None,
    rounds: int | None = None,
    probes: int | None = None,
    epochs: int | None = None,
    rungs: int | None = None,
    teacher_epochs: int | None = None,
    supernet_epochs: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    device: str = "auto",
    tools: str = "pip",
    quiet: bool = False,
) -> SearchOutcome:
    """A Pareto front of networks for a data set, measured on a board; all of it lands in `out`.

    max_latency: microseconds. goal: `front`, `accuracy` (the best that fits) or `smallest` (the
    fewest LUTs that reach min_accuracy, a fraction; below it no network counts). time: seconds that
    the search may take once its supernet is there, for which the budget is planned. population to
    supernet_epochs: see search.run.request.SearchBudget; None is what suits the space. workers:
    processes on this machine; by default two, or one for each GPU. device: as for `train`; a search
    that is gone on with stays where it was begun. tools: as for `compile`. Others: see
    search.run.search.search. Raises ShiftaddError.

    >>> small = {"population": 8, "generations": 2, "trained": 4, "finalists": 2, "rounds": 1}
    >>> small |= {"probes": 0, "epochs": 1, "teacher_epochs": 1, "supernet_epochs": 1}
    >>> made = shiftadd.search(data="digits", board="up5k", out="small", quiet=True, **small)
    >>> made.ok, len(made.front) > 0
    (True, True)
    """
    budget = {
        "population": population, "generations": generations, "trained": trained,
        "finalists": finalists, "rounds": rounds, "probes": probes, "epochs": epochs,
        "rungs": rungs, "teacher_epochs": teacher_epochs, "supernet_epochs": supernet_epochs,
    }  # fmt: skip
    check_numbers(
        seed=seed, max_latency=max_latency, max_luts=max_luts, dsps=dsps, fps=fps, workers=workers,
        min_accuracy=min_accuracy, time=time, **budget,
    )  # fmt: skip
    folder, shared = check_folder(out), check_folder(supernet, "--supernet")
    source = source_of(data)
    from gen.support.native_tools import chosen
    from search.evolve.goal import Goal
    from search.evolve.objectives import Limits
    from search.run.search import search as run

    name = file_name("-".join([Path(source).name, board, *kinds, str(seed)]))
    with chosen(tools):
        made = run(
            data=source,
            board=board,
            out=folder or Path("runs") / name,
            space=None if space is None else str(given_path(space, "--space")),
            kinds=kinds,
            sampler=sampler,
            sharing=sharing,
            limits=Limits(max_latency, max_luts, dsps, fps),
            goal=Goal(goal, min_accuracy),
            budget=budget,
            seconds=time,
            seed=seed,
            supernet=shared,
            workers=workers,
            scheduler=scheduler,
            device=device,
            resume=resume,
            force=force,
            quiet=quiet,
        )
    return SearchOutcome(made, board)


def report(runs: PathLike | Sequence[PathLike], *, out: PathLike | None = None) -> ReportOutcome:
    """Rebuilds the page of a search from its files, or one that compares several searches.

    runs: folder of a search, or several. out: the page; default report.html in the only one, or
    comparison.html beside the first. Raises ShiftaddError.

    >>> shiftadd.report("search").page
    PosixPath('search/report.html')
    """
    from search.report.report import report as run

    several = [runs] if isinstance(runs, str) or not isinstance(runs, Sequence) else runs
    made = run([given_path(one, "RUN") for one in several], out=check_file(out))
    return ReportOutcome(made)
