"""Layers whose constants are wiring, all outputs at once: the descriptions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from amaranth.hdl import Shape, signed, unsigned

from rtl.wired.component import WiredUnit
from rtl.wired.connections import Connections, wired_kind
from rtl.wired.graph import AdderGraph, GraphTerm
from rtl.wired.operations import Counts, Range
from rtl.wired.pipeline import GraphPipeline
from rtl.wired.requantise import Staircase, best_form, requantised


class Wired(ABC):
    """A graph in a pipeline. levels: of operations between two registers."""

    levels: int

    @property
    @abstractmethod
    def x_shape(self) -> Shape: ...

    @property
    @abstractmethod
    def out_shape(self) -> Shape:
        """Of each output."""

    @property
    @abstractmethod
    def port(self) -> str:
        """What the outputs are called."""

    @cached_property
    @abstractmethod
    def built(self) -> tuple[AdderGraph, list[GraphTerm]]:
        """The graph, and of each output the term that it is, none of them negative."""

    @cached_property
    def pipeline(self) -> GraphPipeline:
        graph, terms = self.built
        return GraphPipeline(graph, [term.node for term in terms], self.levels)

    @property
    def latency(self) -> int:
        """Enabled cycles from x to its results."""
        return self.pipeline.latency

    @property
    def counts(self) -> Counts:
        """What it is made of, from the graph."""
        return self.pipeline.counts

    def evaluate(self, x: np.ndarray) -> np.ndarray:
        """Results (N, outputs) of inputs (N, inputs), int64, as the graph computes them."""
        graph, terms = self.built
        nodes = graph.evaluate(x, [term.node for term in terms])
        shifted: np.ndarray = nodes << np.array([term.shift for term in terms])
        return shifted

    def component(self) -> WiredUnit:
        """Its hardware, anew with each call."""
        graph, terms = self.built
        return WiredUnit(
            graph, terms, self.pipeline, port=self.port, x_shape=self.x_shape, shape=self.out_shape
        )


@dataclass(frozen=True, kw_only=True)
class WiredSums(Wired):
    """acc[o] = offsets[o] + sum of term(x[i], w) over the pairs (i, w) of connections[o].

    kind: what a term is: `mult`, `shift`, `add`, or the weightless `sum` and `max`. An input that
    is absent from an output's pairs has no term there. x_bits, x_signed: of each input. acc_bits:
    hold every sum. inputs: how many there are; 0 for as many as the connections name.
    """

    kind: str
    connections: Connections
    offsets: tuple[int, ...]
    x_bits: int
    x_signed: bool
    acc_bits: int
    levels: int = 1
    inputs: int = 0

    def __post_init__(self) -> None:
        wired_kind(self.kind)
        if not self.offsets or len(self.offsets) != len(self.connections):
            raise ValueError(
                f"{len(self.connections)} rows of connections and {len(self.offsets)} offsets: "
                "one of each an output"
            )
        for name, value, lo, hi in (
            ("x_bits", self.x_bits, 1, 16), ("acc_bits", self.acc_bits, 2, 64),
            ("levels", self.levels, 1, 64),
        ):  # fmt: skip
            if not lo <= value <= hi:
                raise ValueError(f"{name} must be {lo} to {hi}, not {value}")
        if not self.inputs:
            most = max((i for row in self.connections for i, _ in row), default=-1)
            object.__setattr__(self, "inputs", most + 1)
        for output, row in enumerate(self.connections):
            taken = [i for i, _ in row]
            if len({*taken}) < len(taken) or {*taken} - {*range(self.inputs)}:
                raise ValueError(
                    f"output {output}: its inputs must be different ones of 0 to "
                    f"{self.inputs - 1}, not {taken}"
                )

    @property
    def port(self) -> str:
        return "acc"

    @property
    def x_shape(self) -> Shape:
        return signed(self.x_bits) if self.x_signed else unsigned(self.x_bits)

    @property
    def out_shape(self) -> Shape:
        return signed(self.acc_bits)

    @property
    def x_range(self) -> Range:
        """Smallest and largest input."""
        top = 1 << (self.x_bits - self.x_signed)
        return (-top if self.x_signed else 0), top - 1

    @cached_property
    def ranges(self) -> tuple[Range, ...]:
        """Least and largest of each sum, within what acc_bits hold: nothing else is to occur."""
        end, reach = 1 << (self.acc_bits - 1), wired_kind(self.kind).reach
        rows = zip(self.connections, self.offsets, strict=True)
        ends = [(reach(row, self.x_range), offset) for row, offset in rows]
        return tuple((max(lo + c, -end), min(hi + c, end - 1)) for (lo, hi), c in ends)

    @cached_property
    def built(self) -> tuple[AdderGraph, list[GraphTerm]]:
        graph, terms = self.sums((0,) * len(self.offsets))
        zero = GraphTerm(graph.constant(0))
        ranges = zip(terms, self.ranges, strict=True)
        return graph, [graph.add(zero, t, ends) if t.negative else t for t, ends in ranges]

    def sums(self, more: tuple[int, ...]) -> tuple[AdderGraph, list[GraphTerm]]:
        """The graph, and the terms of either sign that are the sums, with `more` added to each."""
        graph = AdderGraph([self.x_range] * self.inputs)
        offsets = [a + b for a, b in zip(self.offsets, more, strict=True)]
        bounds = [(lo + c, hi + c) for (lo, hi), c in zip(self.ranges, more, strict=True)]
        return graph, wired_kind(self.kind).sums(graph, self.connections, offsets, bounds)


@dataclass(frozen=True, kw_only=True)
class WiredLayer(Wired):
    """y[o] = steps[o](acc[o]) of the sums acc of `layer_sums`: a layer with its requantiser.

    What a requantiser adds to a sum is one constant with the sum's own. out_bits, out_signed: of y.
    """

    layer_sums: WiredSums
    steps: tuple[Staircase, ...]
    out_bits: int
    out_signed: bool

    def __post_init__(self) -> None:
        outputs = len(self.layer_sums.offsets)
        if len(self.steps) != outputs:
            raise ValueError(f"{len(self.steps)} staircases for {outputs} sums: one of each")

    @property
    def levels(self) -> int:  # type: ignore[override]
        return self.layer_sums.levels

    @property
    def port(self) -> str:
        return "y"

    @property
    def x_shape(self) -> Shape:
        return self.layer_sums.x_shape

    @property
    def out_shape(self) -> Shape:
        return signed(self.out_bits) if self.out_signed else unsigned(self.out_bits)

    @cached_property
    def built(self) -> tuple[AdderGraph, list[GraphTerm]]:
        ranges = self.layer_sums.ranges
        forms = [best_form(s, ends) for s, ends in zip(self.steps, ranges, strict=True)]
        graph, sums = self.layer_sums.sums(tuple(form.offset for form in forms))
        rows = zip(sums, self.steps, forms, strict=True)
        return graph, [GraphTerm(requantised(graph, acc, steps, form)) for acc, steps, form in rows]
