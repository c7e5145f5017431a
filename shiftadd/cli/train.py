"""train"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results

TEXT = "train one architecture to an integer network"
EXAMPLE = "shiftadd train digits_hybrid --data digits --epochs 60"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "arch", help="a built-in architecture (digits_hybrid, fashion_hybrid, …) or a JSON file"
    )
    parser.add_argument(
        "--data",
        required=True,
        help="digits, fashion-mnist, an IDX folder, a folder of images by class, or an .npz",
    )
    parser.add_argument("--epochs", type=int, default=60, help="passes over the training images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/ARCH-DATA-SEED")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --out"
    )
    parser.add_argument("--teacher", type=Path, help="a trained network to distil from")


def run(*, quiet: bool, **given: Any) -> results.TrainOutcome:
    return api.train(**given, quiet=quiet)
