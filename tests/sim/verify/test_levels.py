"""Netlist and bitstream: right ones answer as the golden model does, broken ones are found out."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from gen.compile import planned
from gen.engine.elaborate import Accelerator
from gen.flow.build import build
from gen.recover import recover
from gen.recover.cell_models import RecoverError
from gen.recover.ice40 import VLOG
from gen.support import tools
from gen.support.cache import Cache
from gen.support.devices import device
from model.spec import Input, Network
from sim.verify.levels import LEVELS, at_level, available, requested_levels
from sim.verify.network import simulate
from tests.support.layer_cases import random_network

BOARDS = [
    ("ulx3s-25f", "netlist"),
    ("up5k", "netlist"),
    ("tang-nano-9k", "netlist"),
    ("ulx3s-25f", "bitstream"),
    ("hx8k", "bitstream"),
    ("tang-nano-9k", "bitstream"),
]
SEED, IMAGES = 31, 20


def case(board: str, level: str, folder: Path) -> tuple[Network, Accelerator, torch.Tensor]:
    """A network of random layers as planned for a board, its Verilog at a level, and images."""
    network, _ = random_network(random.Random(SEED))
    bare = recover.needs_plan_without_multipliers(device(board), level)
    plan, rtl = planned(network, board=board, dsps=0 if bare else None)
    ice40 = device(plan.device).family == "ice40"
    if level == "bitstream" and ice40 and (reason := tools.missing(VLOG)):
        pytest.skip(reason)
    source = network.nodes[0]
    assert isinstance(source, Input)
    low, high = source.format.lo, source.format.hi
    draw = torch.Generator().manual_seed(SEED)
    images = torch.randint(low, high + 1, (IMAGES, *source.shape), generator=draw)
    return network, at_level(rtl, device(plan.device), level, cache=folder), images


@pytest.mark.parametrize(("board", "level"), BOARDS)
def test_what_was_built_answers_as_the_golden_model(board: str, level: str, tmp_path: Path) -> None:
    network, hardware, images = case(board, level, tmp_path)
    result = simulate(network, hardware, images, level=level)
    assert result.ok, result
    assert (result.level, result.images) == (level, IMAGES)


def test_a_changed_netlist_is_found_out(tmp_path: Path, quick_simulator: str) -> None:
    network, hardware, images = case("up5k", "netlist", tmp_path)
    wrong = hardware.verilog.replace(" <= ", " <= ~", 1)
    assert wrong != hardware.verilog
    hardware = replace(hardware, verilog=wrong)
    result = simulate(network, hardware, images[:4], level="netlist", simulator=quick_simulator,
                     timeout=2000)  # fmt: skip
    assert not result.ok


def test_a_level_that_cannot_be_had_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    network, _ = random_network(random.Random(SEED))
    plan, rtl = planned(network, board="up5k")
    words = "only of ECP5 is the netlist read that routing leaves; take --level bitstream"
    with pytest.raises(RecoverError, match=words):
        at_level(rtl, device(plan.device), "routed", cache=tmp_path)
    assert not any(tmp_path.iterdir())


@pytest.mark.skipif(tools.missing(VLOG) is not None, reason=str(tools.missing(VLOG)))
def test_multipliers_are_not_read_back(tmp_path: Path) -> None:
    network, _ = random_network(random.Random(SEED + 4))  # whose plan has a multiplier
    plan, rtl = planned(network, board="up5k")
    target = device(plan.device)
    built = build(rtl.verilog, rtl.top, target, cache=tmp_path)
    assert built.measured.dsp
    with pytest.raises(RecoverError, match="plan without them"):
        recover.bitstream(built, target, cache=Cache(tmp_path))


def test_levels_by_name() -> None:
    others = ("rtl", "netlist", "bitstream")
    assert requested_levels("rtl", device("up5k")) == ("rtl",)
    assert requested_levels("all", device("ulx3s-25f")) == LEVELS
    assert requested_levels("all", device("tang-nano-9k")) == others
    assert available(device("hx8k")) == (others if tools.missing(VLOG) is None else others[:2])
    words = "--level gates: must be one of rtl, netlist, routed, bitstream"
    with pytest.raises(ValueError, match=words):
        requested_levels("gates", device("up5k"))
