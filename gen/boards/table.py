"""The boards as rows: resources, clocks, serial line and loader of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from gen.boards.board import Board
from gen.boards.pll import MHZ


@dataclass(frozen=True)
class BoardRow:
    """A board. Units as in gen.support.devices.Device. oscillator_mhz: on the board. pll_mhz:
    slowest and fastest clock made of it that a serial link works with. baud: the most of its serial
    line."""

    board: str
    device: str
    lut: int
    ff: int
    dsp: int
    bram: int
    oscillator_mhz: float
    pll_mhz: tuple[float, float]
    uart: str
    baud: int
    load: str
    note: str

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def row(board: Board) -> BoardRow:
    """The row of one board."""
    device, pll_mhz = board.device, [s.mhz for s in board.clocks() if s.uses_pll]
    return BoardRow(
        board=board.name,
        device=device.name,
        lut=device.lut,
        ff=device.ff,
        dsp=device.dsp,
        bram=device.bram,
        oscillator_mhz=board.clock_hz / MHZ,
        pll_mhz=(round(pll_mhz[0], 3), round(pll_mhz[-1], 3)),
        uart=board.uart,
        baud=board.baud,
        load=" ".join((board.loading, *board.loader)),
        note=board.note,
    )


def table(rows: Sequence[BoardRow]) -> Table:
    """One line for each board."""
    drawn = Table(title="Boards", title_justify="left", box=None, padding=(0, 1, 0, 0))
    for title in ("board", "device"):
        drawn.add_column(title, no_wrap=True)
    for title in ("LUT", "DSP", "RAM", "MHz", "Mbaud"):
        drawn.add_column(title, justify="right", no_wrap=True)
    drawn.add_column("serial", no_wrap=True)
    drawn.add_column("loaded with", no_wrap=True)
    for row in rows:
        budget = (f"{row.lut}", f"{row.dsp}", f"{row.bram}", f"{row.oscillator_mhz:g}")
        rest = (f"{row.baud / MHZ:g}", row.uart, row.load.split()[0])
        die = "-".join(row.device.split("-")[:2])  # without the package
        drawn.add_row(row.board, die, *budget, *rest)
    return drawn
