"""A picture of a data set: examples of each class, or how features differ between classes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from model.data.dataset import Dataset

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

EXAMPLES = 10
TILE = 64
"""Pixels to which small examples are enlarged, at most."""
MOST_CLASSES, MOST_FEATURES = 40, 48
BINS, CELL = 32, 4
GAP, FONT = 6, 13
PAPER, INK = 255, 30


def sheet(data: Dataset) -> bytes:
    """PNG: a row of training examples a class; of a table, a histogram a class and feature."""
    image = _features(data) if data.table else _examples(data)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _examples(data: Dataset) -> Image.Image:
    height, width, _ = data.shape
    zoom = max(1, TILE // max(height, width))
    shrink = max(1, -(-max(height, width) // (4 * TILE)))
    tall, wide = -(-height // shrink) * zoom, -(-width // shrink) * zoom
    names, high = data.classes[:MOST_CLASSES], max(1, int(data.train_images.max()))
    pitch = max(tall, FONT + 2) + GAP
    left = _text_width(names)
    canvas, draw = _canvas(
        left + EXAMPLES * (wide + GAP) + GAP, (len(names) + _more(data)) * pitch + GAP
    )
    for row, name in enumerate(names):
        top = GAP + row * pitch
        _write(draw, GAP, top + (tall - FONT) // 2, name)
        members = np.flatnonzero(data.train_labels == row)
        for at, index in enumerate(members[_spread(len(members), EXAMPLES)]):
            tile = _pixels(data.train_images[index, ::shrink, ::shrink], high)
            tile = tile.repeat(zoom, 0).repeat(zoom, 1)
            canvas.paste(_image(tile), (left + at * (wide + GAP), top))
    if _more(data):
        rest = len(data.classes) - MOST_CLASSES
        _write(draw, GAP, GAP + len(names) * pitch, f"and {rest} more classes")
    return canvas


def _features(data: Dataset) -> Image.Image:
    """A panel a feature: a line a class, darker where more of its training rows are."""
    count, names = data.shape[2], data.classes[:MOST_CLASSES]
    titles = data.features or tuple(str(n + 1) for n in range(count))
    line = max(CELL, FONT + 2) if len(names) <= 12 else 9
    left, shown = _text_width(names), min(count, MOST_FEATURES)
    wide, tall = BINS * CELL + 2 * GAP, len(names) * line + FONT + 3 * GAP
    columns = min(shown, 6)
    rows = -(-shown // columns)
    canvas, draw = _canvas(left + columns * wide + GAP, (rows + (count > shown)) * tall + GAP)
    for panel in range(shown):
        x, y = left + panel % columns * wide, GAP + panel // columns * tall
        _write(draw, x, y, _clipped(titles[panel], wide - GAP))
        tile = _density(data, panel, len(names)).repeat(line, 0)
        tile = tile[:, np.arange(BINS * CELL) * tile.shape[1] // (BINS * CELL)]
        canvas.paste(_image(tile[..., None]), (x, y + FONT + GAP))
        if panel % columns == 0:
            for row, name in enumerate(names):
                _write(draw, GAP, y + FONT + GAP + row * line, name, min(FONT, line))
    if count > shown:
        _write(draw, GAP, GAP + rows * tall, f"and {count - shown} more features")
    return canvas


def _density(data: Dataset, feature: int, classes: int) -> np.ndarray:
    """uint8 (classes, bins): light for none, dark for the most of a class in one bin.

    A bin a value where there are few, so that no bin is empty by rounding.
    """
    values = data.train_images[:, 0, 0, feature].astype(np.int64)
    values -= values.min()
    step = max(1, int(np.gcd.reduce(values)))
    bins = int(values.max()) // step + 1
    values = values // step if bins <= BINS else values * BINS // (int(values.max()) + 1)
    bins = min(bins, BINS)
    out = np.empty((classes, bins))
    for row in range(classes):
        counts = np.bincount(values[data.train_labels == row], minlength=bins)
        out[row] = counts / max(1, counts.max())
    return (240 - 210 * np.sqrt(out)).astype(np.uint8)


def _pixels(image: np.ndarray, high: int) -> np.ndarray:
    """uint8 (H, W, 1 or 3) of an image with any number of channels, brightened to `high`."""
    shown = image[..., :3] if image.shape[2] >= 3 else image[..., :1]
    return (shown.astype(np.int64) * 255 // high).astype(np.uint8)


def _spread(total: int, count: int) -> np.ndarray:
    """Indices of up to `count` of `total`, evenly spread."""
    return np.linspace(0, total - 1, min(total, count)).astype(np.int64)


def _more(data: Dataset) -> int:
    return int(len(data.classes) > MOST_CLASSES)


def _canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    from PIL import Image, ImageDraw

    canvas = Image.new("RGB", (width, height), (PAPER,) * 3)
    return canvas, ImageDraw.Draw(canvas)


def _image(pixels: np.ndarray) -> Image.Image:
    from PIL import Image

    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3))))


def _write(draw: ImageDraw.ImageDraw, x: int, y: int, text: str, size: int = FONT) -> None:
    from PIL import ImageFont

    draw.text((x, y), text, (INK,) * 3, ImageFont.load_default(size))


def _text_width(names: tuple[str, ...]) -> int:
    """Pixels of the widest name, with margins; names are bounded."""
    from PIL import ImageFont

    font = ImageFont.load_default(FONT)
    return int(max(font.getlength(name) for name in names)) + 3 * GAP


def _clipped(text: str, width: int) -> str:
    """As much of a text as fits."""
    while len(text) > 1 and _text_width((text,)) - 3 * GAP > width:
        text = text[:-2] + "…"
    return text
