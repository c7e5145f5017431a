"""Claims about processing elements, from the definition of each kind and not from the hardware.

The reference takes weights as numbers, from `Reference.weights`, so `encode` is proven along.
"""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Shape, Signal, Value, signed
from amaranth.lib.wiring import In

from rtl.clamp import clamp
from rtl.pe.element import PE
from rtl.terms import Term
from sim.formal.proof import Property
from sim.formal.reference import reference


def later(m: Module, value: Value, cycles: int, name: str, en: Value | int = 1) -> Value:
    """`value`, `cycles` enabled cycles later."""
    for k in range(cycles):
        held = Signal(value.shape(), name=f"{name}_{k}")
        with m.If(en):
            m.d.sync += held.eq(value)
        value = held
    return value


def enabled(m: Module, en: Value, cycles: int) -> Value:
    """How many of the last `cycles` cycles were enabled."""
    past = Signal(cycles)
    m.d.sync += past.eq(Cat(en, past))
    count: Value = sum(past, Const(0))
    return count


def number(term: Term) -> Value:
    """The number that a term stands for, exact."""
    value = term.value if term.carry is None else term.value + term.carry
    value <<= term.scale
    return value if term.sign is None else Mux(term.sign, -value, value)


def within_bounds(term: Term) -> Value:
    """The term is within its bounds, unless it is too narrow for them: then it counts modulo."""
    shape = term.value.shape()
    fits = -(1 << (shape.width - 1)) <= term.lo and term.hi < 1 << (shape.width - 1)
    return (term.value >= term.lo) & (term.value <= term.hi) if fits else Const(1)


def equal(m: Module, a: Value, b: Value, bits: int) -> Value:
    """a = b modulo 2^bits."""
    narrow = [Signal(bits, name=f"equal{k}") for k in range(2)]
    m.d.comb += [narrow[0].eq(a), narrow[1].eq(b)]
    return narrow[0] == narrow[1]


def encoded(m: Module, kind: str, element: PE, index: Value, name: str) -> Value:
    """What `encode` makes of the weight behind `index`."""
    code = Signal(element.w_bits, name=name)
    with m.Switch(index):
        for k in range(1 << element.w_bits):
            with m.Case(k):
                weight = reference(kind).weight(k, element.w_bits) if element.w_signed else k
                m.d.comb += code.eq(element.encode(weight << element.w_step))
    return code


def as_number(element: PE, index: Value) -> Value:
    """What the reference takes for the weight behind `index`, of weights without a sign or with a
    step: the bits of their number."""
    return Cat(Const(0, element.w_step), index, Const(0, int(not element.w_signed)))


def coded(m: Module, kind: str, element: PE, indices: Sequence[Value], name: str) -> Value:
    """The bits of the weights of a lane, of the weight behind each of `indices`."""
    if len(indices) == 1:
        return encoded(m, kind, element, indices[0], name)
    bits, pair = element.w_bits, Cat(*indices)
    code = Signal(2 * bits, name=name)
    with m.Switch(pair):
        for k in range(1 << 2 * bits):
            numbers = [reference(kind).weight(k >> i * bits & ~(~0 << bits), bits) for i in (0, 1)]
            if not element.symmetric or min(numbers) > -(1 << bits - 1):
                with m.Case(k):
                    m.d.comb += code.eq(element.code(numbers))
    return code


