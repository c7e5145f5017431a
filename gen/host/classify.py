"""The host program of a bundle: classifies images on its board. Needs pyserial alone.

python classify.py                    the test images, held to the golden model
python classify.py 7.png more.npy     other images: an image file, or integers in a .npy file
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gen.host import board_check, manifest, npy, ports
from gen.host.connection import BoardConnection
from gen.host.manifest import Manifest
from model.errors import RequestError, ShiftaddError


def main(folder: Path, argv: Sequence[str] | None = None) -> int:
    """Runs the program of the bundle in `folder`; 0: done, 1: a check failed, 2: wrong request."""
    options = _parser().parse_args(argv)
    try:
        what = manifest.load(folder)
        groups = [(path, images_of(path, what)) for path in options.images]
        port = options.port or ports.find(what.board, what.uart)
        info = what.info
        with BoardConnection.open(
            port, info.baud, network=info.network, design=info.design
        ) as device:
            return _classify(device, what, groups) if groups else _check(device, what, folder)
    except KeyboardInterrupt:
        print("classify: interrupted", file=sys.stderr)
        return 130
    except (ShiftaddError, OSError) as error:
        print(f"classify: {error}", file=sys.stderr)
        return error.exit_status if isinstance(error, ShiftaddError) else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="classify",
        description="Classifies images on the board. Without any, its answers to the test images "
        "are held to the golden model.",
    )
    parser.add_argument("images", nargs="*", type=Path, help=".npy of integers, or image files")
    parser.add_argument("--port", help="serial port; default that of the board's USB chip")
    return parser


def _classify(
    device: BoardConnection, what: Manifest, groups: Sequence[tuple[Path, list[Any]]]
) -> int:
    for path, images in groups:
        for i, answer in enumerate(device.predict(images)):
            number = f" {i}" if len(images) > 1 else ""
            print(f"{path}{number}: {what.classes[answer.label]}  {list(answer.scores)}")
    return 0


def _check(device: BoardConnection, what: Manifest, folder: Path) -> int:
    names = manifest.IMAGES, manifest.LABELS, manifest.SCORES
    images, labels, scores = (npy.read(folder / name) for name in names)
    found = board_check.run(device, what, images, labels, scores, _told)
    print(f"{what.name} on {what.board}, {found.images} test images of {what.data}")
    for row in [("", "board", "golden model and plan"), *found.rows()]:
        print("{:26}{:>14}   {}".format(*row))
    if found.first_mismatch:
        print(found.first_mismatch)
    return 0 if found.ok else 1


def _told(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr)


def images_of(path: Path, what: Manifest) -> list[Any]:
    """The images in a file: one, or several along the first axis. Raises RequestError, OSError."""
    info = what.info
    shape = info.height, info.width, info.channels
    if path.suffix != ".npy":
        return [_picture(path, what)]
    found = npy.read(path)
    sizes = npy.shape(found)
    if sizes == shape or (info.channels == 1 and sizes == shape[:2]):
        return [found]
    if sizes[1:] == shape or (info.channels == 1 and sizes[1:] == shape[:2]):
        return list(found)
    raise RequestError(f"{path}: array of shape {sizes}: must be {shape}, or several of these")


def _picture(path: Path, what: Manifest) -> Any:
    """An image file as integers; its size must be right, as every way to scale it is a choice."""
    info = what.info
    if info.input_bits != 8 or info.input_signed or info.channels not in (1, 3):
        raise RequestError(f"{path}: this network does not take bytes of a picture; give a .npy")
    try:
        from PIL import Image
    except ImportError:
        raise RequestError(
            f"{path}: image files need `pip install pillow`; or give a .npy"
        ) from None
    try:
        with Image.open(path) as picture:
            size, values = picture.size, picture.convert("L" if info.channels == 1 else "RGB")
            pixels = values.tobytes()
    except Exception as error:  # Pillow raises many types for a damaged file
        raise RequestError(f"{path}: cannot be read as an image ({error})") from None
    if size != (info.width, info.height):
        raise RequestError(
            f"{path}: {size[0]} × {size[1]} pixels: must be {info.width} × {info.height}"
        )
    return pixels
