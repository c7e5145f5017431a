"""The operations of a graph: each computes itself in software and creates its hardware.

An operation names its operands by their numbers in the graph. `levels` is what it adds to the depth
of logic: 1, or 0 where it is mere wires.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from typing import ClassVar

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value

Range = tuple[int, int]
"""Least and largest value; what really occurs may be less."""


def shape_of(bounds: Range) -> Shape:
    """The narrowest shape that holds a range: unsigned where nothing in it is negative."""
    return Shape.cast(range(bounds[0], bounds[1] + 1))


@dataclass(frozen=True)
class Counts:
    """What a graph is made of. adders, adder_bits: carry chains and their bits. luts: LUT4 beside
    the chains. register_bits: bits of its pipeline registers."""

    adders: int = 0
    adder_bits: int = 0
    luts: int = 0
    register_bits: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)))

    @property
    def size(self) -> float:
        """About as many LUTs of ECP5, by which alternatives are compared."""
        return self.luts + self.adder_bits + 1.5 * self.adders


class Operation(ABC):
    """What a node computes. operands: numbers of the nodes that it takes."""

    levels: ClassVar[int] = 1
    operands: tuple[int, ...]

    @abstractmethod
    def bounds(self, *operands: Range) -> Range:
        """Range of the result."""

    @abstractmethod
    def value(self, *operands: np.ndarray) -> np.ndarray:
        """In software: arrays of int64 of one shape."""

    @abstractmethod
    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        """In hardware, combinational; `result` can hold the exact value."""

    @abstractmethod
    def counts(self, result: Shape, *operands: Shape) -> Counts:
        """What `build` takes."""


@dataclass(frozen=True)
class SumNode(Operation):
    """(a << a_shift) ± (b << b_shift), − if `subtract`; one of the shifts is 0."""

    operands: tuple[int, int]
    shifts: tuple[int, int]
    subtract: bool = False

    def bounds(self, *operands: Range) -> Range:
        a, b = ((lo << s, hi << s) for (lo, hi), s in zip(operands, self.shifts, strict=True))
        return (a[0] - b[1], a[1] - b[0]) if self.subtract else (a[0] + b[0], a[1] + b[1])

    def value(self, *operands: np.ndarray) -> np.ndarray:
        a, b = (x << s for x, s in zip(operands, self.shifts, strict=True))
        result: np.ndarray = a - b if self.subtract else a + b
        return result

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        """Bits of the lower operand below the higher one pass by, unless it is negated."""
        if self._whole:
            m.d.comb += result.eq((operands[0] << self.shifts[0]) - operands[1])
            return
        step = max(self.shifts)
        low, high = operands if self.shifts[1] == step else operands[::-1]
        whole = Signal(Shape(max(len(low), step + 1), signed=low.shape().signed))
        top = whole[step:].as_signed() if whole.shape().signed else whole[step:]
        upper = Signal(max(len(result) - step, 1))
        m.d.comb += [
            whole.eq(low),
            upper.eq(top - high if self.subtract else top + high),
            result.eq(Cat(whole[:step], upper)),
        ]

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        if self._whole:
            return Counts(adders=1, adder_bits=result.width)
        step = max(self.shifts)
        low = operands[0] if self.shifts[1] == step else operands[1]
        if not self.subtract and not low.signed and low.width <= step:
            return Counts()
        return Counts(adders=1, adder_bits=max(result.width - step, 1))

    @property
    def _whole(self) -> bool:
        return self.subtract and self.shifts[0] > 0


@dataclass(frozen=True)
class Lookup(Operation):
    """A function of few bits: `values` for 0, 1, …, one for each value of the operand."""

    operands: tuple[int]
    values: tuple[int, ...]

    def bounds(self, *operands: Range) -> Range:
        return min(self.values), max(self.values)

    def value(self, *operands: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.array(self.values)[operands[0]]
        return result

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        """Each bit from a table of its own, which synthesis makes LUTs of, and no carry chain."""
        for k, table in enumerate(self._tables(len(result))):
            bits = Const(sum(bit << n for n, bit in enumerate(table)), len(table))
            m.d.comb += result[k].eq(bits.bit_select(operands[0], 1))

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        return Counts(luts=sum(map(_luts, self._tables(result.width))))

    def _tables(self, width: int) -> list[tuple[int, ...]]:
        """Of each bit of the result; where the operand cannot be, the last value."""
        size = 1 << (len(self.values) - 1).bit_length()
        values = (*self.values, *[self.values[-1]] * (size - len(self.values)))
        return [tuple(v >> k & 1 for v in values) for k in range(width)]


def _luts(table: tuple[int, ...]) -> int:
    """LUT4 that a function of one bit takes, by the inputs on which it depends."""
    inputs = (len(table) - 1).bit_length()
    depends = sum(
        any(table[n] != table[n ^ 1 << k] for n in range(len(table))) for k in range(inputs)
    )
    return 0 if depends < 2 else 1 << max(0, depends - 4)


@dataclass(frozen=True)
class Clamp(Operation):
    """The nearest number from `lo` to `hi`."""

    operands: tuple[int]
    lo: int
    hi: int

    def bounds(self, *operands: Range) -> Range:
        ((lo, hi),) = operands
        return min(max(lo, self.lo), self.hi), max(min(hi, self.hi), self.lo)

    def value(self, *operands: np.ndarray) -> np.ndarray:
        result: np.ndarray = np.clip(operands[0], self.lo, self.hi)
        return result

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        (value,) = operands
        clamped = value
        if _reaches(value.shape())[1] > self.hi:
            clamped = Mux(above(value, self.hi), self.hi, clamped)
        if _reaches(value.shape())[0] < self.lo:
            clamped = Mux(below(value, self.lo), self.lo, clamped)
        m.d.comb += result.eq(clamped)

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        lo, hi = _reaches(operands[0])
        if self.lo <= lo and hi <= self.hi:
            return Counts()
        compared = max(0, operands[0].width - result.width)
        return Counts(luts=result.width + -(-compared // 3))


def _reaches(shape: Shape) -> Range:
    """Ends of what a shape holds."""
    top = 1 << (shape.width - shape.signed)
    return (-top if shape.signed else 0), top - 1


def above(value: Value, end: int) -> Value:
    """value > end, from a few bits where that is enough."""
    bits = max(end, 0).bit_length()
    if end == (1 << bits) - 1:
        return ~value[-1] & value[bits:-1].any() if value.shape().signed else value[bits:].any()
    return value > end


def below(value: Value, end: int) -> Value:
    """value < end of a signed value, from a few bits where that is enough."""
    bits = (~end).bit_length()
    if end == 0:
        return value[-1]
    if end == -1 << bits:
        return value[-1] & ~value[bits:-1].all()
    return value < end


@dataclass(frozen=True)
class Largest(Operation):
    """The larger of two."""

    operands: tuple[int, int]

    def bounds(self, *operands: Range) -> Range:
        return max(lo for lo, _ in operands), max(hi for _, hi in operands)

    def value(self, *operands: np.ndarray) -> np.ndarray:
        a, b = operands
        result: np.ndarray = np.maximum(a, b)
        return result

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        a, b = operands
        m.d.comb += result.eq(Mux(a > b, a, b))

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        return Counts(adders=1, adder_bits=max(o.width for o in operands), luts=result.width)


@dataclass(frozen=True)
class Recentre(Operation):
    """A signed number of `bits` bits with its least value taken for 0: its top bit inverted."""

    operands: tuple[int]
    bits: int
    levels: ClassVar[int] = 0

    def bounds(self, *operands: Range) -> Range:
        ((lo, hi),) = operands
        return lo + self.least, hi + self.least

    @property
    def least(self) -> int:
        """What it adds."""
        return 1 << (self.bits - 1)

    def value(self, *operands: np.ndarray) -> np.ndarray:
        return operands[0] + self.least

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        (value,) = operands
        m.d.comb += result.eq(Cat(value[: self.bits - 1], ~value[self.bits - 1]))

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        return Counts()


@dataclass(frozen=True)
class ShiftRight(Operation):
    """floor(a / 2^places)."""

    operands: tuple[int]
    places: int
    levels: ClassVar[int] = 0

    def bounds(self, *operands: Range) -> Range:
        ((lo, hi),) = operands
        return lo >> self.places, hi >> self.places

    def value(self, *operands: np.ndarray) -> np.ndarray:
        return operands[0] >> self.places

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        m.d.comb += result.eq(operands[0] >> self.places)

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        return Counts()


@dataclass(frozen=True)
class Low(Operation):
    """The lowest `places` bits: a modulo 2^places."""

    operands: tuple[int]
    places: int
    levels: ClassVar[int] = 0

    def bounds(self, *operands: Range) -> Range:
        ((lo, hi),) = operands
        end = (1 << self.places) - 1
        return (lo, hi) if lo >= 0 and hi <= end else (0, end)

    def value(self, *operands: np.ndarray) -> np.ndarray:
        result: np.ndarray = operands[0] & ((1 << self.places) - 1)
        return result

    def build(self, m: Module, result: Signal, *operands: Value) -> None:
        m.d.comb += result.eq(operands[0])

    def counts(self, result: Shape, *operands: Shape) -> Counts:
        return Counts()
