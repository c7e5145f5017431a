"""Faults that are not frames: the cable, a second program, another design, damaged files."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from gen.deploy.bundle import Bundle
from gen.host import manifest
from gen.host.connection import BoardConnection
from gen.host.link_protocol import Answer, DeviceError
from model import store, temporary
from model.errors import ShiftaddError
from model.spec import Network
from sim.board.virtual import PATIENCE, VirtualBoard
from sim.verify.fault_counts import FaultScenario

TIMES = 10
"""How often each scenario is tried, until it fails once; damage, in each file."""
UNKNOWN = "0" * 64
"""A hash that no network or design has."""
BATCH = 12
"""Images in the batch during which the cable is pulled."""


def fault_scenarios(
    board: VirtualBoard,
    bundle: Bundle,
    network: Network,
    images: Sequence[bytes],
    answers: Sequence[Answer],
    rng: random.Random,
) -> dict[str, FaultScenario]:
    """Tries all scenarios on a running `board`; counts by the name of the scenario.

    images, answers: good requests and their right answers.
    """
    batch = list(islice(cycle(images), BATCH))
    right = list(islice(cycle(answers), BATCH))
    baud = bundle.info.baud
    outcomes = {
        "cable pulled in a batch, put back": _times(lambda: _cable(board, baud, batch, right)),
        "second program on the port": _times(lambda: _second(board.port, baud)),
        "another network or design on the board": _times(lambda: _other(board.port, baud)),
        "bit flipped in a file": list(_damaged(bundle, network, rng)),
    }
    return {name: FaultScenario(len(held), sum(held)) for name, held in outcomes.items()}


def _times(attempt: Callable[[], bool]) -> list[bool]:
    outcomes: list[bool] = []
    while len(outcomes) < TIMES and all(outcomes):
        outcomes.append(attempt())
    return outcomes


def connect(
    port: str, baud: int, *, network: str | None = None, design: str | None = None
) -> BoardConnection:
    """The board at `port`, with PATIENCE; hashes: as for BoardConnection.open."""
    return BoardConnection.open(port, baud, network=network, design=design, timeout=PATIENCE)


def _fails_with(attempt: Callable[[], Any], words: str) -> bool:
    """Whether an attempt raises DeviceError with these words in its message."""
    try:
        attempt()
    except DeviceError as error:
        return words in str(error)
    return False


def _cable(
    board: VirtualBoard, baud: int, images: Sequence[bytes], right: Sequence[Answer]
) -> bool:
    """Whether the host reports the broken line and the missing port, and the board answers rightly
    once the cable is back."""

    def pulled(done: int) -> None:
        if done == len(images) // 2:
            board.pull()

    try:
        with connect(board.port, baud) as host:
            reported = _fails_with(lambda: host.predict(images, pulled), "the line broke")
        gone = _fails_with(lambda: connect(board.port, baud), "cannot be opened")
        board.plug()
        with connect(board.port, baud) as host:
            return reported and gone and host.predict(images) == right
    except DeviceError:
        return False


def _second(port: str, baud: int) -> bool:
    """Whether a second program is refused the port, and the first one goes on."""
    try:
        with connect(port, baud) as host:
            reported = _fails_with(lambda: connect(port, baud), "in use by another program")
            return reported and host.self_test().passed
    except DeviceError:
        return False


def _other(port: str, baud: int) -> bool:
    """Whether a board with other hashes than those that the host expects is refused."""
    network = _fails_with(lambda: connect(port, baud, network=UNKNOWN), "the board runs network")
    design = _fails_with(lambda: connect(port, baud, design=UNKNOWN), "the board runs design")
    return network and design


def _damaged(bundle: Bundle, network: Network, rng: random.Random) -> Iterator[bool]:
    """Whether each file of bundle and network is refused with one bit flipped, TIMES each."""
    with temporary.folder() as scratch:
        copy = shutil.copytree(bundle.folder, scratch / "bundle")
        for name in (*bundle.manifest.files, manifest.MANIFEST):
            yield from _flips(copy / name, lambda: manifest.load(copy), rng)
        saved = store.save(network, scratch / "network")
        for name in (store.GRAPH, store.ARRAYS):
            yield from _flips(saved / name, lambda: store.load(saved), rng)


def _flips(path: Path, load: Callable[[], object], rng: random.Random) -> Iterator[bool]:
    whole = path.read_bytes()
    start = max(whole.find(b'"nodes"'), 0)  # a network's hash leaves out what is said about it
    for _ in range(TIMES):
        raw = bytearray(whole)
        raw[rng.randrange(start, len(raw))] ^= 1 << rng.randrange(8)
        path.write_bytes(raw)
        try:
            load()
        except ShiftaddError:
            yield True
        else:
            yield False
    path.write_bytes(whole)
