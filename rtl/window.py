"""Sliding window over a row buffer: the front of every convolution, dense and overlapping pooling layer.

`Geometry` says where each window stands and in which order it is read, in plain Python; `WindowReader`
is the hardware for it. Pixels arrive row by row, channels innermost, in words of `lanes` channels, and are
kept in a ring of words. A window is read word by word, `parallel` taps at once, and as often as there are
output folds, so no second buffer is needed however wide the layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import product

from amaranth.hdl import Array, Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from rtl.counter import LoopNest
from rtl.timing import delayed, ram


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """A window of `kernel` over a (height, width, channels) image, zero-padded by `pad` above and left.

    lanes: channels in one word of the stream. repeats: times that each window is read (output folds).
    parallel: taps read in one cycle: 1, the kernel's height, or the whole kernel.
    depthwise: channels outermost, so that all taps of one channel word are consecutive.
    """

    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    pad: tuple[int, int]
    out: tuple[int, int]
    lanes: int = 1
    repeats: int = 1
    parallel: int = 1
    depthwise: bool = False

    def __post_init__(self) -> None:
        kh, kw = self.kernel
        if self.channels % self.lanes:
            raise ValueError(f"lanes must divide {self.channels} channels, not {self.lanes}")
        if self.parallel not in (1, kh, kh * kw):
            raise ValueError(f"parallel must be 1, {kh} or {kh * kw} taps, not {self.parallel}")
        if self.depthwise and self.repeats != 1:
            raise ValueError(f"a depthwise window is read once, not {self.repeats} times")

    @property
    def folds(self) -> int:
        """Words of one pixel."""
        return self.channels // self.lanes

    @property
    def row(self) -> int:
        """Words of one row."""
        return self.width * self.folds

    @property
    def image(self) -> int:
        """Words of one image."""
        return self.height * self.row

    @property
    def pads(self) -> bool:
        """Some window reaches into the padding."""
        rows = (self.row_mask(y) for y in range(self.out[0]))
        columns = (self.column_mask(x) for x in range(self.out[1]))
        masks = (set(rows), set(columns))
        return masks != ({(1 << self.kernel[0]) - 1}, {(1 << self.kernel[1]) - 1})

    @property
    def pixels(self) -> int:
        """Windows of one image."""
        return self.out[0] * self.out[1]

    @cached_property
    def taps(self) -> tuple[tuple[int, int], ...]:
        """(row, column) in the kernel of each tap that is read in the same cycle, from the first."""
        kh, kw = self.kernel
        columns = range(kw) if self.parallel == kh * kw else range(1)
        rows = range(kh) if self.parallel > 1 else range(1)
        return tuple(product(rows, columns))

    @cached_property
    def loops(self) -> dict[str, int]:
        """Trip counts of the loops over one window, outermost first."""
        kh, kw = self.kernel
        inner = {
            "ky": kh if self.parallel == 1 else 1,
            "kx": kw if self.parallel < kh * kw or self.parallel == 1 else 1,
        }
        fold = {"fold": self.folds}
        return fold | inner if self.depthwise else {"repeat": self.repeats} | inner | fold

    @property
    def slots_per_sum(self) -> int:
        """Cycles of one output word: SIMD folds."""
        return self.slots_per_window // (self.folds if self.depthwise else self.repeats)

    @property
    def slots_per_window(self) -> int:
        count = 1
        for trips in self.loops.values():
            count *= trips
        return count

    @property
    def cycles(self) -> int:
        """Cycles of one image when neither side ever waits."""
        return self.pixels * self.slots_per_window

    def lanes_of_slot(self, slot: int) -> list[tuple[int, int, int]]:
        """(kernel row, kernel column, channel) of each lane in the slot-th read of a sum (repeat 0, or, when
        depthwise, of the slot-th read of the window)."""
        where = {}
        for name, trips in reversed(self.loops.items()):
            slot, where[name] = divmod(slot, trips)
        base = where["fold"] * self.lanes
        return [
            (where["ky"] + dy, where["kx"] + dx, base + lane)
            for dy, dx in self.taps
            for lane in range(self.lanes)
        ]

    def origin(self, y: int, x: int) -> int:
        """Index in the image of the word at the window's upper left corner; negative in the padding."""
        return (y * self.stride[0] - self.pad[0]) * self.row + (
            x * self.stride[1] - self.pad[1]
        ) * self.folds

    def needed(self, y: int, x: int) -> int:
        """Words of the image that must have arrived before window (y, x) is read."""
        bottom = min(y * self.stride[0] - self.pad[0] + self.kernel[0], self.height)
        right = min(x * self.stride[1] - self.pad[1] + self.kernel[1], self.width)
        return (bottom - 1) * self.row + right * self.folds

    def dead(self, y: int) -> int:
        """Words of the image that no window of a row after y reads."""
        if y == self.out[0] - 1:
            return self.image
        return max(0, (y + 1) * self.stride[0] - self.pad[0]) * self.row

    @cached_property
    def depth(self) -> int:
        """Words of the ring, a power of two: the rows in use, and room for the next ones to arrive."""
        rows = range(self.out[0])
        kept = [0, *(self.dead(y) for y in rows)]
        last = self.out[1] - 1
        in_use = max(self.needed(y, last) - kept[y] for y in rows)
        ahead = max(
            [self.needed(y + 1, last) - self.needed(y, last) for y in rows[:-1]]
            + [self.needed(0, last) + self.image - self.needed(rows[-1], last)]
        )
        ahead = min(ahead, self.stride[0] * self.row)
        return 1 << (in_use + ahead - 1).bit_length()

    @cached_property
    def column_steps(self) -> list[int]:
        """Further words that the window right of column x needs."""
        return [self.needed(0, x + 1) - self.needed(0, x) for x in range(self.out[1] - 1)]

    @cached_property
    def row_steps(self) -> list[int]:
        """Further words that the first window of the next row needs; last, that of the next image."""
        last = self.out[1] - 1
        steps = [self.needed(y + 1, 0) - self.needed(y, last) for y in range(self.out[0] - 1)]
        return [*steps, self.needed(0, 0) + self.image - self.needed(self.out[0] - 1, last)]

    @cached_property
    def released(self) -> list[int]:
        """Words that become free at the end of each row."""
        dead = [0, *(self.dead(y) for y in range(self.out[0]))]
        return [b - a for a, b in zip(dead, dead[1:], strict=False)]

    def steps(self) -> tuple[list[int], list[int]]:
        """For each window in order: further words that the next one needs, and words that are free after it."""
        needs, frees = [], []
        for y in range(self.out[0]):
            needs += [*self.column_steps, self.row_steps[y]]
            frees += [0] * (self.out[1] - 1) + [self.released[y]]
        return needs, frees

    def column_mask(self, x: int) -> int:
        """Bit kx is set where column kx of a window at column x lies inside the image."""
        first = x * self.stride[1] - self.pad[1]
        return sum(1 << k for k in range(self.kernel[1]) if 0 <= first + k < self.width)

    def row_mask(self, y: int) -> int:
        """Bit ky is set where row ky of a window at row y lies inside the image."""
        first = y * self.stride[0] - self.pad[0]
        return sum(1 << k for k in range(self.kernel[0]) if 0 <= first + k < self.height)


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


