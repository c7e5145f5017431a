"""The virtual board and the host, together: right answers, faults, a cable that is pulled."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gen.deploy.board_design import BoardDesign, board_design
from gen.engine.elaborate import elaborate
from gen.host.connection import BoardConnection
from gen.host.link_protocol import Answer, DeviceError
from gen.plan.plan import Plan
from gen.planner.planner import plan
from gen.support.devices import device
from model import golden
from model.spec import Network
from sim.bench.installed import missing
from sim.bench.runners import SimulatorError
from sim.board import virtual
from sim.board.virtual import VirtualBoard
from tests.support.networks import pixels, residual_network

BAUD = 3_000_000
pytestmark = pytest.mark.skipif(missing("verilator") is not None, reason=str(missing("verilator")))


@pytest.fixture(scope="module")
def network() -> Network:
    return residual_network()


@pytest.fixture(scope="module")
def made(network: Network) -> Plan:
    return plan(network, device("ulx3s-25f"), fps=60_000)


@pytest.fixture(scope="module")
def design(network: Network, made: Plan) -> BoardDesign:
    return board_design(elaborate(network, made), network, clock_hz=4 * BAUD, baud=BAUD)


@pytest.fixture(scope="module")
def board(design: BoardDesign) -> Iterator[VirtualBoard]:
    with VirtualBoard(design) as running:
        yield running


def golden_answers(network: Network, images: torch.Tensor) -> list[Answer]:
    scores = golden.run(network, images)[network.nodes[-1].name].flatten(1)
    return [Answer(tuple(row.tolist()), int(row.argmax())) for row in scores]


def test_answers_are_those_of_the_golden_model(
    network: Network, made: Plan, design: BoardDesign, board: VirtualBoard
) -> None:
    images, done = pixels(40), list[int]()
    with BoardConnection.open(
        board.port, BAUD, network=design.info.network, design=design.info.design
    ) as host:
        assert host.info() == design.info
        assert host.predict(images.numpy(), done.append) == golden_answers(network, images)
        assert done == list(range(1, 41))
        before = host.counters()
        test = host.self_test()
        assert test.passed
        counters = host.counters()
        assert (host.damaged, host.repeated) == (0, 0)
    assert (counters.latency_cycles, counters.interval_cycles) == (
        made.cycles_latency,
        made.cycles_interval,
    )
    assert counters.inferences == before.inferences
    vector = torch.tensor(list(design.self_test[0])).reshape(1, *network.input.shape)
    assert [test.answer] == golden_answers(network, vector)


def test_changed_program_is_built_again_and_never_run(
    design: BoardDesign, board: VirtualBoard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder of any name. The compiler, which would take its time, hands out what it made."""
    good, cache = virtual.build(design), tmp_path / "it's a möglicher folder"
    shutil.copytree(good.parent, cache / good.parent.name)
    kept = shutil.copy(good, tmp_path / "kept")
    monkeypatch.setattr(virtual, "_compile", lambda *what: shutil.copy(kept, tmp_path / "board"))
    (cache / good.parent.name / "board").write_text("#!/bin/sh\necho plugged\n")
    with VirtualBoard(design, root=cache) as again, BoardConnection.open(again.port, BAUD) as host:
        assert host.info() == design.info
    assert (cache / good.parent.name / "board").read_bytes() == good.read_bytes()


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("exec sleep 100", "virtual board: silent for 0.3 s instead of plugged"),
        ("echo plugged; trap : TERM; exec 1>&-; exec sleep 100", "ended instead of pulled|silent"),
        ("yes | tr -d '\\n'", "virtual board: y+ instead of plugged"),
        ("exit 3", "virtual board: ended instead of plugged"),
    ],
)
def test_silent_program_is_stopped(
    script: str,
    message: str,
    design: BoardDesign,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    program = tmp_path / "board"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(virtual, "build", lambda *what, **more: program)
    monkeypatch.setattr(virtual, "PROMPT", 0.3)
    began = time.monotonic()
    with pytest.raises(SimulatorError, match=message):
        VirtualBoard(design).pull()
    assert time.monotonic() - began < 5


def test_another_network_is_refused(design: BoardDesign, board: VirtualBoard) -> None:
    have = design.info.network[:12]
    with pytest.raises(DeviceError, match=f"runs network {have}, not 000000000000; load"):
        BoardConnection.open(board.port, BAUD, network="0" * 64)


def test_second_program_is_told(board: VirtualBoard) -> None:
    with BoardConnection.open(board.port, BAUD):
        with pytest.raises(DeviceError, match="in use by another program; close that first"):
            BoardConnection.open(board.port, BAUD)


def test_cable_pulled_in_the_middle(network: Network, board: VirtualBoard) -> None:
    images = pixels(30)

    def pull(done: int) -> None:
        if done == 10:
            board.pull()

    host = BoardConnection.open(board.port, BAUD)
    with pytest.raises(DeviceError, match="the line broke"):
        host.predict(images.numpy(), pull)
    host.close()
    with pytest.raises(DeviceError, match="cannot be opened"):
        BoardConnection.open(board.port, BAUD)
    board.plug()
    with BoardConnection.open(board.port, BAUD) as again:
        assert again.predict(images.numpy()) == golden_answers(network, images)
