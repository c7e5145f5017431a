"""What a kind of operator is, as plain numbers: one description a kind, found by name.

A kind `k` is the module `model/kind_k.py` (numpy only), with its torch side in `model/ops_k.py`,
its hardware in `rtl/pe/k.py`, its cost in `gen/cost/lane_k.py` and the reference of its proofs in
`sim/formal/reference_k.py`. A further kind is added by adding those files, here or in a folder of
one's own: see docs/kinds.md.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from functools import cache

import numpy as np

from model.errors import RequestError


class KindError(RequestError):
    """A kind that is unknown, or that lacks a file; the message names the file."""


class Kind(ABC):
    """Facts of one kind: y[o] = sum over i of term(x[i], w[o, i])."""

    name: str
    unit: str
    """Operation of one term in the energy table: `mult`, `shift` or `add`."""
    order: int = 100
    """Place among the kinds wherever they are listed; equal ones by name."""
    weight_bits: tuple[int, int] = (2, 8)
    """Fewest and most bits of a weight."""
    usual_bits: int | None = None
    """Bits of a weight where nobody chose any; None: those of the layers beside it."""
    calibrated_bits: tuple[int, ...] = ()
    """Widths of weights of the random layers to which the cost model is fitted: those that the
    search spaces have, at least. None: the kind is not measured."""
    linear = False
    """A term is a product of input and weight, so trained weights are of use to other linear kinds,
    and a network of this kind can teach the others; of several, the first in order does."""
    plain = False
    """The kind of the first and the last layer, as published, which does not count among the kinds
    of a network. One kind is."""
    laplacian = False
    """Trained weights are Laplacian and not Gaussian: shared ones are transformed for it."""
    stepped = False
    """Weights may be multiples of a power of two, the step of their layer."""
    uneven = False
    """The values of a weight lie unevenly, so that histograms show them rounded."""
    mark = "M-5-5L5 5M-5 5L5-5"
    """SVG path of its mark in plots, about the centre."""
    colours: tuple[str, str] = ("#8a5a9e", "#c79be0")
    """In plots, on a light and on a dark page."""

    @abstractmethod
    def weight_ok(self, weights: np.ndarray, bits: int) -> np.ndarray:
        """Boolean mask, same shape: which integer weights a `bits`-wide memory word can hold."""

    @abstractmethod
    def rule(self, bits: int) -> str:
        """The values that `weight_ok` admits, in words, for error messages."""

    @abstractmethod
    def bounds(self, weights: np.ndarray, lo: int, hi: int) -> tuple[np.ndarray, np.ndarray]:
        """Least and largest sum per output for weights (out, in), inputs in [lo, hi]; exact."""

    def random_weights(
        self, draw: np.random.Generator, bits: int, shape: tuple[int, ...]
    ) -> np.ndarray:
        """Random integer weights that `weight_ok` admits: any of `bits` bits, unless overridden."""
        return draw.integers(-(1 << (bits - 1)), 1 << (bits - 1), shape)


@cache
def kind_names() -> tuple[str, ...]:
    """The kinds that exist, in alphabetical order."""
    import model

    names = (module.name for module in pkgutil.iter_modules(model.__path__))
    return tuple(sorted(n.removeprefix("kind_") for n in names if n.startswith("kind_")))


@cache
def kind(name: str) -> Kind:
    """The kind called `name`; raises KindError that lists the known ones."""
    if name not in kind_names():
        raise KindError(f"unknown kind {name!r}: choose one of {', '.join(kind_names())}")
    described: Kind = importlib.import_module(f"model.kind_{name}").KIND
    return described


@cache
def ordered_kinds() -> tuple[str, ...]:
    """The kinds that exist, in the order in which they are listed."""
    return tuple(sorted(kind_names(), key=lambda name: (kind(name).order, name)))


@cache
def plain_kind() -> str:
    """The kind of the first and the last layer, as published."""
    return next(name for name in ordered_kinds() if kind(name).plain)


def part_of(package: str, prefix: str, name: str) -> object:
    """The module `package`.`prefix``name`, the part of kind `name` in another room.

    Raises KindError that names the missing file.
    """
    module = f"{package}.{prefix}{name}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        path = module.replace(".", "/")
        raise KindError(
            f"kind {name!r} has no {path}.py; docs/kinds.md says what it holds"
        ) from None
