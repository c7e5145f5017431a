# amaranth: UnusedElaboratable=no
"""Hardware broken on purpose: a proof that passes on any of it is worth nothing.

Elements are broken by a subclass each, streams and requantisers by a change of their source text.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value, signed

from rtl.pe.add import AddPE
from rtl.pe.element import PE
from rtl.pe.max import MaxPE
from rtl.pe.mult import MultPE
from rtl.pe.shift import ShiftPE
from rtl.pe.sum import SumPE
from rtl.terms import WIDEST, Term, signed_for


class NoCarry(MultPE):
    """The +1 behind an inverted partial product is forgotten."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, carry=None) for term in super().terms(m, x, w)]


class NoSign(MultPE):
    """The top digit of a weight is never negative."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, sign=None) for term in super().terms(m, x, w)]


class OneWeight(MultPE):
    """A single weight is stored as its neighbour."""

    def encode(self, weight: int) -> int:
        return super().encode(weight + (weight == -(1 << (self.w_bits - 1))))


class Unsigned(MultPE):
    """Weights are taken for unsigned numbers. Only for DSP blocks."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        product = Signal(signed(len(x) + self.w_bits + 1))
        m.d.comb += product.eq(x * w)
        return [replace(term, value=product)]


class NoBorrow(MultPE):
    """What a negative lower product takes from the upper one is not given back."""

    def lane(self, m: Module, x: Value, w: Value) -> list[list[Term]]:
        lower, (upper,) = super().lane(m, x, w)
        return [lower, [replace(upper, carry=None)]]


class Wraps(MultPE):
    """The least weight less one is taken for the largest."""

    def operand(self, m: Module, w: Value) -> Value:
        return super().operand(m, w)[:-1]


class Swapped(MultPE):
    """The weights of two sums change places."""

    def code(self, weights: Sequence[int]) -> int:
        return super().code(weights[::-1])


class ZeroIsOne(ShiftPE):
    """The code of zero passes x on, shifted."""

    def encode(self, weight: int) -> int:
        return super().encode(weight or 1 << (self.exponents - 1))


class NotNegated(ShiftPE):
    """A negative weight inverts, without the +1 that completes the negation."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return [replace(term, carry=None) for term in super().terms(m, x, w)]


class Unstaged(ShiftPE):
    """There is no register where one is said to be."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        self.staged = False
        terms = super().terms(m, x, w)
        self.staged = True
        return terms


class LateSign(ShiftPE):
    """The sign comes a cycle after what it negates."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        return super().terms(m, x, Cat(self._held(m, w[0]), w[1:]))


class OffByOne(AddPE):
    """x + ~w in place of x − w."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        distance = Signal(signed_for(term.lo - 1, term.hi, WIDEST))
        m.d.comb += distance.eq(x + w.as_signed())
        return [Term(distance, term.lo - 1, term.hi, sign=distance[-1])]


class Positive(AddPE):
    """Distances are added and not taken off."""

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        return PE.accumulate(self, m, before, total)


class Unaware(AddPE):
    """Two distances meet as if their signs were equal."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        return replace(super().merge(m, _unsigned(a), _unsigned(b), name), sign=a.sign)


class OtherSign(AddPE):
    """The sum of two distances has the sign of the second one, and says that of the first."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        return replace(super().merge(m, b, a, name), sign=a.sign)


class Behind(AddPE):
    """The signs of two lanes are compared a cycle late."""

    def lane(self, m: Module, x: Value, w: Value) -> list[list[Term]]:
        ((term,),) = super().lane(m, x, w)
        return [[replace(term, ahead=term.sign)]]


def _unsigned(term: Term) -> Term:
    return replace(term, sign=None, absolute=False)


class Dropped(SumPE):
    """An adder of the tree passes on only one of its terms."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        return a if name == "sum1_0" else super().merge(m, a, b, name)


class Early(SumPE):
    """Says that it is done a cycle before it is."""

    @property
    def latency(self) -> int:
        return super().latency - 1


class LateRestart(SumPE):
    """Says that a sum begins a cycle after it does."""

    @property
    def restart_delay(self) -> int:
        return super().restart_delay + 1


class Restless(SumPE):
    """Its terms go on while the element stands still."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        (term,) = super().terms(m, x, w)
        held = Signal.like(term.value)
        m.d.sync += held.eq(term.value)
        return [replace(term, value=held)]

    @property
    def input_registers(self) -> int:
        return 0

    @property
    def latency(self) -> int:
        return super().latency + 1


class NarrowSum(SumPE):
    """The sum loses its top bit."""

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        after = super().accumulate(m, before, total)
        return replace(after, value=after.value[:-1])