class WindowReader(wiring.Component):
    """Row buffer and address generator.

    Ports: stream `i` of words; `en` lets the reading side advance (the layer's pipeline as a whole stands
    still while it is low; the writing side goes on). `x` holds `parallel`·`lanes` values, tap-major, with
    `valid`, and `first` and `last` of a sum, `latency` enabled cycles after the read was issued; `issue` is high in
    the cycle of issue, so that weights can be fetched beside it.

    A window is read once its last word has arrived; a row's words are given free when its last window has
    been read. `i.ready` comes from a register. Costs the ring, and some 60 LUTs of counters.
    """

    def __init__(self, geometry: Geometry, *, x_shape: Shape, style: str = "block") -> None:
        self.geometry = geometry
        self.x_shape = x_shape
        self.style = style
        word = data.ArrayLayout(x_shape, geometry.lanes)
        super().__init__(
            {
                "i": In(stream.Signature(word)),
                "en": In(1),
                "issue": Out(1),
                "x": Out(data.ArrayLayout(x_shape, geometry.lanes * geometry.parallel)),
                "valid": Out(1),
                "first": Out(1),
                "last": Out(1),
            }
        )

    @property
    def latency(self) -> int:
        """Enabled cycles from the issue of a read to its `x`."""
        return 3 if self._fetches else 2

    @property
    def _fetches(self) -> bool:
        """A block's slow output wants a register of its own; without padding `x` itself is that register."""
        return self.style == "block" and self.geometry.pads

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        # what depends on the pixel is looked up one pixel ahead, into registers
        pixels = {"y": g.out[0], "x": g.out[1]}
        m.submodules.ahead = ahead = LoopNest(pixels, start=1 % g.pixels)
        m.submodules.slot = slot = LoopNest(g.loops)
        step = Signal()
        m.d.comb += [
            slot.step.eq(self.issue & self.en),
            step.eq(slot.step & slot.last),
            ahead.step.eq(step),
        ]
        self._flow_control(m, ahead, slot, step)
        self._read(m, ahead, slot, step)
        return m

    def _flow_control(self, m: Module, ahead: LoopNest, slot: LoopNest, step: Signal) -> None:
        """slack: words that arrived beyond what the current window needs. fill: words kept, less the depth."""
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
        width = Shape.cast(self.x_shape).width * g.lanes
        put = Signal(range(g.depth))
        write = Signal()
        m.d.comb += write.eq(self.i.valid & self.i.ready)
        with m.If(write):
            m.d.sync += put.eq(put + 1)
        at = self._address(m, ahead, slot, step)
        words = []
        for k, ok in enumerate(self._inside(m, ahead, slot, step)):
            # a copy for each tap: synthesis is slow to split a memory of many ports
            ring = Memory(shape=unsigned(width), depth=g.depth, init=[], attrs=ram(self.style))
            m.submodules[f"ring{k}"] = ring
            into, read = ring.write_port(), ring.read_port()
            dy, dx = g.taps[k]
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
            self.valid.eq(delayed(m, self.issue, self.latency, self.en)),
            self.first.eq(delayed(m, self._sum_first(slot), self.latency, self.en)),
            self.last.eq(delayed(m, self._sum_last(slot), self.latency, self.en)),
        ]

    def _fetch(self, m: Module, word: Signal, ok: Signal | None) -> Signal:
        """`word`, registered; zero where the tap was not `ok`, by the register's reset instead of by logic."""
        out = Signal.like(word, name="tap", reset_less=True)
        if self._fetches:
            raw = Signal.like(word, name="fetched", reset_less=True)
            with m.If(self.en):
                m.d.sync += raw.eq(word)
            word = raw
        clear = Const(0, 1) if ok is None else delayed(m, ~ok, self.latency - 1, self.en)
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
        """Ring address of the first tap of this cycle. All arithmetic is modulo the ring's depth."""
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
        """For each tap of this cycle, whether it lies inside the image; None where it always does."""
        g = self.geometry
        if not g.pads:
            return [None] * len(g.taps)
        masks = []
        for axis, table in (
            ("y", [g.row_mask(y) for y in range(g.out[0])]),
            ("x", [g.column_mask(x) for x in range(g.out[1])]),
        ):
            mask = Signal(g.kernel[axis == "x"], init=table[0], name=f"{axis}_mask")
            found = lookup(m, ahead.value[axis], table, f"{axis}_inside")
            with m.If(step):
                m.d.sync += mask.eq(found)
            masks.append(mask)
        return [
            _bit(masks[0], slot.value["ky"], dy) & _bit(masks[1], slot.value["kx"], dx)
            for dy, dx in g.taps
        ]


def _add(a: Signal, b: Value, carry: Signal) -> Value:
    """a + b + carry with one carry chain: the carry comes in below the lowest bit."""
    return (Cat(1, a).as_signed() + Cat(carry, b).as_signed())[1:]


def _bit(mask: Signal, counter: Signal | Const, offset: int) -> Signal:
    if isinstance(counter, Const):
        return mask[offset]
    bits = [mask[k] if k < len(mask) else Const(0, 1) for k in range(1 << len(counter))]
    return Array(bits)[counter]
