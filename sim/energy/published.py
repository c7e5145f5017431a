"""The designs that were measured on a UP5K board, and the coefficients that they give.

Source of the figures: gen/cost/power.json, `designs`. What each design does is told there: so many
counters of 28 bits; two counters of 8 bits by steps of 3 and 5 and their product, in LUTs or in a
multiplier. Simulated here as synthesised today; `python -m sim.energy.published` prints the fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gen.compile import CACHE
from gen.cost.power import published
from gen.support.devices import Device, device
from sim.bench.simulators import BUILD
from sim.energy.activity import Toggles, stream_toggles

END = 13
"""Bit of the counter at which a design has run long enough: 32 periods of its operands."""
HEAD = """\
module {top}(input clk, input rst, input i__payload, input i__valid, output i__ready,
             output o__payload, output o__valid, input o__ready);
    reg [27:0] count = 0;
    always @(posedge clk) count <= count + 1;
    assign i__ready = 1;
    assign o__valid = count[{end}];
"""
BASE = HEAD + "    assign o__payload = count[27];\nendmodule\n"
PRODUCT = (
    HEAD
    + """\
    reg [7:0] a = 0, b = 0;
    wire [15:0] product = a * b;
    always @(posedge clk) begin
        a <= a + 3;
        b <= b + 5;
    end
    assign o__payload = count[27] | (&a) | (&b) | (product == 24600);
endmodule
"""
)


@dataclass(frozen=True)
class Fitted:
    """toggle_pj: of a net that leaves a LUT or a flip-flop. glitch: further toggles of a net for
    each that is counted without delays and each LUT before the last one. dsp_pj: a toggle of an
    output of a multiplier."""

    toggle_pj: float
    glitch: float
    dsp_pj: float


def fit(counter: Toggles, lut: Toggles, dsp: Toggles, energies: Mapping[str, float]) -> Fitted:
    """Coefficients by which the designs take what was measured, in three steps.

    counter: of 28 bits, alone. lut, dsp: with the product. All a cycle, and energies in pJ a
    cycle: `counter`, and what `product_lut` and `product_dsp` add to it. A counter is one LUT deep
    and has no glitches, so it gives the energy of a toggle; the product in LUTs then gives the
    glitches, and that in a multiplier what the multiplier takes.
    """
    toggle = energies["counter"] / _quiet(counter)
    more, deep = _quiet(lut) - _quiet(counter), lut.deep - counter.deep
    glitch = (energies["product_lut"] / toggle - more) / deep
    around = _quiet(dsp) - _quiet(counter) + glitch * (dsp.deep - counter.deep)
    return Fitted(toggle, glitch, (energies["product_dsp"] - toggle * around) / dsp.nets["dsp"])


def _quiet(toggles: Toggles) -> float:
    """Toggles without glitches, of nets behind logic and flip-flops."""
    return sum(toggles.nets[kind] for kind in ("lut", "carry", "ff"))


def simulate(cache: Path = CACHE, root: Path = BUILD) -> tuple[Toggles, Toggles, Toggles]:
    """Toggles a cycle of the three designs: counter, product in LUTs, product in a multiplier."""
    chip = device("up5k")
    bare = replace(chip, synth=tuple(word for word in chip.synth if word != "-dsp"))

    def run(text: str, top: str, on: Device) -> Toggles:
        design = text.format(top=top, end=END)
        return stream_toggles(design, top, on, cache=cache, root=root)

    return run(BASE, "counting", bare), run(PRODUCT, "in_luts", bare), run(PRODUCT, "in_dsp", chip)


def main() -> None:
    runs = simulate()
    for name, toggles in zip(("counter", "product_lut", "product_dsp"), runs, strict=True):
        print(
            name,
            dict(toggles.cells),
            {k: round(n, 2) for k, n in toggles.nets.items()},
            toggles.deep,
        )
    print(fit(*runs, published()))


if __name__ == "__main__":
    main()
