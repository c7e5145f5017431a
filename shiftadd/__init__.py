"""The command line. Each verb parses, calls one function and prints; it imports what is heavy."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

OK, FAILED, WRONG, INTERRUPTED = 0, 1, 2, 130
BOARD = "ulx3s-25f"
BUDGET = {
    "population": "networks of a generation, each scored at every share of the board",
    "generations": "generations of a round",
    "trained": "networks of the front that are trained out in a round",
    "finalists": "points of the trained networks that are built in a round",
    "rounds": "rounds at most: each refits the cost model to what the one before it measured",
    "probes": "networks trained out first, to learn what inherited accuracies are worth",
    "epochs": "of each finalist and probe, from inherited weights",
    "supernet_epochs": "of the supernet, unless it is there",
}
Result = tuple[dict[str, Any], bool]
"""What a verb found, for JSON; and whether its checks held."""


class RequestError(ValueError):
    """A request that cannot be met; the message is the one line that the user sees."""


def train(
    arch: str,
    *,
    data: str,
    epochs: int,
    seed: int = 0,
    out: Path | None = None,
    resume: bool = False,
    teacher: Path | None = None,
    quiet: bool = False,
) -> Result:
    """Train one architecture to an integer Network."""
    from model import arch as arches
    from model import data as datasets
    from model import store
    from model.teacher import Teacher
    from model.train import train as run

    what, images = arches.load(arch), datasets.load(data)
    folder = out or Path("runs") / f"{what.name}-{images.name}-{seed}"
    guide = Teacher(store.load(teacher)) if teacher else None
    found = run(
        what,
        images,
        epochs=epochs,
        seed=seed,
        out=folder,
        resume=resume,
        teacher=guide,
        quiet=quiet,
    )
    return {
        "arch": what.name,
        "data": images.name,
        "accuracy": found.accuracy,
        "weights": found.weights,
        "epochs": found.epochs,
        "seconds": found.seconds,
        "network": str(folder / "network"),
        "network_hash": store.content_hash(found.network),
    }, True


def compile(
    net: Path,
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
) -> Result:
    """Plan, Verilog, bitstream and report of a network on a board."""
    from gen.compile import compile as run
    from gen.table import table
    from model import store

    network = store.load(net)
    given = _plan(plan, board, fps=fps, dsps=dsps, luts=luts) if plan else None
    folder = out or Path("build") / f"{net.resolve().name}-{board}"
    with _status(quiet) as say:
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
    if not quiet:
        _console().print(table(report))
    met = mhz is None or (report.measured is not None and (report.measured.fmax_mhz or 0) >= mhz)
    if not met:
        print(f"shiftadd: timing missed: {mhz:g} MHz asked for; see the table", file=sys.stderr)
    return asdict(report), met


def _plan(path: Path, board: str, **limits: float | None) -> Any:
    """The plan in a file, which must be for `board` and leaves nothing to ask of planning."""
    from gen.plan.plan import load
    from gen.support.devices import device

    if asked := [f"--{name}" for name, value in limits.items() if value is not None]:
        raise RequestError(f"{', '.join(asked)}: {path} is planned already; drop --plan or these")
    found = load(path)
    if found.device != (wanted := device(board).name):
        raise RequestError(f"{path}: planned for {found.device}, not for {wanted}; mind --board")
    return found


def simulate(
    net: Path,
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
) -> Result:
    """Prove the hardware of a network equal to the golden model, image by image."""
    import torch

    from gen.compile import CACHE, planned
    from gen.recover.recover import needs_plan_without_multipliers
    from gen.support.devices import device
    from model import data as datasets
    from model import store
    from sim.bench.simulators import check_waves
    from sim.verify import evidence
    from sim.verify.levels import at_level, requested_levels
    from sim.verify.network import simulate as run

    requested_levels(level, device(board))  # before the time that loading takes
    check_waves(simulator, waves)  # before the time that planning takes
    network = store.load(net)
    source = _source(net, network, data)
    pixels = datasets.load(source).test_images
    datasets.check_count(source, images, len(pixels))
    plan, rtl = planned(network, board=board, folder=build)
    results = []
    target = device(plan.device)
    for name in requested_levels(level, target):
        bare = needs_plan_without_multipliers(target, name)
        if bare and plan.cost.dsp and (build is None or level == "all"):
            plan, rtl = planned(network, board=plan.device, dsps=0)
        with _status(quiet) as say:
            hardware = at_level(rtl, target, name, cache=CACHE, progress=say)
        with _bar(quiet, f"simulate {name}") as tick:
            found = run(
                network,
                hardware,
                torch.from_numpy(pixels[:images]),
                level=name,
                simulator=simulator,
                seed=seed,
                stalls=stalls,
                waves=waves,
                progress=tick,
            )
        if not quiet:
            _console().print(_verdict(found))
        evidence.record(evidence.path(build, plan), plan, target.family, found)
        results.append(found)
    held = all(found.ok for found in results)
    if level != "all":
        return results[0].as_dict(), held
    total = {name: sum(getattr(r, name) for r in results) for name in ("mismatches", "cycles")}
    one = {"level": level, "images": results[0].images, **total}
    return one | {"levels": [found.as_dict() for found in results]}, held


def _verdict(found: Any) -> str:
    if found.ok:
        return (
            f"{found.images} images equal to the golden model at level {found.level} "
            f"({found.simulator}, seed {found.seed}); latency {found.cycles_latency}, "
            f"interval {found.cycles_interval} cycles"
        )
    where = f"; first: {found.first_mismatch}" if found.first_mismatch else ""
    stop = f"; words stopped at {found.stopped}" if found.stopped else ""
    return f"{found.mismatches} of {found.images} images differ (seed {found.seed}){where}{stop}"


def report(runs: Sequence[Path], *, out: Path | None = None, quiet: bool = False) -> Result:
    """Rebuild the page of a search from its files, or one that compares several searches."""
    from search.report.report import report as run

    found = run(runs, out=out)
    if not quiet:
        print(found["report"])
    return found, True


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
    quiet: bool = False,
    **options: Any,
) -> Result:
    """A Pareto front of networks for a data set, measured on a board."""
    from search.evolve.objectives import Limits
    from search.report.search_table import table
    from search.run.search import search as run

    budget = {name: options.pop(name, None) for name in BUDGET}
    folder = out or Path("runs") / "-".join([Path(data).name, board, *kinds, str(seed)])
    found, ok = run(
        data=data,
        board=board,
        out=folder,
        space=space,
        kinds=kinds,
        limits=Limits(max_latency, max_luts, dsps, fps),
        budget=budget,
        seed=seed,
        quiet=quiet,
        **options,
    )
    if not quiet:
        _console().print(table(found))
    return found, ok


def boards(*, quiet: bool = False) -> Result:
    """The boards that a network can be deployed to, with their budgets."""
    from gen.boards import BOARDS
    from gen.boards.table import row, table

    rows = [row(one) for one in BOARDS.values()]
    if not quiet:
        _console().print(table(rows))
    return {"boards": [one.as_dict() for one in rows]}, True


def deploy(
    net: Path,
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
    **limits: Any,
) -> Result:
    """Build a network for a board, load that, and hold its answers to the golden model."""
    from gen.boards import board as board_named
    from gen.compile import planned
    from gen.deploy import bundle as bundles
    from gen.deploy.examples import examples
    from gen.host.ports import ready
    from model import data as datasets
    from model import store
    from sim.board.deploy import check_bundle, table
    from sim.board.deploy import deploy as run

    _check_faults(faults, virtual)
    _no_conflict({"--no-load": not load}, {"--faults": faults})
    _no_conflict({"--virtual": virtual}, {"--port": port, "--flash": flash or None})
    asked = {f"--{k}": limits.get(k) for k in ("fps", "dsps", "luts")}
    _no_conflict({"--build": build}, asked)
    _no_conflict({"--bundle": bundle}, asked | {"--build": build, "--out": out})
    network = store.load(net)
    tests = examples(network, datasets.load(_source(net, network, data)))
    some = tests.first(images)
    if bundle:
        made = bundles.load(bundle)
        check_bundle(made, network, board, virtual=virtual or not load)
    target = board_named(made.manifest.board if bundle else board or BOARD)
    if load and not virtual:  # before the time that building takes
        port = ready(target.name, target.uart, target.baud, port)
    if build:
        limits["plan"], _ = planned(network, board=target.device.name, folder=build)
    if not bundle:
        folder = out or Path("build") / f"{net.resolve().name}-{target.name}"
        folder /= "deploy-virtual" if virtual else "deploy"
        with _status(quiet) as say:
            made = bundles.make(
                network, target, tests, folder, place=not virtual, progress=say, **limits
            )
    if not quiet:
        print(f"bundle: {made.folder}", file=sys.stderr)
    if not load:
        return {"bundle": str(made.folder), "bitstream": made.manifest.bitstream}, True
    with _bar(quiet, f"deploy to {target.name}") as tick:
        found = run(made, some, port=port, virtual=virtual, flash=flash, tick=tick)
    if not quiet:
        _console().print(table(found))
    if faults is None:
        return found.as_dict(), found.ok
    tried = _faults(made, some, network, faults, build, quiet)
    return found.as_dict() | {"faults": tried.as_dict()}, found.ok and tried.ok


def _check_faults(faults: int | None, virtual: bool) -> None:
    if faults is not None and not virtual:
        raise RequestError(
            f"--faults {faults}: only the virtual board is given faults; add --virtual"
        )
    if faults is not None and faults < 1:
        raise RequestError(f"--faults {faults}: at least 1 malformed frame is needed")


def _faults(
    bundle: Any, tests: Any, network: Any, count: int, build: Path | None, quiet: bool
) -> Any:
    """What faults do to the virtual board of a bundle; also goes into its evidence."""
    from sim.board.fault_table import tables
    from sim.board.faults import try_faults
    from sim.verify import evidence

    with _bar(quiet, "faults") as tick:
        found = try_faults(bundle, tests, network, count=count, tick=tick)
    plan = bundle.plan
    evidence.record_faults(evidence.path(build, plan), plan, bundle.manifest.board, found)
    if not quiet:
        _console().print(*tables(found))
    return found


def _source(net: Path, network: Any, data: str | None) -> str:
    """The data set that is asked for, or the one that `network` was trained on."""
    source = data or network.about.get("data")
    if not source:
        raise RequestError(f"{net}: the network does not name its data set; give --data")
    return str(source)


def _no_conflict(one: dict[str, object], others: dict[str, object]) -> None:
    """RequestError when an option stands beside one that it leaves nothing to say."""
    ((name, value),) = one.items()
    if value and (beside := [other for other, given in others.items() if given is not None]):
        raise RequestError(f"{', '.join(beside)}: {name} leaves no choice of that; drop one")


def characterize(*, board: str = BOARD, count: int = 200, quiet: bool = False) -> Result:
    """Measure layers on a board's family and fit the prices of the cost model to them."""
    from gen.calibrate.characterise import characterise

    if count < 1:
        raise RequestError(f"--count {count}: at least 1 layer is needed")
    with _bar(quiet, "characterize") as tick:
        found = characterise(board, count=count, progress=tick)
    if not quiet:
        for figure, errors in found["error_percent"].items():
            for what, error in errors.items():
                print(f"{found['family']}: {figure} of {what} within {error} % on average")
    return found, True


