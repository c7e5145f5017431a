"""Plans and Verilog of ten networks are those recorded: a refactor moves none of them."""

from __future__ import annotations

import pytest

from tests.support.fingerprints import BOARDS, CASES, NETWORKS, differences, fingerprint, recorded

HINT = "if that is meant: python -m tests.support.fingerprints --write"


def test_all_cases_are_recorded() -> None:
    assert tuple(recorded()) == CASES
    assert len(CASES) == len(NETWORKS) * len(BOARDS) == 40


@pytest.mark.slow(sample=8)
@pytest.mark.parametrize("case", CASES)
def test_products_are_those_recorded(case: str) -> None:
    lines = list(differences(case, fingerprint(case), recorded()[case]))
    assert not lines, "\n".join([*lines, HINT])


def test_another_product_is_told() -> None:
    case = next(case for case, one in recorded().items() if "verilog" in one)
    other = recorded()[case] | {"verilog": "0" * 64}
    (line,) = differences(case, other, recorded()[case])
    assert line.startswith(f"{case}: verilog 0000")
    refused = {"network": other["network"], "refused": "needs more"}
    assert len(list(differences(case, refused, recorded()[case]))) == 3
