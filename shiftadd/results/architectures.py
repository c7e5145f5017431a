"""Architectures to look at: arch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shiftadd.outcome import Outcome, next_command

if TYPE_CHECKING:
    from rich.table import Table

    from model.arch import Architecture

LISTED = ("name", "input", "classes", "weights", "kinds", "for")
SHOWN = ("block", "kind", "channels", "kernel", "stride", "weights", "bits", "output", "act. bits")
WORDS = {"name", "kinds", "for", "block", "kind"}


@dataclass(frozen=True)
class ArchOutcome(Outcome):
    """Built-in architectures, as rows, or one architecture. file: where it was written. place,
    data: what commands call it, and its data set.

    >>> made = shiftadd.arch("new", data="wine", out="wine.json")
    >>> made.architecture.shape, made.file
    ((1, 1, 13), PosixPath('wine.json'))
    """

    listing: tuple[Mapping[str, Any], ...] = ()
    architecture: Architecture | None = None
    file: Path | None = None
    place: str = ""
    data: str = "D"

    def as_dict(self) -> dict[str, Any]:
        """Of one architecture what its file holds, with the weights."""
        if self.architecture is None:
            return {"architectures": [dict(row) for row in self.listing]}
        from model.arch import to_json
        from model.counts import weights_of

        content: dict[str, Any] = json.loads(to_json(self.architecture))
        file = None if self.file is None else str(self.file)
        return content | {"weights": weights_of(self.architecture), "file": file}

    def tables(self) -> Sequence[Table]:
        if self.architecture is None:
            rows = [
                (row["name"], _shape(row["shape"]), str(row["classes"]), f"{row['weights']:,}",
                 " ".join(row["kinds"]), row["about"]) for row in self.listing
            ]  # fmt: skip
            return (_table("built-in architectures", LISTED, rows),)
        arch = self.architecture
        return (_table(f"{arch.name}, {_shape(arch.shape)}", SHOWN, _rows(arch)),)

    def lines(self) -> Sequence[str]:
        if self.architecture is None:
            return (next_command("arch", "new", "--data", self.data, "--out", "arch.json"),)
        from model.counts import weights_of

        arch = self.architecture
        written = [f"architecture: {self.file}"] if self.file else []
        then = next_command("train", self.place or "ARCH", "--data", self.data)
        return (
            f"{arch.name}: {_shape(arch.shape)} of {arch.input_bits} bits to {arch.classes} "
            f"classes, {weights_of(arch):,} weights",
            *written,
            then,
        )


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """80 columns wide, but for long names."""
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for name in columns:
        side: Literal["left", "right"] = "left" if name in WORDS else "right"
        drawn.add_column(name, justify=side, no_wrap=name != "for")
    for cells in rows:
        drawn.add_row(*cells)
    return drawn


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _rows(arch: Architecture) -> Iterator[tuple[str, ...]]:
    """Cells of each block."""
    from model.counts import shapes, weights

    for block, given, made in shapes(arch):
        own, bits = "", ""
        if block.weighted:
            own, bits = f"{weights(block, given, made):,}", str(block.weight_bits)
        windowed = block.op not in ("dense", "globalavg")
        yield (
            block.op, block.kind if block.weighted else "", str(block.channels or ""),
            str(block.kernel) if windowed else "", str(block.stride) if windowed else "",
            own, bits, _shape(made), str(block.act_bits) if block.weighted else "",
        )  # fmt: skip
