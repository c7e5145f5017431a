"""From a network to hardware: compile, simulate, deploy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from shiftadd.console import progress
from shiftadd.inputs import (
    BuildLike,
    DataLike,
    NetworkLike,
    PlanLike,
    build_of,
    data_for,
    network_of,
    plan_of,
)
from shiftadd.requests import BOARD, PathLike, check_file, check_folder, check_numbers
from shiftadd.results import CompileOutcome, DeployOutcome, SimulateOutcome

if TYPE_CHECKING:
    from sim.verify.simulation_result import SimulationResult


def compile(
    net: NetworkLike,
    *,
    board: str = BOARD,
    out: PathLike | None = None,
    fps: float | None = None,
    mhz: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    seeds: int = 1,
    plan: PlanLike | None = None,
    top: str = "shiftadd_top",
    port: int = 8,
    axi_names: bool = False,
    frame_guard: bool = False,
    tools: str = "pip",
    quiet: bool = False,
) -> CompileOutcome:
    """Plan, Verilog, bitstream and report of a network, on a board or device.

    net: folder of a network, a Network, or what `train` returned. out: where they land; default
    build/NET-BOARD. fps: least area at so many images a second. mhz: clock to ask for. dsps, luts:
    use no more. What is measured must keep to these four. seeds: placements to try. plan: a
    plan.json or a Plan to build instead. top: name of the Verilog module. port: most bits of a word
    at its ports: values of an image in one cycle, answers in one. axi_names: clock and reset are
    aclk and aresetn, active low. frame_guard: s_axis_tlast ends a frame, and an image that it cuts
    short is dropped and counted. tools: `native` takes yosys, nextpnr and packers from PATH.
    Raises ShiftaddError.

    >>> built = shiftadd.compile("net", board="up5k", quiet=True)
    >>> built.ok, built.report.device, built.report.measured.lut > 0
    (True, 'ice40-up5k', True)
    """
    check_numbers(fps=fps, mhz=mhz, dsps=dsps, luts=luts, seeds=seeds, port=port)
    folder = check_folder(out)
    from gen.compile import compile as run
    from gen.engine.core_options import CoreOptions
    from gen.support.native_tools import chosen

    given = network_of(net)
    planned = plan_of(plan, board, fps=fps, dsps=dsps, luts=luts) if plan is not None else None
    folder = folder or Path("build") / f"{given.name}-{board}"
    with chosen(tools), progress(quiet).status() as say:
        report, _ = run(
            given.network,
            board=board,
            out=folder,
            fps=fps,
            mhz=mhz,
            dsps=dsps,
            luts=luts,
            seeds=seeds,
            plan=planned,
            top=top,
            port=port,
            options=CoreOptions(frame_guard=frame_guard, axi_names=axi_names),
            progress=say,
        )
    return CompileOutcome(report, folder, given.place, board)


def simulate(
    net: NetworkLike,
    *,
    board: str = BOARD,
    build: BuildLike | None = None,
    level: str = "rtl",
    data: DataLike | None = None,
    images: int | None = None,
    simulator: str = "verilator",
    seed: int = 0,
    stalls: bool = True,
    waves: PathLike | None = None,
    energy: bool = False,
    quiet: bool = False,
    on_result: Callable[[SimulationResult], None] | None = None,
) -> SimulateOutcome:
    """Proves the hardware of a network equal to the golden model, image by image.

    net: as for `compile`. build: folder that `compile` wrote, or what it returned, whose plan is
    taken. level: rtl, netlist, routed, bitstream or all. data: default what the network was trained
    on. images: how many of its test images; default all. seed: of the stalls. waves: file for those
    of the failing images. energy: also that of an image, by the toggles of the netlist. on_result:
    is given each level's result as it comes. Raises ShiftaddError.

    >>> proof = shiftadd.simulate("net", board="up5k", images=2, quiet=True)
    >>> proof.ok, proof.results[0].images
    (True, 2)
    """
    check_numbers(seed=seed, images=images)
    traced = check_file(waves, "--waves")
    built = build_of(build)
    from sim.verify.prove import check, prove

    check(board=board, level=level, simulator=simulator, waves=traced)  # before what takes time
    if energy:
        from sim.energy.prove import check as check_energy

        check_energy(level)
    given = network_of(net)
    tests, said = data_for(given, data)
    verified = prove(
        given.network,
        tests,
        board=board,
        build=built,
        level=level,
        images=images,
        simulator=simulator,
        seed=seed,
        stalls=stalls,
        waves=traced,
        progress=progress(quiet),
        on_result=on_result or (lambda result: None),
    )
    spent = None
    if energy and verified.ok:
        from sim.energy.prove import spent_energy

        spent = spent_energy(
            given.network, tests, board=board, build=built, progress=progress(quiet)
        )
    from gen.deploy.deployable import target

    goal = None
    if verified.ok and given.place:  # a next command is said; a plan for it takes a second
        goal = target(given.network, board, built / "plan.json" if built else None)
    return SimulateOutcome(
        verified,
        given.place,
        board,
        built,
        said,
        (goal[0].name, goal[1]) if goal else None,
        spent,
    )


def deploy(
    net: NetworkLike,
    *,
    board: str | None = None,
    port: str | None = None,
    data: DataLike | None = None,
    images: int | None = None,
    virtual: bool = False,
    flash: bool = False,
    load: bool = True,
    faults: int | None = None,
    build: BuildLike | None = None,
    bundle: PathLike | None = None,
    out: PathLike | None = None,
    fps: float | None = None,
    dsps: int | None = None,
    luts: int | None = None,
    seeds: int = 1,
    tools: str = "pip",
    quiet: bool = False,
) -> DeployOutcome:
    """Builds a network for a board, loads that, and checks its answers against the golden
    model.

    data, images: as for `simulate`. fps, dsps, luts, seeds, tools: as for `compile`. Others: see
    sim.board.deployment.DeployRequest. Raises ShiftaddError.

    >>> made = shiftadd.deploy("net", board="icebreaker", virtual=True, load=False, quiet=True)
    >>> made.ok, (made.deployment.bundle.folder / "classify.py").is_file()
    (True, True)
    """
    limits = {"fps": fps, "dsps": dsps, "luts": luts, "seeds": seeds}
    check_numbers(images=images, faults=faults, **limits)
    folder = check_folder(out)
    from gen.deploy.examples import examples
    from gen.support.native_tools import chosen
    from sim.board.deployment import DeployRequest, carry_out

    given = network_of(net)
    request = DeployRequest(
        board=board or (None if bundle else BOARD),
        port=port,
        virtual=virtual,
        flash=flash,
        load=load,
        faults=faults,
        build=build_of(build),
        bundle=Path(bundle) if bundle is not None else None,
        out=folder,
        name=given.name,
        limits=limits,
    )
    asked, said = data_for(given, data)
    tests = examples(given.network, asked)
    with chosen(tools):
        made = carry_out(request, given.network, tests, images=images, progress=progress(quiet))
    return DeployOutcome(made, given.place, said)