def demo(*, out: Path = Path("runs/demo"), seed: int = 0, quiet: bool = False) -> Result:
    """Digits: train, prove, build for two boards, run on the virtual board, and search."""
    from shiftadd.demo import demo as run

    return run(out=out, seed=seed, quiet=quiet)


def _console() -> Any:
    from rich.console import Console

    return Console()


def _status(quiet: bool) -> Any:
    """A spinner on stderr that says the current step."""
    from contextlib import contextmanager

    from rich.console import Console

    @contextmanager
    def show() -> Any:
        if quiet:
            yield lambda step: None
            return
        with Console(stderr=True).status("") as status:
            yield status.update

    return show()


def _bar(quiet: bool, what: str) -> Any:
    """A progress bar on stderr, called with what is done and what there is in all."""
    from contextlib import contextmanager

    from rich.console import Console
    from rich.progress import Progress

    @contextmanager
    def show() -> Any:
        with Progress(console=Console(stderr=True), disable=quiet) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)

    return show()


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    top = argparse.ArgumentParser(
        prog="shiftadd",
        description="Hybrid multiplication, shift and add networks for small FPGAs: trained, "
        "generated, proven bit-exact and measured.",
        epilog="Start with `shiftadd demo`. Exit status: 0 done, 1 a check failed, "
        "2 the request was wrong.",
    )
    top.add_argument("--version", action="version", version=f"shiftadd {version('shiftadd')}")
    verbs = top.add_subparsers(title="verbs", metavar="VERB", required=True)
    for add in (
        _demo,
        _search,
        _train,
        _compile,
        _simulate,
        _deploy,
        _report,
        _characterize,
        _boards,
    ):
        one = add(verbs)
        one.add_argument(
            "--json", action="store_true", help="print one JSON object on stdout, and no progress"
        )
    return top


