"""What a kind of operator is, as plain numbers: one description a kind, found by name.

A kind `k` is the module `model/kind_k.py` (numpy only), with its torch side in `model/ops_k.py` and
its hardware in `rtl/pe_k.py`. A further kind is added by adding those files.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Protocol

import numpy as np

from model.errors import RequestError


class Kind(Protocol):
    """Facts of one kind: y[o] = sum over i of term(x[i], w[o, i])."""

    name: str
    unit: str
    """Operation of one term in the energy table: `mult`, `shift` or `add`."""

    def weight_ok(self, weights: np.ndarray, bits: int) -> np.ndarray:
        """Boolean mask, same shape: which integer weights a `bits`-wide memory word can hold."""
        ...

    def rule(self, bits: int) -> str:
        """The values that `weight_ok` admits, in words, for error messages."""
        ...

    def bounds(self, weights: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest sum per output for weights (out, in), inputs in [lo, hi]; exact."""
        ...


@cache
def kind_names() -> tuple[str, ...]:
    """The kinds that exist, in alphabetical order."""
    import model

    found = (m.name for m in pkgutil.iter_modules(model.__path__))
    return tuple(sorted(n.removeprefix("kind_") for n in found if n.startswith("kind_")))


@cache
def kind(name: str) -> Kind:
    """The kind called `name`; raises RequestError that lists the known ones."""
    if name not in kind_names():
        raise RequestError(f"unknown kind {name!r}: choose one of {', '.join(kind_names())}")
    found: Kind = importlib.import_module(f"model.kind_{name}").KIND
    return found
