"""Faults tried on the virtual board, and counted: malformed frames between good requests, a cable
that is pulled, a second program, another design, damaged files."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from gen.deploy.bundle import Bundle
from gen.deploy.examples import Examples
from gen.host.board_check import golden_answers
from gen.host.connection import BoardConnection
from gen.host.link_protocol import INFER, NO_ID, Answer, DeviceError, frame
from gen.host.pixels import pack_image
from model.spec import Network
from sim.board.fault_scenarios import connect, fault_scenarios
from sim.board.malformed import CATEGORIES, malformed
from sim.board.virtual import VirtualBoard
from sim.verify.fault_counts import FaultCounts, FrameCounts

BURST = 8
"""Malformed frames before a good request, at most."""
WRAP = 1 << 16
"""The board counts damaged and refused frames modulo this."""


@dataclass(frozen=True)
class Burst:
    """Malformed frames of one category and the good request behind them. harm: what went wrong with
    that request; empty if nothing.
    """

    category: str
    frames: FrameCounts
    harm: str = ""


def try_faults(
    bundle: Bundle,
    tests: Examples,
    network: Network,
    *,
    count: int,
    seed: int = 0,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> FaultCounts:
    """Gives the virtual board of `bundle` `count` malformed frames, then every fault scenario.

    tests: images of the good requests and their right answers. tick: frames sent and in all. Raises
    DeviceError when the board does not answer at all, SimulatorError.
    """
    began, rng = time.monotonic(), random.Random(seed)
    images = [pack_image(image, bundle.info) for image in tests.images]
    answers = golden_answers(tests.scores.tolist())
    with VirtualBoard(bundle.design(network)) as board:
        with connect(board.port, bundle.info.baud) as device:
            bursts = storm(device, images, answers, count=count, rng=rng)
            frames, first = _tally(bursts, lambda sent: tick(sent, count))
        others = fault_scenarios(board, bundle, network, images, answers, rng)
    return FaultCounts(seed, time.monotonic() - began, frames, others, first)


def storm(
    device: BoardConnection,
    images: Sequence[bytes],
    answers: Sequence[Answer],
    *,
    count: int,
    rng: random.Random,
) -> Iterator[Burst]:
    """Sends `count` malformed frames in bursts of a category, up to BURST frames each.

    Behind each burst goes a good request: one of `images`, whose right answer is that of `answers`
    at the same index. Ends early with a burst after which the board does not answer.
    """
    for category, size in _sizes(count, rng):
        at = rng.randrange(len(images))
        lines = frame(rng.randrange(NO_ID), INFER, images[at])
        bad = [malformed(rng, category, lines) for _ in range(size)]
        burst = _burst(device, category, bad, images[at], answers[at])
        yield burst
        if burst.frames.hung:
            return


def _sizes(count: int, rng: random.Random) -> Iterator[tuple[str, int]]:
    """Category and size of each burst: all categories in turn, shuffled anew each time."""
    while count:
        for category in rng.sample(list(CATEGORIES), len(CATEGORIES)):
            if size := min(rng.randint(1, BURST), count):
                yield category, size
            count -= size


def _burst(
    device: BoardConnection, category: str, bad: Sequence[bytes], image: bytes, right: Answer
) -> Burst:
    repeated, sent = device.repeated, FrameCounts(sent=len(bad), good=1)
    try:
        before = device.counters()
        for line in bad:
            device.send(line)
        (answer,) = device.predict([image])
        after = device.counters()
    except DeviceError as error:
        return Burst(category, sent + FrameCounts(hung=1), f"{category}: {error}")
    wrong, lost = int(answer != right), device.repeated - repeated
    seen = FrameCounts(
        damaged=(after.damaged - before.damaged) % WRAP,
        refused=(after.refused - before.refused) % WRAP,
        wrong=wrong,
        lost=lost,
    )
    harm = f"{category}: {answer} came, not {right}" if wrong else f"{category}: a request was lost"
    return Burst(category, sent + seen, harm if wrong or lost else "")


def _tally(
    bursts: Iterable[Burst], progress: Callable[[int], None]
) -> tuple[dict[str, FrameCounts], str]:
    """Counts by category, and the first harm. progress: called with frames sent so far."""
    totals = dict.fromkeys(CATEGORIES, FrameCounts())
    first, sent = "", 0
    for burst in bursts:
        totals[burst.category] += burst.frames
        first = first or burst.harm
        sent += burst.frames.sent
        progress(sent)
    return totals, first
