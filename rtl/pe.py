"""Processing element: exact sums of terms of SIMD inputs and weights, one kind of term per subclass.

A kind `k` of operator is the module `rtl/pe_k.py`; a further kind is added by adding that file.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

Multiplier = Literal["dsp", "lut"]


@dataclass(frozen=True)
class Term:
    """A signed number on its way through the adder tree, in units of 2^scale.

    `flag` is the part of a negation that is still owed, so that negating costs no adder of its own: the
    number is `value` + `flag` (see `PE.merge`), and the next adder settles it in its carry.
    """

    value: Value
    flag: Value | None
    lo: int
    hi: int
    """Bounds of `value`."""
    scale: int = 0


class PE(wiring.Component, ABC):
    """acc = sum over slots of sum over lanes of term(x[lane], weight[lane]), exact modulo 2^acc_bits.

    A slot is one enabled cycle with `simd` inputs and weights. The terms are registered, summed in a
    balanced tree with a register behind every `levels` levels, and accumulated.

    Ports
    -----
    en : the whole element stands still while it is low
    x : `simd` inputs of `x_bits` bits
    w : `simd` weights as packed by `pack`
    restart : high `restart_delay` enabled cycles after the first slot of a sum was at x and w
    acc : the sum so far; includes a slot `latency` enabled cycles after it was at x and w

    The register that accumulates is cleared in the cycle before a sum begins, which takes no logic as a
    selection between it and zero would; `acc` is therefore a register of its own.
    """

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
    ) -> None:
        for name, value, lo, hi in (
            ("simd", simd, 1, None),
            ("x_bits", x_bits, 1, 16),
            ("w_bits", w_bits, 2, 8),
            ("acc_bits", acc_bits, 2, 64),
            ("levels", levels, 1, None),
        ):
            if not isinstance(value, int) or value < lo or (hi is not None and value > hi):
                limits = f"{lo} or more" if hi is None else f"{lo} to {hi}"
                raise ValueError(f"{name} must be an integer, {limits}, not {value!r}")
        if multiplier not in ("dsp", "lut"):
            raise ValueError(f"multiplier must be 'dsp' or 'lut', not {multiplier!r}")
        self.simd, self.w_bits, self.acc_bits = simd, w_bits, acc_bits
        self.x_bits, self.x_signed = x_bits, x_signed
        self.multiplier: Multiplier = multiplier
        self.levels = levels
        super().__init__(
            {
                "en": In(1),
                "x": In(data.ArrayLayout(self.x_shape, simd)),
                "w": In(simd * w_bits),
                "restart": In(1),
                "acc": Out(signed(acc_bits)),
            }
        )

    @property
    def x_shape(self) -> Shape:
        return signed(self.x_bits) if self.x_signed else unsigned(self.x_bits)

    @property
    def x_range(self) -> tuple[int, int]:
        """Smallest and largest input."""
        top = 1 << (self.x_bits - self.x_signed)
        return (-top if self.x_signed else 0), top - 1

    @property
    def terms_per_lane(self) -> int:
        return 1

    @property
    def latency(self) -> int:
        """Enabled cycles from x and w to the acc that includes them."""
        depth = (self.simd * self.terms_per_lane - 1).bit_length()
        return 2 + -(-depth // self.levels)

    @property
    def restart_delay(self) -> int:
        """Enabled cycles from the first x and w of a sum to its `restart`."""
        return self.latency - 2

    @abstractmethod
    def encode(self, weight: int) -> int:
        """The `w_bits` bits that stand for one weight; raises ValueError if none do."""

    @abstractmethod
    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        """One lane, combinational: `terms_per_lane` terms that add up to term(x, weight encoded as w)."""

    def pack(self, weights: Sequence[int]) -> int:
        """The word at port `w` for the weights of one slot, first lane lowest."""
        if len(weights) != self.simd:
            raise ValueError(f"{len(weights)} weights for {self.simd} lanes: one word holds one per lane")
        return sum(self.encode(int(w)) << (k * self.w_bits) for k, w in enumerate(weights))

    def merge(self, m: Module, a: Term, b: Term) -> Term:
        """a + b: b's flag is the carry-in, a's flag rides on."""
        step = b.scale - a.scale
        flagged = b.flag is not None
        lo = a.lo + (b.lo << step)
        hi = a.hi + ((b.hi + flagged) << step)
        total = Signal(self._shape(lo, hi))
        # Bits of a below b's unit pass by the adder; the carry-in is one more bit below its operands.
        high = a.value[step:].as_signed()
        if flagged:
            summed = (Cat(1, high).as_signed() + Cat(b.flag, b.value).as_signed())[1:]
        else:
            summed = high + b.value
        m.d.comb += total.eq(Cat(a.value[:step], summed))
        return Term(total, a.flag, lo, hi, a.scale)

    def accumulate(self, m: Module, total: Term, before: Value) -> Value:
        """The sum after `total` has been added to the sum `before` it."""
        start = Term(before, None, *_limits(self.acc_bits))
        return self.merge(m, start, total).value

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lanes = (self.terms(m, x, w) for x, w in zip(self.x, self._weights(), strict=True))
        # Terms of one scale meet first: narrow adders, and carries of equal weight.
        level = sorted((t for lane in lanes for t in lane), key=lambda term: term.scale)
        level = [self._register(m, term) for term in level]
        depth = 0
        while len(level) > 1:
            level, depth = self._halve(m, level), depth + 1
            if depth % self.levels == 0 or len(level) == 1:
                level = [self._register(m, term) for term in level]
        before = Signal(signed(self.acc_bits), reset_less=True)
        after = Signal.like(self.acc)
        acc = Signal.like(self.acc, reset_less=True)
        m.d.comb += [after.eq(self.accumulate(m, level[0], before)), self.acc.eq(acc)]
        with m.If(self.en):
            m.d.sync += [acc.eq(after), before.eq(Mux(self.restart, 0, after))]
        return m

    def _weights(self) -> list[Value]:
        return [self.w.word_select(k, self.w_bits) for k in range(self.simd)]

    def _halve(self, m: Module, level: list[Term]) -> list[Term]:
        pairs = [self.merge(m, a, b) for a, b in list(pairwise(level))[::2]]
        return pairs + level[len(pairs) * 2 :]

    def _register(self, m: Module, term: Term) -> Term:
        value = Signal.like(term.value, reset_less=True)
        flag = None if term.flag is None else Signal(reset_less=True)
        with m.If(self.en):
            m.d.sync += value.eq(term.value)
            if flag is not None:
                m.d.sync += flag.eq(term.flag)
        return replace(term, value=value, flag=flag)

    def _shape(self, lo: int, hi: int) -> Shape:
        """The narrowest signed shape that holds lo to hi, or acc_bits: arithmetic is modulo 2^acc_bits."""
        bits = max(Const(lo).width, Const(hi).width + 1)
        return signed(min(bits, self.acc_bits))


def _limits(bits: int) -> tuple[int, int]:
    return -(1 << (bits - 1)), (1 << (bits - 1)) - 1


def pe(kind: str) -> type[PE]:
    """The processing element of the kind called `kind`; raises ValueError that lists the known ones."""
    import rtl

    modules = (m.name for m in pkgutil.iter_modules(rtl.__path__))
    known = sorted(n.removeprefix("pe_") for n in modules if n.startswith("pe_"))
    if kind not in known:
        raise ValueError(f"unknown kind {kind!r}: choose one of {', '.join(known)}")
    found: type[PE] = importlib.import_module(f"rtl.pe_{kind}").ELEMENT
    return found
