# amaranth: UnusedElaboratable=no
"""Pooling over windows that do not overlap (stride = kernel), and over the whole image.

Each word is used as it arrives: only one row of partial results is kept, part of a row buffer.
Overlapping windows go through the layer engine with the weightless kinds `max` and `sum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from rtl.block import BlockDescription, BlockUnit, Words
from rtl.counter import LoopNest
from rtl.delay import ram
from rtl.stage import Outlet, Requant, requantise

PoolOp = Literal["max", "sum"]


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockPool(BlockDescription):
    """Maximum or sum over blocks of kernel × kernel pixels; rows and columns left over are dropped.

    kernel: rows, columns. lanes: channels of a word. requant: of a sum; a maximum has none. style:
    of the memory of partial results, if one is needed.
    """

    op: PoolOp
    height: int
    width: int
    channels: int
    kernel: tuple[int, int]
    lanes: int
    x_shape: Shape
    requant: Requant | None = None
    style: str = "auto"

    def __post_init__(self) -> None:
        if self.op not in get_args(PoolOp):
            raise ValueError(f"op must be one of {', '.join(get_args(PoolOp))}, not {self.op!r}")
        if self.channels % self.lanes:
            raise ValueError(f"lanes must divide {self.channels} channels, not {self.lanes}")
        if self.height < self.kernel[0] or self.width < self.kernel[1]:
            raise ValueError(
                f"a {self.kernel} block does not fit a {self.height}×{self.width} image"
            )
        if (self.op == "max") == (self.requant is not None):
            raise ValueError("a sum needs a requantiser, a maximum has none")

    @property
    def inputs(self) -> dict[str, Words]:
        return {"i": Words(self.x_shape, self.lanes)}

    @property
    def outputs(self) -> dict[str, Words]:
        shape = self.requant.out_shape if self.requant else self.x_shape
        return {"o": Words(shape, self.lanes)}

    @property
    def latency(self) -> int:
        """Enabled cycles from a block's last word to its result at the outlet."""
        own = 1 + self.registered
        if self.requant is None:
            return own
        return own + self.requant.unit(lanes=self.lanes, x_bits=self.acc_bits + 1).latency

    @property
    def cells(self) -> int:
        """Partial results that are kept."""
        return self.folds * (self.width // self.kernel[1])

    @property
    def registered(self) -> bool:
        """A block's slow output wants a register: words are combined a cycle after they came.

        Then those that meet in one cell of the memory must be at least three words apart.
        """
        return self.style == "block" and self.cells > 1 and self.apart >= 3

    @property
    def apart(self) -> int:
        """Words from one that a cell of the memory keeps to the next that reads it, at least."""
        (_, kw), folds = self.kernel, self.folds
        return folds if folds > 1 and kw > 1 else folds * (self.width - kw + 1)

    @property
    def folds(self) -> int:
        """Words of a pixel."""
        return self.channels // self.lanes

    @property
    def acc_bits(self) -> int:
        """Bits of a partial result."""
        bits: int = self.x_shape.width
        if self.op == "max":
            return bits
        return bits + (self.kernel[0] * self.kernel[1] - 1).bit_length()

    def component(self) -> BlockPoolUnit:
        return BlockPoolUnit(self)


class BlockPoolUnit(BlockUnit[BlockPool]):
    """Hardware of :class:`BlockPool`.

    Ports
    -----
    i, o : streams of words of `lanes` channels, pixels row by row, channels innermost

    Protocol
    --------
    One word a cycle.

    Latency
    -------
    A result leaves `o` one cycle after the pipeline of `latency` cycles, see rtl.stage.Outlet.
    """

    def elaborate(self, platform: object) -> Module:
        m = Module()
        block = self.block
        m.submodules.walk = walk = PoolWalk(
            size=(block.height, block.width), kernel=block.kernel, folds=block.folds
        )
        outlet = Outlet(m, self.o)
        take = Signal()
        m.d.comb += [
            self.i.ready.eq(outlet.en),
            take.eq(self.i.valid & outlet.en),
            walk.step.eq(take),
        ]
        word = _Word(
            x=Value.cast(self.i.payload), keep=take & walk.inside, here=walk.here,
            first=walk.first, last=walk.last, column_first=walk.column_first,
        )  # fmt: skip
        if block.registered:
            word = word.later(m, outlet.en)
        store = Signal(block.acc_bits * block.lanes)
        results = self._combine(m, word, self._partial(m, walk, word, store))
        m.d.comb += store.eq(Cat(results))
        self._finish(m, results, word.keep & word.last, outlet)
        return m

    def _partial(self, m: Module, walk: PoolWalk, word: _Word, store: Signal) -> Signal:
        """What is already known of the current block: from a register, or from one row of memory.

        The memory is read one word ahead. That is in time, because the words that meet in one cell
        are at least two words apart, or (one word a pixel) meet in the register.
        """
        width, block = len(store), self.block
        held = Signal(width, reset_less=True)
        if block.folds == 1:
            with m.If(word.keep):
                m.d.sync += held.eq(store)
        if block.cells == 1:
            return held
        m.submodules.partial = memory = Memory(
            shape=unsigned(width), depth=block.cells, init=[], attrs=ram(block.style)
        )
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(word.here),
            write.data.eq(store),
            write.en.eq(word.keep),
            read.addr.eq(walk.there),
            read.en.eq(walk.step),
        ]
        known: Signal = read.data
        if block.registered:
            known = Signal(width, name="known", reset_less=True)
            with m.If(walk.step):
                m.d.sync += known.eq(read.data)
        if block.folds > 1:
            return known
        chosen = Signal(width)
        m.d.comb += chosen.eq(Mux(word.column_first, known, held))
        return chosen

    def _combine(self, m: Module, word: _Word, previous: Signal) -> list[Signal]:
        bits = self.block.acc_bits
        results = []
        for lane in range(self.block.lanes):
            shape = signed(bits) if self.block.x_shape.signed else unsigned(bits)
            x, old, new = (Signal(shape, name=f"{n}{lane}") for n in ("x", "old", "new"))
            given = word.x.word_select(lane, self.block.x_shape.width)
            joined = Mux(x > old, x, old) if self.block.op == "max" else x + old
            m.d.comb += [
                x.eq(given.as_signed() if self.block.x_shape.signed else given),
                old.eq(previous[lane * bits : (lane + 1) * bits]),
                new.eq(Mux(word.first, x, joined)),
            ]
            results.append(new)
        return results

    def _finish(self, m: Module, results: list[Signal], finished: Value, outlet: Outlet) -> None:
        wider = int(self.block.op == "sum")  # the requantiser takes signed sums
        shape = Shape(self.block.acc_bits + wider, signed=bool(wider) or self.block.x_shape.signed)
        finals = [Signal(shape, reset_less=True, name=f"final{k}") for k in range(self.block.lanes)]
        valid = Signal()
        with m.If(outlet.en):
            m.d.sync += valid.eq(finished)
            m.d.sync += [final.eq(result) for final, result in zip(finals, results, strict=True)]
        if self.block.requant is None:
            outlet.put(Cat(finals), valid)
        else:
            requantise(m, self.block.requant, finals, valid, outlet)


