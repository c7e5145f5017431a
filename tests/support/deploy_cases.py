"""A bundle of a small network, for tests of what is deployed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gen.boards import board
from gen.deploy import bundle as bundles
from gen.deploy.bundle import Bundle
from gen.deploy.examples import Examples, golden_scores
from gen.host import hashes
from gen.host.manifest import MANIFEST
from model.spec import Network
from tests.support.networks import pixels

BOARD = "ulx3s-25f"
IMAGES = 24


def some_examples(network: Network, count: int = IMAGES) -> Examples:
    """Noise, which needs no data set; the labels are the golden model's own, but for the first."""
    images = pixels(count).numpy()
    scores = golden_scores(network, images)
    labels = scores.argmax(1)
    labels[0] = (labels[0] + 1) % scores.shape[1]
    return Examples("noise", images, labels, scores)


def small_bundle(network: Network, folder: Path) -> Bundle:
    """Made without place and route."""
    tests = some_examples(network)
    return bundles.make(network, board(BOARD), tests, folder, place=False, fps=60_000)


def with_manifest(bundle: Bundle, **changes: Any) -> Bundle:
    """`bundle` whose manifest says something else, and knows it."""
    described = replace(bundle.manifest, **changes)
    (bundle.folder / MANIFEST).write_text(described.dumps())
    return Bundle(bundle.folder, described)


def with_bitstream(bundle: Bundle) -> Bundle:
    """`bundle` with a file in the place of a bitstream."""
    name = "shiftadd_pins.bit"
    (bundle.folder / name).write_bytes(np.arange(256, dtype=np.uint8).tobytes())
    return with_files(bundle, bitstream=name)


def with_files(bundle: Bundle, **changes: Any) -> Bundle:
    """`bundle` whose manifest has the hashes of the files as they are, and other changes."""
    files = hashes.of_tree(bundle.folder, without=(MANIFEST,))
    return with_manifest(bundle, files=files, **changes)


def flip(path: Path) -> None:
    """Changes a bit in the middle of a file."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
