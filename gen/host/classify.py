"""The host program of a bundle: classifies images on its board. Needs pyserial alone.

python classify.py                      the test images, checked against the golden model
python classify.py 7.png a.npy b.csv    other images: image files, or numbers in .npy or .csv files
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from gen.host import board_check, manifest, npy, ports
from gen.host.connection import BoardConnection
from gen.host.hashes import shown
from gen.host.image_files import read_images
from gen.host.manifest import Manifest
from model.errors import ShiftaddError


def main(folder: Path, argv: Sequence[str] | None = None) -> int:
    """Runs the program of the bundle in `folder`; 0: done, 1: a check failed, 2: wrong request."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without µ must not end the program
            stream.reconfigure(errors="replace")
    options = _parser().parse_args(argv)
    try:
        bundle = manifest.load(folder)
        groups = [
            (path, read_images(path, bundle, integers=options.integers)) for path in options.images
        ]
        port = options.port or ports.find(bundle.board, bundle.uart)
        info = bundle.info
        with BoardConnection.open(port, info.baud, info=info) as device:
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
    parser.add_argument(
        "images", nargs="*", type=Path, help=".npy or .csv of numbers, or image files"
    )
    parser.add_argument(
        "--integers",
        action="store_true",
        help="numbers in .npy and .csv files are the network's integers, and are not scaled",
    )
    parser.add_argument("--port", help="serial port; default that of the board's USB chip")
    return parser


def _classify(
    device: BoardConnection, bundle: Manifest, groups: Sequence[tuple[Path, Sequence[Any]]]
) -> int:
    for path, images in groups:
        for i, answer in enumerate(device.predict(images)):
            number = f" {i}" if len(images) > 1 else ""
            name = shown(bundle.classes[answer.label])
            print(f"{shown(path)}{number}: {name}  {list(answer.scores)}")
    return 0


def _check(device: BoardConnection, bundle: Manifest, folder: Path) -> int:
    names = manifest.IMAGES, manifest.LABELS, manifest.SCORES
    images, labels, scores = (npy.load(folder / name) for name in names)
    report = board_check.run(
        device, bundle, list(images), labels.tolist(), scores.tolist(), _show_progress
    )
    what = f"{bundle.name} on {bundle.board}, {report.images} test images of {bundle.data}"
    print(shown(what))
    for row in [("", "board", "golden model and plan"), *report.rows()]:
        print("{:26}{:>14}   {}".format(*row))
    if report.first_mismatch:
        print(report.first_mismatch)
    return 0 if report.ok else 1


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total}", end="\n" if done == total else "", file=sys.stderr)
