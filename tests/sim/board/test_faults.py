"""Faults on the virtual board are tried and counted, and harm is seen where there is some."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gen.deploy.bundle import Bundle
from gen.host import link_protocol
from gen.host.hashes import DamagedError
from gen.host.link_protocol import frame, unframe
from gen.host.pixels import pack_image
from model.spec import Network
from sim.bench.installed import missing
from sim.board import fault_scenarios, faults
from sim.board.fault_table import tables
from sim.board.faults import Burst, storm, try_faults
from sim.board.malformed import CATEGORIES, malformed
from sim.board.virtual import VirtualBoard
from sim.verify.fault_counts import FaultCounts, FaultScenario, FrameCounts
from tests.support.deploy_cases import small_bundle, some_examples
from tests.support.fake_board import (
    ANSWERS,
    IMAGES,
    INFO,
    FakeBoard,
    Reply,
    connected,
    right_reply,
)
from tests.support.networks import residual_network

verilator = pytest.mark.skipif(missing("verilator") is not None, reason=str(missing("verilator")))
PACKED = [pack_image(image, INFO) for image in IMAGES]


@pytest.fixture(scope="module")
def network() -> Network:
    return residual_network()


@pytest.fixture(scope="module")
def bundle(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return small_bundle(network, tmp_path_factory.mktemp("faults") / "deploy")


@pytest.mark.parametrize("sort", CATEGORIES)
def test_malformed_frames_ask_for_nothing(sort: str, seed: int) -> None:
    rng = random.Random(seed)
    good = frame(7, link_protocol.INFER, PACKED[0])
    for _ in range(100):
        line = malformed(rng, sort, good)
        assert line.endswith(b"\0")
        assert line != good
        requests = [request for part in line.split(b"\0") if (request := unframe(part))]
        assert all(ident == link_protocol.NO_ID for ident, _, _ in requests)


@verilator
@pytest.mark.parametrize(
    "count", [300, pytest.param(10_000, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_virtual_board_suffers_nothing(
    count: int, network: Network, bundle: Bundle, seed: int
) -> None:
    done: list[tuple[int, int]] = []
    tests = some_examples(network)
    counts = try_faults(
        bundle, tests, network, count=count, seed=seed, tick=lambda *at: done.append(at)
    )
    assert counts.ok, counts
    assert (counts.total.sent, done[-1], counts.first) == (count, (count, count), "")
    assert counts.total.good == len(done)
    for sort, seen in counts.frames.items():
        assert seen.sent > 0
        answered = seen.refused if sort in ("unknown operation", "wrong length") else seen.damaged
        assert answered >= seen.sent, f"the board did not see all of {sort}"
    files = len(bundle.manifest.files) + 1 + 2
    assert [m.tried for m in counts.mishaps.values()] == [10, 10, 10, 10 * files]
    assert FaultCounts.from_dict(counts.as_dict()) == counts


def stormed(reply: Reply, count: int = 60) -> list[Burst]:
    """Bursts against a device in Python, which answers good requests with `reply`."""

    def skips(ident: int, op: int, payload: bytes) -> bytes:
        return b"" if ident == link_protocol.NO_ID else reply(ident, op, payload)

    with connected(skips) as (host, _):
        return list(storm(host, PACKED, ANSWERS, count=count, rng=random.Random(1)))


def fails_once(fault: Callable[[int, int, bytes], bytes]) -> Reply:
    """`fault` for the third image only."""
    seen = 0

    def reply(ident: int, op: int, payload: bytes) -> bytes:
        nonlocal seen
        seen += op == link_protocol.INFER
        fails = op == link_protocol.INFER and seen == 3
        return (fault if fails else right_reply)(ident, op, payload)

    return reply


def test_every_frame_is_sent_and_every_answer_right() -> None:
    bursts = stormed(right_reply)
    assert sum((b.frames for b in bursts), FrameCounts()) == FrameCounts(sent=60, good=len(bursts))
    assert {b.category for b in bursts} == set(CATEGORIES)
    assert not any(b.harm for b in bursts)


def test_wrong_answer_is_counted_and_the_storm_goes_on() -> None:
    wrong = fails_once(lambda i, op, image: right_reply(i, op, bytes([image[0] ^ 1]) + image[1:]))
    bursts = stormed(wrong)
    assert [i for i, b in enumerate(bursts) if b.frames.wrong] == [2]
    assert sum(b.frames.sent for b in bursts) == 60
    assert bursts[2].harm.startswith(f"{bursts[2].category}: Answer(scores=(")


def test_lost_request_is_counted() -> None:
    bursts = stormed(fails_once(lambda *request: b""))
    assert [b.frames.lost for b in bursts[:4]] == [0, 0, 1, 0]
    assert bursts[2].harm == f"{bursts[2].category}: a request was lost"


def test_board_that_hangs_ends_the_storm() -> None:
    dead = False

    def reply(ident: int, op: int, payload: bytes) -> bytes:
        nonlocal dead
        dead = dead or (op == link_protocol.INFER and payload[0] == 9)
        return b"" if dead else right_reply(ident, op, payload)

    *before, last = stormed(reply)
    assert not any(b.frames.harm for b in before)
    assert (last.frames.hung, last.frames.wrong) == (1, 0)
    assert "no answer within" in last.harm


def test_harm_and_failed_scenarios_make_a_failure() -> None:
    fine = FaultCounts(0, 1.0, {"noise": FrameCounts(sent=3, good=1)}, {"x": FaultScenario(2, 2)})
    assert fine.ok
    for name in ("wrong", "lost", "hung"):
        assert not replace(fine, frames={"noise": FrameCounts(**{name: 1})}).ok
    assert not replace(fine, mishaps={"x": FaultScenario(2, 1)}).ok
    assert [t.row_count for t in tables(fine)] == [2, 1]


def test_damage_that_is_not_refused_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(100))

    def held() -> None:
        if file.read_bytes() != bytes(100):
            raise DamagedError("damaged")

    assert all(fault_scenarios._flips(file, held, random.Random(0)))
    assert not any(fault_scenarios._flips(file, lambda: None, random.Random(0)))
    assert file.read_bytes() == bytes(100), "put back as it was"


def test_another_network_that_is_let_in_is_seen() -> None:
    everyones = replace(INFO, network=fault_scenarios.UNKNOWN, design=fault_scenarios.UNKNOWN)

    def reply(ident: int, op: int, payload: bytes) -> bytes:
        return frame(ident, op | link_protocol.ANSWER, everyones.pack())

    with closing(FakeBoard(right_reply)) as own, closing(FakeBoard(reply)) as any_:
        assert fault_scenarios._other(own.port, 1_000_000)
        assert not fault_scenarios._other(any_.port, 1_000_000)


@verilator
def test_board_that_dies_is_a_failure_and_no_error(
    network: Network, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    boards: list[VirtualBoard] = []

    class Mortal(VirtualBoard):
        def __enter__(self) -> VirtualBoard:
            boards.append(self)
            return self

    def tick(sent: int, count: int) -> None:
        if sent > 20:
            boards[0]._process.kill()
            boards[0]._process.wait()

    monkeypatch.setattr(faults, "VirtualBoard", Mortal)
    counts = try_faults(bundle, some_examples(network), network, count=60, tick=tick)
    assert not counts.ok
    assert counts.total.hung == 1
    assert counts.total.sent < 60
    assert "line broke" in counts.first
    (files,) = (m for what, m in counts.mishaps.items() if "file" in what)
    others = [m for m in counts.mishaps.values() if m != files]
    assert [(m.tried, m.held) for m in others] == [(1, 0)] * 3
    assert files.tried == files.held > 0
