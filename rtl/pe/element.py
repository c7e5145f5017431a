"""Processing element: exact sums of terms of SIMD inputs and weights, one subclass per kind.

A kind `k` of operator is the module `rtl/pe/k.py`; a further kind is added by adding that file.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cache
from typing import Literal

import numpy as np
from amaranth import Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from rtl.terms import Term, add, register, tree, tree_latency

Multiplier = Literal["dsp", "packed", "lut"]


class PE(wiring.Component, ABC):
    """acc = sum over slots and lanes of term(x[lane], weight[lane]), exact modulo 2^acc_bits.

    A slot is one enabled cycle with `simd` inputs and weights. The terms are registered, summed in
    a balanced tree with a register behind every `levels` levels, and accumulated. With multiplier
    `packed` there are two such sums, of the same inputs: a lane has two weights, and multiplies
    once.

    Parameters
    ----------
    simd : lanes: inputs, and weights, of a slot
    x_bits, x_signed : of an input
    w_bits, w_signed : of a weight; without a sign only where the class CLAMPS
    acc_bits : of the sum
    multiplier : what forms products, `dsp`, `packed` or `lut`; only where the class MULTIPLIES,
        or PACKS
    symmetric : no weight is the least of its bits, which spares `packed` a bit of its operand
    levels : of the adder tree between two registers
    registered : x and w come far, and are registered first
    staged : a register within each lane, which halves its slowest path; only where the class STAGES

    Ports
    -----
    en : the whole element stands still while it is low
    x : `simd` inputs
    w : `simd` weights of each sum as packed by `pack`
    restart : a new sum begins
    acc : the sum so far
    upper : that of the second weights, if these are `packed`

    Protocol
    --------
    `restart` is high `restart_delay` enabled cycles after the first slot of a sum was at x and w.
    The register that accumulates is cleared in the cycle before a sum begins, which takes no logic,
    while choosing between it and zero would; `acc` is therefore a register of its own.

    Latency
    -------
    `acc` includes a slot `latency` enabled cycles after it was at x and w.
    """

    WEIGHT_BITS = 2, 8
    """Fewest and most bits of a weight; 0 of a kind without weights."""
    MULTIPLIES = False
    """A term is a product, which a hardware multiplier may form: `multiplier` has a choice."""
    PACKS = False
    """One multiplication may form two products of an input: `multiplier` may be `packed`."""
    STAGES = False
    """A lane is deep enough for a register within `terms`: `staged` may be set."""
    CLAMPS = False
    """term(x, w) = term(c, w) − |x − c|, where c is x clamped to a range that holds w."""

    def __init__(
        self,
        *,
        simd: int,
        x_bits: int,
        x_signed: bool,
        w_bits: int,
        acc_bits: int,
        multiplier: Multiplier = "lut",
        levels: int = 1,
        registered: bool = False,
        symmetric: bool = False,
        w_signed: bool = True,
        staged: bool = False,
    ) -> None:
        for name, value, lo, hi in (
            ("simd", simd, 1, None),
            ("x_bits", x_bits, 1, 16),
            ("w_bits", w_bits, self.WEIGHT_BITS[0] - (not w_signed), self.WEIGHT_BITS[1]),
            ("acc_bits", acc_bits, 2, 64),
            ("levels", levels, 1, None),
        ):
            if not isinstance(value, int) or value < lo or (hi is not None and value > hi):
                limits = f"{lo} or more" if hi is None else f"{lo} to {hi}"
                raise ValueError(f"{name} must be an integer, {limits}, not {value!r}")
        if multiplier not in ("dsp", "packed", "lut"):
            raise ValueError(f"multiplier must be 'dsp', 'packed' or 'lut', not {multiplier!r}")
        if multiplier == "packed" and not self.PACKS:
            raise ValueError("multiplier 'packed' is for mult: other terms are no products")
        if not w_signed and not self.CLAMPS:
            raise ValueError("w_signed must be true: only weights of add may have no sign")
        if staged and not self.STAGES:
            raise ValueError("staged must be false: only lanes of shift have a register within")
        self.simd, self.w_bits, self.acc_bits = simd, w_bits, acc_bits
        self.w_signed = w_signed
        self.x_bits, self.x_signed = x_bits, x_signed
        self.multiplier: Multiplier = multiplier
        self.levels, self.registered, self.symmetric = levels, registered, symmetric
        self.staged = staged
        sums = ("acc", "upper")[: self.sums]
        super().__init__(
            {
                "en": In(1),
                "x": In(data.ArrayLayout(self.x_shape, simd)),
                "w": In(simd * self.sums * w_bits),
                "restart": In(1),
            }
            | {name: Out(signed(acc_bits)) for name in sums}
        )

    @staticmethod
    def live_share(weights: np.ndarray, bits: int) -> float:
        """Share of the terms of constant `weights` that synthesis does not drop as zero."""
        return 1.0

    @property
    def sums(self) -> int:
        """Sums that the element forms, each of weights of its own."""
        return sums_of(self.multiplier)

    @property
    def accs(self) -> list[Signal]:
        """The ports of its sums."""
        return [self.acc, self.upper] if self.sums == 2 else [self.acc]

    @property
    def w_range(self) -> tuple[int, int]:
        """Smallest and largest weight in two's complement, or without a sign."""
        top = 1 << max(0, self.w_bits - self.w_signed)
        return (-top if self.w_signed else 0), top - 1

    @property
    def x_shape(self) -> Shape:
        return signed(self.x_bits) if self.x_signed else unsigned(self.x_bits)

    @property
    def x_range(self) -> tuple[int, int]:
        """Smallest and largest input."""
        top = 1 << (self.x_bits - self.x_signed)
        return (-top if self.x_signed else 0), top - 1

    @classmethod
    def lane_terms(cls, w_bits: int, multiplier: Multiplier) -> int:
        """Terms of one lane."""
        return 1

    @classmethod
    def input_stages(cls, multiplier: Multiplier, registered: bool) -> int:
        """Registers between the ports x and w and the terms: at least one if `registered`."""
        return int(registered)

    @classmethod
    def depth(
        cls, *, simd: int, w_bits: int, multiplier: Multiplier, levels: int = 1,
        registered: bool = False, staged: bool = False,
    ) -> int:  # fmt: skip
        """The `latency` of an element, without making one."""
        tree = tree_latency(simd * cls.lane_terms(w_bits, multiplier), levels)
        return cls.input_stages(multiplier, registered) + staged + 2 + tree

    @property
    def terms_per_lane(self) -> int:
        return self.lane_terms(self.w_bits, self.multiplier)

    @property
    def input_registers(self) -> int:
        return self.input_stages(self.multiplier, self.registered)

    @property
    def latency(self) -> int:
        """Enabled cycles from x and w to the acc that includes them."""
        tree = tree_latency(self.simd * self.terms_per_lane, self.levels)
        return self.input_registers + self.staged + 2 + tree

    @property
    def restart_delay(self) -> int:
        """Enabled cycles from the first x and w of a sum to its `restart`."""
        return self.latency - 2

    @property
    def empty(self) -> int:
        """The sum of nothing."""
        return 0

    @abstractmethod
    def encode(self, weight: int) -> int:
        """The `w_bits` bits that stand for one weight; raises ValueError if none do."""

    @abstractmethod
    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        """One lane, combinational unless `staged`: `terms_per_lane` terms whose sum is term(x, w
        decoded)."""

    def code(self, weights: Sequence[int]) -> int:
        """The bits that stand for the weights of a lane, one of each sum."""
        return self.encode(*weights)

    def pack(self, *sums: Sequence[int]) -> int:
        """The word at port `w` for the weights of one slot, first lane lowest. sums: of each sum
        its weights, one a lane."""
        if [len(weights) for weights in sums] != [self.simd] * self.sums:
            raise ValueError(
                f"{' + '.join(str(len(weights)) for weights in sums)} weights for {self.sums} x "
                f"{self.simd} lanes: one word holds one per lane of each sum"
            )
        bits = self.sums * self.w_bits
        codes = (self.code([int(w) for w in lane]) for lane in zip(*sums, strict=True))
        return sum(code << (k * bits) for k, code in enumerate(codes))

    def merge(self, m: Module, a: Term, b: Term, name: str) -> Term:
        """The sum of two terms."""
        return add(m, a, b, name, bits=self.acc_bits)

    def accumulate(self, m: Module, before: Term, total: Term) -> Term:
        """The sum so far with the tree's `total`."""
        return self.merge(m, before, total, "after")

    def operand(self, m: Module, w: Value) -> Value:
        """What is multiplied by the input of a lane, of the code of its weights."""
        return w

    def lane(self, m: Module, x: Value, w: Value) -> list[list[Term]]:
        """The registered terms of one lane, by sum."""
        return [[register(m, self.en, term) for term in self.terms(m, x, w)]]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self.sums * self.w_bits
        codes = [self.w.word_select(k, bits) for k in range(self.simd)]
        inputs, words = list(self.x), [self.operand(m, code) for code in codes]
        for _ in range(self.input_registers):
            inputs = [self._held(m, x) for x in inputs]
            words = [self._held(m, w) for w in words]
        lanes = [self.lane(m, x, w) for x, w in zip(inputs, words, strict=True)]
        for port, column in zip(self.accs, zip(*lanes, strict=True), strict=True):
            self._sum(m, [term for terms in column for term in terms], port)
        return m

    def _sum(self, m: Module, terms: Sequence[Term], port: Signal) -> None:
        """Sums up the terms of each slot."""
        total = tree(m, self.en, terms, self.merge, self.levels)
        end = 1 << (self.acc_bits - 1)
        before = Signal(signed(self.acc_bits), reset_less=True, init=self.empty)
        acc = Signal.like(before, reset_less=True, init=0)
        after = self.accumulate(m, Term(before, -end, end - 1), total).value
        m.d.comb += port.eq(acc)
        with m.If(self.en):
            m.d.sync += [acc.eq(after), before.eq(Mux(self.restart, self.empty, after))]

    def _held(self, m: Module, value: Value) -> Signal:
        held = Signal(value.shape(), reset_less=True)
        with m.If(self.en):
            m.d.sync += held.eq(value)
        return held


def sums_of(multiplier: Multiplier) -> int:
    """Sums, and so PE, of one element."""
    return 2 if multiplier == "packed" else 1


@cache
def elements() -> tuple[str, ...]:
    """The kinds that have an element, in alphabetical order."""
    import rtl.pe

    return tuple(sorted({m.name for m in pkgutil.iter_modules(rtl.pe.__path__)} - {"element"}))


@cache
def pe(kind: str) -> type[PE]:
    """The element of the kind called `kind`; raises ValueError that lists the known ones."""
    if kind not in elements():
        raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(elements())}")
    element: type[PE] = importlib.import_module(f"rtl.pe.{kind}").ELEMENT
    return element


def weightless(kind: str) -> bool:
    """An element that takes no weights: what pooling does."""
    return kind in elements() and pe(kind).WEIGHT_BITS == (0, 0)
