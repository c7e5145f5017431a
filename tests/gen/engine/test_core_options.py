"""Ports by choice: AXI names, and a guard of frames around a whole network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gen.engine import core_options
from gen.engine.assemble import Assembly, assemble
from gen.engine.core_options import CoreOptions
from gen.engine.elaborate import answers, elaborate
from gen.plan.lower import lower
from gen.plan.plan import Plan
from gen.planner.planner import plan
from gen.support.devices import device
from model import golden
from model.spec import Network
from sim.bench.wrapper import ports
from sim.verify.network import simulate
from tests.support.axis_core import Core, run
from tests.support.networks import pixels, residual_network

BOTH = CoreOptions(frame_guard=True, axi_names=True)


@pytest.fixture(scope="module")
def planned() -> tuple[Network, Plan, Assembly]:
    network = residual_network()
    made = plan(network, device("ulx3s-25f"))
    folds = {stage.name: stage.fold for stage in made.stages}
    return network, made, assemble(lower(network), folds, made.fifos)


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize("guard", [False, True])
@pytest.mark.parametrize("names", [False, True])
def test_answers_and_cycles_are_those_of_the_plain_core(
    planned: tuple[Network, Plan, Assembly], guard: bool, names: bool, quick_simulator: str
) -> None:
    network, made, _ = planned
    options = CoreOptions(frame_guard=guard, axi_names=names)
    accelerator = elaborate(network, made, options=options)
    assert core_options.of(accelerator.verilog, accelerator.top) == options
    widths = ports(accelerator.verilog, accelerator.top)
    assert widths == {name: bits for name, _, bits, _ in options.ports}
    assert all(f" {name} " in accelerator.header for name in widths)
    result = simulate(network, accelerator, pixels(4), simulator=quick_simulator)
    assert result.ok, result
    assert result.cycles_latency == made.cycles_latency
    assert result.cycles_interval == made.cycles_interval


def test_image_cut_short_is_dropped_and_shifts_no_other(
    planned: tuple[Network, Plan, Assembly],
) -> None:
    network, made, assembly = planned
    images = pixels(4)
    scores = golden.run(network, torch.as_tensor(images))[network.nodes[-1].name]
    right = answers(scores.flatten(1).numpy(), assembly.bytes_out).tolist()
    sent = (np.asarray(images).reshape(4, -1) & 0xFF).tolist()
    frames = [sent[0], sent[1][:-1], sent[2], sent[3][: len(sent[3]) // 2], sent[3]]
    got: list[int] = []
    dropped = 0

    async def scenario(core: Core) -> None:
        nonlocal dropped
        core.set(aresetn=1, m_axis_tready=1)
        for frame in frames:
            await core.offer(frame[:-1])
            await core.offer(frame[-1:], last=1)
        while len(got) < 3 * assembly.bytes_out or dropped < 2:
            now = await core.step()
            dropped = now["dropped"]
            got[:] = [c["m_axis_tdata"] for c in core.cycles if c["m_axis_tvalid"]]
            assert len(core.cycles) < 20 * made.cycles_latency, "an answer is missing"

    run(assembly, scenario, BOTH)
    assert got == [byte for k in (0, 2, 3) for byte in right[k]]
    assert dropped == 2
