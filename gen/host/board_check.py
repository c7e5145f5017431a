"""A board checked against the golden model, image by image. Needs pyserial alone: see
gen.deploy.bundle."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gen.host.connection import BoardConnection
from gen.host.link_protocol import LOAD_AGAIN, Answer, DeviceError
from gen.host.manifest import Manifest
from model.errors import RequestError


@dataclass(frozen=True)
class BoardCheck:
    """What a board answered to images whose right answers are known.

    mismatches: images with another score or label than the golden model's; first_mismatch: one line
    on the first of them. Cycles are counted by the board, without the link. seconds: of all images,
    through the link. passed: the self-test.
    """

    manifest: Manifest
    images: int
    board_accuracy: float
    golden_accuracy: float
    mismatches: int
    first_mismatch: str | None
    passed: bool
    cycles_latency: int
    cycles_interval: int
    seconds: float

    @property
    def ok(self) -> bool:
        """Every answer was right, and every cycle as planned."""
        planned = self.manifest.cycles_latency, self.manifest.cycles_interval
        cycles = self.cycles_latency, self.cycles_interval
        return self.passed and not self.mismatches and cycles == planned

    @property
    def clock_mhz(self) -> float:
        return self.manifest.info.clock_hz / 1e6

    @property
    def latency_us(self) -> float:
        return self.cycles_latency / self.clock_mhz

    @property
    def inferences_per_s(self) -> float:
        """Of the accelerator alone."""
        return self.manifest.info.clock_hz / self.cycles_interval

    @property
    def link_inferences_per_s(self) -> float:
        """Through the link, as they came."""
        return self.images / max(self.seconds, 1e-9)

    def rows(self, link: str = "") -> list[tuple[str, str, str]]:
        """What was measured, on the board, and as it should be. link: a remark on its rate."""
        plan = self.manifest
        clock = "as built" if plan.bitstream else "predicted, not placed and routed"
        return [
            ("accuracy", f"{self.board_accuracy:.2%}", f"{self.golden_accuracy:.2%}"),
            ("images that differ", f"{self.mismatches} of {self.images}", "0"),
            ("self-test", "passed" if self.passed else "failed", "passed"),
            ("latency, cycles", f"{self.cycles_latency:,}", f"{plan.cycles_latency:,}"),
            ("interval, cycles", f"{self.cycles_interval:,}", f"{plan.cycles_interval:,}"),
            ("clock, MHz", f"{self.clock_mhz:.2f}", clock),
            ("latency, µs", f"{self.latency_us:,.1f}", "cycles at that clock"),
            ("inferences/s", f"{self.inferences_per_s:,.0f}", "cycles at that clock"),
            ("inferences/s, with link", f"{self.link_inferences_per_s:,.0f}", link),
        ]


def run(
    device: BoardConnection,
    manifest: Manifest,
    images: Sequence[Any],
    labels: Sequence[int],
    scores: Sequence[Sequence[int]],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BoardCheck:
    """Sends `images` to a board and compares its answers with `scores` of the golden model.

    labels: right class of each image, for the accuracies.

    progress: called with images done and images in all. Raises DeviceError; RequestError where
    images, labels and scores do not belong together.
    """
    _check(manifest, len(images), labels, scores)
    device.check_info(manifest.info)
    passed = device.self_test().passed
    counted = device.counters()
    if min(counted.latency_cycles, counted.interval_cycles) < 1:
        raise DeviceError(
            f"the board counts {counted.latency_cycles} cycles of latency and "
            f"{counted.interval_cycles} between images after its self-test; {LOAD_AGAIN}"
        )
    began = time.monotonic()
    answers = device.predict(images, lambda done: progress(done, len(images)))
    seconds = time.monotonic() - began
    expected = golden_answers(scores)
    bad = [i for i, pair in enumerate(zip(answers, expected, strict=True)) if pair[0] != pair[1]]
    return BoardCheck(
        manifest,
        images=len(images),
        board_accuracy=_accuracy(answers, labels),
        golden_accuracy=_accuracy(expected, labels),
        mismatches=len(bad),
        first_mismatch=f"image {bad[0]}: {answers[bad[0]]} came, not {expected[bad[0]]}"
        if bad
        else None,
        passed=passed,
        cycles_latency=counted.latency_cycles,
        cycles_interval=counted.interval_cycles,
        seconds=seconds,
    )


def _check(
    manifest: Manifest, count: int, labels: Sequence[int], scores: Sequence[Sequence[int]]
) -> None:
    """RequestError unless there are `count` labels and rows of scores, of its classes."""
    classes = manifest.info.classes
    if not count == len(labels) == len(scores) or count == 0:
        raise RequestError(
            f"{count} images, {len(labels)} labels and {len(scores)} scores: must be as many of "
            "each, at least 1"
        )
    for i, (label, row) in enumerate(zip(labels, scores, strict=True)):
        if not isinstance(label, int) or not 0 <= label < classes:
            raise RequestError(
                f"label {ascii(label)[:40]} of image {i}: must be 0 to {classes - 1}"
            )
        if not isinstance(row, list | tuple) or len(row) != classes:
            raise RequestError(f"scores of image {i}: must be {classes}, one a class")


def golden_answers(scores: Sequence[Sequence[int]]) -> list[Answer]:
    """Answers that a board must give where the golden model has `scores` (images × classes)."""
    return [Answer(tuple(row), max(range(len(row)), key=row.__getitem__)) for row in scores]


def _accuracy(answers: Sequence[Answer], labels: Sequence[int]) -> float:
    pairs = zip(answers, labels, strict=True)
    return sum(answer.label == label for answer, label in pairs) / len(answers)
