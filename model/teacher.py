"""A trained network from whose scores others are distilled (Hinton et al., arXiv 1503.02531)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model import golden
from model.checkpoint import TrainError, pickled
from model.device import at_home
from model.files import write
from model.saved import load_saved
from model.spec import Network, Requantise, infer
from model.store import content_hash


class Teacher:
    """`network` as a teacher; with a folder `kept`, of which an epoch's scores are worked out once.

    How the images of an epoch are shuffled and augmented depends on data, recipe and seed and not
    on who is taught: many small networks that are trained alike are shown the same, and for them a
    large teacher is two thirds of the work.
    """

    def __init__(self, network: Network, kept: Path | None = None) -> None:
        self.network, self.kept = network, kept
        self.hash = content_hash(network)

    def scores(self, images: Tensor) -> Tensor:
        """Of `images` (N, H, W, C), as reals (N, classes), where these are."""
        head = self.network.nodes[-1]
        last = self.network[head.inputs[0]]
        frac = last.format.frac if isinstance(last, Requantise) else 0
        return golden.run(self.network, images)[head.name].flatten(1).float() * 2.0**-frac

    def beside(
        self, lots: Iterable[tuple[Tensor, Tensor]], what: dict[str, Any]
    ) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """(images, labels, scores) for one epoch of (images, labels), which `what` determines."""
        if self.kept is None:
            for images, labels in lots:
                yield images, labels, self.scores(images)
            return
        name = json.dumps([self.hash, what], sort_keys=True)
        path = self.kept / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.pt"
        if path.is_file():
            known = self._kept(path)
            for images, labels in lots:
                if len(known) < len(images):
                    raise TrainError(f"{path}: holds scores of fewer images; delete it")
                yield images, labels, known[: len(images)].to(images.device)
                known = known[len(images) :]
            return
        scores: list[Tensor] = []
        for images, labels in lots:
            scores.append(self.scores(images))
            yield images, labels, scores[-1]
        self.kept.mkdir(parents=True, exist_ok=True)
        write(path, pickled(at_home(torch.cat(scores))))

    def _kept(self, path: Path) -> Tensor:
        """Scores in a file; TrainError where they are no scores of this network."""
        known = load_saved(path, error=TrainError, way_out="delete it")
        classes = infer(self.network)[self.network.nodes[-1].name].shape[2]
        if (
            not isinstance(known, Tensor)
            or (known.dtype, known.layout) != (torch.float32, torch.strided)
            or known.shape[1:] != (classes,)
        ):
            raise TrainError(f"{path}: holds no scores of {classes} classes; delete it")
        return known
