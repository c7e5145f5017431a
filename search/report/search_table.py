"""The front of a search as a table on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from search.results.answer import answer
from search.results.search_result import SearchResult

COLUMNS = ("network", "val. %", "test %", "LUT", "DSP", "RAM", "MHz", "µs", "nJ", "layers")


def table(result: SearchResult) -> Table:
    """80 columns wide, with a letter for each layer but for products at the ends: mult, shift or
    add. Above it, the answer to what the search was for."""
    seconds = sum(result.seconds.values())
    beside = f", {len(result.missed)} beyond the limits" if result.missed else ""
    networks = "network" if len(result.front) == 1 else "networks"
    size = (
        f"{len(result.front)} {networks} on the measured front; {result.evaluations} points "
        f"scored, {len(result.run.finalists)} built{beside}, {seconds:.0f} s"
    )
    told = answer(result.run)
    made = Table(
        title=f"{told}\n\n{size}" if told else size,
        caption=Text(_caption(result.rounds, str(result.page)), "table.caption"),
        box=SIMPLE_HEAD, padding=(0, 1, 0, 0),
    )  # fmt: skip
    for name in COLUMNS:
        words = name in ("network", "layers")
        made.add_column(name, justify="left" if words else "right", no_wrap=True)
    for row in (one.row() for one in result.front):
        made.add_row(
            row["key"], f"{100 * row['validation']:.2f}", f"{100 * row['test']:.2f}",
            f"{row['lut']:.0f}", f"{row['dsp']:.0f}", f"{row['bram']:.0f}",
            f"{row['fmax_mhz']:.0f}", f"{row['latency_us']:.1f}", f"{row['energy_nj']:.1f}",
            "".join(kind[0] for kind in row["kinds"].split()),
        )  # fmt: skip
    return made


def _caption(rounds: Sequence[Mapping[str, Any]], page: str) -> str:
    if not rounds:
        return page
    last = rounds[-1]
    named = (("LUT", "lut_error"), ("fmax", "fmax_error"), ("latency", "latency_error"))
    errors = ", ".join(f"{n} {last[k]:.1f} %" for n, k in named if last[k] is not None)
    of = f" of the last of {len(rounds)} rounds" if len(rounds) > 1 else ""
    return f"predictions{of} were off by {errors}; see {page}"