def _verb(
    verbs: Any, run: Callable[..., Result], text: str, example: str
) -> argparse.ArgumentParser:
    one: argparse.ArgumentParser = verbs.add_parser(
        run.__name__,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=f"Example: {example}",
    )
    one.set_defaults(run=run)
    return one


def _demo(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        demo,
        "train, prove and build a hybrid network on the digits data set, in minutes",
        "shiftadd demo",
    )
    one.add_argument(
        "--out", type=Path, default=Path("runs/demo"), help="folder for everything made"
    )
    one.add_argument("--seed", type=int, default=0, help="of training and simulation")
    return one


def _search(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        search,
        "search a Pareto front of networks for a data set, measured on a board",
        "shiftadd search --data digits --board up5k",
    )
    one.add_argument("--data", required=True, help="as for `train`")
    one.add_argument("--board", default=BOARD, help=f"board or device (default {BOARD})")
    one.add_argument("--out", type=Path, help="run folder; default runs/DATA-BOARD-SEED")
    one.add_argument(
        "--resume", action="store_true", help="go on with an interrupted search in --out"
    )
    one.add_argument("--seed", type=int, default=0, help="of supernet, search and training")
    limits = one.add_argument_group("limits, for every network of the front")
    limits.add_argument("--max-latency", type=_microseconds, metavar="TIME", help="as 100us, 2ms")
    limits.add_argument("--max-luts", type=int)
    limits.add_argument("--dsps", type=int, help="hardware multipliers at most")
    limits.add_argument("--fps", type=float, help="images a second at least")
    what = one.add_argument_group("what is searched, and how")
    what.add_argument("--space", help="name or TOML file; default the one for images of this shape")
    what.add_argument(
        "--kinds", type=_words, default=(), help="only layers of these, as mult,shift; default all"
    )
    what.add_argument("--sampler", default="evolution", help="evolution, or random")
    what.add_argument(
        "--sharing", default="heterogeneous", help="of weights: heterogeneous, naive or none"
    )
    what.add_argument(
        "--supernet", type=Path, metavar="FOLDER", help="default: kept for every board in build/"
    )
    spent = one.add_argument_group("budget; the defaults suit the space")
    for name, text in BUDGET.items():
        spent.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="N", help=text)
    spent.add_argument("--workers", type=int, default=2, help="processes on this machine")
    spent.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster (tcp://…) to use instead"
    )
    return one


