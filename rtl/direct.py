# amaranth: UnusedElaboratable=no
"""The front of a layer whose windows are the words that come: no row buffer, no addresses.

So it is for 1×1 convolutions and fully connected layers with all their sums in parallel.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Module, Shape, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from rtl.geometry import Geometry


@dataclass(frozen=True, kw_only=True)
class DirectWindow:
    """Windows of `geometry`, which is `in_order`. x_shape: of one value."""

    geometry: Geometry
    x_shape: Shape

    def __post_init__(self) -> None:
        if not self.geometry.in_order:
            raise ValueError("each word must be a window of its own")

    @property
    def latency(self) -> int:
        """Enabled cycles from a word to its `x`."""
        return 1

    def component(self) -> DirectReader:
        return DirectReader(self)


class DirectReader(wiring.Component):
    """Hardware of :class:`DirectWindow`, with the ports of :class:`rtl.window.WindowReader`.

    Costs a register of a word.

    Protocol
    --------
    `i.ready` is `en`: a word is taken in each cycle in which the pipeline moves.
    """

    def __init__(self, block: DirectWindow) -> None:
        self.block, self.geometry = block, block.geometry
        word = data.ArrayLayout(block.x_shape, block.geometry.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(word)),
                "en": In(1),
                "halt": In(1),
                "issue": Out(1),
                "x": Out(word),
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = Signal.like(self.i.payload.as_value(), reset_less=True)
        valid = Signal()
        with m.If(self.en):
            m.d.sync += [word.eq(self.i.payload), valid.eq(self.i.valid)]
        m.d.comb += [
            self.i.ready.eq(self.en),
            self.issue.eq(self.i.valid),
            self.x.eq(word),
            self.valid.eq(valid),
            self.first.eq(1),
            self.last.eq(1),
        ]
        return m
