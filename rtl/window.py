# amaranth: UnusedElaboratable=no
"""Sliding window over a row buffer: the front of convolution, dense and overlapping pooling layers.

Words arrive in the order that `rtl.geometry` describes and are kept in a line buffer. A window is
read word by word, `taps` taps at once, and as often as there are output folds, so no second buffer
is needed however wide the layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from rtl.counter import LoopNest
from rtl.delay import delayed, ram
from rtl.geometry import Geometry


def lookup(m: Module, index: Signal, table: list[int], name: str) -> Signal:
    """table[index] as logic: the commonest value, and a case for each that differs."""
    lo, hi = min(table), max(table)
    shape = (
        signed(max(abs(lo), abs(hi)).bit_length() + 1)
        if lo < 0
        else unsigned(max(1, hi.bit_length()))
    )
    usual = max(set(table), key=table.count)
    value = Signal(shape, name=name)
    m.d.comb += value.eq(usual)
    with m.Switch(index):
        for key in sorted(set(table) - {usual}):
            with m.Case(*(i for i, v in enumerate(table) if v == key)):
                m.d.comb += value.eq(key)
    return value


@dataclass(frozen=True, kw_only=True)
class SlidingWindow:
    """Row buffer and address generator of the windows of `geometry`.

    x_shape: of one value. style: where the row buffer is kept, see rtl.delay.ram.
    """

    geometry: Geometry
    x_shape: Shape
    style: str = "block"

    @property
    def latency(self) -> int:
        """Enabled cycles from the issue of a read to its `x`."""
        return 3 if self.fetches else 2

    @property
    def fetches(self) -> bool:
        """A block's slow output wants a register; without padding `x` itself is that register."""
        return self.style == "block" and self.geometry.pads

    def component(self) -> WindowReader:
        return WindowReader(self)


