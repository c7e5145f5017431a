"""Images through a simulated accelerator: runs, and where one differs from the golden model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch

from model import golden
from model.spec import Network, infer
from sim.bench.stream_result import StreamResult
from sim.bench.streams import run_streams
from sim.bench.wrapper import StreamCase, axi_stream
from sim.verify.axis_words import frame_difference, frames, input_words, joined, separate
from sim.verify.locate import Mismatch, ProbedStream, first_difference, stopping_layer


class SimulatedAccelerator(Protocol):
    """Hardware of one network with AXI-Stream ports `s_axis_*` and `m_axis_*`.

    A word is word_in, word_out bytes, the first one lowest. In: height·width·channels bytes an
    image. Out: for each class its score in little-endian two's complement bytes, then the index of
    the first largest score; tlast with the last word.
    """

    @property
    def verilog(self) -> str: ...
    @property
    def top(self) -> str: ...
    @property
    def bytes_in(self) -> int: ...
    @property
    def bytes_out(self) -> int: ...
    @property
    def word_in(self) -> int: ...
    @property
    def word_out(self) -> int: ...
    @property
    def cycles_latency(self) -> int: ...
    @property
    def probes(self) -> Sequence[ProbedStream]: ...


@dataclass(frozen=True)
class ImageRun:
    """One simulation of some images: its settings, the expected frames and the result."""

    first: int
    images: torch.Tensor
    seed: int
    stall: float
    want: list[list[int]]
    result: StreamResult

    def frame(self, i: int) -> list[int | None]:
        size = len(self.want[0])
        return self.result.words[i * size : (i + 1) * size]

    @property
    def said(self) -> list[int | None]:
        """The class that each image is said to be, the last byte of its frame."""
        frames = [self.frame(i) for i in range(len(self.want))]
        ends = [f[-1] if len(f) == len(w) else None for f, w in zip(frames, self.want, strict=True)]
        return [None if word is None else word & 0xFF for word in ends]

    @property
    def bad(self) -> list[int]:
        """Images, counted from 0 in this run, whose frame is wrong or missing."""
        return [i for i, want in enumerate(self.want) if self.frame(i) != want]


@dataclass(frozen=True)
class ImageBench:
    """An accelerator and how it is simulated."""

    network: Network
    accelerator: SimulatedAccelerator
    simulator: str
    timeout: int
    root: Path

    @property
    def head(self) -> str:
        return self.network.nodes[-1].name

    def run(
        self,
        images: torch.Tensor,
        seed: int,
        stall: float,
        *,
        first: int = 0,
        probing: bool = False,
        waves: Path | None = None,
    ) -> ImageRun:
        """Simulate `images`, numbered from `first` on."""
        accelerator = self.accelerator
        scores = golden.run(self.network, images)[self.head].flatten(1).numpy()
        want = frames(scores, accelerator.bytes_out)
        case = StreamCase(
            accelerator.verilog,
            accelerator.top,
            joined(input_words(images), accelerator.word_in),
            joined([word for frame in want for word in frame], accelerator.word_out),
            accelerator.bytes_in // accelerator.word_in,
            accelerator.bytes_out // accelerator.word_out,
            axi_stream("s_axis"),
            axi_stream("m_axis"),
            {p.prefix: p.lanes * p.bits for p in accelerator.probes},
        )
        (result,) = run_streams(
            [case],
            simulator=self.simulator,
            seed=seed,
            stall_in=stall,
            stall_out=stall,
            timeout=self.timeout,
            probing=probing,
            waves=waves,
            root=self.root,
        )
        result = replace(result, words=separate(result.words, accelerator.word_out))
        return ImageRun(first, images, seed, stall, want, result)

    def locate(self, run: ImageRun, waves: Path | None) -> tuple[Mismatch | None, str | None]:
        """Repeats a failing run with probes: the first difference, and the layer it stopped at.

        First with the images up to the failing one; with all, where these do not fail again.
        """
        short = run.images[: run.bad[0] + 1]
        again = run
        for images in (run.images,) if run.result.stopped else (short, run.images):
            again = self.run(images, run.seed, run.stall, probing=True, waves=waves)
            if again.bad:
                break
        mismatch = self._difference(again)
        mismatch = replace(mismatch, image=run.first + mismatch.image)
        if not run.result.stopped:
            return mismatch, None
        probes, records = self.accelerator.probes, again.result.probes
        return mismatch, stopping_layer(self.network, len(again.images), probes, records)

    def _difference(self, run: ImageRun) -> Mismatch:
        bad, probes = run.bad[0], self.accelerator.probes
        inside = first_difference(
            self.network, run.images, bad, probes, run.result.probes, run.seed
        )
        classes = infer(self.network)[self.head].shape[2]
        return inside or frame_difference(
            self.head, classes, run.want[bad], run.frame(bad), bad, run.seed
        )
