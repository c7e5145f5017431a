"""The typed results of the Python API, one a verb. Cheap to import: what they hold is imported by
the functions that make them."""

from __future__ import annotations

from shiftadd.outcome import Outcome
from shiftadd.results.architectures import ArchOutcome
from shiftadd.results.datasets import Augmentation, DataOutcome
from shiftadd.results.hardware import CompileOutcome, DeployOutcome, SimulateOutcome
from shiftadd.results.networks import TrainOutcome
from shiftadd.results.searches import ReportOutcome, SearchOutcome
from shiftadd.results.tables import BoardsOutcome, CharacteriseOutcome, DemoOutcome

__all__ = [
    "ArchOutcome", "Augmentation", "BoardsOutcome", "CharacteriseOutcome", "CompileOutcome",
    "DataOutcome", "DemoOutcome", "DeployOutcome",
    "Outcome", "ReportOutcome", "SearchOutcome", "SimulateOutcome", "TrainOutcome",
]  # fmt: skip
