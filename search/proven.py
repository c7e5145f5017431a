"""What `simulate` and `deploy` have proven of a finalist since it was built: its evidence.json."""

from __future__ import annotations

from pathlib import Path

from search.results import Proof
from sim import evidence
from sim.fault_counts import FaultCounts


def below(folder: Path) -> tuple[Proof, ...]:
    """The levels below RTL of the build in `folder`."""
    levels = (evidence.read(folder / evidence.FILE) or {}).get("levels", {})
    return tuple(
        Proof(name, int(row["images"]), int(row["mismatches"]), str(row["what"]))
        for name, row in levels.items()
        if name != "rtl"
    )


def faults(folder: Path) -> FaultCounts | None:
    """The faults that its virtual board was given; None where none were tried."""
    row = (evidence.read(folder / evidence.FILE) or {}).get("faults")
    return FaultCounts.from_dict(row) if row else None
