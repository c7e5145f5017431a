"""What `check` accepts, the golden model gives as Python's integers do, which have no end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model import golden
from model.spec import (
    Add,
    AvgPool,
    Conv,
    Dense,
    Format,
    Head,
    Input,
    Network,
    NetworkError,
    Node,
    Requantise,
    check,
)

SIZES = st.integers(0, 63).flatmap(lambda n: st.integers(-(1 << n), (1 << n) - 1))
"""As often small as large."""


def clipped(node: Requantise, x: int) -> int:
    m, b = int(node.multiplier[0]), int(node.offset[0])
    y = (x * m + b + ((1 << node.shift) >> 1)) >> node.shift
    return min(max(y, node.format.lo), node.format.hi)


def requantise(name: str, source: str, m: int, b: int, shift: int, form: Format) -> Requantise:
    return Requantise(name, (source,), np.array([m]), np.array([b]), shift, form)


def network(
    form: Format, kind: str, weight: int, m: int, b: int, shift: int, shifts: tuple[int, int]
) -> Network:
    """A product, twice, one added to the other."""
    x, wide = Input("x", (1, 1, 1), form), Format(16, True)
    c = Conv("c", ("x",), kind, np.array([[[[weight]]]]), 8)
    nodes: tuple[Node, ...] = (
        x, c, requantise("q", "c", m, b, shift, wide), Add("a", ("q", "x"), shifts),
        requantise("r", "a", b, m, shift, wide), Head("h", ("r",)),
    )  # fmt: skip
    return Network(nodes)


def by_hand(made: Network, x: int) -> int:
    _, c, q, a, r, _ = made.nodes
    assert isinstance(c, Conv)
    assert isinstance(q, Requantise)
    assert isinstance(a, Add)
    assert isinstance(r, Requantise)
    w = int(c.weights.item())
    product = clipped(q, -abs(x - w) if c.kind == "add" else x * w)
    return clipped(r, (product << a.shifts[0]) + (x << a.shifts[1]))


@given(
    st.builds(Format, st.integers(1, 8), st.booleans()),
    st.sampled_from(("mult", "add")),
    st.integers(-128, 127),
    SIZES,
    SIZES,
    st.integers(0, 48),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_what_is_accepted_is_exact(
    form: Format, kind: str, weight: int, m: int, b: int, shift: int, shifts: tuple[int, int]
) -> None:
    made = network(form, kind, weight, m, b, shift, shifts)
    try:
        check(made)
    except NetworkError:
        return
    values = [form.lo, form.lo // 2, 0, form.hi // 3, form.hi]
    images = torch.tensor(values).reshape(-1, 1, 1, 1)
    assert golden.run(made, images)["h"].flatten().tolist() == [by_hand(made, v) for v in values]


BYTE = Format(8)
BIG = (1 << 63) - 1


@pytest.mark.parametrize(
    ("m", "b", "shift", "accepted"),
    [
        ((BIG - (1 << 47)) // 255, 0, 48, True),
        ((BIG - (1 << 47)) // 255 + 1, 0, 48, False),
        (0, BIG, 0, True),
        (0, BIG, 1, False),
        (1, BIG - 255, 0, True),
        (1, BIG - 254, 0, False),
        (-1, 255 - BIG, 0, True),
        (-1, 254 - BIG, 0, False),
        (1 << 60, 0, 48, False),
    ],
)
def test_products_of_requantise_end_where_int64_does(
    m: int, b: int, shift: int, accepted: bool
) -> None:
    form = Format(16, True)
    nodes = (
        Input("x", (1, 1, 1), BYTE), AvgPool("p", ("x",), 1, 1),
        requantise("q", "p", m, b, shift, form), Head("h", ("q",)),
    )  # fmt: skip
    if not accepted:
        with pytest.raises(NetworkError, match=r"^q: sums of x·multiplier, offset and half can re"):
            check(Network(nodes))
        return
    images = torch.tensor([0, 1, 255]).reshape(3, 1, 1, 1)
    scores = golden.run(Network(nodes), images)["h"].flatten().tolist()
    assert scores == [clipped(nodes[2], x) for x in (0, 1, 255)]


def test_shifts_of_add_end_before_they_wrap() -> None:
    def adding(*shifts: int) -> Network:
        nodes = (
            Input("x", (1, 1, 1), BYTE), AvgPool("p", ("x",), 1, 1),
            requantise("q", "p", 1, 0, 0, Format(16)), Add("a", ("q", "x"), (shifts[0], shifts[1])),
            requantise("r", "a", 1, 0, 0, Format(16)), Head("h", ("r",)),
        )  # fmt: skip
        return Network(nodes)

    with pytest.raises(NetworkError, match=r"^a: shift 57 must be 0 to 48"):
        check(adding(57, 0))
    with pytest.raises(NetworkError, match=r"^a: shift 64 must be 0 to 48"):
        check(adding(0, 64))
    assert golden.predict(adding(48, 48), torch.tensor([[[[255]]]])).tolist() == [0]
    wide = adding(48, 0)
    q = wide["q"]
    assert isinstance(q, Requantise)
    over = replace(q, multiplier=np.array([65535 // 255]))
    nodes = tuple(over if n.name == "q" else n for n in wide)
    with pytest.raises(NetworkError, match=r"^a: an input shifted by 48 can reach 18446\d+: "):
        check(Network(nodes))


def test_sums_end_before_float64_does() -> None:
    x, form = Input("x", (1, 1, 1), BYTE), Format(16, True)

    def net(weight: int) -> Network:
        dense = Dense("d", ("x",), "shift", np.array([[weight]]), 8)
        return Network((x, dense, requantise("q", "d", 1, 0, 48, form), Head("h", ("q",))))

    check(net(1 << 45))
    with pytest.raises(NetworkError, match=r"^d: sums can reach \d+: .* exact below 2\^53; take"):
        check(net(1 << 46))
    for weight in (1 << 62, -(1 << 63)):
        with pytest.raises(NetworkError, match=r"^d: sums of weights and inputs can reach \d+: "):
            check(net(weight))
