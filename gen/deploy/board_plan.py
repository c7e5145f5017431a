"""Plans for a board, within the part of its FPGA that the serial link leaves."""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

from gen.boards.board import Board
from gen.cost.cost import CostModel
from gen.plan.plan import Plan
from gen.planner import planner
from gen.planner.fold_optimiser import ResourceBudget
from gen.support.devices import Device
from gen.support.errors import DoesNotFitError, PlanError
from model.spec import Network
from rtl.link.requests import WAITING, buffer_bytes

LUTS = {"ice40": 1500, "ecp5": 1500, "gowin": 1500}
FFS = 800
"""LUTs and flip-flops of link, reset and lights; measured with an image of 64 bytes, and tested."""

LINK_MHZ = {"lfe5u": 109.0, "ice40-up5k": 40.0, "ice40-hx8k": 106.0, "gw1nr": 88.0}
"""Clock that the link reached, by the beginning of a device's name: place and route of the link
before a small accelerator, on Gowin with the digits network behind it. For others it is what they
are usually asked for."""


def predicted_mhz(plan: Plan, board: Board) -> float:
    """Predicted clock of a plan with its link in MHz, at least the slowest clock of the board."""
    device = board.device
    model = CostModel.of(device).fmax_mhz(plan.stages, plan.cost.lut, device)
    reached = (mhz for start, mhz in LINK_MHZ.items() if device.name.startswith(start))
    link = next(reached, device.mhz)
    return max(board.clocks()[0].mhz, min(model, link))


def beside_link(network: Network, device: Device) -> tuple[Device, float]:
    """The device without the link's flip-flops and blocks, and the LUTs that may be planned.

    Raises PlanError where the link alone does not fit.
    """
    image = prod(network.input.shape)
    memories = ((buffer_bytes(image), 8), (512, 8), (WAITING, 16), (256, 8), (image, 8))
    brams = sum(device.brams(depth, width) for depth, width in memories)
    luts = ResourceBudget.of(device).lut - LUTS[device.family]
    if luts <= 0 or brams >= device.bram:
        raise PlanError(
            f"{device.name}: the serial link alone takes {LUTS[device.family]} of {device.lut} "
            f"LUTs and {brams} of {device.bram} blocks of RAM; take a larger board"
        )
    return replace(device, ff=device.ff - FFS, bram=device.bram - brams), luts


def plan_for_board(network: Network, board: Board, **options: Any) -> Plan:
    """The plan of `network` within what the link leaves. options: of gen.planner.planner.plan."""
    device, luts = beside_link(network, board.device)
    most = options.pop("luts", None)
    luts = luts if most is None else min(luts, most)
    return planner.plan(network, device, luts=luts, **options)


def check_beside_link(plan: Plan, network: Network, board: Board) -> None:
    """Whether a `plan` that was made without a link has room beside it on `board`.

    Raises PlanError where it is for another device, DoesNotFitError where it takes too much.
    """
    if plan.device != board.device.name:
        raise PlanError(
            f"planned for {plan.device}, but {board.name} has {board.device.name}; take a board "
            "with that, or plan again without --build"
        )
    device, luts = beside_link(network, board.device)
    for resource, used, has in (
        ("LUTs", plan.cost.lut, luts),
        ("blocks of RAM", plan.cost.bram, device.bram),
        ("multipliers", plan.cost.dsp, device.dsp),
    ):
        if used > has:
            raise DoesNotFitError(
                f"{board.name}: the plan takes {used:,.0f} {resource}, the serial link leaves "
                f"{has:,.0f}; plan again without --build",
                used / max(has, 1),
            )