class Smallest(MaxPE):
    """Takes the smaller of two."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        term = super().merge(m, a, b, name)
        smaller = Signal.like(term.value)
        m.d.comb += smaller.eq(Mux(a.value < b.value, a.value, b.value))
        return replace(term, value=smaller)


class FromZero(MaxPE):
    """The largest of nothing is 0, although inputs may be negative."""

    @property
    def empty(self) -> int:
        return 0


@dataclass(frozen=True)
class Change:
    """One change of the source of the module `module`; `what` goes wrong by it."""

    module: str
    what: str
    old: str
    new: str

    def apply(self) -> Any:
        """The changed module; AssertionError if its source has no such place, or several."""
        source = inspect.getsource(importlib.import_module(self.module))
        assert source.count(self.old) == 1, f"{self.module}: not one place with {self.old!r}"
        changed = ModuleType(self.module)
        exec(source.replace(self.old, self.new), changed.__dict__)
        return changed


class WrongCarry(MultPE):
    """The carry-in of an adder does not get in."""

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        old = "Cat(1, top).as_signed()"
        terms = Change("rtl.terms", "", old, "Cat(0, top).as_signed()").apply()
        return terms.add(m, a, b, name, bits=self.acc_bits)  # type: ignore[no-any-return]


ELEMENTS: dict[type[PE], tuple[str, str]] = {
    NoCarry: ("mult", "lut"),
    NoSign: ("mult", "lut"),
    OneWeight: ("mult", "lut"),
    Unsigned: ("mult", "dsp"),
    ZeroIsOne: ("shift", "lut"),
    NotNegated: ("shift", "lut"),
    OffByOne: ("add", "lut"),
    Positive: ("add", "lut"),
    Unaware: ("add", "lut"),
    OtherSign: ("add", "lut"),
    Behind: ("add", "lut"),
    Dropped: ("sum", "lut"),
    Early: ("sum", "lut"),
    LateRestart: ("sum", "lut"),
    Restless: ("sum", "lut"),
    NarrowSum: ("sum", "lut"),
    Smallest: ("max", "lut"),
    FromZero: ("max", "lut"),
    WrongCarry: ("mult", "lut"),
}
"""Broken elements, with the kind and the multiplier that they pretend to be."""
STAGED = (Unstaged, LateSign)
"""Those whose lanes have a register, and not all in step,"""
PAIRS = (NoBorrow, Wraps, Swapped)
"""Those that form two sums, and break one,"""
LANES = (NoCarry, NoSign, OneWeight, Unsigned, ZeroIsOne, NotNegated, OffByOne)
"""those whose lanes are broken,"""
MERGES = (WrongCarry, Unaware, OtherSign, Smallest)
"""those whose adders are,"""
TREES = (Dropped, Early, LateRestart, Positive, Behind, FromZero)
"""and those that add up all right but other numbers, or at another time."""


def streams(what: str, old: str, new: str) -> Change:
    return Change("rtl.streams", what, old, new)


STREAMS: dict[str, list[Change]] = {
    "widen": [
        streams("drops a word", "m.d.sync += place.eq(2)", "m.d.sync += place.eq(1)"),
        streams(
            "overwrites", "self.i.ready.eq(~self.o.valid | self.o.ready)", "self.i.ready.eq(1)"
        ),
        streams("reverses", "Cat(parts[len(part) :], part)", "Cat(part, parts[: -len(part)])"),
    ],
    "narrow": [
        streams("overwrites", "(self.o.ready & ~left[1])", "~left[1]"),
        streams("drops parts", "left.eq(~0)", "left.eq(1)"),
        streams("doubles parts", "parts.eq(parts >> width)", "parts.eq(parts)"),
    ],
    "fifo": [
        streams("loses when full", "self.i.ready.eq(queue.w_rdy)", "self.i.ready.eq(1)"),
        streams("invents", "self.o.valid.eq(queue.r_rdy)", "self.o.valid.eq(1)"),
        streams("takes back", "queue.r_en.eq(self.o.ready)", "queue.r_en.eq(1)"),
        streams(
            "keeps the last for ever",
            "self.o.valid.eq(queue.r_rdy)",
            "self.o.valid.eq(queue.r_rdy & (queue.level > 1))",
        ),
    ],
    "fork": [
        streams("doubles", "m.d.sync += done[k].eq(1)", "m.d.sync += done[k].eq(0)"),
        streams("loses", "enumerate(outs)).all()", "enumerate(outs)).any()"),
    ],
    "join": [
        streams("pairs wrongly", "self.i_a.ready.eq(en & self.i_b.valid)", "self.i_a.ready.eq(en)"),
        streams("scales wrongly", "(b << block.shifts[1])", "(b << block.shifts[0])"),
    ],
    "outlet": [
        Change("rtl.stage", "loses", "[self.en.eq(0), self.halt.eq(1)]", "self.halt.eq(1)"),
        Change("rtl.stage", "forgets the spare", "Mux(self.en, word, spare)", "word"),
        Change("rtl.stage", "takes back", "o.valid.eq(~self.en | valid)", "o.valid.eq(valid)"),
        Change("rtl.stage", "changes its offer", "m.If(~o.valid | o.ready)", "m.If(1)"),
    ],
    "head": [
        Change(
            "rtl.classifier_output",
            "takes the last largest",
            "(best - score)[-1]",
            "~(score - best)[-1]",
        ),
        Change(
            "rtl.classifier_output",
            "remembers an image",
            '(at.first_of["score"] | better)',
            "better",
        ),
        Change("rtl.classifier_output", "skips bytes", '~closing & at.last_of["byte"]', "~closing"),
    ],
    "word_head": [
        Change(
            "rtl.classifier_word",
            "takes the last largest",
            "b.score > a.score",
            "b.score >= a.score",
        ),
        Change(
            "rtl.classifier_word",
            "mixes images",
            "scores = [held(m, score, en) for",
            "scores = [score for",
        ),
        Change("rtl.classifier_word", "answers too early", "block.latency, en)", "1, en)"),
    ],
    "pool": [
        Change("rtl.pool", "takes the smallest", "Mux(x > old, x, old)", "Mux(x < old, x, old)"),
        Change("rtl.pool", "forgets the row above", 'first_from(["row", ', "first_from(["),
        Change("rtl.pool", "ends too early", 'last_from(["row", ', "last_from(["),
        Change("rtl.pool", "reads its memory late", "Mux(word.column_first, known, held)", "held"),
        Change("rtl.pool", "forgets what is left over", "left != 1", "0"),
        Change(
            "rtl.pool",
            "takes lanes of a sum's width",
            "select(lane, self.block.x_shape.width)",
            "select(lane, bits)",
        ),
        Change("rtl.pool", "forgets the sign", "given.as_signed() if", "given if"),
        Change(
            "rtl.pool",
            "takes while it stands",
            "take.eq(self.i.valid & outlet.en)",
            "take.eq(self.i.valid)",
        ),
    ],
}
"""Changes by the stream component that they break."""

REQUANTISERS = [
    Change("rtl.requantise", "rounds down", "half = (1 << self.shift) >> 1", "half = 0"),
    Change(
        "rtl.requantise",
        "miscounts",
        "channel == self.block.depth - 1",
        "channel == self.block.depth - 2",
    ),
    Change("rtl.requantise", "counts no word", "m.If(self.en & self.i_valid)", "m.If(self.en)"),
    Change("rtl.requantise", "is out of step", "x = register(m, self.en, x)", "pass"),
    Change(
        "rtl.requantise",
        "clips below 0 to hi",
        "~value[-1] & value[bits:-1].any()",
        "value[bits:].any()",
    ),
    Change("rtl.requantise", "never clips at lo", "if lo < self.block.lo:", "if False:"),
]


def wired(module: str, what: str, old: str, new: str) -> Change:
    return Change(f"rtl.wired.{module}", what, old, new)


WIRED = [
    wired(
        "operations",
        "adds in place of subtracting",
        "top - high if self.subtract",
        "top + high if self.subtract",
    ),
    wired(
        "operations",
        "loses the bits that pass by",
        "result.eq(Cat(whole[:step], upper))",
        "result.eq(upper << step)",
    ),
    wired(
        "operations",
        "clamps at neither end",
        "> self.hi:\n            clamped",
        "> self.hi + 99:\n            clamped",
    ),
    wired("operations", "takes the smaller", "Mux(a > b, a, b)", "Mux(a < b, a, b)"),
    wired(
        "operations", "leaves a sign as it is", "~value[self.bits - 1]))", "value[self.bits - 1]))"
    ),
    wired(
        "kind_add",
        "takes an excess once",
        "Lookup((x,), values)), 1, True)",
        "Lookup((x,), values)), 0, True)",
    ),
    wired("kind_add", "forgets the weights", "offset + sum(w for _, w in row)", "offset"),
    wired(
        "component", "is a cycle early", "self.lines[term.node][-1]", "self.lines[term.node][-2]"
    ),
    wired("component", "mixes cycles", "cycle - self.pipeline.cycle[o]", "0"),
    wired("component", "goes on while it stands still", "with m.If(self.en):", "with m.If(1):"),
    wired(
        "requantise", "steps a value late", "(y != y[:, :1]).sum(1)", "(y != y[:, :1]).sum(1) - 1"
    ),
]
"""Changes of wired layers; each breaks one kind at least."""
