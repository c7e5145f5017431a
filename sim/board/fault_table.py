"""Counts of faults in the terminal."""

from __future__ import annotations

from dataclasses import fields

from rich.table import Table

from sim.verify.fault_counts import FaultCounts, FrameCounts

COLUMNS = tuple(field.name for field in fields(FrameCounts))


def tables(found: FaultCounts) -> tuple[Table, Table]:
    """Malformed frames by sort with what they did to good requests; then all other faults."""
    drawn = Table(title=f"malformed frames, seed {found.seed}", title_justify="left")
    drawn.add_column("sort")
    for name in COLUMNS:
        drawn.add_column(name, justify="right")
    for sort, frames in found.frames.items():
        drawn.add_row(sort, *_figures(frames), end_section=sort == list(found.frames)[-1])
    drawn.add_row("in all", *_figures(found.total))
    drawn.caption = found.first or "damaged, refused: as the board counted them; good: requests"
    other = Table(title=f"other faults; {found.seconds:.1f} s in all", title_justify="left")
    other.add_column("fault")
    for name in ("tried", "as it must be"):
        other.add_column(name, justify="right")
    for what, mishap in found.mishaps.items():
        other.add_row(what, f"{mishap.tried:,}", f"{mishap.held:,}")
    return drawn, other


def _figures(frames: FrameCounts) -> list[str]:
    return [f"{getattr(frames, name):,}" for name in COLUMNS]
