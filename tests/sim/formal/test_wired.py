# amaranth: UnusedElaboratable=no
"""Wired layers equal the definition of their kind for all inputs; broken ones do not."""

from __future__ import annotations

import importlib
from inspect import isclass, isfunction
from pathlib import Path

import pytest

from gen.support.cache import Cache
from rtl.wired.requantise import best_form
from rtl.wired.unit import WiredLayer, WiredSums
from sim.formal.proof import Verdict, holds_after, stands_still
from sim.formal.wired import WiredClaim
from tests.formal import mutants
from tests.formal.claims import WIRED_KINDS, wired_layer, wired_sums
from tests.formal.mutants import Change


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def proven(block: WiredSums | WiredLayer, cache: Cache) -> Verdict:
    claim = WiredClaim(block)
    return holds_after(claim, claim.cycles, cache=cache)


@pytest.mark.slow(sample=8)
@pytest.mark.parametrize("x_signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(("x_bits", "levels"), [(2, 1), (3, 2)])
@pytest.mark.parametrize("kind", WIRED_KINDS)
def test_sums(kind: str, x_bits: int, levels: int, x_signed: bool, cache: Cache) -> None:
    block = wired_sums(kind, x_bits=x_bits, x_signed=x_signed, levels=levels)
    verdict = proven(block, cache)
    assert verdict, verdict


@pytest.mark.parametrize("kind", WIRED_KINDS)
def test_layer(kind: str, cache: Cache) -> None:
    verdict = proven(wired_layer(kind), cache)
    assert verdict, verdict


@pytest.mark.slow(sample=2)
@pytest.mark.parametrize("kind", WIRED_KINDS)
def test_stands_still(kind: str, cache: Cache) -> None:
    verdict = stands_still(wired_layer(kind).component(), cache=cache)
    assert verdict, verdict


def apply(change: Change, patch: pytest.MonkeyPatch) -> None:
    """Functions and methods of the true module do what those of the changed one do."""
    changed, true = change.apply(), importlib.import_module(change.module)
    best_form.cache_clear()
    own = [t for t in vars(true).values() if getattr(t, "__module__", "") == change.module]
    for thing in own:
        twin = getattr(changed, thing.__name__)
        parts = vars(thing) if isclass(thing) else {}
        pairs = [(part, vars(twin)[name]) for name, part in parts.items()] or [(thing, twin)]
        for function, other in pairs:
            if isfunction(function) and not function.__code__.co_freevars:
                patch.setattr(function, "__code__", other.__code__)


@pytest.mark.slow(sample=4)
@pytest.mark.parametrize("change", mutants.WIRED, ids=lambda change: change.what)
def test_broken_layers_are_found_out(
    change: Change, monkeypatch: pytest.MonkeyPatch, cache: Cache
) -> None:
    apply(change, monkeypatch)
    blocks = [
        make(kind, x_signed=x_signed)
        for make in (wired_sums, wired_layer)
        for kind in WIRED_KINDS
        for x_signed in (False, True)
    ]
    assert not all(proven(block, cache) for block in blocks)
