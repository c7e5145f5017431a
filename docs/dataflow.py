"""Draws docs/dataflow.svg, from a data set to a board: `python docs/dataflow.py`."""

from __future__ import annotations

from html import escape
from pathlib import Path

WIDTH = 900
STEP = 92
"""Pixels from one row to the next."""
BOX_HEIGHT = 50
COLUMNS = {"cost": (16, 226), "thing": (320, 250), "check": (646, 220)}
"""Left edge and width of the boxes of a column."""
FILL = {"cost": "#fdf1d8", "thing": "#dceaf7", "check": "#e0f2e1"}
STROKE = {"cost": "#b7791f", "thing": "#2b6cb0", "check": "#2f855a"}
INK = "#1a202c"

# column, row, what it is, where it is made or what it says
BOXES = (
    ("thing", 0, "data set, board, space", "model/data/, gen/boards/, search/space/"),
    ("thing", 1, "Architecture", "kinds, kernels, channels, bits: JSON"),
    ("thing", 2, "Network", "integer graph and weights"),
    ("thing", 3, "Plan", "folding, FIFO depths, exact cycles"),
    ("thing", 4, "Accelerator", "Verilog, the same on every run"),
    ("thing", 5, "Netlist", "cells of one FPGA family"),
    ("thing", 6, "PlacedDesign", "place and route: resources and clock"),
    ("thing", 7, "bitstream", "repaired and packed"),
    ("thing", 8, "board", "real, or virtual in Verilator"),
    ("cost", 3, "predicted", "gen/cost/: LUT, FF, fmax, energy"),
    ("cost", 6, "measured", "nextpnr: LUT, FF, DSP, BRAM, fmax"),
    ("cost", 4.5, "Report", "predicted beside measured"),
    ("check", 2, "golden model", "model/golden.py: every integer"),
    ("check", 4, "level rtl", "random stalls; cycles counted"),
    ("check", 5, "level netlist", "sim/verify/: the same images"),
    ("check", 6, "level routed", "ECP5: gen/recover/ecp5.py"),
    ("check", 7, "level bitstream", "read back: gen/recover/"),
    ("check", 8, "deploy", "every score of every image"),
)
# row from which an arrow goes down, and the function that makes the next thing
MAKERS = (
    (0, "search.run.search"),
    (1, "model.train"),
    (2, "gen.planner"),
    (3, "gen.engine.elaborate"),
    (4, "gen.flow.synth"),
    (5, "gen.flow.place"),
    (6, "gen.flow.pack"),
    (7, "gen.deploy"),
)
LEVELS = (4, 5, 6, 7, 8)
"""Rows whose simulation is compared with the golden model."""


def top(row: float) -> float:
    return 44 + row * STEP


def middle(row: float) -> float:
    return top(row) + BOX_HEIGHT / 2


def text(x: float, y: float, words: str, size: int, *, weight: int = 400, end: str = "") -> str:
    anchor = end or "middle"
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def box(column: str, row: float, name: str, note: str) -> str:
    left, width = COLUMNS[column]
    y = top(row)
    rect = (
        f'<rect x="{left}" y="{y:g}" width="{width}" height="{BOX_HEIGHT}" rx="6" '
        f'fill="{FILL[column]}" stroke="{STROKE[column]}"/>'
    )
    centre = left + width / 2
    return rect + text(centre, y + 21, name, 15, weight=600) + text(centre, y + 39, note, 11)


def line(path: str, *, arrow: bool = True, dashed: bool = False) -> str:
    marks = ' marker-end="url(#arrow)"' if arrow else ""
    marks += ' stroke-dasharray="4 3"' if dashed else ""
    return f'<path d="{path}" fill="none" stroke="{INK}"{marks}/>'


def arrows() -> list[str]:
    thing, thing_width = COLUMNS["thing"]
    cost, cost_width = COLUMNS["cost"]
    check, check_width = COLUMNS["check"]
    centre, right, edge = thing + thing_width / 2, thing + thing_width, check + check_width
    drawn = []
    for row, maker in MAKERS:
        drawn.append(line(f"M{centre:g} {top(row) + BOX_HEIGHT:g}V{top(row + 1) - 2:g}"))
        drawn.append(text(centre + 10, top(row + 1) - 16, maker, 12, end="start"))
    drawn += [line(f"M{right} {middle(row):g}H{check - 2}") for row in (2, *LEVELS)]
    drawn += [line(f"M{thing} {middle(row):g}H{cost + cost_width + 2}") for row in (3, 6)]
    column = cost + cost_width / 2
    drawn.append(line(f"M{column:g} {top(3) + BOX_HEIGHT:g}V{top(4.5) - 2:g}"))
    drawn.append(line(f"M{column:g} {top(6):g}V{top(4.5) + BOX_HEIGHT + 2:g}"))
    bus = edge + 18  # answers of the golden model, to which each level is compared
    drawn.append(
        line(f"M{edge} {middle(2):g}H{bus}V{middle(LEVELS[-1]):g}", arrow=False, dashed=True)
    )
    drawn += [line(f"M{bus} {middle(row):g}H{edge + 2}", dashed=True) for row in LEVELS]
    return drawn


def picture() -> str:
    """The whole SVG."""
    height = top(8) + BOX_HEIGHT + 20
    heads = (
        ("cost", "what it costs"),
        ("thing", "what is made"),
        ("check", "what must be equal"),
    )
    titles = [
        text(COLUMNS[column][0] + COLUMNS[column][1] / 2, 26, words, 13, weight=600)
        for column, words in heads
    ]
    marker = (
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        f'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="{INK}"/></marker></defs>'
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
        f'width="{WIDTH}" font-family="Helvetica, Arial, sans-serif" fill="{INK}">'
    )
    paper = f'<rect width="{WIDTH}" height="{height:g}" fill="#ffffff"/>'
    return "\n".join([head, marker, paper, *titles, *arrows(), *(box(*b) for b in BOXES), "</svg>"])


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(picture() + "\n", encoding="utf-8")
