"""compile: a network and a board to plan, Verilog, bitstream and report, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from gen.cost.cost import CostModel
from gen.engine import core_options, header, module_name
from gen.engine.core_options import PLAIN, CoreOptions
from gen.engine.elaborate import Accelerator, elaborate
from gen.engine.module_name import TOP
from gen.flow.build import build
from gen.host.hashes import LARGEST, DamagedError, of_files, verify
from gen.limits import remedies, sure_plan
from gen.plan.plan import Plan, load, save
from gen.planner.fold_candidates import BYTE
from gen.planner.planner import Planner
from gen.planner.planner import plan as make_plan
from gen.report import Report, report
from gen.report import load as load_report
from gen.report import save as save_report
from gen.support.devices import Device, device
from gen.support.errors import PlanError
from gen.support.promises import promises
from model.files import copy, write
from model.lock import folder_lock
from model.records import contents
from model.spec import Network

CACHE = Path("build/cache")
PLAN, REPORT = "plan.json", "report.json"
CORE = "a core of more ports than pins of"
AGAIN = "compile the network again"


def compile(
    network: Network,
    *,
    board: str,
    out: Path,
    fps: float | None = None,
    mhz: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    seeds: int = 1,
    plan: Plan | None = None,
    bitstream: bool = True,
    top: str = TOP,
    port: int = BYTE,
    options: CoreOptions = PLAIN,
    cache: Path = CACHE,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[Report, Accelerator]:
    """Plan, elaborate, synthesise, place and route `network` for `board`; all lands in `out`.

    fps: least area at so many images a second, instead of the fastest that fits. mhz: clock asked
    of place and route. dsps, luts: use no more of them. All four are held against what is measured:
    see `promises` of the report, and its `advice` where one is missed. seeds: placements to try.
    plan: one that is there, instead of a new one. top: name of the module, and of the files that
    are it. port: most bits of a word at its ports; on ECP5 a module of more ports than pins is
    placed as a core, without a bitstream. options: names of ports, and what tlast does. Raises
    PlanError or DoesNotFitError where it does not fit, RequestError for a wrong request, ToolError.
    """
    target = device(board)
    module_name.checked(top)
    asked: dict[str, Any] = {"fps": fps, "mhz": mhz, "dsps": dsps, "luts": luts}
    seconds: dict[str, float] = {}
    progress("plan")
    began = time.monotonic()
    plan = plan or _plan(network, target, **asked, port=port)
    seconds["plan"] = time.monotonic() - began
    progress("Verilog")
    began = time.monotonic()
    accelerator = elaborate(network, plan, top=top, options=options)
    seconds["verilog"] = time.monotonic() - began
    built = build(
        accelerator.verilog,
        accelerator.top,
        target,
        mhz=mhz,
        seeds=seeds,
        bitstream=bitstream,
        cache=cache,
        progress=progress,
    )
    name = str(network.about.get("name", "network"))
    summary = report(name, plan, built, seconds=seconds, spec=network)
    figures = summary.measured.as_dict() if summary.measured else {}
    held = promises(asked, figures)
    advice = remedies(
        held, lambda **other: _plan(network, target, **asked | other, port=port), figures
    )
    if built.core:
        advice = (
            f"{CORE} {target.name}: placed without pins; a bitstream needs a --port of 8",
            *advice,
        )
    summary = replace(summary, promises=held, advice=advice)
    with folder_lock(out, "build", wait=progress):  # for a moment: files of two would be mixed
        return _deliver(out, plan, accelerator, built.files, summary), accelerator


def _plan(
    network: Network,
    target: Device,
    *,
    fps: float | None = None,
    mhz: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    port: int = BYTE,
) -> Plan:
    """A plan that leaves room for the errors of the cost model (`gen.limits`)."""
    planner = Planner(network, target, port=port, graphs="pixel")
    model = CostModel.of(target)

    def make(clock: float | None, most: float | None) -> Plan:
        return planner.plan(fps=fps, mhz=clock, dsps=dsps, luts=most)

    def clock(plan: Plan) -> float:
        return model.fmax_mhz(plan.stages, plan.cost.lut, target)

    return sure_plan(make, clock, target.family, fps=fps, mhz=mhz, luts=luts)


def _deliver(
    out: Path, plan: Plan, accelerator: Accelerator, built: Mapping[str, Path], summary: Report
) -> Report:
    """Puts the products into `out`, and `summary` with their paths by what they are, and hashes."""
    save(plan, out / PLAN)
    files = {"plan": out / PLAN, "verilog": out / f"{accelerator.top}.v"}
    write(files["verilog"], accelerator.header + accelerator.verilog)
    for kind, source in built.items():
        name = f"{accelerator.top}{source.suffix}" if kind == "bitstream" else source.name
        files[kind] = copy(source, out / name)
    names = {kind: str(path) for kind, path in files.items()}
    others = (path for path in files.values() if path.name != REPORT)  # nextpnr's is replaced
    summary = replace(summary, files={**summary.files, **names}, sha256=of_files(others))
    save_report(summary, out / REPORT)
    return summary


def planned(
    network: Network, *, board: str, folder: Path | None = None, dsps: int | None = None
) -> tuple[Plan, Accelerator]:
    """Plan and accelerator of `network`: as compiled into `folder`, or freshly planned for `board`.

    Raises PlanError when the folder has no plan, or one of another network; DamagedError or
    ReportError when a file in it is not what it was.
    """
    if folder is None:
        plan = make_plan(network, device(board), dsps=dsps)
        return plan, elaborate(network, plan)
    if not (folder / PLAN).is_file():
        raise PlanError(f"{folder}: no {PLAN}; name the folder that `shiftadd compile` wrote")
    built = load_report(folder / REPORT)
    verify(folder, built.sha256, again=AGAIN)
    plan = load(folder / PLAN)
    top = Path(built.files.get("verilog", TOP)).stem
    name, text = f"{top}.v", ""
    if name in built.sha256:
        text = contents(folder / name, error=DamagedError, way_out=AGAIN, most=LARGEST).decode(
            errors="replace"
        )
    accelerator = elaborate(network, plan, top=top, options=core_options.of(text, top))
    if header.without(text) != accelerator.verilog:
        raise DamagedError(f"{folder}: compiled by another version of shiftadd; {AGAIN}")
    return plan, accelerator
