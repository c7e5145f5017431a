# amaranth: UnusedElaboratable=no
"""Claims that together prove an element whose products are too hard for SAT all at once.

`formal_elements.Lane`: the terms of a lane add up to the kind's term, at full width. `Merge`: each
adder adds, at full width, whatever its terms are. `TreeClaim`: with terms of a few bits, whatever
they are, every one gets into the sum, once and in its time; which does not depend on their width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from amaranth.hdl import Fragment, Module, Mux, Signal, Value, signed
from amaranth.lib.wiring import In

from rtl.pe.element import PE
from rtl.terms import Term
from sim.formal.elements import equal, later, number, within_bounds
from sim.formal.proof import Property
from sim.formal.reference import reference


@dataclass(frozen=True)
class Form:
    """All that a term is but its number."""

    bits: int
    lo: int
    hi: int
    scale: int
    carry: bool
    sign: bool
    absolute: bool = False

    def __str__(self) -> str:
        owed = "".join(f" {name}" for name in ("carry", "sign", "absolute") if getattr(self, name))
        return f"{self.lo}..{self.hi}·2^{self.scale}{owed}"

    @classmethod
    def of(cls, term: Term) -> Form:
        owed = term.carry is not None, term.sign is not None, term.absolute
        return cls(len(term.value), term.lo, term.hi, term.scale, *owed)

    @property
    def ports(self) -> dict[str, In]:
        """A free input for each part; the sign of an absolute term is none."""
        ports = {"value": In(signed(self.bits))}
        ports |= {"carry": In(1)} if self.carry else {}
        return ports | ({"sign": In(1)} if self.sign and not self.absolute else {})

    def term(self, parts: dict[str, Value]) -> Term:
        """The term made of such inputs."""
        value = parts["value"]
        sign = value[-1] if self.absolute else parts.get("sign")
        return Term(value, self.lo, self.hi, self.scale, parts.get("carry"), sign, self.absolute)


def lane(element: PE) -> list[Form]:
    """The terms of one lane."""
    x, w = Signal(element.x_shape), Signal(element.w_bits)
    return [Form.of(term) for term in element.terms(Module(), x, w)]


def merges(element: PE) -> list[tuple[Form, Form]]:
    """The different pairs of terms that meet in `element`, which cannot be used again."""
    merge = element.merge
    pairs: dict[tuple[Form, Form], None] = {}

    def note(m: Module, a: Term, b: Term, name: str) -> Term:
        pairs[Form.of(a), Form.of(b)] = None
        return merge(m, a, b, name)

    element.__dict__["merge"] = note
    Fragment.get(element, None)
    return list(pairs)


class Merge(Property):
    """Two terms that meet become their sum (or the larger), within its bounds. Takes 0 cycles."""

    def __init__(self, kind: str, element: PE, forms: tuple[Form, Form]) -> None:
        self.kind, self.element, self.forms = kind, element, forms
        super().__init__(
            {
                f"{side}_{n}": p
                for side, f in zip("ab", forms, strict=True)
                for n, p in f.ports.items()
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        a, b = (_given(self, f"{s}_", f) for s, f in zip("ab", self.forms, strict=True))
        if reference(self.kind).largest:  # of inputs, and no other numbers
            lo, hi = self.element.x_range
            a, b = (replace(term, lo=lo, hi=hi) for term in (a, b))
        merged = self.element.merge(m, a, b, "merged")
        want = reference(self.kind).total([number(a), number(b)])
        same = equal(m, number(merged), want, self.element.acc_bits)
        if merged.absolute:
            same &= merged.sign == merged.value[-1]
        m.d.comb += [
            self.given.eq(within_bounds(a) & within_bounds(b)),
            self.holds.eq(same & within_bounds(merged)),
        ]
        return m


class TreeClaim(Property):
    """acc = the acc of a cycle before, or that of nothing, with all terms of a slot, whatever the
    terms are. They are cut to `bits` bits. Holds `cycles` cycles after any state, always enabled.
    """

    def __init__(self, kind: str, element: PE, *, bits: int = 2) -> None:
        self.kind, self.element = kind, element
        lo, hi = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        one = [replace(form, bits=bits, lo=lo, hi=hi) for form in lane(element)]
        self.forms = one * element.simd
        self.cycles = element.latency - element.input_registers
        super().__init__(
            {"restart": In(1)}
            | {f"t{k}_{n}": p for k, form in enumerate(self.forms) for n, p in form.ports.items()}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        dut, expected = self.element, reference(self.kind)
        terms = [_given(self, f"t{k}_", form) for k, form in enumerate(self.forms)]
        each = len(terms) // dut.simd
        lanes = iter([terms[k : k + each] for k in range(0, len(terms), each)])
        dut.__dict__["terms"] = lambda m, x, w: next(lanes)
        m.submodules.element = dut
        m.d.comb += [dut.en.eq(1), dut.restart.eq(self.restart), self.given.eq(1)]
        numbers = [number(term) for term in self._later(m, terms)]
        total = expected.total(numbers)
        total = -total if expected.negated else total
        before = later(m, dut.acc, 1, "before")
        restart = later(m, self.restart, dut.latency - dut.restart_delay, "restart")
        empty = dut.x_range[0] if expected.largest else 0
        want = expected.total([total, Mux(restart, empty, before)])
        m.d.comb += self.holds.eq(equal(m, want, dut.acc, dut.acc_bits))
        return m

    def _later(self, m: Module, terms: Sequence[Term]) -> list[Term]:
        """The terms of the slot that acc now holds, in order of their scale."""
        delayed_terms = []
        for k, (form, term) in enumerate(zip(self.forms, terms, strict=True)):
            parts = {n: getattr(term, n) for n in form.ports}
            delayed = {n: later(m, v, self.cycles, f"t{k}_{n}") for n, v in parts.items()}
            delayed_terms.append(form.term(delayed))
        return sorted(delayed_terms, key=lambda term: term.scale)


def _given(claim: Property, prefix: str, form: Form) -> Term:
    return form.term({n: getattr(claim, f"{prefix}{n}") for n in form.ports})
