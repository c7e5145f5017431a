"""Images in files, as a bundle's network takes them. Needs Python alone, and Pillow for pictures:
see gen.deploy.bundle."""

from __future__ import annotations

import csv
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gen.host import npy
from gen.host.hashes import shown
from gen.host.link_protocol import BoardInfo
from gen.host.manifest import Manifest
from gen.host.pixels import flat, pack_image
from model.errors import RequestError

PICTURES = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""Formats that are read: of Pillow's others, some start programs."""
MODES = ("1", "L", "P", "RGB")
LARGEST = 1 << 28
"""Bytes of a .csv file, at most."""


def read_images(path: Path, bundle: Manifest, *, integers: bool = False) -> list[bytes]:
    """The images in a file, packed for the board: one, or several along the first axis of an array,
    or one in each line of a .csv file.

    Where the network's data were scaled, the numbers of .npy and .csv files are raw ones, which are
    scaled and clipped as those were; `integers`: they are the network's already. Otherwise they are
    integers in the input's range. Raises RequestError, OSError.
    """
    info = bundle.info
    raw = bundle.input is not None and not integers
    numbers: Iterable[Any]
    match path.suffix.lower():
        case ".npy":
            numbers = _of_array(path, info, floats=raw)
        case ".csv":
            numbers = _of_table(path, info, floats=raw)
        case _:
            return [_picture(path, bundle)]
    try:
        if bundle.input is None or integers:
            return [pack_image(image, info) for image in numbers]
        scaling = bundle.input
        return [
            pack_image(scaling.apply(list(flat(image, (int, float))), info), info)
            for image in numbers
        ]
    except RequestError as error:
        raise RequestError(f"{shown(path)}: {error}") from None


def _of_array(path: Path, info: BoardInfo, *, floats: bool) -> Iterable[Any]:
    one = info.height, info.width, info.channels
    array = npy.load(path, floats=floats)
    forms: set[tuple[int, ...]] = {one, one[:2]} if info.channels == 1 else {one}
    if info.height == info.width == 1:
        forms.add(one[2:])  # rows of a table
    if array.shape in forms:
        return [array.tolist()]
    if array.shape[1:] in forms:
        return array
    raise RequestError(
        f"{shown(path)}: array of shape {array.shape}: must be {one}, or several of these"
    )


def _of_table(path: Path, info: BoardInfo, *, floats: bool) -> Iterator[list[float]]:
    """Lines of numbers; a first line of names is passed over."""
    about = path.stat()
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        raise RequestError(f"must be a file of at most {LARGEST:,} bytes")
    count = 0
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file), start=1):
                values = _numbers(row, floats)
                if not row or (values is None and number == 1):
                    continue
                if values is None or len(values) != info.image_bytes:
                    what = "floats or integers" if floats else "integers"
                    raise RequestError(f"line {number}: must be {info.image_bytes} {what}")
                count += 1
                yield values
    except (csv.Error, UnicodeError) as error:
        raise RequestError(f"not a .csv file that can be read ({error})") from None
    if not count:
        raise RequestError("no line of numbers")


def _numbers(row: Sequence[str], floats: bool) -> list[float] | None:
    try:
        return [float(word) if floats else int(word) for word in row]
    except ValueError:
        return None


def _picture(path: Path, bundle: Manifest) -> bytes:
    """An image file as bytes; its size must be right, as every way to scale it is a choice."""
    info, name = bundle.info, shown(path)
    if info.input_bits != 8 or info.input_signed or info.channels not in (1, 3) or bundle.input:
        raise RequestError(f"{name}: this network does not take bytes of a picture; give a .npy")
    if not path.is_file():
        raise RequestError(f"{name}: no such file")
    try:
        from PIL import Image
    except ImportError:
        raise RequestError(
            f"{name}: image files need `pip install pillow`; or give a .npy"
        ) from None
    try:
        with Image.open(path, formats=PICTURES) as picture:
            if (size := picture.size) != (info.width, info.height):
                raise RequestError(
                    f"{name}: {size[0]} × {size[1]} pixels: must be {info.width} × {info.height}"
                )
            if picture.mode not in MODES or "transparency" in picture.info:
                raise RequestError(
                    f"{name}: pixels of mode {picture.mode}: must be grey or RGB, of 8 bits, "
                    "without transparency; convert it first"
                )
            return picture.convert("L" if info.channels == 1 else "RGB").tobytes()
    except RequestError:
        raise
    except Exception as error:  # Pillow raises many types for a damaged file
        reason = shown(str(error))[:200]
        raise RequestError(f"{name}: cannot be read as an image ({reason})") from None
