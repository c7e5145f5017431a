"""Any plan survives the disk, and a file with a changed character is refused."""

from __future__ import annotations

import string
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen.plan.plan import Plan, load, save
from gen.support.errors import PlanError
from tests.support.strategies import PLANS


@given(PLANS)
def test_plan_and_back(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> None:
    path = tmp_path_factory.getbasetemp() / "whole.json"
    save(plan, path)
    assert load(path) == plan
    assert load(path).hash == plan.hash


@given(PLANS, st.integers(0), st.sampled_from(string.printable))
def test_changed_file_is_refused_or_the_same_plan(
    tmp_path_factory: pytest.TempPathFactory, plan: Plan, at: int, other: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "changed.json"
    save(plan, path)
    text = path.read_text()
    at %= len(text)
    path.write_text(text[:at] + other + text[at + 1 :])
    with suppress(PlanError):
        assert load(path) == plan
