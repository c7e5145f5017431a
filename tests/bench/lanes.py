# amaranth: UnusedElaboratable=no
"""Area and clock of lanes of each kind alone, beside the same sums described naively.

Eight lanes, 8-bit activations, 8-bit weights (shift: 4; add: 8, 4, and 4 with a step of 2^4),
without DSP blocks; the whole element with its registered adder tree and a 24-bit accumulator.
Elements of add take inputs clamped to the range of their weights, as in a layer of many elements:
what clamps them (`rtl.clamp`) is made once a layer, and not counted here. Their weights have no
sign, which a constant of the layer makes up for (`gen.plan.stored`): 4 bits are 3 in memory. LUTs
are those of synthesis, per lane: on ECP5 LUT4 + 2 for each carry pair CCU2C, on iCE40 SB_LUT4 (an
adder takes one a bit, with its SB_CARRY in the same cell), on Gowin LUT1 to LUT4 + ALU. The clock
is that of place and route of our element.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from gen.flow.place import place
from gen.flow.synth import synthesise
from gen.support.cache import Cache
from gen.support.devices import DEVICES, Device
from gen.support.verilog import verilog
from rtl.pe.element import PE, Multiplier, pe
from rtl.pe.mult import MultPE
from rtl.pe.shift import ShiftPE
from rtl.terms import WIDEST, Term, signed_for

LANES = 8
DEVICE_NAMES = ("lfe5u-25f", "ice40-hx8k", "gw1nr-9")
W_BITS = {"mult": 8, "shift": 4, "add": 8}
CASES = [*((kind, bits, 0) for kind, bits in W_BITS.items()), ("add", 4, 0), ("add", 4, 4)]
"""Kind, bits of a weight, step."""
LUTS = {
    "ecp5": {"LUT4": 1, "CCU2C": 2},
    "ice40": {"SB_LUT4": 1},
    "gowin": {"LUT1": 1, "LUT2": 1, "LUT3": 1, "LUT4": 1, "ALU": 1},
}


class NaiveMult(MultPE):
    """A plain product, left to synthesis."""

    @property
    def recoded(self) -> bool:
        return False

    @classmethod
    def lane_terms(cls, w_bits: int, multiplier: Multiplier) -> int:
        return 1

    @classmethod
    def input_stages(cls, multiplier: Multiplier, registered: bool) -> int:
        return 1


class NaiveShift(ShiftPE):
    """A shift by a variable, and a negation."""

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        far = max(-self.x_range[0], self.x_range[1]) << (self.exponents - 1)
        size, value = (Signal(signed_for(-far, far, WIDEST)) for _ in range(2))
        m.d.comb += size.eq(Mux(w[1:].all(), 0, x << w[1:]))
        m.d.comb += value.eq(Mux(w[0], -size, size))
        return [Term(value, -far, far)]


class NaiveAdd(PE):
    """A difference, and a negation."""

    def encode(self, weight: int) -> int:
        return weight % (1 << self.w_bits)

    def terms(self, m: Module, x: Value, w: Value) -> list[Term]:
        distance = x - w.as_signed()
        far = max(-self.x_range[0], self.x_range[1]) + (1 << (self.w_bits - 1))
        value = Signal(range(-far, 1))
        m.d.comb += value.eq(Mux(distance < 0, distance, -distance))
        return [Term(value, -far, 0)]


NAIVE: dict[str, type[PE]] = {"mult": NaiveMult, "shift": NaiveShift, "add": NaiveAdd}


class FewPins(wiring.Component):
    """An element between two shift registers, so that it can be placed in any package."""

    def __init__(self, element: PE) -> None:
        self.element = element
        super().__init__({"i": In(1), "o": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.element = element = self.element
        ports = Cat(element.x, element.w, element.restart, element.en)
        given = Signal(len(ports), reset_less=True)
        taken = Signal(len(element.acc), reset_less=True)
        m.d.sync += given.eq(Cat(self.i, given))
        m.d.sync += taken.eq(Mux(given[0], element.acc, taken >> 1))
        m.d.comb += [ports.eq(given), self.o.eq(taken[0])]
        return m


@dataclass(frozen=True)
class LaneRow:
    """lut, ff, naive_lut: per lane. fmax_mhz: of our element. ratio: ours to naive, in LUTs."""

    family: str
    kind: str
    w_bits: int
    step: int
    lut: float
    ff: float
    fmax_mhz: float
    naive_lut: float

    @property
    def ratio(self) -> float:
        return self.lut / self.naive_lut


def element(
    kind: str, of: Mapping[str, type[PE]] | None = None, *, w_bits: int | None = None, step: int = 0
) -> PE:
    """The element that is measured: ours, or the one of that kind in `of`."""
    make, w_bits = of[kind] if of else pe(kind), w_bits or W_BITS[kind]
    if make.CLAMPS and not of:
        bits = w_bits - 1  # as rtl.clamp.clamped_bits
        return make(
            simd=LANES, x_bits=bits + step, x_signed=False, w_bits=bits, w_signed=False,
            w_step=step, acc_bits=24,
        )  # fmt: skip
    # a naive element takes the weights themselves, which a step makes wider
    return make(simd=LANES, x_bits=8, x_signed=False, w_bits=w_bits + step, acc_bits=24)


def cells(component: wiring.Component, device: Device, cache: Cache) -> dict[str, float]:
    """LUTs and flip-flops per lane after synthesis."""
    counts = synthesise(verilog(component, "lanes"), "lanes", device, cache=cache).cells
    ff = sum(n for name, n in counts.items() if name.startswith(("TRELLIS_FF", "SB_DFF", "DFF")))
    lut = sum(n * counts.get(name, 0) for name, n in LUTS[device.family].items())
    return {"lut": lut / LANES, "ff": ff / LANES}


def rows(cache: Cache | None = None, seed: int = 1) -> Iterator[LaneRow]:
    """Measures each kind on each family."""
    cache = cache or Cache()
    for name in DEVICE_NAMES:
        device = DEVICES[name]
        if "-nodsp" not in device.synth and device.family != "ice40":
            device = replace(device, synth=(*device.synth, "-nodsp"))
        for kind, w_bits, step in CASES:
            ours = cells(element(kind, w_bits=w_bits, step=step), device, cache)
            naive = cells(element(kind, NAIVE, w_bits=w_bits, step=step), device, cache)
            pins = FewPins(element(kind, w_bits=w_bits, step=step))
            netlist = synthesise(verilog(pins, "pins"), "pins", device, cache=cache)
            placed = place(netlist, device, mhz=device.mhz, seed=seed, cache=cache, timeout=900.0)
            yield LaneRow(
                device.family,
                kind,
                w_bits,
                step,
                **ours,
                fmax_mhz=placed.fmax_mhz,
                naive_lut=naive["lut"],
            )  # fmt: skip


def main() -> None:
    print("family  kind   bits  step  LUT/lane  FF/lane  fmax MHz  naive LUT/lane  ratio")
    for r in rows():
        print(
            f"{r.family:6}  {r.kind:5}  {r.w_bits:4}  {r.step:4}  {r.lut:8.1f}  {r.ff:7.1f}"
            f"  {r.fmax_mhz:8.1f}  {r.naive_lut:14.1f}  {r.ratio:5.2f}"
        )


if __name__ == "__main__":
    main()