@dataclass(frozen=True)
class _Word:
    """A word that is combined with its block: its values, and what PoolWalk says of it."""

    x: Value
    keep: Value
    here: Value
    first: Value
    last: Value
    column_first: Value

    def later(self, m: Module, en: Signal) -> _Word:
        """The same word one enabled cycle later."""
        held = {}
        for name, value in vars(self).items():
            signal = held[name] = Signal.like(value, name=f"late_{name}", init=0)
            with m.If(en):
                m.d.sync += signal.eq(value)
        return _Word(**{**held, "keep": held["keep"] & en})


class PoolWalk(wiring.Component):
    """Where a word lies in its block, and where the block's partial result is kept.

    Parameters
    ----------
    size : rows and columns of the image
    kernel : rows and columns of a block; rows and columns that are left over belong to none
    folds : words of a pixel

    Ports
    -----
    step : moves on by one word
    first, last : the word belongs to the first, the last pixel of its block
    column_first : to the first column of its block
    inside : to any block
    here, there : address of the block's partial result, block · folds + fold; that of the next word

    Latency
    -------
    1 cycle; all outputs are registers.
    """

    def __init__(self, *, size: tuple[int, int], kernel: tuple[int, int], folds: int) -> None:
        (height, width), (kh, kw) = size, kernel
        # only where rows are left over it matters how many strips of blocks there were
        strips = {"strip": height // kh} if height % kh else {}
        self.trips = strips | {"row": kh, "block": width // kw, "column": kw, "fold": folds}
        self.rest = width % kw * folds, height % kh * width * folds
        cells = folds * (width // kw)
        # the second word is in the next fold, or (one fold) the same block, or (kernel 1) the next
        second = int(folds > 1 or kw == 1) % cells
        super().__init__(
            {
                "step": In(1),
                "first": Out(1, init=1),
                "last": Out(1, init=kh * kw == 1),
                "column_first": Out(1, init=1),
                "inside": Out(1, init=1),
                "here": Out(range(max(2, cells))),
                "there": Out(range(max(2, cells)), init=second),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.nest = nest = LoopNest(self.trips, start=1)  # one word ahead
        stride = {"strip": 0, "row": 0, "block": self.trips["fold"], "column": 0, "fold": 1}
        move = nest.delta(m, stride, 1 << len(self.there))
        row_ends = nest.last_from(["block", "column", "fold"])
        resting = self._rest(m, nest, row_ends)
        m.d.comb += nest.step.eq(self.step & ~resting)
        with m.If(self.step):
            m.d.sync += [
                self.first.eq(nest.first_from(["row", "column"])),
                self.last.eq(nest.last_from(["row", "column"])),
                self.column_first.eq(nest.first_of["column"]),
                self.inside.eq(~resting),
                self.here.eq(self.there),
            ]
        with m.If(nest.step):
            m.d.sync += self.there.eq(Mux(row_ends, 0, self.there + move))
        return m

    def _rest(self, m: Module, nest: LoopNest, row_ends: Value) -> Value:
        """The next word belongs to no block; `nest` waits for the one that does."""
        columns, rows = self.rest
        if not columns + rows:
            return Const(0, 1)
        left = Signal(range(columns + rows + 1))
        resting = Signal()
        with m.If(self.step & resting):
            m.d.sync += [left.eq(left - 1), resting.eq(left != 1)]
        with m.Elif(self.step & row_ends):
            m.d.sync += [left.eq(columns), resting.eq(columns > 0)]
            if rows:
                with m.If(nest.last):
                    m.d.sync += [left.eq(columns + rows), resting.eq(1)]
        return resting
