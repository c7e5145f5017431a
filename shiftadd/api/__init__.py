"""The Python API: one function a verb, with its name and arguments; a thin call into the rooms.

Each returns an Outcome (`shiftadd.results`). `quiet` shows no progress on stderr. Paths are `str`
or `Path`. All raise ShiftaddError, one line, for what a caller can do something about.
"""

from __future__ import annotations

from shiftadd.api.architectures import arch
from shiftadd.api.datasets import data
from shiftadd.api.hardware import compile, deploy, simulate
from shiftadd.api.networks import train
from shiftadd.api.searches import report, search
from shiftadd.api.tables import boards, characterise, demo

__all__ = [
    "arch", "boards", "characterise", "compile", "data", "demo", "deploy", "report", "search",
    "simulate", "train",
]  # fmt: skip