def _microseconds(text: str) -> float:
    """100, 100us, 0.1ms or 1e-4s as microseconds."""
    number = text.strip().lower().replace("µs", "us")
    for unit, factor in (("us", 1.0), ("ms", 1e3), ("s", 1e6), ("", 1.0)):
        if number.endswith(unit):
            try:
                return float(number.removesuffix(unit)) * factor
            except ValueError:
                break
    raise argparse.ArgumentTypeError(f"{text!r} must be a time, as 100us or 2ms")


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _train(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        train,
        "train one architecture to an integer network",
        "shiftadd train digits_hybrid --data digits --epochs 60",
    )
    one.add_argument(
        "arch", help="a built-in architecture (digits_hybrid, fashion_hybrid, …) or a JSON file"
    )
    one.add_argument(
        "--data",
        required=True,
        help="digits, fashion-mnist, an IDX folder, a folder of images by class, or an .npz",
    )
    one.add_argument("--epochs", type=int, default=60, help="passes over the training images")
    one.add_argument("--seed", type=int, default=0)
    one.add_argument("--out", type=Path, help="folder of the run; default runs/ARCH-DATA-SEED")
    one.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --out"
    )
    one.add_argument("--teacher", type=Path, help="a trained network to distil from")
    return one


def _compile(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        compile,
        "plan a network on a board, write its Verilog and bitstream, and measure it",
        "shiftadd compile runs/demo/network --board up5k",
    )
    one.add_argument("net", type=Path, help="folder of a trained network")
    one.add_argument(
        "--board",
        default=BOARD,
        help=f"board or device (default {BOARD}); an unknown one lists all",
    )
    one.add_argument("--out", type=Path, help="folder for plan, Verilog, bitstream and report")
    one.add_argument(
        "--mhz", type=float, help="clock to ask of place and route, and to plan --fps with"
    )
    _limits(one)
    one.add_argument(
        "--plan", type=Path, metavar="FILE", help="build exactly this plan.json, and plan nothing"
    )
    return one


