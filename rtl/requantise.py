"""Requantiser: exact sums to activations, y = clip((x·m[c] + b[c] + half) >> shift, lo, hi).

Equals `Requantise` in the integer golden model; half = 2^(shift−1), or 0 for shift 0. Multipliers
and offsets are constants, so only what differs between channels is stored, and a product takes as
little hardware as the multipliers allow: see `rtl.scale`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from amaranth import Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from rtl.delay import ram
from rtl.scale import Scaling, Shifts, choose
from rtl.terms import WIDEST, Term, add, register, signed_for, tree, tree_latency


class Coefficients:
    """The constants of a requantiser for words of `lanes` channels, and what hardware they ask for.

    multipliers, offsets: one of each a channel. x_bits: of the signed sums. multiplier: what
    multiplies. In plain Python, so that the cost of many requantisers is known without making one.
    """

    def __init__(
        self,
        *,
        lanes: int,
        x_bits: int,
        multipliers: Sequence[int],
        offsets: Sequence[int],
        shift: int,
        multiplier: Literal["dsp", "lut"] = "lut",
    ) -> None:
        if len(multipliers) != len(offsets) or not multipliers:
            raise ValueError(
                f"{len(multipliers)} multipliers and {len(offsets)} offsets: one of each a channel"
            )
        if lanes < 1 or len(multipliers) % lanes:
            raise ValueError(f"lanes must divide {len(multipliers)} channels, not {lanes}")
        if shift < 0 or x_bits < 1:
            raise ValueError(f"shift {shift} and x_bits {x_bits} must not be below 0 and 1")
        if multiplier not in ("dsp", "lut"):
            raise ValueError(f"multiplier must be 'dsp' or 'lut', not {multiplier!r}")
        self.lanes, self.x_bits, self.shift = lanes, x_bits, shift
        self.multipliers, self.offsets = tuple(multipliers), tuple(offsets)
        self.multiplier = multiplier

    @property
    def depth(self) -> int:
        """Words until the channels come round again."""
        return len(self.multipliers) // self.lanes

    @cached_property
    def scaling(self) -> Scaling:
        return choose(self.multipliers, self.x_bits, self.multiplier)

    @cached_property
    def constants(self) -> dict[str, list[int]]:
        """All that depends on the channel, by name: a number for each."""
        half = (1 << self.shift) >> 1
        return {"offset": [b + half for b in self.offsets], **self.scaling.fields}

    @cached_property
    def stored(self) -> dict[str, Shape]:
        """The constants that differ between the channels of a lane, as fields of a table."""
        return {
            name: self.shape(name)
            for name, values in self.constants.items()
            if any(len(set(values[lane :: self.lanes])) > 1 for lane in range(self.lanes))
        }

    @property
    def table_bits(self) -> int:
        """Width of the table of what is stored; 0 without one."""
        widths: list[int] = [Shape.cast(shape).width for shape in self.stored.values()]
        return self.lanes * sum(widths)

    @property
    def table_style(self) -> str:
        """Where the table is kept: a block of RAM pays only beyond some depth."""
        return "block" if self.depth > 64 else "logic"

    def shape(self, name: str) -> Shape:
        """Of the constants called `name`."""
        ends = min(self.constants[name]), max(self.constants[name])
        if name == "offset" or ends[0] < 0:
            return signed_for(*ends, WIDEST)
        return unsigned(bits_for(ends[1]))

    @property
    def wired(self) -> bool:
        """Whether a product is no logic but wires, which need no register behind them."""
        fixed = not self.stored.keys() & self.scaling.fields.keys()
        return fixed and isinstance(self.scaling, Shifts)

    @property
    def latency(self) -> int:
        sums = tree_latency(1 + self.scaling.count, levels=1)
        return bool(self.stored) + (not self.wired) + sums + 1


class Requantiser(Coefficients):
    """clip((x·m[c] + b[c] + half) >> shift, lo, hi) of words of `lanes` channels.

    lo, hi: ends of the results. out_bits, out_signed: their shape.
    """

    def __init__(
        self,
        *,
        lanes: int,
        x_bits: int,
        multipliers: Sequence[int],
        offsets: Sequence[int],
        shift: int,
        lo: int,
        hi: int,
        out_bits: int,
        out_signed: bool,
        multiplier: Literal["dsp", "lut"] = "lut",
    ) -> None:
        super().__init__(
            lanes=lanes, x_bits=x_bits, multipliers=multipliers, offsets=offsets,
            shift=shift, multiplier=multiplier,
        )  # fmt: skip
        self.out_shape = signed(out_bits) if out_signed else unsigned(out_bits)
        ends_fit = all(Const(end, self.out_shape).value == end for end in (lo, hi))
        if not ends_fit or lo > hi:
            raise ValueError(
                f"lo {lo} and hi {hi} must be ends of a range within {self.out_shape!r}"
            )
        self.lo, self.hi = lo, hi

    def component(self) -> RequantiserUnit:
        return RequantiserUnit(self)


class RequantiserUnit(wiring.Component):
    """Hardware of :class:`Requantiser`, one word an enabled cycle.

    Ports
    -----
    en : the whole unit stands still while it is low
    i_valid : x is a word; without it the channel stays, and what leaves at y means nothing
    x : `lanes` signed numbers of `x_bits` bits
    y : the results

    Protocol
    --------
    Words arrive in channel order, as many as there are multipliers, then again from channel 0.

    Latency
    -------
    `latency` enabled cycles from x to y.
    """

    def __init__(self, block: Requantiser) -> None:
        self.block = block
        super().__init__(
            {
                "en": In(1),
                "i_valid": In(1),
                "x": In(data.ArrayLayout(signed(block.x_bits), block.lanes)),
                "y": Out(data.ArrayLayout(block.out_shape, block.lanes)),
            },
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        row = self._table(m)
        for lane in range(self.block.lanes):
            y = Signal.like(self.y[lane], name="y", reset_less=True)
            total = self._sum(m, lane, row)
            m.d.comb += self.y[lane].eq(y)
            with m.If(self.en):
                m.d.sync += y.eq(self._clip(m, total))
        return m

    def _sum(self, m: Module, lane: int, row: Any) -> Term:
        """x·m + b + half of one lane."""
        end = 1 << (self.block.x_bits - 1)
        x = Term(self.x[lane], -end, end - 1)
        if self.block.stored:
            x = register(m, self.en, x)
        constants = {name: self._constant(name, lane, row) for name in self.block.constants}
        ends = self.block.constants["offset"]
        offset = Term(constants["offset"], min(ends), max(ends))
        terms = [offset, *self.block.scaling.terms(m, x.value, constants)]
        if not self.block.wired:
            terms = [register(m, self.en, term) for term in terms]

        def merge(m: Module, a: Term, b: Term, name: str) -> Term:
            return add(m, a, b, f"lane{lane}_{name}", bits=WIDEST)

        return tree(m, self.en, terms, merge, levels=1)

    def _table(self, m: Module) -> Value | None:
        """The row of the stored constants for the word that was at x a cycle before."""
        if not self.block.stored:
            return None
        layout = data.ArrayLayout(data.StructLayout(self.block.stored), self.block.lanes)
        names = self.block.stored
        rows = [
            [
                {n: self.block.constants[n][c + lane] for n in names}
                for lane in range(self.block.lanes)
            ]
            for c in range(0, len(self.block.multipliers), self.block.lanes)
        ]
        m.submodules.table = table = Memory(
            shape=layout, depth=self.block.depth, init=rows, attrs=ram(self.block.table_style)
        )
        read = table.read_port()
        channel = Signal(range(self.block.depth))
        m.d.comb += [read.addr.eq(channel), read.en.eq(self.en)]
        with m.If(self.en & self.i_valid):
            m.d.sync += channel.eq(Mux(channel == self.block.depth - 1, 0, channel + 1))
        return read.data

    def _constant(self, name: str, lane: int, row: Any) -> Value:
        if name in self.block.stored:
            value: Value = row[lane][name]
            return value
        return Const(self.block.constants[name][lane], self.block.shape(name))

    def _clip(self, m: Module, total: Term) -> Value:
        """total >> shift within lo to hi; only ends that can be passed are compared with."""
        lo, hi = total.lo >> self.block.shift, total.hi >> self.block.shift
        value = Signal(signed_for(lo, hi, WIDEST))
        m.d.comb += value.eq(total.value >> self.block.shift)
        if hi > self.block.hi:
            value = Mux(_above(value, self.block.hi), self.block.hi, value)
        if lo < self.block.lo:
            value = Mux(_below(value, self.block.lo), self.block.lo, value)
        return value


def _above(value: Value, end: int) -> Value:
    """value > end, from a few bits where that is enough."""
    bits = end.bit_length()
    if end == (1 << bits) - 1:
        return ~value[-1] & value[bits:-1].any()
    return value > end


def _below(value: Value, end: int) -> Value:
    """value < end, from a few bits where that is enough."""
    bits = (~end).bit_length()
    if end == 0:
        return value[-1]
    if end == -1 << bits:
        return value[-1] & ~value[bits:-1].all()
    return value < end
