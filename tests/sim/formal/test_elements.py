# amaranth: UnusedElaboratable=no
"""Elements equal their definition for all inputs, weights and enables; broken ones do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from amaranth.hdl import Shape, signed, unsigned

from gen.support.cache import Cache
from rtl.pe.add import AddPE
from rtl.pe.element import PE
from sim.formal.elements import Clamped, Element, Lane
from sim.formal.proof import holds_after, holds_until, stands_still
from sim.formal.requantise import Requantised
from sim.formal.sums import Merge, TreeClaim, merges
from tests.formal import mutants
from tests.formal.claims import KINDS, element, requantiser


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


@pytest.mark.parametrize("x_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("simd", "levels"), [(1, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize(("kind", "multiplier"), KINDS)
def test_element(
    kind: str, multiplier: str, simd: int, levels: int, x_signed: bool, cache: Cache
) -> None:
    dut = element(kind, multiplier, simd=simd, x_bits=2, x_signed=x_signed, w_bits=2, levels=levels)
    claim = Element(kind, dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("x_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize("w_bits", [1, 2, 3])
def test_weights_of_add_without_a_sign(w_bits: int, x_signed: bool, cache: Cache) -> None:
    dut = element("add", "lut", simd=2, x_bits=3, x_signed=x_signed, w_bits=w_bits, w_signed=False)
    claim = Element("add", dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("x_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("simd", "w_bits"), [(1, 4), (2, 3), (1, 2)])
def test_a_register_within_the_lanes_of_shift(
    simd: int, w_bits: int, x_signed: bool, cache: Cache
) -> None:
    dut = element(
        "shift", "lut", simd=simd, x_bits=2, x_signed=x_signed, w_bits=w_bits, staged=True
    )
    claim = Element("shift", dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict
    verdict = stands_still(dut, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("broken", mutants.STAGED)
def test_a_register_that_is_not_in_step_is_found_out(broken: type[PE], cache: Cache) -> None:
    dut = element("shift", "lut", x_bits=2, x_signed=True, w_bits=4, staged=True, make=broken)
    claim = Element("shift", dut)
    assert not holds_after(claim, claim.cycles, cache=cache)


@pytest.mark.parametrize("acc_bits", [3, 4, 5])
@pytest.mark.parametrize(("x_bits", "simd"), [(2, 3), (3, 2)])
def test_sums_of_add_that_overflow(x_bits: int, simd: int, acc_bits: int, cache: Cache) -> None:
    dut = AddPE(simd=simd, x_bits=x_bits, x_signed=False, w_bits=2, acc_bits=acc_bits)
    claim = Element("add", dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict


@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("symmetric", [False, True], ids=["any weight", "symmetric"])
@pytest.mark.parametrize("x_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("simd", "x_bits", "w_bits"), [(2, 2, 2), (1, 4, 3), (1, 4, 4)])
def test_two_products_of_one_multiplication(
    simd: int, x_bits: int, w_bits: int, x_signed: bool, symmetric: bool, cache: Cache
) -> None:
    dut = element(
        "mult", "packed", simd=simd, x_bits=x_bits, x_signed=x_signed, w_bits=w_bits,
        symmetric=symmetric,
    )  # fmt: skip
    claim = Element("mult", dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize(("kind", "multiplier"), [*KINDS, ("mult", "packed")])
def test_stands_still(kind: str, multiplier: str, cache: Cache) -> None:
    dut = element(kind, multiplier, simd=3, x_bits=4, x_signed=True, w_bits=4)
    verdict = stands_still(dut, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("w_bits", [4, 5])
@pytest.mark.parametrize(("kind", "multiplier"), KINDS[:4])
def test_lane(kind: str, multiplier: str, w_bits: int, cache: Cache) -> None:
    dut = element(kind, multiplier, x_bits=4, x_signed=False, w_bits=w_bits)
    verdict = holds_after(Lane(kind, dut), 0, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("bits", [2, 4, 7])
@pytest.mark.parametrize("x", [unsigned(8), signed(8)], ids=["unsigned", "signed"])
def test_clamped_inputs_lose_the_same_by_every_weight(x: Shape, bits: int, cache: Cache) -> None:
    verdict = holds_after(Clamped("add", x=x, w_bits=8, bits=bits), 0, cache=cache)
    assert verdict, verdict


def test_a_product_of_a_clamped_input_loses_something_else(cache: Cache) -> None:
    assert not holds_after(Clamped("mult", x=unsigned(8), w_bits=4, bits=3), 0, cache=cache)


@pytest.mark.parametrize(("kind", "multiplier"), KINDS)
def test_sum_of_four_lanes(kind: str, multiplier: str, cache: Cache) -> None:
    """At 8 bits: every adder, then the tree of them."""
    parameters: dict[str, Any] = {"simd": 4, "x_bits": 8, "x_signed": False, "w_bits": 8}
    pairs = merges(element(kind, multiplier, **parameters))
    assert len(pairs) >= 2
    for forms in pairs[:: max(1, len(pairs) // 3)]:  # `make formal` proves them all
        verdict = holds_after(
            Merge(kind, element(kind, multiplier, **parameters), forms), 0, cache=cache
        )
        assert verdict, verdict
    claim = TreeClaim(kind, element(kind, multiplier, **parameters))
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict


@pytest.mark.parametrize("broken", mutants.ELEMENTS)
def test_broken_elements_are_found_out(broken: type[PE], cache: Cache) -> None:
    kind, multiplier = mutants.ELEMENTS[broken]
    dut = element(kind, multiplier, simd=2, x_bits=3, x_signed=True, w_bits=3, make=broken)
    claim = Element(kind, dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert not verdict
    assert len(verdict.trace) == claim.cycles + 1
    assert "x0" in verdict.trace[0]


@pytest.mark.parametrize("broken", mutants.PAIRS)
def test_broken_pairs_are_found_out(broken: type[PE], cache: Cache) -> None:
    dut = element("mult", "packed", x_bits=3, x_signed=False, w_bits=3, make=broken)
    claim = Element("mult", dut)
    verdict = holds_after(claim, claim.cycles, cache=cache)
    assert not verdict
    assert "w0_1" in verdict.trace[0]


@pytest.mark.parametrize("broken", mutants.LANES)
def test_broken_lanes_are_found_out(broken: type[PE], cache: Cache) -> None:
    kind, multiplier = mutants.ELEMENTS[broken]
    dut = element(kind, multiplier, x_bits=3, x_signed=True, w_bits=5, make=broken)
    verdict = holds_after(Lane(kind, dut), 0, cache=cache)
    assert not verdict
    (cycle,) = verdict.trace
    assert f"w={cycle['w']}" in str(verdict)


@pytest.mark.parametrize("broken", mutants.MERGES)
def test_broken_adders_are_found_out(broken: type[PE], cache: Cache) -> None:
    kind, multiplier = mutants.ELEMENTS[broken]
    parameters: dict[str, Any] = {"simd": 2, "x_bits": 4, "x_signed": True, "w_bits": 4}
    parameters["make"] = broken
    claims = [
        Merge(kind, element(kind, multiplier, **parameters), forms)
        for forms in merges(element(kind, multiplier, **parameters))
    ]
    assert not all(holds_after(claim, 0, cache=cache) for claim in claims)


@pytest.mark.parametrize("broken", mutants.TREES)
def test_broken_trees_are_found_out(broken: type[PE], cache: Cache) -> None:
    kind, multiplier = mutants.ELEMENTS[broken]
    dut = element(kind, multiplier, simd=2, x_bits=4, x_signed=True, w_bits=4, make=broken)
    claim = TreeClaim(kind, dut)
    assert not holds_after(claim, claim.cycles, cache=cache)


def test_a_restless_register_is_found_out(cache: Cache) -> None:
    dut = element("sum", "lut", simd=2, x_bits=3, x_signed=True, w_bits=0, make=mutants.Restless)
    verdict = stands_still(dut, cache=cache)
    assert not verdict
    assert len(verdict.trace) == 2
    assert all("held" in name for register in verdict.trace for name in register)


REQUANTISERS: dict[str, dict[str, Any]] = {
    "shifts": {"multipliers": [4, -2]},
    "partial products": {},
    "a multiplication": {"multiplier": "dsp"},
    "one factor": {"multipliers": [11], "offsets": [7]},
    "signed": {"lo": -8, "hi": 7, "out_signed": True},
    "other ends": {"lo": 3, "hi": 12},
    "two lanes": {"lanes": 2},
    "no shift": {"shift": 0, "multipliers": [1, 0], "offsets": [-3, 5]},
}


@pytest.mark.parametrize("change", REQUANTISERS)
def test_requantiser(change: str, cache: Cache) -> None:
    unit = requantiser(**REQUANTISERS[change])
    claim = Requantised(unit)
    if unit.stored:
        verdict = holds_until(claim, unit.latency + 2 * unit.depth + 1, cache=cache)
    else:
        verdict = holds_after(claim, claim.cycles, cache=cache)
    assert verdict, verdict
    assert stands_still(requantiser(**REQUANTISERS[change]).component(), cache=cache)


@pytest.mark.parametrize("change", mutants.REQUANTISERS, ids=lambda change: change.what)
def test_broken_requantisers_are_found_out(change: mutants.Change, cache: Cache) -> None:
    unit = requantiser(make=change.apply().Requantiser)
    assert unit.stored
    verdict = holds_until(Requantised(unit), unit.latency + 2 * unit.depth + 1, cache=cache)
    assert not verdict


def test_verdicts_are_kept(cache: Cache) -> None:
    def prove() -> str:
        dut = element("sum", "lut", x_bits=2, x_signed=True, w_bits=0)
        return str(holds_after(Element("sum", dut), 4, cache=cache))

    assert prove() == prove()
    assert len(list(cache.root.glob("proof-*"))) == 1