def _limits(one: argparse.ArgumentParser) -> None:
    """What planning and placing may be told."""
    one.add_argument(
        "--fps",
        type=float,
        help="least area at so many images a second, instead of the fastest that fits",
    )
    one.add_argument("--dsps", type=int, help="use at most so many hardware multipliers")
    one.add_argument("--luts", type=int, help="plan for at most so many LUTs")
    one.add_argument("--seeds", type=int, default=1, help="placements to try; the fastest is kept")


def _simulate(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        simulate,
        "prove the hardware equal to the golden model, image by image",
        "shiftadd simulate runs/demo/network --board up5k --images 100",
    )
    one.add_argument("net", type=Path, help="folder of a trained network")
    one.add_argument("--board", default=BOARD, help="board to plan for")
    one.add_argument(
        "--build", type=Path, help="folder that `compile` wrote: simulate exactly that plan"
    )
    one.add_argument(
        "--level",
        default="rtl",
        help="rtl, netlist (synthesised), routed (ECP5), bitstream (read back; but for ECP5 "
        "planned without multipliers), or all of these that can be had",
    )
    one.add_argument("--data", help="data set; default the one that the network was trained on")
    one.add_argument("--images", type=int, help="how many test images; default all")
    one.add_argument("--simulator", choices=("verilator", "icarus"), default="verilator")
    one.add_argument("--seed", type=int, default=0, help="of the random stalls")
    one.add_argument(
        "--no-stalls", dest="stalls", action="store_false", help="never stall the streams"
    )
    one.add_argument(
        "--waves",
        type=Path,
        metavar="FILE",
        help="write waveforms (.fst or .vcd) of the failing images, or of the first",
    )
    return one


