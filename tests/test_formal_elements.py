# amaranth: UnusedElaboratable=no
"""Elements equal their definition for all inputs, weights and enables; broken ones do not."""

from __future__ import annotations

import pytest

from rtl.pe import PE, pe
from sim.formal import holds_after, stands_still
from sim.formal_elements import Element, Lane
from tests import formal_mutants

KINDS = [
    ("mult", "dsp"),
    ("mult", "lut"),
    ("shift", "lut"),
    ("add", "lut"),
    ("sum", "lut"),
    ("max", "lut"),
]


def element(kind: str, multiplier: str, simd: int, bits: int, signed: bool, levels: int = 1) -> PE:
    return pe(kind)(
        simd=simd,
        x_bits=bits,
        x_signed=signed,
        w_bits=0 if kind in ("sum", "max") else bits,
        acc_bits=12,
        multiplier=multiplier,  # type: ignore[arg-type]
        levels=levels,
    )


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("simd", [1, 2, 3])
@pytest.mark.parametrize(("kind", "multiplier"), KINDS)
def test_element(kind: str, multiplier: str, simd: int, signed: bool) -> None:
    dut = element(kind, multiplier, simd, 2, signed, levels=1 + (simd == 3))
    claim = Element(kind, dut)
    verdict = holds_after(claim, claim.cycles)
    assert verdict, f"{kind} {multiplier}: {verdict}"


@pytest.mark.parametrize(("kind", "multiplier"), KINDS)
def test_stands_still(kind: str, multiplier: str) -> None:
    verdict = stands_still(element(kind, multiplier, 3, 4, True))
    assert verdict, verdict


@pytest.mark.parametrize("w_bits", [4, 5])
@pytest.mark.parametrize(("kind", "multiplier"), KINDS[:4])
def test_lane(kind: str, multiplier: str, w_bits: int) -> None:
    dut = pe(kind)(
        simd=1, x_bits=4, x_signed=False, w_bits=w_bits, acc_bits=20, multiplier=multiplier
    )
    verdict = holds_after(Lane(kind, dut), 0)
    assert verdict, f"{kind} {multiplier}: {verdict}"


@pytest.mark.parametrize("broken", formal_mutants.ELEMENTS)
def test_broken_elements_are_found_out(broken: type[PE]) -> None:
    kind, multiplier = formal_mutants.ELEMENTS[broken]
    w_bits = 0 if kind in ("sum", "max") else 3
    dut = broken(
        simd=2,
        x_bits=3,
        x_signed=True,
        w_bits=w_bits,
        acc_bits=12,
        multiplier=multiplier,  # type: ignore[arg-type]
    )
    claim = Element(kind, dut)
    verdict = holds_after(claim, claim.cycles)
    assert not verdict
    assert len(verdict.trace) == claim.cycles + 1
    assert "x0" in verdict.trace[0]


@pytest.mark.parametrize(
    "broken",
    [k for k, v in formal_mutants.ELEMENTS.items() if v[1] == "lut" and v[0] in ("mult", "shift")],
)
def test_broken_lanes_are_found_out(broken: type[PE]) -> None:
    kind, _ = formal_mutants.ELEMENTS[broken]
    dut = broken(simd=1, x_bits=3, x_signed=True, w_bits=5, acc_bits=20)
    verdict = holds_after(Lane(kind, dut), 0)
    assert not verdict
    (cycle,) = verdict.trace
    assert f"w={cycle['w']}" in str(verdict)


def test_a_restless_register_is_found_out() -> None:
    dut = formal_mutants.Restless(simd=2, x_bits=3, x_signed=True, w_bits=0, acc_bits=12)
    verdict = stands_still(dut)
    assert not verdict
    assert "held" in verdict.reason
