"""A network of one layer, trained in a second on bars of 6 × 6 pixels, and its data in a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import shiftadd
from tests.support.datasets import bars

BLOCKS = (shiftadd.Block("dense", "mult", 2),)
ARCHITECTURE = shiftadd.Architecture("bars", (6, 6, 1), BLOCKS)
"""Of images of 8 bits, which the bars are once they are in a file."""


@dataclass(frozen=True)
class TinyNetwork:
    """Folder of the network, and the .npz that it was trained on."""

    net: Path
    data: Path


def save_bars(path: Path, seed: int = 0) -> Path:
    """256 images to train on and 128 to test, in an .npz."""
    parts = {"x_train": bars(256, seed), "x_test": bars(128, seed + 1)}
    arrays = {name: images for name, (images, _) in parts.items()}
    arrays |= {name.replace("x", "y"): labels for name, (_, labels) in parts.items()}
    np.savez(path, allow_pickle=False, **arrays, class_names=np.array(["flat", "tall"]))
    return path


def train_tiny(folder: Path, epochs: int = 4) -> TinyNetwork:
    """Trains it there."""
    data = save_bars(folder / "bars.npz")
    made = shiftadd.train(ARCHITECTURE, data=data, epochs=epochs, out=folder / "run", quiet=True)
    return TinyNetwork(made.folder, data)
