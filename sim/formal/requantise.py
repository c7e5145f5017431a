"""The claim about a requantiser: clip((x·m[c] + b[c] + half) >> shift, lo, hi), from its formula.

Where nothing is stored it follows from any state. Else the channels are counted from reset.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In

from rtl.requantise import Requantiser
from sim.formal.elements import enabled, later
from sim.formal.proof import Property


def requantised(
    m: Module, x: Value, factor: int, offset: int, *, shift: int, lo: int, hi: int
) -> Value:
    """clip((x·factor + offset + half) >> shift, lo, hi), half = 2^(shift−1), or 0 for shift 0."""
    half = (1 << shift) >> 1
    product = x * factor if factor >= 0 else -(x * -factor)  # SAT finds that easier
    exact = (product + offset + half) >> shift
    return Mux(exact > hi, hi, Mux(exact < lo, lo, exact))


class Requantised(Property):
    """y = the formula for the channel of each word that was valid, whatever else was at x.

    Holds in every cycle after reset; without stored constants, `cycles` cycles after any state if
    no more than `stalls` of them stood still.
    steady: takes for granted that it never stands still and that each word is valid, so that word n
    is in cycle n and a channel, at full width, is within reach of SAT.
    """

    def __init__(self, block: Requantiser, *, stalls: int = 1, steady: bool = False) -> None:
        self.block, self.stalls, self.steady = block, stalls, steady
        self.cycles = block.latency + stalls
        members = {"en": In(1), "i_valid": In(1)}
        super().__init__(members | {f"x{k}": In(signed(block.x_bits)) for k in range(block.lanes)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block = self.block
        m.submodules.unit = self.unit = unit = block.component()
        m.d.comb += [unit.en.eq(self.en), unit.i_valid.eq(self.i_valid)]
        m.d.comb += self.given.eq((self.en & self.i_valid) | (not self.steady))
        channel = self._channel(m)
        same = [self._lane(m, k, channel) for k in range(block.lanes)]
        valid = later(m, self.i_valid, block.latency, "valid", self.en)
        enough = enabled(m, self.en, self.cycles) >= block.latency
        m.d.comb += self.holds.eq(~enough | ~valid | Cat(same).all())
        return m

    def _channel(self, m: Module) -> Signal:
        """First channel of the word at x, over lanes."""
        channel = Signal(range(max(2, self.block.depth)))
        with m.If(self.en & self.i_valid):
            m.d.sync += channel.eq(Mux(channel == self.block.depth - 1, 0, channel + 1))
        return channel

    def _lane(self, m: Module, k: int, channel: Signal) -> Value:
        unit, block = self.unit, self.block
        x = getattr(self, f"x{k}")
        m.d.comb += unit.x[k].eq(x)
        x = later(m, x, block.latency, f"x{k}", self.en)
        if block.stored:
            channel = later(m, channel, block.latency, f"channel{k}", self.en)
        ends = {"shift": block.shift, "lo": block.lo, "hi": block.hi}
        rows = zip(
            block.multipliers[k :: block.lanes], block.offsets[k :: block.lanes], strict=True
        )
        want: Sequence[Value] = [requantised(m, x, f, b, **ends) for f, b in rows]
        y = unit.y[k]
        right = [Mux(channel == c, y == w, 1) for c, w in enumerate(want)]
        return Cat(right).all() if block.stored else y == want[0]
