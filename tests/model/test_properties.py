"""Whatever is drawn: files of architectures and networks give back what went in, and requantising
is what its formula says."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model import arch, golden, store
from model.arch import Architecture
from model.spec import Format, Network, Requantise
from tests.support.strategies import architectures, networks


@given(architectures())
def test_architecture_and_back(architecture: Architecture) -> None:
    again = arch.from_json(arch.to_json(architecture))
    assert again == architecture
    assert again.id == architecture.id


@given(architectures(), st.text())
def test_id_is_that_of_the_blocks_and_not_of_the_name(
    architecture: Architecture, name: str
) -> None:
    assert replace(architecture, name=name).id == architecture.id
    wider = replace(architecture, input_bits=architecture.input_bits % 8 + 1)
    assert wider.id != architecture.id


def plain(value: Any) -> Any:
    return (value.shape, value.tolist()) if isinstance(value, np.ndarray) else value


@given(networks())
def test_network_and_back(tmp_path_factory: pytest.TempPathFactory, network: Network) -> None:
    loaded = store.load(store.save(network, tmp_path_factory.getbasetemp() / "some.net"))
    assert store.content_hash(loaded) == store.content_hash(network)
    assert (loaded.classes, loaded.about) == (network.classes, network.about)
    for before, after in zip(network, loaded, strict=True):
        assert type(before) is type(after)
        for field in fields(before):
            assert plain(getattr(before, field.name)) == plain(getattr(after, field.name))


@given(
    st.lists(
        st.tuples(
            st.integers(-(1 << 40), 1 << 40),
            st.integers(-(1 << 15), 1 << 15),
            st.integers(-(1 << 58), 1 << 58),
        ),
        min_size=1,
        max_size=9,
    ),
    st.integers(0, 48),
    st.builds(Format, st.integers(1, 16), st.booleans()),
)
def test_requantise_is_its_formula(
    channels: list[tuple[int, int, int]], shift: int, form: Format
) -> None:
    """In Python's integers, which have no width."""
    x, m, b = (np.array(column) for column in zip(*channels, strict=True))
    node = Requantise("q", ("x",), m, b, shift, form)
    y = golden.requantise(node, torch.from_numpy(x)[None, :, None, None])
    half = 1 << (shift - 1) if shift else 0
    expected = [min(max((x * m + b + half) >> shift, form.lo), form.hi) for x, m, b in channels]
    assert y.flatten().tolist() == expected
