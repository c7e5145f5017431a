"""Which window comes next, what it needs and frees, and whether it and the next word may come.

Windows of several cycles leave time: what depends on the position of a window is looked up in the
cycle after its predecessor has ended, so that no lookup lies in the path that ends a window.
"""

from __future__ import annotations

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from rtl.counter import LoopNest
from rtl.geometry import Geometry


def lookup(m: Module, nest: LoopNest, loop: str, table: list[int], name: str) -> Signal:
    """table[trip of `loop`] as logic: the commonest value, and a case for each that differs."""
    lo, hi = min(table), max(table)
    shape = (
        signed(max(abs(lo), abs(hi)).bit_length() + 1)
        if lo < 0
        else unsigned(max(1, hi.bit_length()))
    )
    usual = max(set(table), key=table.count)
    value = Signal(shape, name=name)
    m.d.comb += value.eq(usual)
    for key in sorted(set(table) - {usual}):
        with m.If(nest.within(loop, [i for i, v in enumerate(table) if v == key])):
            m.d.comb += value.eq(key)
    return value


def leisurely(g: Geometry) -> bool:
    """A window takes so many cycles that what it needs can be subtracted in the third."""
    return g.slots_per_window > 2


class WindowWalk(wiring.Component):
    """Position of the current window, and all that depends on it, in registers.

    Ports
    -----
    step : the current window's last slot is read
    row_ends, image_ends : the current window is the last one of a row, of the image
    rows, columns : bit k is set where row, column k of the current window lies inside the image
    needs : words that the next window needs beyond those of this one, negated
    frees : words that nobody reads after this one, negated

    Latency
    -------
    rows and columns change in the cycle after `step`; the others, too, or (`leisurely`) one cycle
    later.
    """

    def __init__(self, g: Geometry) -> None:
        self.geometry = g
        steps, freed = g.steps()
        super().__init__(
            {
                "step": In(1),
                "row_ends": Out(1, init=g.out[1] == 1),
                "image_ends": Out(1, init=g.pixels == 1),
                "rows": Out(g.kernel[0], init=g.row_mask(0)),
                "columns": Out(g.kernel[1], init=g.column_mask(0)),
                "needs": Out(_holds(-n for n in steps), init=-steps[0]),
                "frees": Out(_holds(-n for n in freed), init=-freed[0]),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        # counts one window ahead
        ahead = LoopNest({"y": g.out[0], "x": g.out[1]}, start=1 % g.pixels)
        m.submodules.ahead = ahead
        moved = Signal()
        if leisurely(g):
            m.d.sync += moved.eq(self.step)
        else:
            m.d.comb += moved.eq(self.step)
        # what the last column says is not asked for
        column_steps = [*g.column_steps, *g.column_steps[-1:]] or [0]
        across = lookup(m, ahead, "x", [-n for n in column_steps], "across")
        down = lookup(m, ahead, "y", [-n for n in g.row_steps], "down")
        released = lookup(m, ahead, "y", [-n for n in g.released], "released")
        rows = lookup(m, ahead, "y", [g.row_mask(y) for y in range(g.out[0])], "next_rows")
        columns = lookup(m, ahead, "x", [g.column_mask(x) for x in range(g.out[1])], "next_columns")
        m.d.comb += ahead.step.eq(moved)
        with m.If(self.step):
            m.d.sync += [self.rows.eq(rows), self.columns.eq(columns)]
        with m.If(moved):
            m.d.sync += [
                self.row_ends.eq(ahead.last_of["x"]),
                self.image_ends.eq(ahead.last),
                self.needs.eq(Mux(ahead.last_of["x"], down, across)),
                self.frees.eq(Mux(ahead.last_of["x"], released, 0)),
            ]
        return m


class WindowFlow(wiring.Component):
    """When a window may be read and a word may come in.

    slack: words that arrived beyond what the current window needs, or, once it has begun, the next
    one. fill: words kept, less the depth.

    Ports
    -----
    write : a word comes in
    begin, end : the first, the last slot of a window is read
    needs, frees : see WindowWalk
    ready : the current window may begin; asked in its first slot
    room : a word may come in

    Latency
    -------
    A word counts in the cycle after its `write`, words are free in the second one after `end`.
    """

    def __init__(self, g: Geometry) -> None:
        self.geometry = g
        steps, freed = g.steps()
        super().__init__(
            {
                "write": In(1),
                "begin": In(1),
                "end": In(1),
                "needs": In(_holds(-n for n in steps)),
                "frees": In(_holds(-n for n in freed)),
                "ready": Out(1),
                "room": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        slack = Signal(_holds(g.slack_range), init=-g.needed(0, 0))
        fill = Signal(_holds(g.fill_range), init=-g.depth)
        m.d.comb += [self.ready.eq(slack >= 0), self.room.eq(fill < 0)]
        # registers that are 0 by their reset but for one cycle cost no logic before the adders
        freed, needed = Signal.like(self.frees, init=0), Signal.like(self.needs, init=0)
        m.d.sync += freed.eq(Mux(self.end, self.frees, 0))
        if leisurely(g):
            begun = Signal()
            m.d.sync += [begun.eq(self.begin), needed.eq(Mux(begun, self.needs, 0))]
        else:
            m.d.comb += needed.eq(Mux(self.begin, self.needs, 0))
        m.d.sync += [
            slack.eq(_add(slack, needed, self.write)),
            fill.eq(_add(fill, freed, self.write)),
        ]
        return m


def _holds(numbers: Iterable[int]) -> Shape:
    """The narrowest signed shape for all of `numbers`."""
    return signed(max(bits_for(n, require_sign_bit=True) for n in numbers))


def _add(a: Signal, b: Value, carry: Signal) -> Value:
    """a + b + carry with one carry chain: the carry comes in below the lowest bit."""
    return (Cat(1, a).as_signed() + Cat(carry, b).as_signed())[1:]
