"""The search: a data set and a board to a measured Pareto front of hybrid networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from gen.support import interruption
from model.device import AUTO, device_of, gpus, name_of
from model.errors import RequestError
from model.files import write
from model.lock import folder_lock
from model.recipe import THREADS
from model.records import LARGEST_INTEGER
from search.evolve.goal import FRONT, Goal
from search.evolve.objectives import NO_LIMITS, Limits
from search.evolve.predictor import CalibrationSample, probes
from search.evolve.scoring import ScoringSetup
from search.report.report import report
from search.results.results import RunError
from search.results.results_files import built, held
from search.results.search_result import SearchResult
from search.run.executor import Pool
from search.run.feasible import InfeasibleError
from search.run.finalists import FINALIST
from search.run.pace import Pace
from search.run.plan import Speeds, plan, said
from search.run.progress import Show
from search.run.request import Request, SearchBudget
from search.run.rounds import Rounds
from search.run.run_folder import HEAD, INFEASIBLE, RunFolder, begun_on
from search.run.speeds import measure
from search.run.tuning import Training, TuneJob, probe, teach
from search.supernet.sandwich import teacher
from search.supernet.supernet_train import read_about, recipe_for, train_supernet

SUPERNET = "supernet.json"
WORKERS = 2
"""Processes of a search on the CPU, unless it is told of others."""
PREPARING = ".preparing.lock"
"""Held in the folder of a supernet by the search that trains it, its teacher and its probes."""


def search(
    *, data: str, board: str, out: Path, space: str | None = None, kinds: Sequence[str] = (),
    sampler: str = "evolution", sharing: str = "heterogeneous", seed: int = 0,
    limits: Limits = NO_LIMITS, goal: Goal = FRONT, budget: Mapping[str, int | None] | None = None,
    seconds: float | None = None, supernet: Path | None = None, workers: int | None = None,
    scheduler: str | None = None, device: str = AUTO,
    resume: bool = False, force: bool = False, quiet: bool = False,
) -> SearchResult:  # fmt: skip
    """Search networks for `data` on `board` and build the best of them; all of it lands in `out`.

    space: name or file, by default the built-in one that suits `data`. kinds: only networks whose
    layers are of these (`Space.restrict`). goal: what is wanted, see search.evolve.goal. budget:
    fields of `request.SearchBudget`; None, or one left out, is the space's own. seconds: that the
    search may take once its supernet is there; what is left out of the budget is planned for that.
    supernet: folder of one that is there or is to be made; by default it is kept under
    build/supernets for every board. workers: local processes; by default WORKERS, or one for each
    GPU. scheduler: address of a Dask cluster that shares this file system, instead of local
    processes. device: where networks are trained and scored (see model.device.device_of); by
    default where the run was begun. resume: go on with the run in `out`. force: remove that, and
    begin again. Another search that trains the same supernet is waited for: then it is there.

    Raises ShiftaddError (RunError, SpaceError, …), one line, for a wrong request.
    """
    asked = Request.make(
        data, board, space, kinds, sampler, sharing, seed, limits, budget or {}, goal, seconds
    )
    asked = replace(asked, compute=_compute(device, scheduler, out if resume else None))
    if workers is None:
        workers = max(1, gpus()) if asked.compute == "cuda" else WORKERS
    folder = (supernet or asked.supernet_folder).resolve()
    show = Show(quiet)
    going_on = f"the same command with --out {out} --resume goes on"
    with interruption.advised(going_on), Pool(workers, scheduler) as pool:
        run = RunFolder(out, asked.as_dict(), resume=resume, force=force)
        try:
            with folder_lock(folder, "search", name=PREPARING, wait=show.say):
                asked, pace, setting = _supernet_and_plan(asked, run, pool, show, folder)
                training, known = _prepare(asked, run, pool, show, setting)
            Rounds(asked, run, pool, show, pace, known).all(setting, training)
            return _finish(run)
        except InfeasibleError:
            run.note(state=INFEASIBLE)
            raise
        except KeyboardInterrupt:
            show.say(f"all that is done is kept: {going_on}")
            raise
        finally:
            run.close()


def _compute(device: str, scheduler: str | None, begun: Path | None) -> str:
    """What `device` stands for; of "auto", as the run in the folder `begun` was begun. What the
    workers of a cluster have is not looked at."""
    if device == AUTO and begun:
        device = begun_on(begun) or AUTO
    return device if scheduler and device == "cuda" else name_of(device_of(device))


def _supernet_and_plan(
    asked: Request, run: RunFolder, pool: Pool, show: Show, folder: Path
) -> tuple[Request, Pace, ScoringSetup]:
    """Once the supernet is there: the request with what it may spend, and what keeps it to that."""
    about = {n: getattr(asked.device, n) for n in ("name", "family", "lut", "ff", "dsp", "bram")}
    _same_data(asked, run)
    size: int | float = asked.searched.size
    size = size if size <= LARGEST_INTEGER else float(size)
    space = {"name": asked.space.name, "size": size}
    run.note(space=space | ({"file": asked.space_file} if asked.space_file else {}), device=about)
    with run.timed("supernet"):
        _supernet(asked, run, show, folder)
    setting = ScoringSetup(
        asked.space, str(folder), asked.data, asked.board, asked.limits, compute=asked.compute
    )
    if asked.seconds is None:
        return asked, Pace(run, show), setting
    budget, speeds = _plan(asked, run, pool, setting)
    show.say(said(budget, speeds))
    return replace(asked, budget=budget), Pace(run, show, asked.seconds, budget, speeds), setting


def _plan(
    asked: Request, run: RunFolder, pool: Pool, setting: ScoringSetup
) -> tuple[SearchBudget, Speeds]:
    """By speeds that are measured now, or as run.json says: who goes on keeps the plan."""
    assert asked.seconds is not None
    if "plan" not in run.head:
        with run.timed("speeds"):
            speeds = measure(pool, setting, asked.seed)
        spent = run.head["seconds"]["speeds"]
        try:
            budget = plan(asked.seconds, speeds, asked.budget, asked.given, spent)
        except RequestError:
            run.note(state=INFEASIBLE)  # what asks for more time may begin here
            raise
        run.note(plan=asdict(budget), speeds=asdict(speeds))
    path = run.folder / HEAD
    return held(run.head["plan"], SearchBudget, path), held(run.head["speeds"], Speeds, path)


def _prepare(
    asked: Request, run: RunFolder, pool: Pool, show: Show, setting: ScoringSetup
) -> tuple[Training, list[CalibrationSample]]:
    """What is kept beside the supernet: the teacher of all that are trained, and probes."""
    folder = Path(setting.supernet)
    by = "" if asked.compute == "cpu" else f"-{asked.compute}"
    budget, seed = asked.budget, asked.seed
    with run.timed("teacher"), show.steps("teacher", 1) as tick:
        long = Training(budget.teacher_epochs, seed, threads=THREADS)  # it is alone
        kept = str(folder / f"teacher-{long.epochs}-{seed}{by}")
        job = TuneJob(setting, long, teacher(asked.space), kept)
        for _, network in pool.run(teach, [job]):
            training = Training(budget.epochs, seed, network)
            tick(1)
    drawn = probes(asked.space, budget.probes, seed)
    kept = str(folder / f"probes-{budget.epochs}-{long.epochs}-{seed}{by}")
    jobs = [TuneJob(setting, training, one, f"{kept}/{asked.space.id(one)}") for one in drawn]
    known: list[CalibrationSample] = []
    with run.timed("probes"), show.steps("probes", len(jobs)) as tick:
        for _, sample in pool.run(probe, jobs):
            known.append(sample)
            tick(1)
    return training, known


def _same_data(asked: Request, run: RunFolder) -> None:
    """Notes what the data are. RunError where the run was begun with other content."""
    augmented = recipe_for(asked.split)
    data = asked.summary.as_dict() | {
        "augmentation": {"shift": augmented.shift, "flips": augmented.flips}
    }
    begun = run.head.get("data", data).get("digest")
    if begun != data["digest"]:
        raise RunError(
            f"{run.folder}: {asked.data} is {data['digest'][:12]}, the run was begun with "
            f"{str(begun)[:12]}: its content has changed; give another --out"
        )
    run.note(data=data)


def _supernet(asked: Request, run: RunFolder, show: Show, folder: Path) -> None:
    # not "cuda": a cluster may have GPUs where this machine has none
    by = "cpu" if asked.compute == "cpu" else AUTO
    train_supernet(
        asked.space, asked.split, sharing=asked.sharing, epochs=asked.budget.supernet_epochs,
        seed=asked.seed, out=folder, resume=True, quiet=show.quiet,
        device=by,
    )  # fmt: skip
    about = read_about(folder)
    known = run.head.get("supernet", about)
    if known["hash"] != about["hash"]:
        raise RunError(
            f"{folder}: its supernet is {about['hash'][:12]}, the run was begun with "
            f"{known['hash'][:12]}; give another --out"
        )
    names = ("hash", "weights", "unshared_weights", "sharing")
    run.note(supernet={"folder": str(folder)} | {name: about[name] for name in names})
    write(run.folder / SUPERNET, json.dumps(about, indent=1) + "\n")


def _finish(run: RunFolder) -> SearchResult:
    """The report, and the front, marked in each finalist's file."""
    run.note(state="done")
    made = report([run.folder])
    (whole,), seconds = made.runs, run.head["seconds"]
    best = {finalist.key for finalist in whole.front}
    for path in sorted(run.folder.glob(f"finalists/*/{FINALIST}")):
        row = built(path) | {"on_front": path.parent.name in best}
        write(path, json.dumps(row, indent=1) + "\n")
    return SearchResult(whole, made.page, len(run.scores), tuple(run.rounds), seconds)
