"""The claim about wired layers: each result is that of its kind's definition, for all inputs."""

from __future__ import annotations

from amaranth.hdl import Cat, Const, Module, Value
from amaranth.lib.wiring import In

from rtl.wired.unit import WiredLayer, WiredSums
from sim.formal.elements import enabled, equal, later
from sim.formal.proof import Property
from sim.formal.reference import Reference, reference
from sim.formal.requantise import requantised

WIDEST_WEIGHT = 8


class WiredClaim(Property):
    """Results are those of the inputs of `latency` enabled cycles before.

    Holds `cycles` cycles after any state, if at most `stalls` of them stood still.
    """

    def __init__(self, block: WiredSums | WiredLayer, *, stalls: int = 1) -> None:
        self.block, self.stalls = block, stalls
        self.sums = block if isinstance(block, WiredSums) else block.layer_sums
        self.cycles = block.latency + stalls
        members = {f"x{k}": In(block.x_shape) for k in range(self.sums.inputs)}
        super().__init__({"en": In(1)} | members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = dut = self.block.component()
        m.d.comb += [dut.en.eq(self.en), self.given.eq(1)]
        inputs = []
        for k in range(self.sums.inputs):
            x = getattr(self, f"x{k}")
            m.d.comb += dut.x[k].eq(x)
            inputs.append(later(m, x, self.block.latency, f"x{k}", self.en))
        bits = self.block.out_shape.width
        results = getattr(dut, self.block.port)
        same = [
            equal(m, self._wanted(m, o, inputs), result, bits) for o, result in enumerate(results)
        ]
        enough = enabled(m, self.en, self.cycles) >= self.block.latency
        m.d.comb += self.holds.eq(~enough | Cat(same).all())
        return m

    def _wanted(self, m: Module, output: int, inputs: list[Value]) -> Value:
        expected, row = reference(self.sums.kind), self.sums.connections[output]
        terms = [expected.term(inputs[i], _weight(expected, w)) for i, w in row]
        acc = expected.total(terms) + self.sums.offsets[output]
        if isinstance(self.block, WiredSums):
            return acc
        s = self.block.steps[output]
        half = (1 << s.shift) >> 1
        return requantised(m, acc, s.multiplier, s.offset - half, shift=s.shift, lo=s.lo, hi=s.hi)


def _weight(expected: Reference, weight: int) -> Value:
    """A weight as the index by which the reference knows it, in the fewest bits that have it."""
    for bits in range(2, WIDEST_WEIGHT + 1):
        for index in range(1 << bits):
            if expected.weight(index, bits) == weight:
                return Const(index, bits)
    raise ValueError(f"weight {weight} is none of {WIDEST_WEIGHT} bits")
