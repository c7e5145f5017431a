"""What `simulate` and `deploy` have proven of a finalist since it was built: its evidence.json."""

from __future__ import annotations

from pathlib import Path

from search.results.results import Proof
from sim.verify import evidence
from sim.verify.fault_counts import FaultCounts


def evidence_of(folder: Path) -> tuple[tuple[Proof, ...], FaultCounts | None]:
    """The levels below RTL of the build in `folder`; the faults that its virtual board was given,
    None where none were tried."""
    said = evidence.read(folder / evidence.FILE) or {}
    below = tuple(
        Proof(name, int(row["images"]), int(row["mismatches"]), str(row["what"]))
        for name, row in said.get("levels", {}).items()
        if name != "rtl"
    )
    faults = said.get("faults")
    return below, FaultCounts.from_dict(faults) if faults else None
