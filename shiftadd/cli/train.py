"""train"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from shiftadd import api, results
from shiftadd.cli import options

TEXT = "train one architecture to an integer network"
EXAMPLE = "shiftadd train digits_hybrid --data digits --epochs 60"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "arch", help="a built-in architecture (digits_hybrid, fashion_hybrid, …) or a JSON file"
    )
    parser.add_argument(
        "--data",
        required=True,
        help="a built-in data set (digits, wine, …), a folder of images by class or its .zip, an "
        "IDX folder, CIFAR-10's files, an .npz, a table (.csv): see `shiftadd data`",
    )
    parser.add_argument(
        "--epochs", type=int, help="passes over the training images; default what suits their count"
    )
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and augmentation")
    parser.add_argument("--out", type=Path, help="folder of the run; default runs/ARCH-DATA-SEED")
    again = parser.add_mutually_exclusive_group()
    again.add_argument(
        "--resume", action="store_true", help="go on from the last checkpoint in --out"
    )
    again.add_argument(
        "--force", action="store_true", help="put this run in the place of another one in --out"
    )
    parser.add_argument(
        "--fit-classes",
        action="store_true",
        help="a JSON file takes its input and its classes from the data, as built-in ones do",
    )
    parser.add_argument("--teacher", type=Path, help="a trained network to distil from")
    options.device(parser)
    how = parser.add_argument_group("how to train; the defaults suit the data and the network")
    how.add_argument("--batch", type=int, metavar="N", help="images a step")
    how.add_argument("--rate", type=float, help="of learning, at its highest")
    how.add_argument("--smoothing", type=float, help="of labels: 0, or a share below 1")
    how.add_argument("--shift", type=int, metavar="N", help="move images by up to N pixels")
    how.add_argument(
        "--flips",
        action=argparse.BooleanOptionalAction,
        help="mirror half of the images, which must still be of their class",
    )
    how.add_argument(
        "--weighted",
        action=argparse.BooleanOptionalAction,
        help="classes count alike in the loss, however many images each has",
    )
    how.add_argument(
        "--sparsity",
        type=float,
        help="share in the loss of the size of the weights: more become 0, and a layer whose "
        "weights are wired takes fewer LUTs",
    )


def run(*, quiet: bool, **given: Any) -> results.TrainOutcome:
    return api.train(**given, quiet=quiet)
