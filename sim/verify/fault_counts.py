"""Counts of the faults that a running board was given: plain data, which reports read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FrameCounts:
    """Malformed frames of one category, and the good request behind each burst of them.

    sent: malformed frames. damaged, refused: frames that the board counted as such meanwhile; noise
    with zeros in it is several. good: requests. wrong: answers that are not the golden model's.
    lost: requests that had to be sent again. hung: requests without any answer.
    """

    sent: int = 0
    damaged: int = 0
    refused: int = 0
    good: int = 0
    wrong: int = 0
    lost: int = 0
    hung: int = 0

    def __add__(self, other: FrameCounts) -> FrameCounts:
        mine, theirs = asdict(self), asdict(other)
        return FrameCounts(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def harm(self) -> int:
        """Good requests that suffered."""
        return self.wrong + self.lost + self.hung


@dataclass(frozen=True)
class FaultScenario:
    """A fault other than a frame. tried: how often. held: how often it went as it must."""

    tried: int
    held: int


@dataclass(frozen=True)
class FaultCounts:
    """All that was tried on one board. seed: of the faults. frames: by category. mishaps: fault
    scenarios, by what happened. first: one line on the first harm; empty where there was none.
    """

    seed: int
    seconds: float
    frames: Mapping[str, FrameCounts]
    mishaps: Mapping[str, FaultScenario]
    first: str = ""

    @property
    def total(self) -> FrameCounts:
        """Of all categories of malformed frames."""
        return sum(self.frames.values(), FrameCounts())

    @property
    def ok(self) -> bool:
        """No good request suffered, and every fault scenario went as it must."""
        return not self.total.harm and all(s.held == s.tried for s in self.mishaps.values())

    def as_dict(self) -> dict[str, Any]:
        """For JSON; `from_dict` reads it back."""
        return {"ok": self.ok, "total": asdict(self.total), **asdict(self)}

    @staticmethod
    def from_dict(row: Mapping[str, Any]) -> FaultCounts:
        """Raises KeyError or TypeError where a part is missing or unknown."""
        return FaultCounts(
            seed=int(row["seed"]),
            seconds=float(row["seconds"]),
            frames={str(category): FrameCounts(**part) for category, part in row["frames"].items()},
            mishaps={str(fault): FaultScenario(**part) for fault, part in row["mishaps"].items()},
            first=str(row["first"]),
        )
