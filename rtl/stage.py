# amaranth: UnusedElaboratable=no
"""The end of a pipeline: a requantiser, and the registers between it and the next block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from amaranth.hdl import Cat, Module, Mux, Shape, Signal, Value, signed, unsigned

from rtl.delay import delayed
from rtl.requantise import Requantiser


@dataclass(frozen=True, kw_only=True, eq=False)
class Requant:
    """The integers of a requantiser: clip((acc·m[c] + b[c] + half) >> shift, lo, hi).

    multipliers m and offsets b: one of each a channel. multiplier: made of `dsp` blocks or `lut`s.
    """

    multipliers: Sequence[int]
    offsets: Sequence[int]
    shift: int
    lo: int
    hi: int
    out_bits: int
    out_signed: bool
    multiplier: Literal["dsp", "lut"] = "lut"

    def unit(self, *, lanes: int, x_bits: int) -> Requantiser:
        """The requantiser of words of `lanes` signed sums of `x_bits` bits."""
        return Requantiser(
            lanes=lanes,
            x_bits=x_bits,
            multipliers=list(self.multipliers),
            offsets=list(self.offsets),
            shift=self.shift,
            lo=self.lo,
            hi=self.hi,
            multiplier=self.multiplier,
            out_bits=self.out_bits,
            out_signed=self.out_signed,
        )

    @property
    def out_shape(self) -> Shape:
        return signed(self.out_bits) if self.out_signed else unsigned(self.out_bits)


class Outlet:
    """The end of a pipeline: a register and a spare one, so that its enable is a register, too.

    `en` is high unless the spare is in use; `put` says what leaves the pipeline while `en` is high.
    `halt` is its complement, a register of its own for the control logic: `en` reaches the whole
    datapath and is slow for it.
    """

    def __init__(self, m: Module, o: Any) -> None:
        self.m, self.o = m, o
        self.en = Signal(init=1)
        self.halt = Signal()

    def put(self, word: Any, valid: Any) -> None:
        """Words leave `o` one cycle after they were put; two fit while `o` is not ready."""
        m, o = self.m, self.o
        out = Signal.like(Value.cast(o.payload), name="out", reset_less=True)
        spare = Signal.like(out, name="spare", reset_less=True)
        m.d.comb += o.payload.eq(out)
        with m.If(self.en):
            m.d.sync += spare.eq(word)
        with m.If(~o.valid | o.ready):
            m.d.sync += [
                out.eq(Mux(self.en, word, spare)),
                o.valid.eq(~self.en | valid),
                self.en.eq(1),
                self.halt.eq(0),
            ]
        with m.Elif(valid):
            m.d.sync += [self.en.eq(0), self.halt.eq(1)]


def requantise(
    m: Module, requant: Requant, words: Sequence[Any], valid: Signal, outlet: Outlet
) -> None:
    """Puts a requantiser between `words` (signed, one a lane) and the end of the pipeline."""
    block = requant.unit(lanes=len(words), x_bits=len(words[0]))
    m.submodules.requantise = unit = block.component()
    m.d.comb += [unit.en.eq(outlet.en), unit.i_valid.eq(valid), unit.x.eq(Cat(*words))]
    outlet.put(unit.y, delayed(m, valid, block.latency, outlet.en))
