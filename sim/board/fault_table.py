"""Counts of faults in the terminal."""

from __future__ import annotations

from dataclasses import fields

from rich.table import Table

from sim.verify.fault_counts import FaultCounts, FrameCounts

COLUMNS = tuple(field.name for field in fields(FrameCounts))


def tables(counts: FaultCounts) -> tuple[Table, Table]:
    """Malformed frames by category with what they did to good requests; then all other faults."""
    drawn = Table(title=f"malformed frames, seed {counts.seed}", title_justify="left")
    drawn.add_column("category")
    for name in COLUMNS:
        drawn.add_column(name, justify="right")
    for category, frames in counts.frames.items():
        drawn.add_row(category, *_figures(frames), end_section=category == list(counts.frames)[-1])
    drawn.add_row("in all", *_figures(counts.total))
    drawn.caption = counts.first or "damaged, refused: as the board counted them; good: requests"
    other = Table(title=f"other faults; {counts.seconds:.1f} s in all", title_justify="left")
    other.add_column("fault")
    for name in ("tried", "as it must be"):
        other.add_column(name, justify="right")
    for fault, scenario in counts.mishaps.items():
        other.add_row(fault, f"{scenario.tried:,}", f"{scenario.held:,}")
    return drawn, other


def _figures(frames: FrameCounts) -> list[str]:
    return [f"{getattr(frames, name):,}" for name in COLUMNS]
