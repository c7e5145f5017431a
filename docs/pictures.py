"""Draws docs/images/front.svg and card.svg: `python -m docs.pictures`.

All figures are those of docs/results.json: the finalists that a search on Fashion-MNIST had placed
and routed, and the demo's network on an iCE40 UP5K, as a report's card has it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from gen.support.devices import device
from model import zoo
from model.kinds import kind, ordered_kinds
from search.report.architecture_strip import Piece, strip
from search.report.svg_plot import SHAPES, Plot, frame
from search.results.results import one_kind

HERE = Path(__file__).parent
FOLDER = HERE / "images"
INK, SOFT, FAINT, GRID = "#1d1e22", "#5d6068", "#8d8f96", "#ebe8df"
PAPER, TRACK, BAR = "#fffefb", "#ebe8df", "#5d6068"
FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
COLOURS = {name: kind(name).colours[0] for name in ordered_kinds()} | {"mixed": INK}
CARD_WIDTH, ROW, STRIP, MARGIN = 560, 26, 96, 14


def tables(title: str) -> list[dict[str, Any]]:
    """The tables of a section of docs/results.json."""
    results = json.loads((HERE / "results.json").read_text(encoding="utf-8"))
    (section,) = (s for s in results["sections"] if s["title"] == title)
    return [block["table"] for block in section["blocks"] if "table" in block]


def svg(width: float, height: float, title: str, parts: Iterator[str], margin: float = 0.0) -> str:
    body, corner, whole = "\n".join(parts), 0 - margin, (width + 2 * margin, height + 2 * margin)
    place = f'x="{corner:g}" y="{corner:g}" width="{whole[0]:g}" height="{whole[1]:g}"'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="{corner:g} {corner:g} {whole[0]:g} {whole[1]:g}" '
        f'font-family="{FONT}" font-size="12" role="img">\n<title>{escape(title)}</title>\n'
        f'<rect {place} fill="{PAPER}"/>\n{body}\n</svg>\n'
    )


def text(
    x: float, y: float, words: str, *, fill: str = SOFT, anchor: str = "start", **more: Any
) -> str:
    extra = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{fill}"'
    return f"<text {place}{extra}>{escape(words)}</text>"


def front() -> str:
    """Test accuracy against LUTs of the finalists on a ULX3S, and the front that they make."""
    table = tables("Search on Fashion-MNIST")[0]
    at = {column["title"]: i for i, column in enumerate(table["columns"])}
    points = sorted(
        (r[at["LUT"]], r[at["test"]], one_kind(r[at["layers"]].split())) for r in table["rows"]
    )
    title = f"Measured networks for Fashion-MNIST on a ULX3S: {len(points)} finalists of a search"
    plot = frame(
        title, [p[0] for p in points], [p[1] for p in points], size=(620.0, 330.0),
        labels=("LUTs after place and route", "test accuracy, %"), scales=("log", "error"),
    )  # fmt: skip
    plot.stairs("front", list(best_so_far(points)))
    return svg(plot.width, plot.height, title, drawn(plot, points), MARGIN)


def best_so_far(points: list[tuple[float, float, str]]) -> Iterator[tuple[float, float]]:
    """Those that no cheaper one equals."""
    best = 0.0
    for cost, accuracy, _ in points:
        if accuracy > best:
            best = accuracy
            yield cost, accuracy


def drawn(plot: Plot, points: list[tuple[float, float, str]]) -> Iterator[str]:
    for at, words in plot.x.ticks:
        yield f'<path d="M{at:g} {plot.y.start:g}V{plot.y.end:g}" stroke="{GRID}"/>'
        yield text(at, plot.y.start + 15, words, anchor="middle")
    for at, words in plot.y.ticks:
        yield f'<path d="M{plot.x.start:g} {at:g}H{plot.x.end:g}" stroke="{GRID}"/>'
        yield text(plot.x.start - 6, at + 4, words, anchor="end")
    yield text(plot.x.start, 11, plot.y.label, fill=INK)
    middle = (plot.x.start + plot.x.end) / 2
    yield text(middle, plot.height - 6, plot.x.label, fill=INK, anchor="middle")
    for line in plot.lines:
        yield f'<path d="{line.path}" fill="none" stroke="{INK}" stroke-width="1.4"/>'
    for cost, accuracy, name in points:
        yield mark(plot.x.at(cost), plot.y.at(accuracy), name)
    named = sorted({name for *_, name in points}, key=lambda name: (name == "mixed", name))
    for i, name in enumerate(named):
        x = plot.x.end - 78 * (len(named) - i) + 14
        yield mark(x, 8, name)
        yield text(x + 11, 12, name if name == "mixed" else f"all {name}")


def mark(x: float, y: float, name: str) -> str:
    return f'<path d="{SHAPES[name]}" transform="translate({x:g} {y:g})" fill="{COLOURS[name]}"/>'


def card() -> str:
    """The demo's network on an UP5K: its layers, what it takes of that, and how fast it is."""
    rows = {row[0]: row[3:5] for row in tables("The demo")[0]["rows"]}
    chip = device("up5k")
    has = {"LUT": chip.lut, "FF": chip.ff, "DSP": chip.dsp, "block RAM": chip.bram}
    bars = [(name, *rows[name], most) for name, most in has.items()]
    height = 84 + STRIP + 20 + ROW * len(bars) + 30
    return svg(CARD_WIDTH, height, "The demo's network on an iCE40 UP5K", card_parts(rows, bars))


