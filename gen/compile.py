"""compile: a network and a board to plan, Verilog, bitstream and report, in one folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from gen.engine import header, module_name
from gen.engine.elaborate import Accelerator, elaborate
from gen.engine.module_name import TOP
from gen.flow.build import build
from gen.host.hashes import DamagedError, of_files, verify
from gen.plan.plan import Plan, load, save
from gen.planner.planner import plan as make_plan
from gen.report import Report, report
from gen.report import load as load_report
from gen.report import save as save_report
from gen.support.devices import device
from gen.support.errors import PlanError
from model.files import copy, write
from model.spec import Network

CACHE = Path("build/cache")
PLAN, REPORT = "plan.json", "report.json"
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
    cache: Path = CACHE,
    progress: Callable[[str], None] = lambda step: None,
) -> tuple[Report, Accelerator]:
    """Plan, elaborate, synthesise, place and route `network` for `board`; all lands in `out`.

    fps: least area at so many images a second, instead of the fastest that fits. mhz: clock asked
    of place and route. dsps, luts: use no more of them. seeds: placements to try. plan: one that is
    there, instead of a new one. top: name of the module, and of the files that are it. Raises
    PlanError or DoesNotFitError where it does not fit, RequestError for a wrong request, ToolError.
    """
    target = device(board)
    module_name.checked(top)
    seconds: dict[str, float] = {}
    progress("plan")
    began = time.monotonic()
    plan = plan or make_plan(network, target, fps=fps, mhz=mhz, dsps=dsps, luts=luts)
    seconds["plan"] = time.monotonic() - began
    progress("Verilog")
    began = time.monotonic()
    accelerator = elaborate(network, plan, top=top)
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
    out.mkdir(parents=True, exist_ok=True)
    files = _deliver(out, plan, accelerator, built.files)
    name = str(network.about.get("name", "network"))
    summary = report(name, plan, built, files=files, seconds=seconds)
    others = (path for path in files.values() if path.name != REPORT)  # nextpnr's is replaced
    summary = replace(summary, sha256=of_files(others))
    save_report(summary, out / REPORT)
    return summary, accelerator


def _deliver(
    out: Path, plan: Plan, accelerator: Accelerator, built: Mapping[str, Path]
) -> dict[str, Path]:
    """Puts the products into `out`; their paths by what they are."""
    save(plan, out / PLAN)
    files = {"plan": out / PLAN, "verilog": out / f"{accelerator.top}.v"}
    write(files["verilog"], accelerator.header + accelerator.verilog)
    for kind, source in built.items():
        name = f"{accelerator.top}{source.suffix}" if kind == "bitstream" else source.name
        files[kind] = copy(source, out / name)
    return files


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
    accelerator = elaborate(network, plan, top=Path(built.files.get("verilog", TOP)).stem)
    name = f"{accelerator.top}.v"
    text = (folder / name).read_text(encoding="utf-8") if name in built.sha256 else ""
    if header.without(text) != accelerator.verilog:
        raise DamagedError(f"{folder}: compiled by another version of shiftadd; {AGAIN}")
    return plan, accelerator