class Element(Property):
    """Each sum = that of a cycle before, or that of nothing, with all terms of a slot: by induction
    the whole sum. Holds `cycles` cycles after any state, if at most `stalls` of them stood still.
    """

    def __init__(self, kind: str, element: PE, *, stalls: int = 1) -> None:
        self.kind, self.element, self.stalls = kind, element, stalls
        self.cycles = element.latency + stalls
        lanes = range(element.simd)
        members = {"en": In(1), "restart": In(1)}
        members |= {f"x{k}": In(element.x_shape) for k in lanes}
        weights = range(element.sums) if element.w_bits else ()
        members |= {f"w{k}_{i}": In(element.w_bits) for k in lanes for i in weights}
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.element = dut = self.element
        m.d.comb += [dut.en.eq(self.en), dut.restart.eq(self.restart)]
        lanes = [self._lane(m, k) for k in range(dut.simd)]
        restart = later(m, self.restart, dut.latency - dut.restart_delay, "restart", self.en)
        enough = enabled(m, self.en, self.cycles) >= dut.latency
        same = [
            self._same(m, [terms[i] for terms in lanes], restart, acc, i)
            for i, acc in enumerate(dut.accs)
        ]
        m.d.comb += [self.given.eq(1), self.holds.eq(~enough | Cat(same).all())]
        return m

    def _same(self, m: Module, terms: list[Value], restart: Value, acc: Signal, i: int) -> Value:
        """The sum at port `acc` is as it should be; terms: of its slot."""
        dut, expected = self.element, reference(self.kind)
        before = later(m, acc, 1, f"before{i}", self.en)
        empty = dut.x_range[0] if expected.largest else 0
        want = expected.total([expected.total(terms), Mux(restart, empty, before)])
        return equal(m, want, acc, dut.acc_bits)

    def _lane(self, m: Module, k: int) -> list[Value]:
        """The terms of lane k when the sums are to hold them."""
        dut = self.element
        x = getattr(self, f"x{k}")
        m.d.comb += dut.x[k].eq(x)
        x = later(m, x, dut.latency, f"x{k}", self.en)
        if not dut.w_bits:
            return [x]
        weights = [getattr(self, f"w{k}_{i}") for i in range(dut.sums)]
        if dut.symmetric:  # the least weight is not given: the next one stands in for it
            weights = [self._within(m, w) for w in weights]
        code = coded(m, self.kind, dut, weights, f"code{k}")
        m.d.comb += dut.w.word_select(k, len(code)).eq(code)
        held = [later(m, w, dut.latency, f"w{k}_{i}", self.en) for i, w in enumerate(weights)]
        return [reference(self.kind).term(x, as_number(dut, w)) for w in held]

    def _within(self, m: Module, index: Value) -> Value:
        """An index of a weight that is not the least."""
        bits = self.element.w_bits
        numbers = [reference(self.kind).weight(k, bits) for k in range(1 << bits)]
        least = numbers.index(min(numbers))
        other = Signal(bits)
        m.d.comb += other.eq(Mux(index == least, numbers.index(0), index))
        return other


class Lane(Property):
    """The terms of one lane add up to the kind's term, all within their bounds. Takes 0 cycles."""

    def __init__(self, kind: str, element: PE) -> None:
        self.kind, self.element = kind, element
        super().__init__({"x": In(element.x_shape), "w": In(element.w_bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        element, expected = self.element, reference(self.kind)
        terms = element.terms(m, self.x, encoded(m, self.kind, element, self.w, "code"))
        total = sum((number(term) for term in terms), Const(0))
        want = expected.term(self.x, as_number(element, self.w))
        same = equal(m, -total if expected.negated else total, want, element.acc_bits)
        m.d.comb += [self.given.eq(1), self.holds.eq(Cat(same, *map(within_bounds, terms)).all())]
        return m


class Clamped(Property):
    """The term of an input is that of the clamped input, less what clamping takes off; for every
    weight in the range. Takes 0 cycles. bits: of a clamped input, at least those of w_bits."""

    def __init__(self, kind: str, *, x: Shape, w_bits: int, bits: int) -> None:
        self.kind, self.bits = kind, bits
        super().__init__({"x": In(x), "w": In(signed(w_bits))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        expected = reference(self.kind)
        clamped, excess = clamp(m, self.x, self.bits)
        within = [self.w <= (1 << self.bits - self.x.shape().signed) - 1]
        if self.x.shape().signed:
            within.append(self.w >= -(1 << self.bits - 1))
        want = expected.term(self.x, self.w)
        m.d.comb += [
            self.given.eq(Cat(within).all()),
            self.holds.eq(want == expected.term(clamped, self.w) - excess),
        ]
        return m
