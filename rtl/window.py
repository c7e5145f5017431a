# amaranth: UnusedElaboratable=no
"""Sliding window over a row buffer: the front of convolution, dense and overlapping pooling layers.

Words arrive in the order that `rtl.geometry` describes and are kept in a line buffer. A window is
read word by word, `taps` taps at once, and as often as there are output folds, so no second buffer
is needed however wide the layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from rtl.counter import LoopNest
from rtl.delay import delayed, ram
from rtl.geometry import Geometry
from rtl.walk import WindowFlow, WindowWalk


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
    ends : that read is the last one of its window
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
                "ends": Out(1),
                "x": Out(data.ArrayLayout(block.x_shape, g.lanes * g.taps)),
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        m.submodules.slot = slot = LoopNest(g.loops)
        m.submodules.walk = walk = WindowWalk(g)
        m.submodules.flow = flow = WindowFlow(g)
        step, write = Signal(), Signal()
        m.d.comb += [
            self.issue.eq(~slot.first | flow.ready),
            slot.step.eq(self.issue & ~self.halt),
            self.ends.eq(slot.last),
            step.eq(slot.step & slot.last),
            walk.step.eq(step),
            self.i.ready.eq(flow.room),
            write.eq(self.i.valid & self.i.ready),
            flow.write.eq(write),
            flow.begin.eq(slot.step & slot.first),
            flow.end.eq(step),
            flow.needs.eq(walk.needs),
            flow.frees.eq(walk.frees),
        ]
        self._read(m, walk, slot, step, write)
        return m

    def _read(
        self, m: Module, walk: WindowWalk, slot: LoopNest, step: Signal, write: Signal
    ) -> None:
        g = self.geometry
        width = Shape.cast(self.block.x_shape).width * g.lanes
        put = Signal(range(g.depth))
        with m.If(write):
            m.d.sync += put.eq(put + 1)
        at = self._address(m, walk, slot)
        words = []
        for k, ok in enumerate(self._inside(walk, slot)):
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
        latency, inner = self.block.latency, list(g.loops)[1:]
        m.d.comb += [
            self.x.eq(Cat(words)),
            self.valid.eq(delayed(m, self.issue, latency, self.en)),
            self.first.eq(delayed(m, slot.first_from(inner), latency, self.en)),
            self.last.eq(delayed(m, slot.last_from(inner), latency, self.en)),
        ]

    def _fetch(self, m: Module, word: Signal, ok: Value | None) -> Signal:
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

    def _address(self, m: Module, walk: WindowWalk, slot: LoopNest) -> Signal:
        """Ring address of the first tap of this cycle; arithmetic is modulo the ring's depth."""
        g = self.geometry
        stride = {"repeat": 0, "fold": 1, "ky": g.row, "kx": g.folds}
        across = sum((trips - 1) * stride[name] for name, trips in g.loops.items())
        at = Signal(range(g.depth), init=g.origin(0, 0) % g.depth)
        move = slot.delta(m, stride, g.depth)
        with m.If(slot.last):
            with m.If(walk.image_ends):
                m.d.comb += move.eq((g.hops.image - across) % g.depth)
            with m.Elif(walk.row_ends):
                m.d.comb += move.eq((g.hops.down - across) % g.depth)
            with m.Else():
                m.d.comb += move.eq((g.hops.right - across) % g.depth)
        with m.If(slot.step):
            m.d.sync += at.eq(at + move)
        return at

    def _inside(self, walk: WindowWalk, slot: LoopNest) -> list[Value | None]:
        """Whether each tap of this cycle lies inside the image; None where it always does."""
        g = self.geometry
        if not g.pads:
            return [None] * len(g.tap_offsets)
        return [
            _bit(walk.rows, slot.value["ky"], dy) & _bit(walk.columns, slot.value["kx"], dx)
            for dy, dx in g.tap_offsets
        ]


def _bit(mask: Signal, counter: Value, offset: int) -> Value:
    if isinstance(counter, Const):
        return mask[offset]
    bits = [mask[k] if k < len(mask) else Const(0, 1) for k in range(1 << len(counter))]
    return Array(bits)[counter]
