# amaranth: UnusedElaboratable=no
"""Pooling over windows that do not overlap (stride = kernel), and over the whole image.

Each word is used as it arrives: only one row of partial results is kept, part of a row buffer.
Overlapping windows go through the layer engine with the weightless kinds `max` and `sum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, signed, unsigned
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
        if self.requant is None:
            return 0
        return 1 + self.requant.unit(lanes=self.lanes, x_bits=self.acc_bits + 1).latency

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
        (kh, kw), folds = self.block.kernel, self.block.channels // self.block.lanes
        out = self.block.height // kh, self.block.width // kw
        # position inside a block, block, and the rows and columns that no block covers
        m.submodules.at = at = LoopNest(
            {"row": self.block.height, "column": self.block.width, "fold": folds}
        )
        m.submodules.column = column = Phase(kw, out[1])
        m.submodules.row = row = Phase(kh, out[0])
        outlet = Outlet(m, self.o)
        en, take, keep = outlet.en, Signal(), Signal()
        pixel_end = at.last_from(["fold"])
        row_end = at.last_from(["column", "fold"])
        m.d.comb += [
            self.i.ready.eq(en),
            take.eq(self.i.valid & en),
            at.step.eq(take),
            column.step.eq(take & pixel_end),
            column.clear.eq(row_end),
            row.step.eq(take & row_end),
            row.clear.eq(at.last),
            keep.eq(take & column.inside & row.inside),
        ]
        store = Signal(self.block.acc_bits * self.block.lanes)
        previous = self._partial(m, at, column, keep, store)
        results = self._combine(m, previous, column.first & row.first)
        m.d.comb += store.eq(Cat(results))
        finished = keep & column.last & row.last
        self._finish(m, results, finished, outlet)
        return m

    def _partial(
        self, m: Module, at: LoopNest, column: Phase, keep: Signal, store: Signal
    ) -> Signal:
        """What is already known of the current block: from a register, or from one row of memory.

        The memory is read one word ahead. That is in time, because the words that meet in one cell
        are at least two words apart, or (one word a pixel) meet in the register.
        """
        folds, blocks = (
            self.block.channels // self.block.lanes,
            self.block.width // self.block.kernel[1],
        )
        width = self.block.acc_bits * self.block.lanes
        if folds * blocks == 1:
            held = Signal(width, reset_less=True)
            with m.If(keep):
                m.d.sync += held.eq(store)
            return held
        m.submodules.partial = memory = Memory(
            shape=unsigned(width), depth=folds * blocks, init=[], attrs=ram(self.block.style)
        )
        write, read = memory.write_port(), memory.read_port()
        # the cell of the current word, and that of the next one
        here, there = Signal(range(folds * blocks)), Signal(range(folds * blocks))
        m.submodules.cell = cell = Cell(folds, self.block.kernel[1], self.block.width)
        m.d.comb += [
            cell.step.eq(at.step),
            here.eq(cell.here),
            there.eq(cell.there),
            write.addr.eq(here),
            write.data.eq(store),
            write.en.eq(keep),
            read.addr.eq(there),
            read.en.eq(at.step),
        ]
        if folds > 1:
            return read.data
        held = Signal(width, reset_less=True)
        with m.If(keep):
            m.d.sync += held.eq(store)
        chosen = Signal(width)
        m.d.comb += chosen.eq(Mux(column.first, read.data, held))
        return chosen

    def _combine(self, m: Module, previous: Signal, fresh: Any) -> list[Signal]:
        bits = self.block.acc_bits
        results = []
        for lane in range(self.block.lanes):
            shape = signed(bits) if self.block.x_shape.signed else unsigned(bits)
            x, old, new = (Signal(shape, name=f"{n}{lane}") for n in ("x", "old", "new"))
            joined = Mux(x > old, x, old) if self.block.op == "max" else x + old
            m.d.comb += [
                x.eq(self.i.payload[lane]),
                old.eq(previous[lane * bits : (lane + 1) * bits]),
                new.eq(Mux(fresh, x, joined)),
            ]
            results.append(new)
        return results

    def _finish(self, m: Module, results: list[Signal], finished: Any, outlet: Outlet) -> None:
        if self.block.requant is None:
            outlet.put(Cat(results), finished)
            return
        sums = [
            Signal(signed(self.block.acc_bits + 1), reset_less=True, name=f"sum{k}")
            for k in range(self.block.lanes)
        ]
        valid = Signal()
        with m.If(outlet.en):
            m.d.sync += valid.eq(finished)
            m.d.sync += [s.eq(r) for s, r in zip(sums, results, strict=True)]
        requantise(m, self.block.requant, sums, valid, outlet)


class Phase(wiring.Component):
    """Position in blocks of `length`, of which `count` fit.

    Ports
    -----
    step : moves on by one
    clear : begins again
    first, last : in a block
    inside : of any block

    Latency
    -------
    1 cycle; all outputs are registers.
    """

    def __init__(self, length: int, count: int) -> None:
        self.length, self.count = length, count
        super().__init__(
            {
                "step": In(1),
                "clear": In(1),
                "first": Out(1, init=1),
                "last": Out(1, init=int(length == 1)),
                "inside": Out(1, init=1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        place = Signal(range(self.length * self.count + 1))
        inner = Signal(range(max(2, self.length)))
        with m.If(self.step):
            m.d.sync += [
                self.first.eq(self.last),
                self.last.eq(inner == (self.length - 2) % self.length),
                inner.eq(Mux(self.last, 0, inner + 1)),
            ]
            with m.If(self.inside):
                m.d.sync += [
                    place.eq(place + 1),
                    self.inside.eq(place != self.length * self.count - 1),
                ]
            with m.If(self.clear):
                m.d.sync += [
                    place.eq(0),
                    inner.eq(0),
                    self.first.eq(1),
                    self.last.eq(int(self.length == 1)),
                    self.inside.eq(1),
                ]
        return m


class Cell(wiring.Component):
    """Address of a word's partial result, block · folds + fold, and of the next word's result.

    Parameters
    ----------
    folds : words of a pixel
    kernel, width : columns of a block and of the image

    Ports
    -----
    step : moves on by one word
    here, there : the two addresses

    Latency
    -------
    1 cycle; both are registers.
    """

    def __init__(self, folds: int, kernel: int, width: int) -> None:
        self.trips = {"block": width // kernel, "tap": kernel, "fold": folds}
        self.rest = width % kernel * folds
        cells = folds * (width // kernel)
        # the second word is in the next fold, or (one fold) the same block, or (kernel 1) the next
        second = int(folds > 1 or kernel == 1)
        super().__init__(
            {
                "step": In(1),
                "here": Out(range(cells)),
                "there": Out(range(cells), init=second),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.nest = nest = LoopNest(self.trips, start=1)
        stride = {"block": self.trips["fold"], "tap": 0, "fold": 1}
        move = nest.delta(m, stride, 1 << len(self.there))
        home, resting = Signal(), Signal()
        m.d.comb += [home.eq(nest.last | resting), nest.step.eq(self.step & ~resting)]
        if self.rest:
            # words of columns that no block covers
            m.submodules.rest = rest = LoopNest({"word": self.rest})
            m.d.comb += rest.step.eq(self.step & resting)
            with m.If(self.step):
                m.d.sync += resting.eq(Mux(resting, ~rest.last, nest.last))
        with m.If(self.step):
            m.d.sync += [self.here.eq(self.there), self.there.eq(Mux(home, 0, self.there + move))]
        return m