def _deploy(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        deploy,
        "build a network for a board, load that, and hold its answers to the golden model",
        "shiftadd deploy runs/demo/network --board icebreaker --virtual",
    )
    one.add_argument("net", type=Path, help="folder of a trained network")
    one.add_argument("--board", help=f"see `shiftadd boards` (default {BOARD})")
    one.add_argument("--port", help="serial port; default that of the board's USB chip")
    one.add_argument("--data", help="data set; default the one that the network was trained on")
    one.add_argument("--images", type=int, help="how many test images; default all")
    one.add_argument(
        "--virtual",
        action="store_true",
        help="no hardware: the board's Verilog in Verilator, without place and route unless "
        "--bundle was built",
    )
    one.add_argument("--flash", action="store_true", help="keep it when the power is off")
    one.add_argument(
        "--faults",
        type=int,
        metavar="N",
        help="with --virtual: then N malformed frames between good requests, a cable that is "
        "pulled, a second program, damaged files, all counted",
    )
    one.add_argument(
        "--no-load", dest="load", action="store_false", help="make the bundle, and stop there"
    )
    one.add_argument(
        "--out", type=Path, help="the bundle lands in its folder deploy/ (deploy-virtual/)"
    )
    one.add_argument(
        "--bundle", type=Path, metavar="FOLDER", help="deploy what is there, and build nothing"
    )
    one.add_argument(
        "--build", type=Path, help="folder that `compile` wrote: deploy exactly that plan"
    )
    _limits(one)
    return one


def _report(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        report,
        "rebuild the page of a search from its files, or compare several searches on one",
        "shiftadd report runs/hybrid runs/mult runs/shift --out comparison.html",
    )
    one.add_argument(
        "runs", type=Path, nargs="+", metavar="RUN", help="folder of a search; others follow it"
    )
    one.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="the page; default report.html in RUN, or comparison.html beside the first of several",
    )
    return one


def _boards(verbs: Any) -> argparse.ArgumentParser:
    return _verb(
        verbs,
        boards,
        "list the boards: device, budget, clock, serial line, and how each is loaded",
        "shiftadd boards --json",
    )


def _characterize(verbs: Any) -> argparse.ArgumentParser:
    one = _verb(
        verbs,
        characterize,
        "measure layers on a board's family and fit the cost model to them",
        "shiftadd characterize --board up5k --count 240",
    )
    one.add_argument("--board", default=BOARD, help=f"board or device (default {BOARD})")
    one.add_argument(
        "--count", type=int, default=200,
        help="layers to have measured in all; those that are there stay (default 200)",
    )  # fmt: skip
    return one


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Exit status: 0 done, 1 a check failed, 2 the request was wrong."""
    options = vars(parser().parse_args(argv))
    run, as_json = options.pop("run"), options.pop("json")
    try:
        found, held = run(**options, quiet=as_json)
        if as_json:
            json.dump(found, sys.stdout, indent=1)
            print()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads the output has had enough; rich ends in the same way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        print("shiftadd: interrupted; finished steps are kept", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        status = _status_of(error)
        if status is None:
            raise
        print(f"shiftadd: {' '.join(str(error).split())}", file=sys.stderr)
        return status
    return OK if held else FAILED


def _status_of(error: Exception) -> int | None:
    """Exit status of an error that a user can do something about; None for a defect of ours."""
    from gen.deploy.loader import LoadError
    from gen.flow.place import DoesNotFitError
    from gen.host.link_protocol import DeviceError
    from gen.plan.plan import DoesNotFit
    from gen.recover.ecp5_config import DisagreementError
    from gen.support.tools import MissingToolError, ToolError

    fits = DoesNotFit, DoesNotFitError
    checks = *fits, ToolError, MissingToolError, DeviceError, LoadError, DisagreementError
    if isinstance(error, checks):
        return FAILED
    from sim.bench.simulators import SimulatorError

    return WRONG if isinstance(error, ValueError | OSError | SimulatorError) else None


def command() -> None:
    """Entry point: `main`, after which an interrupted process does not wait for its threads."""
    status = main()
    if status == INTERRUPTED:
        sys.stderr.flush()
        os._exit(status)  # the tools that they wait for end with this process
    raise SystemExit(status)


if __name__ == "__main__":
    command()
