"""Draws docs/timing.svg, the ports of a simulated accelerator: `python -m docs.timing`.

A tiny network runs in Amaranth's simulator, so that what is drawn is what the hardware does: a
reset, an image with a pause, the next one without, and an answer that has to wait.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

import numpy as np

from gen.engine.assemble import assemble
from gen.plan.lower import lower
from gen.plan.plan import Fold
from model.spec import Dense, Format, Head, Input, Network, Node, Requantise
from tests.support.axis_core import Core, run

PICTURE = Path(__file__).with_name("timing.svg")
STEP, HIGH, GAP, LEFT, TOP = 26, 18, 13, 118, 40
"""Pixels: of a cycle, of a wave, between waves, and where the first one begins."""
INK, SOFT, BUS, TAKEN = "#1a202c", "#5d6068", "#dceaf7", "#2f855a"
SIGNALS = (
    "rst", "s_axis_tvalid", "s_axis_tready", "s_axis_tdata",
    "m_axis_tvalid", "m_axis_tready", "m_axis_tdata", "m_axis_tlast",
)  # fmt: skip
DATA = {"s_axis_tdata": "s_axis_tvalid", "m_axis_tdata": "m_axis_tvalid"}
"""Buses, and the signal without which they mean nothing."""
FIRST, SECOND, THIRD = [3, 1, 0, 2], [1, 2, 3, 0], 2
PATIENCE = 3
"""Cycles that the first answer waits for."""


def network() -> Network:
    """2×2 pixels to two classes."""
    weights = np.array([[1, -1, 2, 1], [-2, 1, 1, 3]])
    nodes: tuple[Node, ...] = (
        Input("x", (2, 2, 1), Format(2)),
        Dense("d", ("x",), "mult", weights, 4),
        Requantise("q", ("d",), np.array([1, 1]), np.array([0, 0]), 0, Format(8, True)),
        Head("scores", ("q",)),
    )
    return Network(nodes, ("a", "b"))


def simulated() -> list[dict[str, int]]:
    """The ports in every cycle."""
    made = network()
    folds = {"x": Fold(), "q": Fold(), "scores": Fold()}
    assembly = assemble(lower(made), folds, {})
    cycles: list[dict[str, int]] = []

    async def scenario(core: Core) -> None:
        core.set(rst=1)
        await core.step()
        core.set(rst=0)
        await core.offer(FIRST[:2])
        await core.step()
        await core.offer(FIRST[2:])
        waiting, answers, patience = [*SECOND, THIRD], 0, PATIENCE
        while answers < 2:
            core.set(s_axis_tvalid=bool(waiting), s_axis_tdata=(waiting or [0])[0])
            core.set(m_axis_tready=not patience)
            now = await core.step()
            if waiting and now["s_axis_tready"]:
                waiting.pop(0)
            if patience and now["m_axis_tvalid"]:
                patience -= 1
            answers += now["m_axis_tlast"] and now["m_axis_tready"]
        core.set(m_axis_tready=1)
        await core.step()
        cycles.extend(core.cycles)

    run(assembly, scenario)
    return cycles


def picture(cycles: list[dict[str, int]]) -> str:
    """The waves as SVG."""
    width = LEFT + STEP * len(cycles) + 12
    height = TOP + len(SIGNALS) * (HIGH + GAP) + 14
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11" role="img">',
        "<title>Ports of a simulated accelerator, cycle by cycle</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *(_number(i, height) for i in range(len(cycles))),
    ]
    for row, name in enumerate(SIGNALS):
        y = TOP + row * (HIGH + GAP)
        parts.append(f'<text x="{LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        values = [cycle[name] for cycle in cycles]
        if name in DATA:
            parts += _bus(y, values, [cycle[DATA[name]] for cycle in cycles])
        else:
            parts.append(_wave(y, values))
    parts += _transfers(cycles)
    return "\n".join([*parts, "</svg>"])


def _number(i: int, height: int) -> str:
    x = LEFT + i * STEP
    return (
        f'<path d="M{x} {TOP - 14}V{height - 10}" stroke="#e2e8f0"/>'
        f'<text x="{x + STEP / 2:g}" y="{TOP - 18}" text-anchor="middle" fill="{SOFT}">{i}</text>'
    )


def _wave(y: int, values: list[int]) -> str:
    level = [y + (0 if value else HIGH) for value in values]
    path = f"M{LEFT} {level[0]}" + "".join(
        f"V{at}H{LEFT + (i + 1) * STEP}" for i, at in enumerate(level)
    )
    return f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.6"/>'


def _bus(y: int, values: list[int], valid: list[int]) -> list[str]:
    """A box for each value that is valid, as long as it stays."""
    boxes: list[str] = []
    start = 0
    for i in range(1, len(values) + 1):
        if i < len(values) and (values[i], valid[i]) == (values[start], valid[start]):
            continue
        x, length = LEFT + start * STEP, (i - start) * STEP
        if valid[start]:
            boxes.append(
                f'<rect x="{x + 1}" y="{y}" width="{length - 2}" height="{HIGH}" rx="4" '
                f'fill="{BUS}" stroke="{INK}"/><text x="{x + length / 2:g}" y="{y + 13}" '
                f'text-anchor="middle">{values[start]:02x}</text>'
            )
        start = i
    return boxes


def _transfers(cycles: list[dict[str, int]]) -> list[str]:
    """A dot under every value that is taken."""
    dots = []
    for data, valid in DATA.items():
        y = TOP + SIGNALS.index(data) * (HIGH + GAP) + HIGH + 5
        ready = valid.replace("valid", "ready")
        dots += [
            f'<circle cx="{LEFT + i * STEP + STEP / 2:g}" cy="{y}" r="2.6" fill="{TAKEN}"/>'
            for i, cycle in enumerate(cycles)
            if cycle[valid] and cycle[ready]
        ]
    return dots


if __name__ == "__main__":
    PICTURE.write_text(picture(simulated()) + "\n", encoding="utf-8")
