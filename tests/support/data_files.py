"""Files of data sets as people have them, small."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model import data
from model.data import DataError

LABELS = np.arange(12) % 2
"""Of twelve images in two classes."""


def idx(array: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes."""
    head = b"\0\0\x08" + bytes([array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return head + array.astype(np.uint8).tobytes()


def image_folder(top: Path, images: Mapping[str, list[Image.Image]], end: str = ".png") -> Path:
    """top/class/0.png, … of the images of each class, which may be a path as train/cat."""
    for name, shots in images.items():
        (top / name).mkdir(parents=True, exist_ok=True)
        for n, shot in enumerate(shots):
            shot.save(top / name / f"{n}{end}")
    return top


def grey(value: int, size: tuple[int, int] = (3, 2)) -> Image.Image:
    """An image of one value but for its first pixel, which is 0. size: width, height."""
    image = Image.new("L", size, value)
    image.putpixel((0, 0), 0)
    return image


def refused(what: object) -> str:
    """The one line with which a data set is refused."""
    with pytest.raises(DataError) as error:
        data.load(str(what))
    assert "\n" not in str(error.value)
    return str(error.value)