def card_parts(rows: dict[str, list[Any]], bars: list[tuple[str, int, int, int]]) -> Iterator[str]:
    speed = (
        f"{rows['latency, µs'][1]:g} µs, {rows['images/s'][1]:,} images/s at "
        f"{rows['clock, MHz'][1]:g} MHz"
    )
    yield text(20, 32, "digits_hybrid on an iCE40 UP5K", fill=INK, font_size=17, font_weight=600)
    yield text(20, 54, speed)
    yield from layers(strip(zoo.load("digits_hybrid")), 20, 74, CARD_WIDTH - 40)
    y = 84 + STRIP + 20
    for name, predicted, measured, has in bars:
        yield from bar(y, name, predicted, measured, has)
        y += ROW
    note = "bar: measured after place and route; stroke: predicted before"
    yield text(20, y + 12, note, fill=FAINT, font_size=11)


def layers(pieces: list[Piece], left: float, top: float, width: float) -> Iterator[str]:
    """One box a layer: width by its work, height by its channels; a thin bar for a pool."""
    pools = sum(piece.pool for piece in pieces)
    narrow, gap = 6, 4
    rest = width - pools * narrow - gap * (len(pieces) - 1)
    least = 44.0
    work = sum(piece.grow for piece in pieces)
    free = rest - least * (len(pieces) - pools)
    x = left
    for piece in pieces:
        if piece.pool:
            yield box(x, top + STRIP / 2, narrow, STRIP / 2, FAINT)
            x += narrow + gap
            continue
        wide, tall = least + free * piece.grow / work, STRIP * (0.55 + 0.45 * piece.tall)
        y = top + STRIP - tall
        yield box(x, y, wide, tall, COLOURS[piece.kind])
        shape = (
            f"{piece.channels} × {piece.shape}"
            if piece.op != "dense"
            else f"dense {piece.channels}"
        )
        for i, words in enumerate((piece.kind, shape, f"{piece.bits} bits")):
            yield text(
                round(x + wide / 2, 1), round(y + 16 + 15 * i, 1), words,
                fill="#ffffff", anchor="middle", font_size=11,
            )  # fmt: skip
        x += wide + gap


def box(x: float, y: float, width: float, height: float, fill: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} rx="3" fill="{fill}"/>'


def bar(y: float, name: str, predicted: int, measured: int, has: int) -> Iterator[str]:
    left, width = 210, CARD_WIDTH - 210 - 20
    yield text(20, y + 11, name, fill=INK)
    yield text(200, y + 11, f"{measured:,} of {has:,}", anchor="end")
    yield box(left, y, width, 14, TRACK)
    yield box(left, y, width * measured / has, 14, BAR)
    at = left + width * predicted / has
    yield f'<path d="M{at:.1f} {y - 3}v20" stroke="{INK}" stroke-width="2"/>'


PICTURES = {"front.svg": front, "card.svg": card}

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for file, draw in PICTURES.items():
        (FOLDER / file).write_text(draw(), encoding="utf-8")
