"""The host program of a bundle: classifies images on its board. Needs pyserial alone.

python classify.py                    the test images, checked against the golden model
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
        bundle = manifest.load(folder)
        groups = [(path, images_of(path, bundle)) for path in options.images]
        port = options.port or ports.find(bundle.board, bundle.uart)
        info = bundle.info
        with BoardConnection.open(
            port, info.baud, network=info.network, design=info.design
        ) as device:
            return _classify(device, bundle, groups) if groups else _check(device, bundle, folder)
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
        "are checked against the golden model.",
    )
    parser.add_argument("images", nargs="*", type=Path, help=".npy of integers, or image files")
    parser.add_argument("--port", help="serial port; default that of the board's USB chip")
    return parser


def _classify(
    device: BoardConnection, bundle: Manifest, groups: Sequence[tuple[Path, list[Any]]]
) -> int:
    for path, images in groups:
        for i, answer in enumerate(device.predict(images)):
            number = f" {i}" if len(images) > 1 else ""
            print(f"{path}{number}: {bundle.classes[answer.label]}  {list(answer.scores)}")
    return 0


def _check(device: BoardConnection, bundle: Manifest, folder: Path) -> int:
    names = manifest.IMAGES, manifest.LABELS, manifest.SCORES
    images, labels, scores = (npy.read(folder / name) for name in names)
    report = board_check.run(device, bundle, images, labels, scores, _show_progress)
    print(f"{bundle.name} on {bundle.board}, {report.images} test images of {bundle.data}")
    for row in [("", "board", "golden model and plan"), *report.rows()]:
        print("{:26}{:>14}   {}".format(*row))
    if report.first_mismatch:
        print(report.first_mismatch)
    return 0 if report.ok else 1


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr)


def images_of(path: Path, bundle: Manifest) -> list[Any]:
    """The images in a file: one, or several along the first axis. Raises RequestError, OSError."""
    info = bundle.info
    shape = info.height, info.width, info.channels
    if path.suffix != ".npy":
        return [_picture(path, bundle)]
    array = npy.read(path)
    sizes = npy.shape(array)
    if sizes == shape or (info.channels == 1 and sizes == shape[:2]):
        return [array]
    if sizes[1:] == shape or (info.channels == 1 and sizes[1:] == shape[:2]):
        return list(array)
    raise RequestError(f"{path}: array of shape {sizes}: must be {shape}, or several of these")


def _picture(path: Path, bundle: Manifest) -> Any:
    """An image file as integers; its size must be right, as every way to scale it is a choice."""
    info = bundle.info
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