class WindowReader(wiring.Component):
    """Hardware of :class:`SlidingWindow`. Costs the row buffer, one copy for each parallel tap, and
    counters.

    Ports
    -----
    i : stream of words; its ready comes from a register
    en : lets the reading side advance; the writing side goes on while it is low
    halt : the complement of en, for the counters (see rtl.stage.Outlet)
    issue : high in the cycle in which a read is issued, so that weights can be fetched beside it
    x : `taps`·`lanes` values, tap-major
    valid, first, last : x belongs to a read; to the first, to the last read of a sum

    Protocol
    --------
    A window is read once its last word has arrived; a row's words are given free when its last
    window has been read.

    Latency
    -------
    x comes `latency` enabled cycles after the read was issued.
    """

    def __init__(self, block: SlidingWindow) -> None:
        self.block, self.geometry = block, block.geometry
        g = block.geometry
        super().__init__(
            {
                "i": In(stream.Signature(data.ArrayLayout(block.x_shape, g.lanes))),
                "en": In(1),
                "halt": In(1),
                "issue": Out(1),
                "x": Out(data.ArrayLayout(block.x_shape, g.lanes * g.taps)),
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        # what depends on the pixel is looked up one pixel ahead, into registers
        pixels = {"y": g.out[0], "x": g.out[1]}
        m.submodules.ahead = ahead = LoopNest(pixels, start=1 % g.pixels)
        m.submodules.slot = slot = LoopNest(g.loops)
        step = Signal()
        m.d.comb += [
            slot.step.eq(self.issue & ~self.halt),
            step.eq(slot.step & slot.last),
            ahead.step.eq(step),
        ]
        self._flow_control(m, ahead, slot, step)
        self._read(m, ahead, slot, step)
        return m

    def _flow_control(self, m: Module, ahead: LoopNest, slot: LoopNest, step: Signal) -> None:
        """When a window may be read and a word may come in.

        slack: words that arrived beyond what the current window needs. fill: words kept, less the
        depth.
        """
        g = self.geometry
        steps, freed = g.steps()
        bits = (g.depth + 2 * g.image).bit_length() + 1
        slack = Signal(signed(bits), init=-g.needed(0, 0))
        fill = Signal(signed(bits), init=-g.depth)
        less_slack = Signal(signed(bits), init=-steps[0])
        less_fill = Signal(signed(bits), init=-freed[0])
        write = Signal()
        x_last = ahead.last_of["x"]
        across = lookup(m, ahead.value["x"], [-n for n in g.column_steps] + [0], "across")
        down = lookup(m, ahead.value["y"], [-n for n in g.row_steps], "down")
        released = lookup(m, ahead.value["y"], [-n for n in g.released], "released")
        m.d.comb += [
            self.i.ready.eq(fill < 0),
            write.eq(self.i.valid & self.i.ready),
            self.issue.eq(~slot.first | (slack >= 0)),
        ]
        given = Signal.like(less_fill, init=0)
        m.d.sync += [
            slack.eq(_add(slack, Mux(step, less_slack, 0), write)),
            given.eq(Mux(step, less_fill, 0)),
            fill.eq(_add(fill, given, write)),
        ]
        with m.If(step):
            m.d.sync += [
                less_slack.eq(Mux(x_last, down, across)),
                less_fill.eq(Mux(x_last, released, 0)),
            ]

    def _read(self, m: Module, ahead: LoopNest, slot: LoopNest, step: Signal) -> None:
        g = self.geometry
        width = Shape.cast(self.block.x_shape).width * g.lanes
        put = Signal(range(g.depth))
        write = Signal()
        m.d.comb += write.eq(self.i.valid & self.i.ready)
        with m.If(write):
            m.d.sync += put.eq(put + 1)
        at = self._address(m, ahead, slot, step)
        words = []
        for k, ok in enumerate(self._inside(m, ahead, slot, step)):
            # a copy for each tap: synthesis is slow to split a memory of many ports
            ring = Memory(
                shape=unsigned(width), depth=g.depth, init=[], attrs=ram(self.block.style)
            )
            m.submodules[f"ring{k}"] = ring
            into, read = ring.write_port(), ring.read_port()
            dy, dx = g.tap_offsets[k]
            m.d.comb += [
                into.addr.eq(put),
                into.data.eq(self.i.payload),
                into.en.eq(write),
                read.en.eq(self.en),
                read.addr.eq(at + (dy * g.row + dx * g.folds) % g.depth),
            ]
            words.append(self._fetch(m, read.data, ok))
        m.d.comb += [
            self.x.eq(Cat(words)),
            self.valid.eq(delayed(m, self.issue, self.block.latency, self.en)),
            self.first.eq(delayed(m, self._sum_first(slot), self.block.latency, self.en)),
            self.last.eq(delayed(m, self._sum_last(slot), self.block.latency, self.en)),
        ]

    def _fetch(self, m: Module, word: Signal, ok: Signal | None) -> Signal:
        """`word`, registered; zero where the tap was not `ok`, by the register's reset."""
        out = Signal.like(word, name="tap", reset_less=True)
        if self.block.fetches:
            raw = Signal.like(word, name="fetched", reset_less=True)
            with m.If(self.en):
                m.d.sync += raw.eq(word)
            word = raw
        clear = Const(0, 1) if ok is None else delayed(m, ~ok, self.block.latency - 1, self.en)
        with m.If(self.en):
            m.d.sync += out.eq(Mux(clear, 0, word))
        return out

    def _sum_first(self, slot: LoopNest) -> Signal:
        inner = list(self.geometry.loops)[1:]
        return slot.first_from(inner)

    def _sum_last(self, slot: LoopNest) -> Signal:
        inner = list(self.geometry.loops)[1:]
        return slot.last_from(inner)

    def _address(self, m: Module, ahead: LoopNest, slot: LoopNest, step: Signal) -> Signal:
        """Ring address of the first tap of this cycle; arithmetic is modulo the ring's depth."""
        g = self.geometry
        width = range(g.depth)
        stride = {"repeat": 0, "fold": 1, "ky": g.row, "kx": g.folds}
        first, last = g.origin(0, 0), g.origin(g.out[0] - 1, g.out[1] - 1)
        right = g.origin(0, 1) - first
        down = g.origin(1, 0) - g.origin(0, g.out[1] - 1)
        image = g.image + first - last
        second = right if g.out[1] > 1 else down if g.out[0] > 1 else image
        at = Signal(width, init=first % g.depth)
        corner = Signal(width, init=(first + second) % g.depth)
        hop = Signal(width)
        m.d.comb += hop.eq(right % g.depth)
        with m.If(ahead.last):
            m.d.comb += hop.eq(image % g.depth)
        with m.Elif(ahead.last_of["x"]):
            m.d.comb += hop.eq(down % g.depth)
        move = slot.delta(m, stride, g.depth)
        with m.If(step):
            m.d.sync += [at.eq(corner), corner.eq(corner + hop)]
        with m.Elif(slot.step):
            m.d.sync += at.eq(at + move)
        return at

    def _inside(
        self, m: Module, ahead: LoopNest, slot: LoopNest, step: Signal
    ) -> list[Signal | None]:
        """Whether each tap of this cycle lies inside the image; None where it always does."""
        g = self.geometry
        if not g.pads:
            return [None] * len(g.tap_offsets)
        masks = []
        for axis, table in (
            ("y", [g.row_mask(y) for y in range(g.out[0])]),
            ("x", [g.column_mask(x) for x in range(g.out[1])]),
        ):
            mask = Signal(g.kernel[axis == "x"], init=table[0], name=f"{axis}_mask")
            looked_up = lookup(m, ahead.value[axis], table, f"{axis}_inside")
            with m.If(step):
                m.d.sync += mask.eq(looked_up)
            masks.append(mask)
        return [
            _bit(masks[0], slot.value["ky"], dy) & _bit(masks[1], slot.value["kx"], dx)
            for dy, dx in g.tap_offsets
        ]


def _add(a: Signal, b: Value, carry: Signal) -> Value:
    """a + b + carry with one carry chain: the carry comes in below the lowest bit."""
    return (Cat(1, a).as_signed() + Cat(carry, b).as_signed())[1:]


def _bit(mask: Signal, counter: Signal | Const, offset: int) -> Signal:
    if isinstance(counter, Const):
        return mask[offset]
    bits = [mask[k] if k < len(mask) else Const(0, 1) for k in range(1 << len(counter))]
    return Array(bits)[counter]
