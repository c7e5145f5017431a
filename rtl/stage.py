# amaranth: UnusedElaboratable=no
"""The requantiser at the end of a pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, Module, Shape, Signal, signed, unsigned

from rtl.requantise import Requantiser
from rtl.timing import delayed


@dataclass(frozen=True, kw_only=True, eq=False)
class Requant:
    """The integers of a requantiser: clip((acc·multipliers[c] + offsets[c] + half) >> shift, lo, hi)."""

    multipliers: Sequence[int]
    offsets: Sequence[int]
    shift: int
    lo: int
    hi: int
    out_bits: int
    out_signed: bool
    multiplier: str = "lut"
    """Built from `dsp` blocks or from `lut`s."""

    def hardware(self, *, lanes: int, x_bits: int) -> Requantiser:
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


def requantise(
    m: Module, requant: Requant, words: Sequence[Any], valid: Signal, en: Signal, o: Any
) -> None:
    """Puts a requantiser between `words` (signed, one a lane) and the stream `o`."""
    unit = requant.hardware(lanes=len(words), x_bits=len(words[0]))
    m.submodules.requantise = unit
    m.d.comb += [
        unit.en.eq(en),
        unit.i_valid.eq(valid),
        unit.x.eq(Cat(*words)),
        o.payload.eq(unit.y),
        o.valid.eq(delayed(m, valid, unit.latency, en)),
    ]

