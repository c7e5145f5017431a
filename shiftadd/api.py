"""The Python API: one function a verb, with its name and arguments; a thin call into the rooms.

Each returns what it did, as plain values for JSON, and whether its checks held. `quiet` shows no
progress on stderr; `on_result` is given results as soon as each is there, for whoever prints them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from model.errors import RequestError
from shiftadd.console import progress
from shiftadd.requests import check_folder, check_seed, plan_of, source_of

BOARD = "ulx3s-25f"
"""The board of a request that names none."""
Result = tuple[dict[str, Any], bool]
"""What a verb did, for JSON; and whether its checks held."""


def ignore(result: Any) -> None:
    """Prints nothing."""


def train(
    arch: str,
    *,
    data: str,
    epochs: int = 60,
    seed: int = 0,
    out: Path | None = None,
    resume: bool = False,
    teacher: Path | None = None,
    quiet: bool = False,
) -> Result:
    """Trains one architecture to an integer Network, in the folder network/ of `out`.

    arch: a built-in one or a JSON file. data: a data set by name or path. out: of the run; default
    runs/ARCH-DATA-SEED. resume: go on from the last checkpoint there. teacher: a trained network to
    distil from. Raises ShiftaddError.
    """
    check_seed(seed)
    check_folder(out)
    from model import data as datasets
    from model import store, zoo
    from model.teacher import Teacher
    from model.train import train as run

    what, images = zoo.load(arch), datasets.load(data)
    folder = Path(out) if out else Path("runs") / f"{what.name}-{images.name}-{seed}"
    guide = Teacher(store.load(teacher)) if teacher else None
    made = run(
        what,
        images,
        epochs=epochs,
        seed=seed,
        out=folder,
        resume=resume,
        teacher=guide,
        quiet=quiet,
    )
    names = {"arch": what.name, "data": images.name}
    return names | made.as_dict(folder / "network"), True


def compile(
    net: Path | str,
    *,
    board: str = BOARD,
    out: Path | None = None,
    fps: float | None = None,
    mhz: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    seeds: int = 1,
    plan: Path | None = None,
    quiet: bool = False,
    on_result: Callable[[Any], None] = ignore,
) -> Result:
    """Plan, Verilog, bitstream and report of the network in folder `net`, on a board or device.

    out: where they land; default build/NET-BOARD. fps: least area at so many images a second. mhz:
    clock to ask for. dsps, luts: use no more. What is measured must keep to these four. seeds:
    placements to try. plan: a plan.json to build instead. on_result: is given the
    gen.report.Report. Raises ShiftaddError.
    """
    check_folder(out)
    from gen.compile import compile as run
    from model import store

    network = store.load(net)
    given = plan_of(plan, board, fps=fps, dsps=dsps, luts=luts) if plan else None
    folder = out or Path("build") / f"{Path(net).resolve().name}-{board}"
    with progress(quiet).status() as say:
        report, _ = run(
            network,
            board=board,
            out=folder,
            fps=fps,
            mhz=mhz,
            dsps=dsps,
            luts=luts,
            seeds=seeds,
            plan=given,
            progress=say,
        )
    on_result(report)
    return report.as_dict(), report.ok


def simulate(
    net: Path | str,
    *,
    board: str = BOARD,
    build: Path | None = None,
    level: str = "rtl",
    data: str | None = None,
    images: int | None = None,
    simulator: str = "verilator",
    seed: int = 0,
    stalls: bool = True,
    waves: Path | None = None,
    quiet: bool = False,
    on_result: Callable[[Any], None] = ignore,
) -> Result:
    """Proves the hardware of a network equal to the golden model, image by image.

    data, images: test images; default all of the data set that it was trained on. on_result: is
    given each level's SimulationResult. Others: see sim.verify.prove.prove.
    Raises ShiftaddError.
    """
    check_seed(seed)
    from model import data as datasets
    from model import store
    from sim.verify.prove import check, prove

    check(board=board, level=level, simulator=simulator, waves=waves)  # before what takes time
    network = store.load(net)
    verified = prove(
        network,
        datasets.load(source_of(Path(net), network, data)),
        board=board,
        build=build,
        level=level,
        images=images,
        simulator=simulator,
        seed=seed,
        stalls=stalls,
        waves=waves,
        progress=progress(quiet),
        on_result=on_result,
    )
    for left_out in verified.left_out:
        on_result(left_out)
    return verified.as_dict(), verified.ok


def deploy(
    net: Path | str,
    *,
    board: str | None = None,
    port: str | None = None,
    data: str | None = None,
    images: int | None = None,
    virtual: bool = False,
    flash: bool = False,
    load: bool = True,
    faults: int | None = None,
    build: Path | None = None,
    bundle: Path | None = None,
    out: Path | None = None,
    quiet: bool = False,
    on_result: Callable[[Any], None] = ignore,
    **limits: Any,
) -> Result:
    """Builds a network for a board, loads that, and checks its answers against the golden
    model.

    on_result: is given the Bundle, then the BoardRun and the FaultCounts. Others, and limits
    (fps, dsps, luts, seeds): see sim.board.deployment.DeployRequest. Raises ShiftaddError.
    """
    check_folder(out)
    from gen.deploy.examples import examples
    from model import data as datasets
    from model import store
    from sim.board.deployment import DeployRequest, carry_out

    request = DeployRequest(
        board=board or (None if bundle else BOARD),
        port=port,
        virtual=virtual,
        flash=flash,
        load=load,
        faults=faults,
        build=build,
        bundle=bundle,
        out=out,
        name=Path(net).resolve().name,
        limits=limits,
    )
    network = store.load(net)
    tests = examples(network, datasets.load(source_of(Path(net), network, data)))
    made = carry_out(
        request,
        network,
        tests,
        images=images,
        progress=progress(quiet),
        on_result=on_result,
    )
    return made.as_dict(), made.ok


def search(
    *,
    data: str,
    board: str = BOARD,
    out: Path | None = None,
    space: str | None = None,
    kinds: Sequence[str] = (),
    max_latency: float | None = None,
    max_luts: int | None = None,
    dsps: int | None = None,
    fps: float | None = None,
    seed: int = 0,
    budget: dict[str, int | None] | None = None,
    supernet: Path | None = None,
    quiet: bool = False,
    on_result: Callable[[Any], None] = ignore,
    **options: Any,
) -> Result:
    """A Pareto front of networks for a data set, measured on a board; all of it lands in `out`.

    max_latency: microseconds. budget: fields of search.run.request.SearchBudget. on_result: is
    given the SearchResult. Others: see search.run.search.search. Raises ShiftaddError.
    """
    check_seed(seed)
    check_folder(out)
    check_folder(supernet, "--supernet")
    from search.evolve.objectives import Limits
    from search.run.search import search as run

    folder = out or Path("runs") / "-".join([Path(data).name, board, *kinds, str(seed)])
    made = run(
        data=data,
        board=board,
        out=folder,
        space=space,
        kinds=kinds,
        limits=Limits(max_latency, max_luts, dsps, fps),
        budget=budget,
        seed=seed,
        supernet=supernet,
        quiet=quiet,
        **options,
    )
    on_result(made)
    return made.as_dict(), made.ok


def report(runs: Sequence[Path], *, out: Path | None = None) -> Result:
    """Rebuilds the page of a search from its files, or one that compares several searches.

    See search.report.report.report. Raises ShiftaddError.
    """
    from search.report.report import report as run

    return run(runs, out=out).as_dict(), True


def characterise(*, board: str = BOARD, count: int = 200, quiet: bool = False) -> Result:
    """Measures layers on a board's family and fits the prices of the cost model to them.

    count: layers to have measured in all; those that are there stay. Raises ShiftaddError.
    """
    from gen.calibrate.characterise import characterise as run

    if count < 1:
        raise RequestError(f"--count {count}: at least 1 layer is needed")
    with progress(quiet).bar("characterise") as tick:
        return run(board, count=count, progress=tick), True


def boards(*, on_result: Callable[[Any], None] = ignore) -> Result:
    """The boards that a network can be deployed to, with their budgets.

    on_result: is given the rows of gen.boards.table.
    """
    from gen.boards import boards as known
    from gen.boards.table import row

    rows = [row(board) for board in known().values()]
    on_result(rows)
    return {"boards": [row.as_dict() for row in rows]}, True


def demo(
    *,
    out: Path = Path("runs/demo"),
    seed: int = 0,
    quiet: bool = False,
    on_result: Callable[[Any], None] = ignore,
) -> Result:
    """Digits: train, prove, build for two boards, run on the virtual board, and search.

    on_result: is given the shiftadd.demonstration.Demonstration. Raises ShiftaddError.
    """
    check_seed(seed)
    check_folder(out)
    from shiftadd.demonstration import demonstrate

    made = demonstrate(out=out, seed=seed, quiet=quiet)
    on_result(made)
    return made.as_dict(), made.ok
